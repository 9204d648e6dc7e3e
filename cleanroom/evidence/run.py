"""One run of one profile in one fresh room: clone, inhabit, walk, hash, keep.
Not here: comparing or judging.

`run` takes plain values and can be given to any `concurrent.futures.Executor`.
"""

import contextlib
import os
import time
import uuid
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import msgspec

from cleanroom.errors import CleanroomError
from cleanroom.errors import Interrupted as Stopped
from cleanroom.evidence.context import FACTORS, environment, value_of
from cleanroom.evidence.measured import look_before, measure
from cleanroom.evidence.outcome import outcome
from cleanroom.evidence.request import STEPS, RunRequest
from cleanroom.evidence.store import Store
from cleanroom.evidence.supervise import Guard, Watch, disk_fault
from cleanroom.evidence.tree import Patience
from cleanroom.profiles.find import SNAKEFILES
from cleanroom.profiles.table import room_keys
from cleanroom.room import rooms
from cleanroom.room.engines.interface import RoomJob
from cleanroom.room.engines.registry import open_engine
from cleanroom.source import Patience as SourcePatience
from cleanroom.source import Reach, Repository, open_repository
from cleanroom.values.purpose import Hybrid, Interrupted, Staged, Steady
from cleanroom.values.run import Evidence, RunStatus

_HASH_SEEDS = {1: 2, 2: 1}


def run(request: RunRequest, watch: Watch | None = None) -> Evidence:
    """One attempt, and its evidence, kept in the store.

    A room that broke is evidence with status `broken`, never an exception. Raises: Interrupted.
    """
    watch = watch or Watch()
    begin = time.time()
    clock = time.monotonic()
    attempt_id = uuid.uuid4().hex
    blank = Evidence(
        attempt_id=attempt_id,
        source=request.source,
        entry=request.entry,
        profile=request.profile,
        purpose=request.purpose,
        called=request.called,
        only=request.only,
        declared=request.declared,
        context=_context(request),
        hash_seed=int(environment(request.hash_seed, request.varied)["PYTHONHASHSEED"]),
        image=request.image,
        status=RunStatus.BROKEN,
        started=begin,
    )
    cache = Path(request.cache)
    try:
        store = Store(cache / "store")
        with (
            rooms.fresh(cache, request.owner, attempt_id, keep=request.keep_room) as room,
            ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="hash") as pool,
        ):
            evidence = _inhabit(request, room, blank, pool, store, watch)
    except Stopped:
        raise
    except CleanroomError as error:
        evidence = msgspec.structs.replace(blank, why=str(error))
    except OSError as error:
        evidence = msgspec.structs.replace(
            blank,
            why=f"The host could not serve the room: {error.strerror or error} ({error.filename}).",
        )
    evidence = msgspec.structs.replace(evidence, seconds=time.monotonic() - clock)
    if watch.cancelled.is_set():
        raise Stopped("Stopped.")
    Store(cache / "store").put(evidence)
    return evidence


def _context(request: RunRequest) -> dict[str, str]:
    """What surrounds the run and is not as in every other room, in words."""
    found = {
        "hash seed": environment(request.hash_seed, request.varied)["PYTHONHASHSEED"],
        "network": request.network,
    }
    found |= {factor: FACTORS[factor].varied for factor in request.varied if factor != "hash seed"}
    match request.purpose:
        case Steady(clock=clock) if clock:
            found["clock"] = f"held at {clock}"
        case Staged(shown=shown) if shown:
            found["shown to every job"] = f"{len(shown)} files beside those that it declares"
        case Hybrid(giver=giver, keys=keys):
            found |= {"settings of": giver, "these settings": ", ".join(keys)}
    if request.profiles_of:
        found["profiles of"] = request.profiles_of
    return found


def _inhabit(
    request: RunRequest,
    room: rooms.Room,
    blank: Evidence,
    pool: Executor,
    store: Store,
    watch: Watch,
) -> Evidence:
    """The clone and its room, then what both the room and the host say of it."""
    place = value_of("folder", request.varied)
    repository = _repository(request, watch)
    commit = request.source.commit
    tracked = repository.clone(commit, room.work)
    submodules = repository.submodules(commit)
    if request.profiles_of:
        repository.lay_over(request.profiles_of, request.profile_files, room.work)
    with contextlib.closing(open_engine(request.engine)) as engine:
        user = value_of("user", request.varied)
        room.furnish(_spec(request), tracked, engine.owner, user=user, place=place)
        before = look_before(room, request.entry, submodules)
        guard = Guard(room, request.limits, blank.label, watch)
        job = _job(request, room, blank.attempt_id, rooms.command(engine.python))
        ended = engine.run(job, guard.stop, guard.said)
    if guard.cancelled():
        raise Stopped("Stopped.")
    claims, disk = guard.claims(), disk_fault(room, request.limits)
    patience = Patience(guard.deadline, watch.cancelled.is_set)
    seen = measure(
        room,
        request.entry,
        before,
        claims,
        place,
        partial(repository.clone, commit),
        pool,
        store,
        patience,
        hashes=not disk,
    )
    found = outcome(blank, claims, ended, guard.fault, disk, request.steps)
    why = (
        f"{found.why}\n{seen.told}" if found.status is RunStatus.FAILED and seen.told else found.why
    )
    return msgspec.structs.replace(
        found, why=why, artifacts=seen.artifacts, away=seen.away, gone=seen.gone
    )


def _job(
    request: RunRequest, room: rooms.Room, attempt_id: str, command: tuple[str, ...]
) -> RoomJob:
    return RoomJob(
        name=attempt_id,
        owner=request.mark,
        image=request.image,
        env=environment(request.hash_seed, request.varied),
        limits=request.limits,
        hostname=value_of("host name", request.varied),
        command=command,
        network=request.network,
        mounts=tuple(room.mounts(value_of("folder", request.varied))),
    )


_LIMITS = {
    "replan": "plan",
    "without": "plan",
    "rest": "plan",
    "interrupted": "run",
    "unlock": "settings",
}


def _spec(request: RunRequest) -> dict[str, object]:
    entry, limits, purpose = request.entry, request.limits, request.purpose
    clock = purpose.clock if isinstance(purpose, Steady) else ""
    return {
        "profile": request.profile.path,
        "folder": entry.folder,
        "snakefile": entry.snakefile,
        "directory": entry.directory,
        "configfiles": list(entry.configfiles),
        "targets": list(request.only or entry.targets),
        "cores": entry.cores,
        "steps": list(request.steps),
        "jobs_in_parallel": request.jobs_in_parallel,
        "cpus": max(2, os.cpu_count() or 2),
        "snakefile_choices": SNAKEFILES,
        "limits": {
            name: getattr(limits, _LIMITS.get(name, name))
            for name in (*STEPS, "interrupted", "unlock", "grace")
        },
        "staged": msgspec.to_builtins(purpose) if isinstance(purpose, Staged) else None,
        "graft": {"profile": purpose.giver, "keys": purpose.keys}
        if isinstance(purpose, Hybrid)
        else None,
        "interrupt": msgspec.to_builtins(purpose) if isinstance(purpose, Interrupted) else None,
        "umask": value_of("umask", request.varied),
        "processors": value_of("processors", request.varied),
        "date": clock or value_of("date", request.varied),
        "directory order": value_of("directory order in Python", request.varied),
        "other_seed": _HASH_SEEDS[request.hash_seed],
        **room_keys(),
    }


def _repository(request: RunRequest, watch: Watch) -> Repository:
    reach = Reach(
        SourcePatience(request.fetch_limit, watch.cancelled.is_set),
        request.local_submodules,
        request.limits.disk,
    )
    return open_repository(request.repo, Path(request.cache), reach)
