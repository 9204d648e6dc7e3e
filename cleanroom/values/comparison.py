"""Two runs against each other: what differs, where it began, and what made it differ."""

from enum import StrEnum

from cleanroom.values.base import Value
from cleanroom.values.declared import CompareOptions
from cleanroom.values.run import Role


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
    """One field of one job that differs, or of the configuration, which has no rule.
    Values are texts, bounded.
    """

    job: str
    field: str
    left: str
    right: str
    decides: bool
    note: str = ""
    noise: bool = False
    rule: str = ""
    """The rule of the job; empty for the configuration."""

    @property
    def kind(self) -> str:
        """The field without the key of the configuration."""
        return self.field.partition(":")[0]

    @property
    def place(self) -> str:
        """The field, and the job that it is of."""
        return f"{self.field} of {self.job}" if self.rule else self.field


class Excerpt(Value, frozen=True):
    """One place inside a file that differs: a line, row, key or pixel, with both values, bounded.
    `kind` where it is certain.
    """

    where: str
    left: str
    right: str
    kind: str = ""


LEFT, RIGHT = "‹left›", "‹right›"
"""What a comparator calls the two files; whoever knows their runs puts the labels in place."""


def with_labels(text: str, left: str, right: str) -> str:
    """A comparator's words with the names of the two runs in them."""
    return text.replace(LEFT, left).replace(RIGHT, right)


class Difference(Value, frozen=True):
    """One artifact that is not the same by bytes.

    `decides` is false where it only informs, or where payload or an equivalence accepts it; `noise`
    means that it differs from itself too.
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
    """What every difference within is, where that is certain: timestamp, order of rows,
    floating-point noise.
    """
    pictures: tuple[str, ...] = ()
    """Two pictures and their difference, as `data:` addresses."""
    diffoscope: str = ""
    """What the external program says of it, where it was asked; for a person, deciding nothing."""
    bundle: str = ""
    """The folder that is one thing (a zarr store), where the file was compared as a part of it."""
    equivalence: int = -1
    """The equivalence in force that was asked, by its index in what the commit declares."""
    emptied: bool = False
    """Whether that equivalence leaves nothing to compare."""
    suggestion: CompareOptions | None = None
    """The narrowest options under which the two would count as the same."""

    @property
    def in_one(self) -> bool:
        """Whether only one of the two runs has it."""
        return self.sameness in (Sameness.MISSING, Sameness.EXTRA)


class Origin(Value, frozen=True):
    """A job that read the same and left something else, or that only one run has.
    `derived` are the paths that follow from it.
    """

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


class Relation(StrEnum):
    """What the right run is to the left one."""

    PROFILE = "another profile"
    CONTROL = "the same profile once more"
    VARIED = "the same profile in other surroundings"
    RESUMED = "the same profile, killed and resumed: only results decide"
    STAGED = "the same profile, whose jobs saw only what they declare: only results decide"
    NODES = "the same profile, each job as a process of its own: only results decide"
    SNAKEMAKE = "the same profile under another Snakemake: only results decide"
    EARLIER = "later than the left one, which is of an earlier confirmation: only results decide"


class Comparison(Value, frozen=True):
    """Two runs, layer by layer."""

    left: str
    right: str
    relation: Relation = Relation.PROFILE
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
        """Between two profiles as such."""
        return self.relation is Relation.PROFILE

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


class Cause(Value, frozen=True):
    """What made an origin differ: a setting or a context, its values by run, and how it was
    found.
    """

    name: str
    values: dict[str, str]
    found: str
    certain: bool = False
    steps: tuple[str, ...] = ()
    """What was run to find it, and what each run showed."""
