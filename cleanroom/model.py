"""The values of a confirmation, and nothing else: frozen, JSON in and out, named by the digest of their canonical JSON.

Paths are strings relative to the clone in a reversible form: a backslash is doubled and a byte that is not UTF-8 is `\\xNN`.
Times are seconds since the epoch, durations seconds, sizes bytes, digests full SHA-256 in hexadecimal.
"""

import datetime
import hashlib
import re
from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec

SCHEMA_VERSION = "1.0"


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """The base of every value: immutable, compared by content."""


def canonical(value: Any) -> bytes:
    """The canonical JSON of a value: sorted keys, no white space, UTF-8."""
    return msgspec.json.encode(value, order="deterministic")


def digest(value: Any) -> str:
    """The name of a value: SHA-256 of its canonical JSON, in full."""
    return hashlib.sha256(canonical(value)).hexdigest()


def escape_path(raw: bytes) -> str:
    """A path as the model writes it; the inverse of `raw_path`."""
    return raw.replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")


def raw_path(path: str) -> bytes:
    """The bytes that the file system knows; the inverse of `escape_path`."""
    return re.sub(
        rb"\\(\\|x[0-9a-f]{2})",
        lambda m: b"\\" if m[1] == b"\\" else bytes([int(m[1][1:], 16)]),
        path.encode(),
    )


# --- where a run comes from ---------------------------------------------------------------------------------------------


class Source(Value, frozen=True):
    """One commit of one repository. `uncommitted` counts paths of a local repository that are not part of it."""

    url: str
    ref: str
    commit: str
    uncommitted: int = 0


class Entry(Value, frozen=True, forbid_unknown_fields=True):
    """How the workflow is entered; also `workflow:` in `cleanroom.yaml`, where a misspelt field is an error.

    `folder` is where a user would stand, `directory` Snakemake's own `--directory`, `cores` the minimum that every room gets.
    """

    folder: str = ""
    snakefile: str = ""
    directory: str = ""
    configfiles: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    cores: int | None = None


class Profile(Value, frozen=True):
    """A profile of the repository. An empty path means: none was asked for (a workflow's default profile joins all the same)."""

    name: str
    path: str = ""


class Setting(Value, frozen=True):
    """One setting in force: its value as Snakemake's parser yields it, and which file and line won over which others."""

    key: str
    value: Any
    file: str
    line: int = 0
    shadows: tuple[str, ...] = ()


class SettingClass(StrEnum):
    """Whether a setting can change what a workflow means. CONDITIONAL depends on the workflow; ACTION replaces the run."""

    POLICY = "policy"
    MEANING = "meaning"
    CONDITIONAL = "conditional"
    ACTION = "action"


class Layer(Value, frozen=True):
    """One file of a stack of profiles, as it was read. `rivals` are files beside it with an equal claim to be read."""

    file: str
    sha256: str = ""
    text: str = ""
    rivals: tuple[str, ...] = ()


class Override(Value, frozen=True):
    """A setting that the confirmation itself replaced (`now` is None: dropped) or added (`was` is None)."""

    key: str
    was: Any
    now: Any
    why: str


class Image(Value, frozen=True):
    """The environment of a room: what it was called, and the digest that decides."""

    reference: str
    digest: str
    engine: str
    isolation: str


# --- the plan -----------------------------------------------------------------------------------------------------------


class FileRef(Value, frozen=True):
    path: str
    flags: tuple[str, ...] = ()


class Rule(Value, frozen=True):
    """What a rule does and in which software; the same for all of its jobs."""

    code: dict[str, str] = {}
    software: dict[str, Any] = {}
    checkpoint: bool = False
    shadow: Any = None
    retries: Any = None
    threads: int = 0
    reads: dict[str, tuple[str, ...]] = {}
    """What of its context the rule reads (`threads`, `resources.NAME`, `attempt`, `unread` code), and where."""
    declares_retries: bool = False
    logs: bool = False
    cached: bool = False
    file: str = ""
    line: int = 0


class Job(Value, frozen=True):
    """One job as Snakemake resolved it. `needed`: Snakemake would run it; `target`: it was asked for."""

    rule: str
    wildcards: dict[str, str] = {}
    input: tuple[FileRef, ...] = ()
    output: tuple[FileRef, ...] = ()
    log: tuple[str, ...] = ()
    benchmark: str = ""
    params: Any = None
    command: str = ""
    threads: int = 0
    resources: dict[str, Any] = {}
    group: str = ""
    needed: bool = True
    target: bool = False

    @property
    def identity(self) -> tuple[str, tuple[tuple[str, str], ...], tuple[str, ...]]:
        """What makes it the same job in another run."""
        return self.rule, tuple(sorted(self.wildcards.items())), tuple(f.path for f in self.output)

    @property
    def label(self) -> str:
        """The job in words, for a person."""
        wildcards = ", ".join(f"{k}={v}" for k, v in sorted(self.wildcards.items()))
        return f"{self.rule} ({wildcards})" if wildcards else self.rule


class Hidden(Value, frozen=True):
    """A line of workflow code that reads context which no profile shows: environment, host, path, cores, order or date."""

    kind: str
    file: str
    line: int
    text: str
    rule: str = ""


class Plan(Value, frozen=True):
    """What Snakemake intends: every job of its graph, the rules, the resolved configuration."""

    jobs: tuple[Job, ...] = ()
    rules: dict[str, Rule] = {}
    config: Any = None
    targets: tuple[str, ...] = ()
    hooks: tuple[str, ...] = ()
    hidden: tuple[Hidden, ...] = ()


class Change(Value, frozen=True):
    """A field that differs in some jobs of a rule."""

    rule: str
    field: str
    jobs: int = 1


class Effect(Value, frozen=True):
    """What a plan without some settings showed. `code` is not 0 where there is no plan without them."""

    keys: tuple[str, ...]
    code: int = 0
    changes: tuple[Change, ...] = ()
    more: int = 0


# --- what the repository declares of its results ---------------------------------------------------------------------


class Rules(Value, frozen=True, forbid_unknown_fields=True):
    """What a comparison may leave out or take as near; also `options:` of an equivalence. The default leaves out nothing.

    `ignore` names columns, keys, data sets or header lines; `mask` holds regular expressions whose matches in a line do not count.
    `order: any` compares rows as a multiset. Deviations are of numbers: |a - b| <= absolute + relative * max(|a|, |b|), or
    for pixels of channel values. `appearance` compares pages as they look.
    """

    ignore: tuple[str, ...] = ()
    mask: tuple[str, ...] = ()
    order: Literal["kept", "any"] = "kept"
    absolute: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    relative: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    appearance: bool = False
    delimiter: str = ""


class Equivalence(Value, frozen=True, forbid_unknown_fields=True):
    """A declared acceptance below `payload`; also `equivalences:` in `cleanroom.yaml`. Paths are globs, `**` crosses folders."""

    comparator: str
    reason: str
    owner: str
    expires: datetime.date
    paths: tuple[str, ...] = ()
    rule: str = ""
    options: Rules = Rules()

    @property
    def label(self) -> str:
        """What it is about, for a person."""
        return f"{self.comparator} of {', '.join(self.paths) or f'rule {self.rule}'}"


class Publish(Value, frozen=True, forbid_unknown_fields=True):
    """A part of the published contract: files by glob, or all outputs of a rule."""

    path: str = ""
    rule: str = ""

    @property
    def label(self) -> str:
        return self.path or f"rule {self.rule}"


class Scratch(Value, frozen=True, forbid_unknown_fields=True):
    """A place whose files only inform, and why."""

    path: str
    reason: str


class Declared(Value, frozen=True):
    """What `cleanroom.yaml` of the commit says of results: what is published, what is scratch, what counts as equivalent."""

    publish: tuple[Publish, ...] = ()
    scratch: tuple[Scratch, ...] = ()
    equivalences: tuple[Equivalence, ...] = ()


# --- the evidence -------------------------------------------------------------------------------------------------------


class StepStatus(StrEnum):
    OK = "ok"
    FAILED = "failed"
    TIMEOUT = "timeout"
    NOT_REACHED = "not reached"


class Step(Value, frozen=True):
    """One step in a room, and what it did to the tree of the clone (parsing can write)."""

    name: str
    status: StepStatus
    code: int = 0
    seconds: float = 0.0
    created: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    log: str = ""
    """The last lines of what it printed."""


class Attempt(Value, frozen=True):
    """One started attempt of a job. `ok` is None where its end was not seen."""

    job: Job
    number: int
    started: float
    ended: float | None = None
    ok: bool | None = None


class Kind(StrEnum):
    FILE = "file"
    LINK = "link"
    DIRECTORY = "directory"
    OTHER = "other"
    REMOVED = "removed"
    """A file that git delivered and the run took away."""


class Role(StrEnum):
    """What a file is to the workflow."""

    OUTPUT = "output"
    UNDECLARED = "undeclared"
    TRACKED = "tracked file, overwritten"
    TEMP = "temp"
    LOG = "log"
    BENCHMARK = "benchmark"
    CACHE = "cache"


class Artifact(Value, frozen=True):
    """What a run left at one path. `job` indexes the evidence's attempts, -1 where no job declared it.

    `sha256` is of the content, for a link of its target, empty where it could not be examined: then `unexamined` says why.
    """

    path: str
    kind: Kind
    size: int
    mode: int
    sha256: str
    role: Role
    job: int = -1
    target: str = ""
    unexamined: str = ""
    leads_to: str = ""
    """For a link: the path in the clone where it ends, if that is another one; what lies there is what the link holds."""
    written_during: tuple[int, ...] = ()
    """For a file that no job declares: the attempts that were at work when it was last touched."""


class RunStatus(StrEnum):
    """How a run ended: completed, failed (the workflow's fault) or broken (the room's)."""

    COMPLETED = "completed"
    FAILED = "failed"
    BROKEN = "broken"


class Lint(Value, frozen=True):
    place: str
    text: str


class Lost(Value, frozen=True):
    """A place in a profile, with what is wrong there."""

    key: str
    file: str
    line: int = 0
    text: str = ""


class Evidence(Value, frozen=True):
    """All that one run left behind. What the host measured: artifacts, timings, status. All else is a claim of the room."""

    attempt_id: str
    source: Source
    entry: Entry
    profile: Profile
    control: bool
    context: dict[str, str]
    image: Image
    status: RunStatus
    repeat: int = 1
    """Which control of its profile it is, from 1 on."""
    called: str = ""
    """What a comparison calls it, where its profile's name does not tell it from the others."""
    varied: tuple[str, ...] = ()
    """The factors of its surroundings that were not as in every other room."""
    interrupted: str = ""
    """When it was killed and then resumed, in words."""
    staged: bool = False
    """Whether its jobs saw only what they declare."""
    unstaged: tuple[str, ...] = ()
    """The rules of which jobs saw everything nevertheless."""
    only: tuple[str, ...] = ()
    """The outputs that a control was asked for, where it is not one of the whole workflow."""
    declared: Declared = Declared()
    why: str = ""
    folder: str = ""
    """Set where there was no run: a folder of results, whose artifacts alone can be compared."""
    versions: dict[str, Any] = {}
    stack: tuple[Layer, ...] = ()
    settings: tuple[Setting, ...] = ()
    overrides: tuple[Override, ...] = ()
    replaced: tuple[Lost, ...] = ()
    lost: tuple[Lost, ...] = ()
    actions: tuple[Lost, ...] = ()
    steps: tuple[Step, ...] = ()
    lints: tuple[Lint, ...] | None = None
    plan: Plan | None = None
    replan: Plan | None = None
    """The plan under the other hash seed, where it is another one."""
    effects: tuple[Effect, ...] = ()
    unknown_key: str = ""
    """The setting that this Snakemake does not know, where that is why the profile cannot be read."""
    attempts: tuple[Attempt, ...] = ()
    idle: tuple[Job, ...] = ()
    """Jobs of the final graph that never started."""
    undescribed: tuple[str, ...] = ()
    """Jobs that ran but could not be recorded."""
    artifacts: tuple[Artifact, ...] = ()
    tracked_outputs: tuple[str, ...] = ()
    """Declared outputs that git delivered; they were removed before the run."""
    away: tuple[str, ...] = ()
    """Declared outputs that lie where the host does not look: outside the clone, or in Snakemake's own folder."""
    gone: tuple[str, ...] = ()
    """Declared outputs that were made and are not there at the end."""
    lingering: tuple[str, ...] = ()
    """Processes that jobs left at work when the run had ended; they were ended with the room."""
    started: float = 0.0
    seconds: float = 0.0

    @property
    def of_profile(self) -> bool:
        """Whether it is the run of a profile as such: no control, in the usual surroundings, neither killed on the way nor staged."""
        return not (self.control or self.varied or self.on_trial)

    @property
    def on_trial(self) -> bool:
        """Whether it was killed on the way or its jobs were staged: that it fails is an answer then, and no failure of the workflow."""
        return bool(self.interrupted) or self.staged

    @property
    def comparable(self) -> bool:
        """Whether what it left can be compared: it completed, or its jobs were staged and one failed, whose outputs then are missing."""
        return self.status is RunStatus.COMPLETED or (
            self.staged and self.status is RunStatus.FAILED and any(attempt.ok is False for attempt in self.attempts)
        )

    @property
    def label(self) -> str:
        return self.called or run_label(self.profile, self.control, self.repeat)


def run_label(profile: Profile, control: bool, repeat: int = 1) -> str:
    """What a run is called in every report."""
    return f"{profile.name} (control{f' {repeat}' if repeat > 1 else ''})" if control else profile.name


# --- the comparison -----------------------------------------------------------------------------------------------------


class Sameness(StrEnum):
    """How two artifacts agree, best first."""

    BYTES = "bytes"
    PAYLOAD = "payload"
    CANONICAL = "canonical"
    """The same content in the format's own terms."""
    TOLERANCE = "tolerance"
    """The same under what an equivalence leaves out or takes as near."""
    EXISTENCE = "existence only"
    """Both are there; what they hold was not compared, as an equivalence says."""
    DIFFERENT = "different"
    MISSING = "missing"
    EXTRA = "extra"


class PlanDifference(Value, frozen=True):
    """One field of one job that differs. Values are texts, bounded."""

    job: str
    field: str
    left: str
    right: str
    decides: bool
    note: str = ""
    noise: bool = False


class Excerpt(Value, frozen=True):
    """One place inside a file that differs: a line, row, key or pixel, with both values, bounded. `kind` where it is certain."""

    where: str
    left: str
    right: str
    kind: str = ""


class Difference(Value, frozen=True):
    """One artifact that is not the same by bytes.

    `decides` is false where it only informs, or where payload or an equivalence accepts it; `noise` means that it differs from itself too.
    """

    path: str
    sameness: Sameness
    decides: bool
    comparator: str = ""
    note: str = ""
    role: Role = Role.OUTPUT
    rule: str = ""
    wildcards: dict[str, str] = {}
    origin: bool = False
    noise: bool = False
    examined: bool = True
    """False where one side could not be looked at: neither the same nor different is known."""
    left_sha256: str = ""
    right_sha256: str = ""
    facts: tuple[str, ...] = ()
    """Counts and the largest deviation, in sentences."""
    excerpts: tuple[Excerpt, ...] = ()
    kinds: tuple[str, ...] = ()
    """What every difference within is, where that is certain: timestamp, order of rows, floating-point noise."""
    pictures: tuple[str, ...] = ()
    """Two pictures and their difference, as `data:` addresses."""
    diffoscope: str = ""
    """What the external program says of it, where it was asked; for a person, deciding nothing."""
    bundle: str = ""
    """The folder that is one thing (a zarr store), where the file was compared as a part of it."""
    equivalence: int = -1
    """The equivalence in force that was asked, by its index in what the commit declares."""
    suggestion: Rules | None = None
    """The narrowest options under which the two would count as the same."""


class Origin(Value, frozen=True):
    """A job that read the same and left something else, or that only one run has. `derived` are the paths that follow from it."""

    rule: str
    wildcards: dict[str, str]
    paths: tuple[str, ...]
    derived: tuple[str, ...]
    left: "JobSide | None"
    right: "JobSide | None"
    """None where this run has no such job."""
    by_time: bool = False
    """No job declares the paths; this one was the only one at work when they were written."""
    noise: bool = False


class JobSide(Value, frozen=True):
    """A job as one run had it."""

    command: str = ""
    log: str = ""
    log_tail: str = ""


class Comparison(Value, frozen=True):
    """Two runs, layer by layer."""

    left: str
    right: str
    control: bool
    varied: bool = False
    """The right run is of the same profile in other surroundings."""
    resumed: bool = False
    """The right run is of the same profile, killed and resumed: only results decide."""
    staged: bool = False
    """In the right run, of the same profile, jobs saw only what they declare: only results decide."""
    earlier: bool = False
    """The left run is of an earlier confirmation: only results decide, for code and plan may have changed."""
    plan: tuple[PlanDifference, ...] = ()
    artifacts: tuple[Difference, ...] = ()
    counts: dict[str, int] = {}
    """Deciding artifacts by sameness."""
    informing: int = 0
    """Artifacts on the informing side of the boundary."""
    attempts: tuple[PlanDifference, ...] = ()
    """Jobs that needed another number of attempts."""
    origins: tuple[Origin, ...] = ()

    @property
    def of_profile(self) -> bool:
        """Between two profiles as such: no control, no other surroundings, no killed or staged run, no earlier one."""
        return not (self.control or self.varied or self.resumed or self.staged or self.earlier)

    @property
    def differs(self) -> bool:
        """Meaning differs in plan or artifacts, beyond what differs from itself."""
        return any(d.decides and not d.noise for d in self._all())

    @property
    def noisy(self) -> bool:
        """Something that decides differs, but also without any change of profile."""
        return any(d.decides and d.noise for d in self._all())

    def _all(self) -> "tuple[PlanDifference | Difference, ...]":
        return (*self.plan, *self.attempts, *self.artifacts)


# --- what is said about it ----------------------------------------------------------------------------------------------


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
    """One setting as in force under one profile, its class, and what decided it. `rules` are those that it reaches."""

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


class PlanAudit(Value, frozen=True):
    """The plan under one profile against the baseline's. `caveat` says what a plan cannot show."""

    profile: str
    against: str
    jobs: int
    differences: tuple[PlanDifference, ...] = ()
    caveat: str = ""

    @property
    def drifts(self) -> bool:
        return any(d.decides for d in self.differences)


class Answer(Value, frozen=True):
    """A question that a reviewer asks, answered for this repository."""

    question: str
    answer: str
    good: bool | None
    """None where the evidence does not tell."""


class Acceptance(Value, frozen=True, forbid_unknown_fields=True):
    """A finding that somebody answers for, until a day; also `accept:` in `cleanroom.yaml`. An empty place matches any."""

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
        """The errors that say that a setting of a profile reaches the meaning, and that nobody accepted."""
        return tuple(f for f in self.findings if f.counts and f.code == "CR-016")


class AuditOutcome(StrEnum):
    """How an audit ended: nothing counts, an error counts, the workflow cannot be planned, or nothing is known."""

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


class VerdictName(StrEnum):
    HELD = "HELD"
    DRIFTED = "DRIFTED"
    FAILED = "FAILED"
    INCONCLUSIVE = "INCONCLUSIVE"


class Rung(Value, frozen=True):
    """One proof route of the ladder. `verdict` is None where it was not climbed; then `unproven` says what stays open."""

    name: str
    verdict: VerdictName | None
    decides: bool
    proves: str
    unproven: str = ""


class Judgement(Value, frozen=True):
    """The verdict in all, its exit code, and every reason for it."""

    verdict: VerdictName
    exit_code: int
    reasons: tuple[str, ...]
    rungs: tuple[Rung, ...]


class Cause(Value, frozen=True):
    """What made an origin differ: a setting or a context, its values by run, and how it was found."""

    name: str
    values: dict[str, str]
    found: str
    certain: bool = False
    steps: tuple[str, ...] = ()
    """What was run to find it, and what each run showed."""


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
