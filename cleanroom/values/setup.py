"""Where a run comes from: commit, entry, profile and its settings, image."""

from enum import StrEnum
from typing import Any

from cleanroom.values.base import Value


class Source(Value, frozen=True):
    """One commit of one repository.
    `uncommitted` counts paths of a local repository that are not part of it; `passed_over` are
    files that read like a profile and lie where none is looked for.
    """

    url: str
    ref: str
    commit: str
    uncommitted: int = 0
    passed_over: tuple[str, ...] = ()
    pointers: tuple[str, ...] = ()
    """Files that the commit only points to, by DVC or git-annex."""


class Entry(Value, frozen=True, forbid_unknown_fields=True):
    """How the workflow is entered; also `workflow:` in `cleanroom.yaml`, where a misspelt field is
    an error.

    `folder` is where a user would stand, `directory` Snakemake's own `--directory`, `cores` the
    minimum that every room gets.
    """

    folder: str = ""
    snakefile: str = ""
    directory: str = ""
    configfiles: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    cores: int | None = None


class Learnt(Value, frozen=True):
    """How a repository's own file enters the workflow: the file, the line and its text."""

    entry: Entry
    file: str
    line: int = 0
    text: str = ""


class Profile(Value, frozen=True):
    """A profile of the repository.
    An empty path means: none was asked for (a workflow's default profile joins all the same).
    """

    name: str
    path: str = ""


class Setting(Value, frozen=True):
    """One setting in force: its value as Snakemake's parser yields it, and which file and line won
    over which others.
    """

    key: str
    value: Any
    file: str
    line: int = 0
    shadows: tuple[str, ...] = ()


class SettingClass(StrEnum):
    """Whether a setting can change what a workflow means.
    CONDITIONAL depends on the workflow; ACTION replaces the run.
    """

    POLICY = "policy"
    MEANING = "meaning"
    CONDITIONAL = "conditional"
    ACTION = "action"


class Layer(Value, frozen=True):
    """One file of a stack of profiles, as it was read.
    `rivals` are files beside it with an equal claim to be read.
    """

    file: str
    sha256: str = ""
    text: str = ""
    rivals: tuple[str, ...] = ()


SENDERS = frozenset(
    (
        "executor",
        "cluster",
        "cluster-sync",
        "slurm",
        "drmaa",
        "kubernetes",
        "tibanna",
        "google-lifesciences",
        "tes",
        "az-batch",
        "flux",
    )
)
"""The settings of Snakemake itself that name how jobs are sent away; all others of an executor
follow them.
"""


class OverrideCause(StrEnum):
    """Why a confirmation replaces a setting."""

    LOCAL = "local"
    """The profile names another executor, and a room runs jobs by itself."""
    ELSEWHERE = "elsewhere"
    """It names a place of another machine."""
    COMPARISON = "comparison"
    """So that what is compared is there at the end, and the same jobs take less time."""
    NODES = "nodes"
    """Each job is a process of its own that reads the workflow again, as on a cluster."""
    OUTDATED = "outdated"
    """This Snakemake has no such option, and refuses the profile; another version has it."""
    REMOTE = "remote"
    """What Snakemake itself adds for a remote executor."""
    UNSTATED = "unstated"
    """Snakemake needs a number of cores, and the profile states none."""
    MINIMUM = "minimum"
    """Somebody asked for more cores than the profile states."""
    SLURM = "slurm"
    """The profile's own executor sends jobs to a Slurm in the room."""
    DEPLOYED = "deployed"
    """Rules run in the software that they declare, which the profile does not turn on; or not,
    because somebody asked for that.
    """
    PROVIDED = "provided"
    """A place for what is made in a run elsewhere, and in a room was made before."""
    AT_ONCE = "at once"
    """How many jobs may run at once in this room."""


class Override(Value, frozen=True):
    """A setting that the confirmation itself replaced (`now` is None: dropped) or added (`was` is
    None).
    """

    key: str
    was: Any
    now: Any
    why: str
    cause: OverrideCause | None = None


class Image(Value, frozen=True):
    """The environment of a room: what it was called, and the digest that decides."""

    reference: str
    digest: str
    engine: str
    isolation: str
    shared: bool = False
    """Whether its rooms see the host's own system software."""


class SettingPlace(Value, frozen=True):
    """A place in a profile, with what is wrong there."""

    key: str
    file: str
    line: int = 0
    text: str = ""
