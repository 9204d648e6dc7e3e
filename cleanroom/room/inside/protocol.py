"""What host and driver of a room say to each other: the specification that goes in, and the claims
that come out, step by step.

Both sides import this file: the host as a part of the package, the driver as a part of the room, by
any Python from 3.8 on. So it is standard library only, and nothing happens when it is imported.
"""

from __future__ import annotations

from typing import Any, Dict, List, Literal, Optional, TypedDict

Record = Dict[str, Any]
"""An object of JSON."""

STEPS = ("settings", "lint", "plan", "without", "run", "rest")
"""Every step of an ordinary room. `without` is the plan without the settings in question, `rest`
what a second call would run.
"""
RESUMED = 1_000_000_000
"""From where on attempts of a resumed run are numbered."""


Apart = Literal["none", "remote", "every"]
"""Under which profiles each job is a process of its own: those that send jobs away, or every
one.
"""


Deployment = Literal["declared", "conda", "apptainer", "none", "profile"]
"""What rules run in: the environments and containers that they declare, only those of conda, only
containers, the room's own software, or what the profile says.
"""


class Interrupt(TypedDict):
    """When a run is killed: the signal, the moment of a job, and which job with outputs."""

    signal: str
    moment: str
    job: int


class Staging(TypedDict):
    """Files that every staged job sees, and those of them that no job declares."""

    shown: List[str]
    strays: List[str]


class Graft(TypedDict):
    """A profile whose settings take the place of this one's, and which of them."""

    profile: str
    keys: List[str]


class Keys(TypedDict):
    """What a driver is told of settings."""

    known: str
    """Every setting of the table, as a pattern."""
    executor_keys: str
    """The settings that only a room decides, as a pattern."""
    cluster_keys: List[str]
    path_keys: List[str]
    action_keys: List[str]
    threads_keys: List[str]
    older: Dict[str, List[int]]
    """The settings that change no meaning, and which major versions of Snakemake know each."""
    questioned: List[str]
    """The settings whose effect is seen by a plan without them."""


class Spec(Keys):
    """All that a driver is told: what is to be run, and how the room differs from others."""

    profile: str
    folder: str
    snakefile: str
    directory: str
    configfiles: List[str]
    targets: List[str]
    typed_targets: List[str]
    """The targets that a person names; a run of a part has others."""
    cores: Optional[int]
    steps: List[str]
    jobs_in_parallel: Optional[int]
    cpus: int
    snakefile_choices: List[str]
    limits: Dict[str, float]
    """Seconds of each step, and of its grace after that."""
    staged: Optional[Staging]
    nodes: Apart
    graft: Optional[Graft]
    interrupt: Optional[Interrupt]
    umask: str
    processors: str
    date: str
    survey: bool
    """Whether a plan is made only to learn what the workflow takes from beyond its commit."""
    deployment: Deployment
    conda: Dict[str, str]
    """Where the environments of conda are that were made for this room, by their keys."""
    images: List[str]
    """The images that rules can run in, by their addresses."""
    slurm: bool
    """Whether a profile for Slurm has one in this room."""
    directory_order: str


class Claim(TypedDict):
    """One line of what a room says. It begins with `!` where the first process says it, and with
    `:` where a step does, whose claims that process passes on.
    """

    claim: str
    time: float
    value: Any


SAID_OF_STEPS = frozenset(
    ("step", "tree", "versions", "override", "tracked", "places", "lingering", "done")
)
"""What only the first process of a room may say."""
_OF_A_RUN = frozenset(("planned", "start", "end", "undescribed", "final"))
SAID_IN = {
    "settings": frozenset(("settings", "profile")),
    "lint": frozenset(("lint",)),
    "plan": frozenset(("job", "plan", "wants")),
    "without": frozenset(("effects",)),
    "interrupted": _OF_A_RUN,
    "unlock": frozenset(),
    "run": _OF_A_RUN,
    "rest": frozenset(("rest",)),
}
"""What each step may say."""
OWED = {
    "settings": "settings",
    "plan": "plan",
    "without": "effects",
    "run": "final",
    "rest": "rest",
}
"""What a step that ended well has said."""
