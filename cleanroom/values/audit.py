"""What settings and plans show without a run: findings, and who accepts them."""

import datetime
from enum import StrEnum
from typing import Any

from cleanroom.values.base import Value
from cleanroom.values.comparison import PlanDifference
from cleanroom.values.run import Evidence
from cleanroom.values.setup import Entry, SettingClass, Source


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Finding(Value, frozen=True):
    """One observation with a permanent code. `accepted` says who accepts it, why and until when."""

    code: str
    severity: Severity
    text: str
    file: str = ""
    line: int = 0
    profile: str = ""
    key: str = ""
    why: str = ""
    repair: str = ""
    accepted: str = ""

    @property
    def counts(self) -> bool:
        """An error that nobody accepted."""
        return self.severity is Severity.ERROR and not self.accepted


class Decided(StrEnum):
    """What evidence says of one setting in one profile."""

    POLICY = "policy"
    MEANING = "meaning"
    ACTION = "action"
    OPEN = "only a run can tell"


class AuditedSetting(Value, frozen=True):
    """One setting as in force under one profile, its class, and what decided it.
    `rules` are those that it reaches.
    """

    profile: str
    key: str
    value: Any
    file: str
    line: int
    shadows: tuple[str, ...]
    setting_class: SettingClass | None
    """None where the table of settings lacks the key."""
    does: str
    decided: Decided
    why: str
    rules: tuple[str, ...] = ()
    topic: str = ""
    silent: bool = False
    """Whether today's plan is the same without it."""
    planned: bool = False
    """Whether all that it changes shows in the plan."""


class PlanAudit(Value, frozen=True):
    """The plan under one profile against the baseline's. `caveat` says what a plan cannot show."""

    profile: str
    against: str
    jobs: int
    differences: tuple[PlanDifference, ...] = ()
    caveat: str = ""

    @property
    def drifts(self) -> bool:
        return any(d.decides and not d.noise for d in self.differences)


class Answer(Value, frozen=True):
    """A question that a reviewer asks, answered for this repository."""

    question: str
    answer: str
    good: bool | None
    """None where the evidence does not tell."""


class Acceptance(Value, frozen=True, forbid_unknown_fields=True):
    """A finding that somebody answers for, until a day; also `accept:` in `cleanroom.yaml`.
    An empty place matches any.
    """

    finding: str
    reason: str
    owner: str
    expires: datetime.date
    profile: str = ""
    key: str = ""
    file: str = ""


class Audit(Value, frozen=True):
    """What the settings and plans of all profiles show."""

    baseline: str
    profiles: tuple[str, ...]
    settings: tuple[AuditedSetting, ...]
    plans: tuple[PlanAudit, ...]
    findings: tuple[Finding, ...]
    answers: tuple[Answer, ...]

    @property
    def drifted(self) -> tuple[Finding, ...]:
        """The errors that say that a profile setting changes the meaning, and that nobody
        accepted.
        """
        return tuple(f for f in self.findings if f.counts and f.code == "CR-016")


class AuditOutcome(StrEnum):
    """How an audit ended: nothing counts, an error counts, the workflow cannot be planned, or
    nothing is known.
    """

    CLEAN = "CLEAN"
    ERRORS = "ERRORS"
    FAILED = "FAILED"
    INCONCLUSIVE = "INCONCLUSIVE"


class Audited(Value, frozen=True):
    """Everything that one audit found, with the evidence of planning that it was found in."""

    source: Source
    repo: str
    entry: Entry
    runs: tuple[Evidence, ...]
    audit: Audit
    outcome: AuditOutcome
    exit_code: int
    reasons: tuple[str, ...]
    started: float
    seconds: float
