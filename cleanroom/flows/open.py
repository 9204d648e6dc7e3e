"""From what was chosen to runs that can start: the engine, the image, and the specification of each
run. Not here: what is chosen, and what is done with runs.
"""

import contextlib
import dataclasses
import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from cleanroom.environment.base import PACKAGES_OF_SLURM
from cleanroom.environment.inputs import provision_inputs
from cleanroom.environment.making import SECONDS, Maker
from cleanroom.environment.prefixes import prune
from cleanroom.environment.provision import provision
from cleanroom.environment.provision_base import provision_base, system_packages
from cleanroom.evidence.request import HostContext, RunSpec
from cleanroom.evidence.store import Store
from cleanroom.evidence.supervise import Watch
from cleanroom.flows.choose import Chosen, Request
from cleanroom.flows.supply import supplied
from cleanroom.room import rooms
from cleanroom.room.claims import Event
from cleanroom.room.engines.registry import choose_engine, open_engine
from cleanroom.room.inside.protocol import STEPS, Deployment
from cleanroom.rungs.interface import Wanted
from cleanroom.runners.interface import Runner
from cleanroom.runners.local import LocalRunner
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
from cleanroom.values.setup import Image, Profile

# The baseline runs under one hash seed, every other room under another. The control of the baseline
# runs under the other one too: it differs from the rooms that it controls in nothing but the
# profile.
_BASELINE_SEED, _OTHER_SEED = 1, 2
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


@contextlib.contextmanager
def opened(
    request: Request, chosen: Sequence[Chosen], watch: Watch, *, running: bool = True
) -> Iterator[list[RunFactory]]:
    """The engine and the image, asked once for one or more commits, and the software that each of
    them declares, as far as plans need it, or runs; what rooms leave behind is gone at the end.

    Raises: EngineError, ImageError, UsageError, Unprovided, Interrupted.
    """
    cache = Path(request.cache)
    engine_name = choose_engine(request.engine, request.image)
    owner = rooms.Owner(cache)
    try:
        engine = open_engine(engine_name)
        try:
            image = engine.resolve(request.image)
            engine.sweep(owner.may_sweep)
            owner.sweep()
            maker = Maker(
                engine=engine,
                image=image,
                cache=cache,
                owner=owner,
                stopped=watch.cancelled.is_set,
                limits=request.limits,
                seconds=min(SECONDS, request.limits.run),
                anew=set() if request.refresh else None,
                say=lambda text: watch.saw(
                    "environment", Event(event="step", name=text, state="start")
                ),
            )
            runner = LocalRunner(_host(request, engine_name, owner))
            readies = [_made(one, request, runner, maker, watch, running) for one in chosen]
        finally:
            engine.close()
        for gone in prune(cache, request.prefix_limit, owner):
            maker.say(f"removed the environment {gone.digest[:16]}, used least recently")
        yield readies
    finally:
        owner.close()


def _made(
    one: Chosen, request: Request, runner: Runner, maker: Maker, watch: Watch, running: bool
) -> RunFactory:
    """One commit with all that its rooms hold."""
    base = one.base
    if one.slurm and maker.engine.has_images and not request.image:
        base = base._replace(apt=(*base.apt, *PACKAGES_OF_SLURM))
    image, passed = provision_base(base, maker, one.content, private=request.private_sources)
    maker = maker._replace(image=image)
    held = _provided(one, request, maker)
    held = msgspec.structs.replace(
        held,
        passed_over=(*held.passed_over, *passed),
        built_from=() if passed else base.called,
        system=system_packages(image, maker),
    )
    ready = _ready(request, one, image, held, runner)
    ready = _with_supplies(ready, request, one, maker, watch, running)
    return _with_others(ready, one, maker)


def _provided(one: Chosen, request: Request, maker: Maker) -> Environment:
    """The software that a commit declares, its data, and its variables."""
    return msgspec.structs.replace(
        provision(one.software, maker),
        inputs=provision_inputs(one.inputs, maker, private=request.private_sources),
        variables=one.variables,
        secrets=tuple(sorted(request.secrets)),
    )


def _with_supplies(
    ready: RunFactory,
    request: Request,
    one: Chosen,
    maker: Maker,
    watch: Watch,
    running: bool,
) -> RunFactory:
    """The same with what the workflow takes from beyond its commit, where its code may do so."""
    if not one.reaches:
        return ready
    found = supplied(
        ready.base,
        ready.requests(PLANNING),
        lambda specs: ready.runner.run_all(list(specs), watch.once()),
        maker,
        one.named if running else None,
        private=request.private_sources,
    )
    base = msgspec.structs.replace(ready.base, environment=found)
    return dataclasses.replace(ready, base=base)


def _with_others(ready: RunFactory, one: Chosen, maker: Maker) -> RunFactory:
    """The same with what rooms hold under each other Snakemake: all but the packages beside it."""
    found = {}
    for version, software in one.others.items():
        made = provision(software, maker)
        found[version] = msgspec.structs.replace(
            ready.base.environment,
            prefix=made.prefix,
            python=made.python,
            packages=made.packages,
            inventory=made.inventory,
        )
    return dataclasses.replace(ready, others=found)


def _host(request: Request, engine: str, owner: rooms.Owner) -> HostContext:
    return HostContext(
        repo=request.repo,
        cache=request.cache,
        engine=engine,
        owner=owner.name,
        mark=owner.mark,
        keep_room=request.keep_rooms,
        fetch_limit=request.fetch_limit,
        local_submodules=request.local_submodules,
        secrets=request.secrets,
    )


def deployment_of(request: Request) -> Deployment:
    """What rules run in: an image that is given holds what they need, unless somebody says
    otherwise.
    """
    if request.deployment != "auto":
        return request.deployment
    return "profile" if request.image and request.environment != "declared" else "declared"


def _ready(
    request: Request, chosen: Chosen, image: Image, software: Environment, runner: Runner
) -> RunFactory:
    base = RunSpec(
        source=chosen.source,
        entry=chosen.entry,
        profile=chosen.profiles[0],
        image=image,
        environment=software,
        deployment=deployment_of(request),
        slurm=chosen.slurm,
        learnt=chosen.learnt,
        hash_seed=_BASELINE_SEED,
        limits=request.limits,
        network=request.network,
        jobs_in_parallel=request.jobs_in_parallel,
        declared=chosen.declared,
    )
    today = request.today or datetime.datetime.now(datetime.UTC).date()
    return RunFactory(
        base=base,
        runner=runner,
        profiles=chosen.profiles,
        acceptances=chosen.acceptances,
        today=today,
        store=Store(Path(request.cache) / "store"),
        repeats=request.repeats,
        climb=request.climb,
        delivered=chosen.delivered,
    )
