"""One run of one profile in one fresh room: clone, inhabit, walk, hash, keep.
Not here: comparing or judging.

`run` takes plain values. What decides it can be sent to another machine, whose host is its own.
"""

import contextlib
import os
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import msgspec

from cleanroom.environment.provision import python_of
from cleanroom.environment.supplies import (
    furnish,
    images_of,
    lay_inputs,
    mounts_of,
    packages_of,
    places_of,
)
from cleanroom.errors import CleanroomError
from cleanroom.errors import Interrupted as Stopped
from cleanroom.evidence.context import FACTORS, SHIFTED_CLOCK, environment, value_of
from cleanroom.evidence.masking import masked
from cleanroom.evidence.measured import look_before, measure
from cleanroom.evidence.outcome import outcome
from cleanroom.evidence.request import HostContext, RunSpec
from cleanroom.evidence.store import Store
from cleanroom.evidence.supervise import Guard, Watch, disk_fault
from cleanroom.evidence.tree import Patience
from cleanroom.profiles.find import SNAKEFILES
from cleanroom.room import rooms
from cleanroom.room.broker import beside
from cleanroom.room.engines.interface import RoomJob
from cleanroom.room.engines.registry import open_engine
from cleanroom.room.inside.protocol import STEPS, Apart, Spec
from cleanroom.room.setting_keys import room_keys
from cleanroom.source import Patience as SourcePatience
from cleanroom.source import Reach, Repository, open_repository, published
from cleanroom.values.purpose import (
    Control,
    Hybrid,
    Interrupted,
    Nodes,
    Purpose,
    Staged,
    Steady,
    Varied,
)
from cleanroom.values.run import Evidence, RunStatus


def run(spec: RunSpec, host: HostContext, watch: Watch | None = None) -> Evidence:
    """One attempt, and its evidence, kept in the store.

    A room that broke is evidence with status `broken`, never an exception. Raises: Interrupted.
    """
    watch = watch or Watch()
    begin = time.time()
    clock = time.monotonic()
    attempt_id = uuid.uuid4().hex
    blank = Evidence(
        attempt_id=attempt_id,
        source=msgspec.structs.replace(spec.source, url=published(spec.source.url)),
        entry=spec.entry,
        profile=spec.profile,
        purpose=spec.purpose,
        called=spec.called,
        only=spec.only,
        declared=spec.declared,
        context=_context(spec),
        hash_seed=int(environment(spec.hash_seed, spec.varied)["PYTHONHASHSEED"]),
        image=spec.image,
        environment=spec.environment,
        deployment=spec.deployment,
        learnt=spec.learnt,
        status=RunStatus.BROKEN,
        started=begin,
    )
    cache = Path(host.cache)
    try:
        store = Store(cache / "store")
        with (
            rooms.fresh(cache, host.owner, attempt_id, keep=host.keep_room) as room,
            ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="hash") as pool,
        ):
            evidence = _inhabit(spec, host, room, blank, pool, store, watch)
    except Stopped:
        raise
    except CleanroomError as error:
        evidence = msgspec.structs.replace(blank, why=str(error))
    except OSError as error:
        said = f"{error.strerror or error} ({error.filename})"
        evidence = msgspec.structs.replace(blank, why=f"The host could not serve the room: {said}.")
    evidence = masked(evidence, host.secrets)
    why = _of_no_host(evidence.why, spec, host)
    evidence = msgspec.structs.replace(evidence, why=why, seconds=time.monotonic() - clock)
    if watch.cancelled.is_set():
        raise Stopped("Stopped.")
    Store(cache / "store").put(evidence)
    return evidence


def _context(spec: RunSpec) -> dict[str, str]:
    """What surrounds the run and is not as in every other room, in words."""
    found = {
        "hash seed": environment(spec.hash_seed, spec.varied)["PYTHONHASHSEED"],
        "network": spec.network,
    }
    found |= {factor: FACTORS[factor].varied for factor in spec.varied if factor != "hash seed"}
    match spec.purpose:
        case Steady(clock=clock) if clock:
            found["clock"] = f"held at {clock}"
        case Staged(shown=shown) if shown:
            found["shown to every job"] = f"{len(shown)} files beside those that it declares"
        case Hybrid(giver=giver, keys=keys):
            found |= {"settings of": giver, "these settings": ", ".join(keys)}
    if _clock(spec) == SHIFTED_CLOCK:
        found["clock"] = f"{SHIFTED_CLOCK} s"
    if spec.profiles_of:
        found["profiles of"] = spec.profiles_of
    return found


def _inhabit(
    spec: RunSpec,
    host: HostContext,
    room: rooms.Room,
    blank: Evidence,
    pool: Executor,
    store: Store,
    watch: Watch,
) -> Evidence:
    """The clone and its room, then what both the room and the host say of it."""
    place = value_of("folder", spec.varied)
    repository = _repository(spec, host, watch)
    commit = spec.source.commit
    tracked = repository.clone(commit, room.work)
    submodules = repository.submodules(commit)
    lay_inputs(room.work, spec.environment.inputs)
    if spec.profiles_of:
        repository.lay_over(spec.profiles_of, spec.profile_files, room.work)
    with contextlib.closing(open_engine(host.engine)) as engine:
        user = value_of("user", spec.varied)
        room.furnish(_asked_of_driver(spec), tracked, engine.owner, user=user, place=place)
        cache = Path(host.cache)
        python = python_of(spec.environment) or engine.python
        furnish(room, spec.environment, cache, python, slurm=spec.slurm)
        before = look_before(room, spec.entry, submodules)
        guard = Guard(room, spec.limits, blank.label, watch)
        job = _job(spec, host, room, blank.attempt_id, rooms.command(python))
        images = images_of(cache, spec.environment, spec.image)
        packages = packages_of(cache, spec.environment)
        with beside(room, job, engine, images, packages, guard.stop):
            ended = engine.run(job, guard.stop, guard.said)
    if guard.cancelled():
        raise Stopped("Stopped.")
    claims, disk = guard.claims(), disk_fault(room, spec.limits)
    patience = Patience(guard.deadline, watch.cancelled.is_set)
    with _by_itself(patience):
        seen = measure(
            room,
            spec.entry,
            before,
            claims,
            place,
            partial(repository.clone, commit),
            pool,
            store,
            patience,
            hashes=not disk,
        )
    found = outcome(blank, claims, ended, guard.fault, disk, spec.steps)
    why = (
        f"{found.why}\n{seen.told}" if found.status is RunStatus.FAILED and seen.told else found.why
    )
    return msgspec.structs.replace(
        found, why=why, artifacts=seen.artifacts, away=seen.away, gone=seen.gone
    )


_POLL = 0.2
_MEASURING = threading.Lock()


@contextlib.contextmanager
def _by_itself(patience: Patience) -> Iterator[None]:
    """One room is measured at a time: what is known of each of its files is in memory meanwhile,
    and the files of one are hashed by as many threads as there are processors.
    """
    while not _MEASURING.acquire(timeout=_POLL):
        patience.check()
    try:
        yield
    finally:
        _MEASURING.release()


def _job(
    spec: RunSpec,
    host: HostContext,
    room: rooms.Room,
    attempt_id: str,
    command: tuple[str, ...],
) -> RoomJob:
    return RoomJob(
        name=attempt_id,
        owner=host.mark,
        image=spec.image,
        env={
            **spec.environment.variables,
            **host.secrets,
            **environment(spec.hash_seed, spec.varied),
        },
        limits=spec.limits,
        hostname=value_of("host name", spec.varied),
        command=command,
        network=spec.network,
        mounts=(
            *(room.of_slurm if spec.slurm else ()),
            *room.mounts(value_of("folder", spec.varied)),
            *mounts_of(Path(host.cache), spec.environment),
        ),
    )


_LIMITS = {
    "without": "plan",
    "rest": "plan",
    "interrupted": "run",
    "unlock": "settings",
}


def _clock(spec: RunSpec) -> str:
    """The clock of what jobs start, as libfaketime takes it; nothing for the usual one."""
    match spec.purpose:
        case Steady(clock=clock):
            return clock
        case Control(same_clock=False) | Varied(factors=()):
            return SHIFTED_CLOCK
        case _:
            return ""


def _apart(purpose: Purpose) -> Apart:
    """Of which profiles each job is a process of its own; a run that is killed or whose jobs are
    staged asks something else.
    """
    match purpose:
        case Nodes():
            return "every"
        case Interrupted() | Staged():
            return "none"
        case _:
            return "remote"


def _asked_of_driver(spec: RunSpec) -> Spec:
    entry, limits, purpose = spec.entry, spec.limits, spec.purpose
    return {
        "profile": spec.profile.path,
        "folder": entry.folder,
        "snakefile": entry.snakefile,
        "directory": entry.directory,
        "configfiles": list(entry.configfiles),
        "targets": list(spec.only or entry.targets),
        "typed_targets": list(entry.targets),
        "cores": entry.cores,
        "steps": list(spec.steps),
        "jobs_in_parallel": spec.jobs_in_parallel,
        "cpus": max(2, os.cpu_count() or 2),
        "snakefile_choices": list(SNAKEFILES),
        "limits": {
            name: getattr(limits, _LIMITS.get(name, name))
            for name in (*STEPS, "interrupted", "unlock", "grace")
        },
        "staged": msgspec.to_builtins(purpose) if isinstance(purpose, Staged) else None,
        "nodes": _apart(purpose),
        "graft": {"profile": purpose.giver, "keys": list(purpose.keys)}
        if isinstance(purpose, Hybrid)
        else None,
        "interrupt": msgspec.to_builtins(purpose) if isinstance(purpose, Interrupted) else None,
        "umask": value_of("umask", spec.varied),
        "processors": value_of("processors", spec.varied),
        "date": _clock(spec) or value_of("date", spec.varied),
        "survey": spec.survey,
        "deployment": spec.deployment,
        "conda": places_of(spec.environment),
        "slurm": spec.slurm,
        "images": [one.url for one in spec.environment.containers],
        "directory_order": value_of("directory order in Python", spec.varied),
        **room_keys(),
    }


def _repository(spec: RunSpec, host: HostContext, watch: Watch) -> Repository:
    patience = SourcePatience(host.fetch_limit, watch.cancelled.is_set)
    reach = Reach(patience, host.local_submodules, spec.limits.disk)
    return open_repository(host.repo, Path(host.cache), reach)


def _of_no_host(why: str, spec: RunSpec, host: HostContext) -> str:
    """A sentence in which what lies on this machine is called what anybody may know it by."""
    why = why.replace(host.cache, "the cache")
    folder, name = spec.source.url.removeprefix("file://"), published(spec.source.url)
    if name != spec.source.url:
        # Submodules of a local repository may lie beside it.
        why = why.replace(folder, name).replace(f"{Path(folder).parent}/", "")
    return why
