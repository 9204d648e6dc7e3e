"""The specifications of the runs of one commit.
Not here: the engine, and what is done with runs.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from cleanroom.evidence.request import RunSpec
from cleanroom.evidence.store import Store
from cleanroom.room.inside.protocol import STEPS
from cleanroom.rungs.interface import Wanted
from cleanroom.runners.interface import Runner
from cleanroom.values.audit import Acceptance
from cleanroom.values.environment import Environment
from cleanroom.values.purpose import (
    Control,
    Earlier,
    Hybrid,
    Interrupted,
    Nodes,
    OtherSnakemake,
    Staged,
    Steady,
    Varied,
)
from cleanroom.values.run import Evidence
from cleanroom.values.setup import Profile

# The baseline runs under one hash seed, every other room under another. The control of the baseline
# runs under the other one too: it differs from the rooms that it controls in nothing but the
# profile.
BASELINE_SEED, _OTHER_SEED = 1, 2
PLANNING = ("settings", "lint", "plan", "without")
_ONLY_RUN = ("settings", "plan", "run")
"""What a run needs that is no run of a profile as such: nothing is asked of its settings."""


@dataclass(frozen=True)
class RunFactory:
    """Everything that a run needs; the first profile is the baseline."""

    base: RunSpec
    runner: Runner
    profiles: tuple[Profile, ...]
    acceptances: tuple[Acceptance, ...]
    today: datetime.date
    store: Store
    repeats: int = 0
    others: Mapping[str, Environment] = field(default_factory=dict)
    """What rooms hold under each other Snakemake that was asked for."""
    climb: frozenset[str] = frozenset()
    delivered: frozenset[str] = frozenset()
    """The tracked paths of the commit."""

    def requests(self, steps: tuple[str, ...]) -> list[RunSpec]:
        """A request for each profile."""
        first, *rest = self.profiles
        called = "" if first.path or "run" not in steps else "first run"
        found = [msgspec.structs.replace(self.base, profile=first, called=called, steps=steps)]
        return found + [
            msgspec.structs.replace(self.base, profile=p, steps=steps, hash_seed=_OTHER_SEED)
            for p in rest
        ]

    def earlier(self, label: str) -> RunSpec:
        """The first profile of an earlier commit, under the hash seed of the baseline."""
        return msgspec.structs.replace(
            self.base,
            purpose=Earlier(),
            called=label,
            steps=tuple(step for step in STEPS if step != "rest"),
        )

    def replan(self) -> RunSpec:
        """Only the plan of the baseline, under the hash seed of all the others."""
        return msgspec.structs.replace(
            self.base,
            called=f"{self.base.profile.name} planned again",
            hash_seed=_OTHER_SEED,
            steps=("settings", "plan"),
        )

    def hybrid(
        self,
        base: Profile,
        giver: Profile,
        keys: tuple[str, ...],
        label: str,
        *,
        only: tuple[str, ...] = (),
        plan_only: bool = False,
    ) -> RunSpec:
        """A profile with some settings of another one, under the hash seed of all but the
        baseline.
        """
        steps = ("settings", "plan") if plan_only else _ONLY_RUN
        purpose = Hybrid(giver=giver.path, keys=keys)
        return msgspec.structs.replace(
            self.base,
            profile=base,
            purpose=purpose,
            called=label,
            only=only,
            hash_seed=_OTHER_SEED,
            steps=steps,
        )

    def again(
        self, purpose: Varied | Staged | Nodes, label: str, *, only: tuple[str, ...] = ()
    ) -> RunSpec:
        """The baseline for another purpose, and nothing else: under its own hash seed, unless that
        is varied.
        """
        return msgspec.structs.replace(
            self.base, purpose=purpose, called=label, only=only, steps=_ONLY_RUN
        )

    def steady(
        self,
        label: str,
        seconds: float,
        *,
        clock: str = "",
        jobs_in_parallel: int | None = None,
        only: tuple[str, ...] = (),
    ) -> RunSpec:
        """The baseline with something held fixed that may move from run to run; its run may take
        `seconds`.
        """
        limits = msgspec.structs.replace(self.base.limits, run=min(seconds, self.base.limits.run))
        jobs = jobs_in_parallel or self.base.jobs_in_parallel
        return msgspec.structs.replace(
            self.base,
            purpose=Steady(clock=clock),
            jobs_in_parallel=jobs,
            called=label,
            only=only,
            limits=limits,
            steps=_ONLY_RUN,
        )

    def wanted(self, wanted: Wanted) -> RunSpec:
        """A run that a rung asks for."""
        match wanted.purpose:
            case Control():
                return self.control(wanted.purpose)
            case Interrupted() if wanted.of is not None:
                return self._interrupted(wanted.of, wanted.purpose, wanted.label)
            case Varied() | Staged() | Nodes():
                return self.again(wanted.purpose, wanted.label)
            case OtherSnakemake(version=version):
                return msgspec.structs.replace(
                    self.base,
                    purpose=wanted.purpose,
                    called=wanted.label,
                    environment=self.others[version],
                    steps=_ONLY_RUN,
                )
            case _:
                raise ValueError(
                    f"no rung asks for a run of the kind {type(wanted.purpose).__name__}"
                )

    def _interrupted(self, run: Evidence, purpose: Interrupted, label: str) -> RunSpec:
        """A profile's run, killed at a moment and resumed as the profile itself would resume it;
        else as that run was.
        """
        steps = ("settings", "plan", "interrupted", "unlock", "run")
        return msgspec.structs.replace(
            self.base,
            profile=run.profile,
            purpose=purpose,
            called=label,
            hash_seed=run.hash_seed,
            steps=steps,
            declared=run.declared,
        )

    def control(self, purpose: Control = Control(), only: tuple[str, ...] = ()) -> RunSpec:  # noqa: B008 - it is frozen
        """The baseline once more, or `only` those outputs of it, under the hash seed of all the
        others.
        """
        nameless = "second run" if purpose.repeat == 1 else f"run {purpose.repeat + 1}"
        return msgspec.structs.replace(
            self.base,
            purpose=purpose,
            called="" if self.base.profile.path else nameless,
            only=only,
            hash_seed=_OTHER_SEED,
            steps=("settings", "lint", "plan", "run"),
        )
