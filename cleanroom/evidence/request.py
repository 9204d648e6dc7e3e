"""What is asked of one run: all that decides it, and the machine that it is made on, as values.
Not here: running it.
"""

import msgspec

from cleanroom.room.engines.interface import Limits, Network
from cleanroom.room.inside.protocol import STEPS, Deployment
from cleanroom.values.base import Value
from cleanroom.values.declared import Declared
from cleanroom.values.environment import Environment
from cleanroom.values.purpose import OfProfile, Purpose, factors_of
from cleanroom.values.run import run_label
from cleanroom.values.setup import Entry, Image, Learnt, Profile, Source


class RunSpec(Value, frozen=True):
    """All that decides one run, and nothing of the machine that it is made on.
    `profile_files` are taken from the commit `profiles_of` instead of the run's own.
    """

    source: Source
    entry: Entry
    profile: Profile
    image: Image
    environment: Environment = Environment()
    learnt: Learnt | None = None
    """What of the repository says how it is entered, where nobody else does."""
    purpose: Purpose = OfProfile()
    called: str = ""
    only: tuple[str, ...] = ()
    declared: Declared = Declared()
    hash_seed: int = 1
    limits: Limits = Limits()
    network: Network = "none"
    jobs_in_parallel: int | None = None
    profiles_of: str = ""
    profile_files: tuple[str, ...] = ()
    steps: tuple[str, ...] = STEPS
    survey: bool = False
    """Whether it is made only to learn what the workflow takes from beyond its commit."""
    deployment: Deployment = "declared"
    slurm: bool = False
    """Whether a profile for Slurm has one in its room."""

    @property
    def varied(self) -> tuple[str, ...]:
        """The factors of the surroundings that are not as in every other room."""
        return factors_of(self.purpose)

    @property
    def label(self) -> str:
        return self.called or run_label(self.profile, self.purpose)


class HostContext(Value, frozen=True):
    """The machine that a run is made on: where it finds the repository, keeps what it makes, and
    makes its rooms. It decides nothing.

    `owner` names the confirmation that rooms belong to, `mark` is how an engine knows it.
    `fetch_limit` is for how many seconds git may make no progress, `local_submodules` whether a
    submodule may be any repository of this machine. `secrets` are variables of every room, by name.
    """

    repo: str
    cache: str
    engine: str
    owner: str
    mark: str
    keep_room: bool = False
    fetch_limit: float = 600.0
    local_submodules: bool = False
    secrets: dict[str, str] = msgspec.field(default_factory=dict)
