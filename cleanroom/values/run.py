"""What one run left behind: its steps, attempts of jobs, artifacts, and the evidence that holds it
all.
"""

import posixpath
from enum import StrEnum
from typing import Any

from cleanroom.values.base import EVIDENCE_VERSION, Value
from cleanroom.values.declared import Declared
from cleanroom.values.environment import Environment
from cleanroom.values.plan import Effect, Job, Plan, PlannedAgain
from cleanroom.values.purpose import (
    Control,
    Earlier,
    Folder,
    Interrupted,
    Nodes,
    OfProfile,
    OtherSnakemake,
    Purpose,
    Staged,
)
from cleanroom.values.setup import (
    Entry,
    Image,
    Layer,
    Learnt,
    Override,
    OverrideCause,
    Profile,
    Setting,
    SettingPlace,
    Source,
)
from cleanroom.values.supplies import Wants


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
    """What a run left at one path.
    `job` indexes the evidence's attempts, -1 where no job declared it.

    `sha256` is of the content, for a link of its target, empty where it could not be examined: then
    `unexamined` says why.
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
    """For a link: the path in the clone where it ends, if that is another one; what lies there is
    what the link holds.
    """
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


class Evidence(Value, frozen=True):
    """All that one run left behind. What the host measured: artifacts, timings, status.
    All else is a claim of the room.
    """

    attempt_id: str
    source: Source
    entry: Entry
    profile: Profile
    context: dict[str, str]
    image: Image
    status: RunStatus
    environment: Environment = Environment()
    deployment: str = "declared"
    """What rules run in: what they declare, conda, the room's own software, what the profile
    says.
    """
    learnt: Learnt | None = None
    """What of the repository says how it is entered, where nobody else did."""
    schema_version: int = EVIDENCE_VERSION
    hash_seed: int = 0
    """The seed of Python's hashes; 0 where nothing was run."""
    purpose: Purpose = OfProfile()
    called: str = ""
    """What a comparison calls it, where its profile's name does not tell it from the others."""
    unstaged: tuple[str, ...] = ()
    """The rules of which jobs saw everything though they were staged."""
    only: tuple[str, ...] = ()
    """The outputs that were asked for, where it is no run of the whole workflow."""
    declared: Declared = Declared()
    why: str = ""
    versions: dict[str, Any] = {}
    stack: tuple[Layer, ...] = ()
    settings: tuple[Setting, ...] = ()
    overrides: tuple[Override, ...] = ()
    replaced: tuple[SettingPlace, ...] = ()
    lost: tuple[SettingPlace, ...] = ()
    actions: tuple[SettingPlace, ...] = ()
    steps: tuple[Step, ...] = ()
    lints: tuple[Lint, ...] | None = None
    plan: Plan | None = None
    replan: Plan | None = None
    """The plan under the other hash seed, where it is another one."""
    effects: tuple[Effect, ...] = ()
    unreadable: SettingPlace | None = None
    """Where the profile cannot be read, and why; its `key` is a setting that this Snakemake does
    not know, where that is the reason.
    """
    attempts: tuple[Attempt, ...] = ()
    idle: tuple[Job, ...] = ()
    """Jobs of the final graph that never started."""
    wants: Wants | None = None
    """What the workflow takes from beyond its commit, where that was asked."""
    rest: tuple[PlannedAgain, ...] | None = None
    """What a second call would run again; None where that was not asked, or not answered."""
    undescribed: tuple[str, ...] = ()
    """Jobs that ran but could not be recorded."""
    artifacts: tuple[Artifact, ...] = ()
    tracked_outputs: tuple[str, ...] = ()
    """Declared outputs that git delivered; they were removed before the run."""
    away: tuple[str, ...] = ()
    """Declared outputs that lie where the host does not look: outside the clone, or in Snakemake's
    own folder.
    """
    gone: tuple[str, ...] = ()
    """Declared outputs that were made and are not there at the end."""
    lingering: tuple[str, ...] = ()
    """Processes that jobs left at work when the run had ended; they were ended with the room."""
    started: float = 0.0
    seconds: float = 0.0

    @property
    def plan_noise(self) -> frozenset[tuple[str, str]]:
        """(rule, field) of what is another one in each plan of the same profile; no rule for the
        configuration.
        """
        return frozenset((c.rule, c.field) for e in self.effects if not e.keys for c in e.changes)

    @property
    def apart(self) -> bool:
        """Whether each job was a process of its own, which read the workflow again."""
        causes = (OverrideCause.NODES, OverrideCause.SLURM)
        return any(override.cause in causes for override in self.overrides)

    @property
    def other_clock(self) -> bool:
        """Whether its jobs saw another day and time of day than every other run's."""
        return "clock" in self.context or "date" in self.context

    @property
    def in_images(self) -> bool:
        """Whether rules ran in images, whose programs see the clock as it is."""
        return bool(self.environment.containers)

    @property
    def of_profile(self) -> bool:
        """Whether it stands for a profile: its run as such, or a folder of results in its place."""
        return isinstance(self.purpose, OfProfile | Folder | Earlier)

    @property
    def on_trial(self) -> bool:
        """Whether it was killed on the way, its jobs were staged or processes of their own, or it
        was under another Snakemake: that it fails is an answer then, and no failure of the
        workflow.
        """
        return isinstance(self.purpose, Interrupted | Staged | Nodes | OtherSnakemake)

    @property
    def comparable(self) -> bool:
        """Whether what it left can be compared: it completed, or its jobs were staged, processes of
        their own or under another Snakemake and one failed, whose outputs then are missing.
        """
        return self.status is RunStatus.COMPLETED or (
            isinstance(self.purpose, Staged | Nodes | OtherSnakemake)
            and self.status is RunStatus.FAILED
            and any(attempt.ok is False for attempt in self.attempts)
        )

    @property
    def label(self) -> str:
        return self.called or run_label(self.profile, self.purpose)

    @property
    def profile_place(self) -> str:
        """The file or folder of its profile from the top of the clone, or nothing."""
        path = self.profile.path
        return posixpath.normpath(posixpath.join(self.entry.folder, path)) if path else ""

    @property
    def folder(self) -> str:
        """The folder of results that it stands for, or nothing."""
        return self.purpose.path if isinstance(self.purpose, Folder) else ""


def run_label(profile: Profile, purpose: Purpose) -> str:
    """What a run is called in every report, unless it has a name of its own."""
    if not isinstance(purpose, Control):
        return profile.name
    return f"{profile.name} (control{f' {purpose.repeat}' if purpose.repeat > 1 else ''})"
