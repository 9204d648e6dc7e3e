"""From what was chosen to runs that can start: the engine, the image, and the specification of each
run. Not here: what is chosen, and what is done with runs.
"""

import contextlib
import dataclasses
import datetime
from collections.abc import Iterator, Sequence
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
from cleanroom.flows.run_factory import BASELINE_SEED, PLANNING, RunFactory
from cleanroom.flows.supply import supplied
from cleanroom.room import rooms
from cleanroom.room.claims import Event
from cleanroom.room.engines.registry import choose_engine, open_engine
from cleanroom.room.inside.protocol import Deployment
from cleanroom.runners.interface import Runner
from cleanroom.runners.local import LocalRunner
from cleanroom.values.environment import Environment
from cleanroom.values.setup import Image


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
        hash_seed=BASELINE_SEED,
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
