"""Questions to a ledger: what was concluded of a repository over time, what had changed each time,
and what held before and does not now. Not here: how it is shown.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from cleanroom.ledger.ledger import Ledger
from cleanroom.ledger.tables import ARTIFACTS, CONFIRMATIONS, RUNS
from cleanroom.values.base import Value
from cleanroom.values.verdict import VerdictName

_LOST = (VerdictName.DRIFTED, VerdictName.FAILED)
"""What ends that meaning held; INCONCLUSIVE says nothing of the workflow."""
_WORDS = {
    "commit": "commit",
    "snakemake": "Snakemake",
    "engine": "engine",
    "image": "image",
    "software": "packages",
    "settings": "settings of the baseline",
}


class Entry(Value, frozen=True):
    """One confirmation in the history of a ref."""

    record: str
    ref: str
    commit: str
    started: float
    seconds: float
    verdict: str
    reason: str
    evidence: str
    """The digest of the baseline's evidence."""
    changed: tuple[str, ...] = ()
    """What is known to be another since the confirmation of this ref before it."""
    regression: bool = False
    """Whether this ref held at the last confirmation before it that proved anything."""
    since: str = ""
    """The evidence of the baseline at the confirmation before it."""


class History(Value, frozen=True):
    """The confirmations of one repository, newest first, and each ref's standing."""

    repo: str
    entries: tuple[Entry, ...]
    standings: tuple["Standing", ...]


class Standing(Value, frozen=True):
    """Where a ref stands: its last verdict, when it last held, and since when it does not."""

    ref: str
    verdict: str
    held: float | None
    """When it last held; None where it never did."""
    lost: float | None
    """When it first did not, after it had held; None while it holds, or where it never held."""
    wavered: int
    """How often the verdict became another one."""


class PathEntry(Value, frozen=True):
    """What one confirmation left at a path, under one profile."""

    record: str
    ref: str
    commit: str
    started: float
    label: str
    sha256: str
    size: int
    differs: bool
    """Whether it decided that meaning differs between the runs of that confirmation."""
    another: bool
    """Whether it is another content than at the confirmation of that ref and profile before it."""


def repositories(ledger: Ledger) -> list[str]:
    """All that were confirmed, by their addresses."""
    asked = sa.select(CONFIRMATIONS.c.repo).distinct().order_by(CONFIRMATIONS.c.repo)
    with ledger.asked() as connection:
        return list(connection.scalars(asked))


def history(ledger: Ledger, repo: str, ref: str = "") -> History:
    """Every confirmation of a repository, or of one ref of it."""
    columns = [RUNS.c[name] for name in ("evidence", *_WORDS) if name in RUNS.c]
    asked = (
        sa.select(CONFIRMATIONS, *columns)
        .join(RUNS, sa.and_(RUNS.c.record == CONFIRMATIONS.c.record, RUNS.c.place == 0))
        .where(CONFIRMATIONS.c.repo == repo)
        .order_by(CONFIRMATIONS.c.started, CONFIRMATIONS.c.record)
    )
    if ref:
        asked = asked.where(CONFIRMATIONS.c.ref == ref)
    with ledger.asked() as connection:
        rows = [dict(row) for row in connection.execute(asked).mappings()]
    entries = list(_entries(rows))
    refs = dict.fromkeys(entry.ref for entry in reversed(entries))
    return History(
        repo=repo,
        entries=tuple(reversed(entries)),
        standings=tuple(_standing(name, [e for e in entries if e.ref == name]) for name in refs),
    )


def _entries(rows: Sequence[dict[str, Any]]) -> Iterator[Entry]:
    """Oldest first."""
    before: dict[str, dict[str, Any]] = {}
    proven: dict[str, str] = {}
    for row in rows:
        last = before.get(row["ref"])
        changed = [word for name, word in _WORDS.items() if last and last[name] != row[name]]
        yield Entry(
            **{name: row[name] for name in Entry.__struct_fields__ if name in row},
            changed=tuple(changed),
            regression=proven.get(row["ref"]) == VerdictName.HELD and row["verdict"] in _LOST,
            since=last["evidence"] if last else "",
        )
        before[row["ref"]] = row
        if row["verdict"] != VerdictName.INCONCLUSIVE:
            proven[row["ref"]] = row["verdict"]


def _standing(ref: str, entries: Sequence[Entry]) -> Standing:
    """Of the entries of one ref, oldest first."""
    held = lost = None
    wavered = 0
    for place, entry in enumerate(entries):
        if entry.verdict == VerdictName.HELD:
            held, lost = entry.started, None
        elif held is not None and lost is None and entry.verdict in _LOST:
            lost = entry.started
        wavered += place > 0 and entry.verdict != entries[place - 1].verdict
    return Standing(ref=ref, verdict=entries[-1].verdict, held=held, lost=lost, wavered=wavered)


def of_path(ledger: Ledger, repo: str, path: str, ref: str = "") -> list[PathEntry]:
    """What every confirmation of a repository left at a path, newest first."""
    runs = sa.and_(RUNS.c.record == ARTIFACTS.c.record, RUNS.c.place == ARTIFACTS.c.place)
    asked = (
        sa.select(CONFIRMATIONS, RUNS.c.label, ARTIFACTS.c.sha256, ARTIFACTS.c.size)
        .add_columns(ARTIFACTS.c.differs)
        .join(CONFIRMATIONS, CONFIRMATIONS.c.record == ARTIFACTS.c.record)
        .join(RUNS, runs)
        .where(ARTIFACTS.c.path == path, CONFIRMATIONS.c.repo == repo)
        .order_by(CONFIRMATIONS.c.started, ARTIFACTS.c.place)
    )
    if ref:
        asked = asked.where(CONFIRMATIONS.c.ref == ref)
    found: list[PathEntry] = []
    before: dict[tuple[str, str], str] = {}
    with ledger.asked() as connection:
        for row in connection.execute(asked).mappings():
            fields = {name: row[name] for name in PathEntry.__struct_fields__ if name in row}
            key = row["ref"], row["label"]
            another = before.get(key, row["sha256"]) != row["sha256"]
            before[key] = row["sha256"]
            found.append(
                PathEntry(**fields | {"differs": bool(row["differs"]), "another": another})
            )
    return found[::-1]
