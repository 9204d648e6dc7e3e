"""The view model: what every rendering shows, and what report.json is.
Not here: how it is made, and how it looks.

`report.schema.json` beside this file is its JSON Schema; a test holds the two together.
"""

from typing import Any

from cleanroom.report.audit.view import SettingRow
from cleanroom.report.confirmation.cells import MatrixRow
from cleanroom.report.confirmation.sentence import leads
from cleanroom.report.next_step import NextStep
from cleanroom.values.audit import Answer, Finding
from cleanroom.values.base import Value
from cleanroom.values.comparison import (
    Cause,
    Excerpt,
    JobSide,
    Sameness,
)
from cleanroom.values.environment import (
    CondaPrefix,
    ContainerImage,
    HeldInput,
    Package,
    PassedOver,
    RemoteSource,
)
from cleanroom.values.run import RunStatus
from cleanroom.values.setup import Image, Layer, Learnt, Override, Setting, SettingPlace, Source
from cleanroom.values.verdict import ClimbedRung, VerdictName


class StepView(Value, frozen=True):
    name: str
    status: str
    seconds: float
    log: str = ""
    """The last lines, where the step did not end well."""


class FailedJob(Value, frozen=True):
    """The job under which a run failed, and the end of its log."""

    job: str
    attempts: int
    log: str = ""


class RunView(Value, frozen=True):
    """One run. `attempts` is the most that any job needed; `earlier` means that it is of an earlier
    confirmation.
    """

    label: str
    profile: str
    control: bool
    earlier: bool
    varied: tuple[str, ...]
    interrupted: str
    staged: bool
    only: tuple[str, ...]
    commit: str
    attempt_id: str
    evidence: str
    status: RunStatus
    why: str
    image: Image
    versions: dict[str, Any]
    context: dict[str, str]
    stack: tuple[Layer, ...]
    settings: tuple[Setting, ...]
    overrides: tuple[Override, ...]
    replaced: tuple[SettingPlace, ...]
    attempts: int
    jobs: int
    decides: int
    informs: int
    seconds: float
    steps: tuple[StepView, ...]
    lints: int | None
    failed: tuple[FailedJob, ...] = ()


class DifferenceView(Value, frozen=True):
    """One artifact that differs between two runs, with the job that made it under both."""

    path: str
    left: str
    right: str
    sameness: Sameness
    comparator: str
    decides: bool
    origin: bool
    noise: bool
    rule: str
    wildcards: dict[str, str]
    role: str
    note: str
    left_sha256: str
    right_sha256: str
    left_command: str = ""
    right_command: str = ""
    facts: tuple[str, ...] = ()
    excerpts: tuple[Excerpt, ...] = ()
    kinds: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()
    diffoscope: str = ""

    @property
    def leading(self) -> bool:
        """Whether something may have begun with it."""
        return leads(self)

    @property
    def shown(self) -> bool:
        """Whether a short report names it."""
        return self.decides or leads(self)


class OriginView(Value, frozen=True):
    """A job where differences began, as both runs had it, and what follows from it."""

    left: str
    right: str
    rule: str
    wildcards: dict[str, str]
    paths: tuple[str, ...]
    derived: tuple[str, ...]
    left_job: JobSide | None
    right_job: JobSide | None
    by_time: bool
    noise: bool


class PlanView(Value, frozen=True):
    """One field of one job that differs between two plans; the configuration has no rule."""

    job: str
    rule: str
    field: str
    left: str
    right: str
    left_value: str
    right_value: str
    decides: bool
    noise: bool
    note: str
    also: int = 0
    """How many more jobs of the rule show the same."""


class SoftwareView(Value, frozen=True):
    """What rooms held beside the clone: made from files of the repository, or the base's own."""

    sentence: str
    taken: tuple[str, ...]
    passed_over: tuple[PassedOver, ...]
    python: str
    packages: tuple[Package, ...]
    prefix: str
    inventory: str
    system: tuple[Package, ...] = ()
    built_from: tuple[str, ...] = ()
    conda: tuple[CondaPrefix, ...] = ()
    containers: tuple[ContainerImage, ...] = ()
    sources: tuple[RemoteSource, ...] = ()
    inputs: tuple[HeldInput, ...] = ()

    @property
    def of_rules(self) -> bool:
        """Whether rules took anything from beyond the commit."""
        return bool(self.conda or self.containers or self.sources or self.built_from)


class Accepted(Value, frozen=True):
    """A difference that does not count, and the rule by which."""

    path: str
    left: str
    right: str
    sameness: Sameness
    rule: str


class Report(Value, frozen=True):
    """All of report.json."""

    schema_version: str
    cleanroom: str
    verdict: VerdictName
    exit_code: int
    sentence: str
    reasons: tuple[str, ...]
    source: Source
    entry: dict[str, Any]
    learnt: Learnt | None
    """What of the repository said how it is entered, where nobody else did."""
    baseline: str
    isolation: str
    software: SoftwareView
    created: str
    seconds: float
    boundary: str
    rungs: tuple[ClimbedRung, ...]
    matrix: tuple[MatrixRow, ...]
    groups: tuple[tuple[str, ...], ...]
    """The profiles as groups whose members all mean the same as each other."""
    agreement: str
    """The groups in a line, such as `local = ci ≠ slurm`; empty where there are fewer than three
    profiles.
    """
    runs: tuple[RunView, ...]
    origins: tuple[OriginView, ...]
    differences: tuple[DifferenceView, ...]
    plan_differences: tuple[PlanView, ...]
    causes: tuple[Cause, ...]
    accepted: tuple[Accepted, ...]
    settings: tuple[SettingRow, ...]
    """Every setting of every profile, decided; the first rung."""
    answers: tuple[Answer, ...]
    findings: tuple[Finding, ...]
    repeats: str
    """How many runs of one profile back the statement, and what that number can and cannot show."""
    unproven: tuple[str, ...]
    reproduce: str
    record: str
    """The digest under which the store keeps what was concluded, and from which evidence; nothing
    where it is not kept.
    """
    next: NextStep
