"""The values of a review. Frozen, JSON in and out, as in `cleanroom.values`."""

from enum import StrEnum

from cleanroom.values.audit import Audit
from cleanroom.values.base import Value
from cleanroom.values.run import Evidence
from cleanroom.values.setup import Entry, Source


class Drift(StrEnum):
    """What a change is. DECLARED: meaning changed, and code, configuration or the commit says
    so.
    """

    SEMANTIC = "semantic drift"
    UNKNOWN = "not known"
    DECLARED = "declared change"
    POLICY = "policy drift"


class ReviewOutcome(StrEnum):
    SEMANTIC_DRIFT = "SEMANTIC DRIFT"
    FAILED = "FAILED"
    INCONCLUSIVE = "INCONCLUSIVE"
    DECLARED = "DECLARED CHANGE"
    POLICY_DRIFT = "POLICY DRIFT"
    UNCHANGED = "UNCHANGED"


class History(Value, frozen=True):
    """How two commits stand to each other.
    `changed` is {path: A, M, D or T}; `declared` the reasons of `Semantic-Drift:` trailers.
    """

    ancestor: bool
    changed: dict[str, str]
    declared: tuple[str, ...] = ()


class ReviewChange(Value, frozen=True):
    """One thing that changed. `topic`: setting, recovery, staging, rule, publish path, proof route
    or profile.
    """

    topic: str
    name: str
    drift: Drift
    before: str
    after: str
    why: str
    claim: str
    """The claim that became stronger or weaker."""
    question: str
    proof: str
    """The smallest honest proof route: a command, empty where nothing is left to prove."""
    profiles: tuple[str, ...] = ()
    file: str = ""
    line: int = 0


class Pair(Value, frozen=True):
    """One profile at both commits.
    `between` is the head's code under the base's profile files; None where it could not be made.
    """

    profile: str
    base: Evidence | None
    between: Evidence | None
    head: Evidence | None


class Reviewed(Value, frozen=True):
    """Everything that a review found."""

    repo: str
    base: Source
    head: Source
    entry: Entry
    ancestor: bool
    declared: tuple[str, ...]
    outcome: ReviewOutcome
    exit_code: int
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    changes: tuple[ReviewChange, ...]
    audit: Audit
    started: float
    seconds: float
