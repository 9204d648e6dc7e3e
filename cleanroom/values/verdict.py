"""What is concluded: the rungs that were climbed, the verdict, and the whole of a confirmation."""

from enum import StrEnum

from cleanroom.values.audit import Audit
from cleanroom.values.base import Value
from cleanroom.values.comparison import Cause, Comparison
from cleanroom.values.declared import Declared
from cleanroom.values.run import Evidence
from cleanroom.values.setup import Entry, Source


class VerdictName(StrEnum):
    HELD = "HELD"
    DRIFTED = "DRIFTED"
    FAILED = "FAILED"
    INCONCLUSIVE = "INCONCLUSIVE"


class ClimbedRung(Value, frozen=True):
    """One proof route of the ladder.
    `verdict` is None where it was not climbed; then `unproven` says what stays open. `state` says
    in a word or two how it was climbed.
    """

    name: str
    verdict: VerdictName | None
    decides: bool
    proves: str
    unproven: str = ""
    state: str = ""


class Judgement(Value, frozen=True):
    """The verdict in all, its exit code, and every reason for it."""

    verdict: VerdictName
    exit_code: int
    reasons: tuple[str, ...]
    rungs: tuple[ClimbedRung, ...]
    untried: tuple[str, ...] = ()
    """What profiles say and no run tried."""


class Confirmation(Value, frozen=True):
    """Everything that one confirmation found; from this alone, every report is made."""

    source: Source
    repo: str
    entry: Entry
    baseline: str
    wanted: tuple[str, ...]
    runs: tuple[Evidence, ...]
    evidence: dict[str, str]
    """The digest of each run's evidence, by label."""
    comparisons: tuple[Comparison, ...]
    judgement: Judgement
    audit: Audit
    causes: tuple[Cause, ...]
    started: float
    seconds: float
    declared: Declared = Declared()
    earlier: Evidence | None = None
    """The run of an earlier confirmation, or folder, that the baseline was compared with."""
    groups: tuple[tuple[str, ...], ...] = ()
    """The runs of profiles, as groups whose members all mean the same as each other."""
    climb: tuple[str, ...] = ()
    """The rungs that were asked for by name."""
    record: str = ""
    """The digest under which the store keeps what was concluded; nothing where it is not kept."""
