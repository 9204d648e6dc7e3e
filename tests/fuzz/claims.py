"""What holds of the claims of a room, whatever it says: it is refused, or it is a run that can be
judged, kept and rendered.
"""

import tracemalloc
from pathlib import Path
from random import Random

import msgspec

from cleanroom.evidence.outcome import outcome
from cleanroom.flows.conclude import recompute
from cleanroom.report import build_report
from cleanroom.report.confirmation.files import FORMATS, render
from cleanroom.room.claim_reader import ClaimReader
from cleanroom.room.claims import Budget, ClaimError, Claims
from cleanroom.room.engines.interface import RoomExit
from cleanroom.values.base import canonical
from cleanroom.values.run import Artifact, Evidence, RunStatus
from tests.unit.values import artifact, evidence

CLAIMS = "claims"
"""The name of this target among those that are comparators."""
_SLACK = 2**20
"""Bytes that a decoder may take beside what was said."""


class _Counted(Budget):
    """A budget that tells what was taken from it."""

    spent = 0

    def spend(self, line: bytes) -> None:
        before = self._left
        super().spend(line)
        self.spent += before - self._left


def broken(said: bytes, scratch: Path) -> str:
    """Which invariant a stream of claims breaks, or nothing."""
    budget = _Counted()
    tracemalloc.start()
    try:
        whole = _read([said], budget, scratch)
        kept, _ = tracemalloc.get_traced_memory()
    except Exception as error:
        return f"raised {type(error).__name__}: {error}"
    finally:
        tracemalloc.stop()
    if isinstance(whole, Claims) and kept > budget.spent + _SLACK:
        return f"took {kept} bytes of memory, and {budget.spent} were set apart"
    pieces = _read(_cut(said), Budget(), scratch)
    if pieces != whole:
        return f"in one piece {str(whole)[:100]}, in several {str(pieces)[:100]}"
    return _judged(whole) if isinstance(whole, Claims) else ""


def _read(blocks: list[bytes], budget: Budget, scratch: Path) -> Claims | str:
    """The claims, or why they are none."""
    reader = ClaimReader(budget)
    try:
        for block in blocks:
            reader.feed(block)
    except ClaimError as error:
        return str(error)
    return reader.claims(scratch)


def _cut(said: bytes) -> list[bytes]:
    random = Random(len(said))
    places = sorted(random.randrange(len(said) + 1) for _ in range(9))
    return [said[a:b] for a, b in zip([0, *places], [*places, len(said)], strict=True)]


def _left(claims: Claims) -> tuple[Artifact, ...]:
    """What the host would have seen: a file for every output."""
    of_job = {
        file.path: i for i, attempt in enumerate(claims.attempts) for file in attempt.job.output
    }
    return tuple(artifact(path, index=index) for path, index in of_job.items())


def _judged(claims: Claims) -> str:
    """What becomes of a run that says this, beside one that says nothing strange."""
    usual = evidence("usual")
    try:
        strange = outcome(evidence("strange", artifacts=_left(claims)), claims, RoomExit())
        if msgspec.json.decode(canonical(strange), type=Evidence) != strange:
            return "is another evidence once it was kept"
        if strange.status is RunStatus.COMPLETED and claims.broken:
            return "contradicts itself, and the run completed"
        found = recompute([usual, strange], Path)
        report = build_report(found)
        for name in FORMATS:
            render(report, name)
    except Exception as error:
        return f"a run that says this raises {type(error).__name__}: {error}"
    return ""
