"""What is asked of one run: all that decides it, as a value. Not here: running it."""

from typing import Literal

from cleanroom.room.engines.interface import Limits, Network
from cleanroom.values.base import Value
from cleanroom.values.declared import Declared
from cleanroom.values.setup import Entry, Image, Profile, Source

STEPS = ("settings", "lint", "plan", "replan", "without", "run")
"""Every step of a room. `replan` is the plan under the other hash seed, `without` the plan without the settings in question."""


class Graft(Value, frozen=True):
    """Settings that a run takes from another profile of the commit, as that one states them or leaves them out."""

    profile: str
    keys: tuple[str, ...]


class Interrupt(Value, frozen=True):
    """When a run is killed, to be resumed: the signal, and the moment of a job. `job` counts starts of jobs with outputs, from 0 on."""

    signal: Literal["KILL", "TERM"]
    moment: Literal["start", "middle", "after"]
    job: int

    def __str__(self) -> str:
        when = {"start": "at the start of", "middle": "in the middle of", "after": "after"}[self.moment]
        return f"SIG{self.signal} {when} job {self.job + 1}"


class Stage(Value, frozen=True):
    """Jobs that see only what they declare, and the files that are `shown` to all of them nevertheless (paths from the clone).

    `strays` are those of them that no job declares: what a job leaves there is kept.
    """

    shown: tuple[str, ...] = ()
    strays: tuple[str, ...] = ()


class RunRequest(Value, frozen=True):
    """All that decides one run. `profile_files` are taken from the commit `profiles_of` instead of the run's own; a
    `clock` stands still.
    """

    source: Source
    repo: str
    entry: Entry
    profile: Profile
    image: Image
    engine: str
    cache: str
    owner: str
    mark: str
    control: bool = False
    repeat: int = 1
    called: str = ""
    only: tuple[str, ...] = ()
    graft: Graft | None = None
    varied: tuple[str, ...] = ()
    clock: str = ""
    interrupt: Interrupt | None = None
    staged: Stage | None = None
    declared: Declared = Declared()
    hash_seed: int = 1
    limits: Limits = Limits()
    network: Network = "none"
    jobs_in_parallel: int | None = None
    keep_room: bool = False
    fetch_limit: float = 600.0
    local_submodules: bool = False
    profiles_of: str = ""
    profile_files: tuple[str, ...] = ()
    steps: tuple[str, ...] = STEPS
