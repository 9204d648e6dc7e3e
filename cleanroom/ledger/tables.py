"""The tables of a ledger. Not here: what is written into them, and how older ones become these."""

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text

VERSION = "1"
"""Of these tables: the last of the steps in `migrations/versions`."""
TABLES = MetaData()

CONFIRMATIONS = Table(
    "confirmations",
    TABLES,
    Column("record", String(64), primary_key=True),
    Column("repo", Text, nullable=False),
    Column("ref", Text, nullable=False),
    Column("commit", String(64), nullable=False),
    Column("started", Float, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("cleanroom", Text, nullable=False),
    Index("confirmations_of_a_repo", "repo", "started"),
)
"""One row for each record of the store: what was asked, and what was concluded."""

RUNS = Table(
    "runs",
    TABLES,
    Column("record", String(64), ForeignKey(CONFIRMATIONS.c.record), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("label", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("status", String(16), nullable=False),
    Column("evidence", String(64), nullable=False),
    Column("seconds", Float, nullable=False),
    Column("engine", Text, nullable=False),
    Column("image", Text, nullable=False),
    Column("snakemake", Text, nullable=False),
    Column("software", Text, nullable=False),
    Column("settings", String(64), nullable=False),
)
"""The runs of a confirmation in their order; `kind` is why each was made, `software` the digest of
the packages in its room, `settings` the digest of the settings in force.
"""

ARTIFACTS = Table(
    "artifacts",
    TABLES,
    Column("record", String(64), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("path", Text, primary_key=True),
    Column("sha256", String(64), nullable=False),
    Column("size", Integer, nullable=False),
    Column("differs", Integer, nullable=False),
    Index("artifacts_of_a_path", "path"),
)
"""The results of each run of a profile; `differs` is 1 where it decided that meaning differs."""
