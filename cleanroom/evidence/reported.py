"""Which evidence an earlier report.json names. Not here: what else a report says."""

import contextlib
from pathlib import Path

import msgspec

from cleanroom.errors import UsageError
from cleanroom.values.base import Value

REPORT = "report.json"


class ReportedRun(Value, frozen=True):
    """One run of a report, and the digest of its evidence."""

    label: str
    evidence: str
    control: bool = False


class Reported(Value, frozen=True):
    """The part of a report that leads back to evidence."""

    baseline: str
    runs: tuple[ReportedRun, ...]

    @property
    def of_baseline(self) -> str:
        """The digest of the baseline's evidence."""
        return next(run.evidence for run in self.runs if run.label == self.baseline)


def read_reported(folder: Path) -> Reported:
    """Raises: UsageError where there is no report, or it does not name the evidence of its
    baseline.
    """
    with contextlib.suppress(msgspec.MsgspecError, OSError):
        found = msgspec.json.decode((folder / REPORT).read_bytes(), type=Reported)
        if any(run.label == found.baseline and run.evidence for run in found.runs):
            return found
    raise UsageError(
        f"{folder / REPORT} names no evidence of its baseline.",
        "Give the folder of a report of `cleanroom confirm`.",
    )
