"""Confirmations, their runs and the results of these."""

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "confirmations",
        sa.Column("record", sa.String(64), primary_key=True),
        sa.Column("repo", sa.Text, nullable=False),
        sa.Column("ref", sa.Text, nullable=False),
        sa.Column("commit", sa.String(64), nullable=False),
        sa.Column("started", sa.Float, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("cleanroom", sa.Text, nullable=False),
    )
    op.create_index("confirmations_of_a_repo", "confirmations", ["repo", "started"])
    op.create_table(
        "runs",
        sa.Column("record", sa.String(64), sa.ForeignKey("confirmations.record"), primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("evidence", sa.String(64), nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("engine", sa.Text, nullable=False),
        sa.Column("image", sa.Text, nullable=False),
        sa.Column("snakemake", sa.Text, nullable=False),
        sa.Column("software", sa.Text, nullable=False),
        sa.Column("settings", sa.String(64), nullable=False),
    )
    op.create_table(
        "artifacts",
        sa.Column("record", sa.String(64), primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True),
        sa.Column("path", sa.Text, primary_key=True),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("differs", sa.Integer, nullable=False),
    )
    op.create_index("artifacts_of_a_path", "artifacts", ["path"])
