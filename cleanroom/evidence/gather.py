"""One run of one profile in one fresh room: clone, inhabit, walk, hash, keep. Not here: comparing or judging.

`run` takes plain values and can be given to any `concurrent.futures.Executor`.
"""

import os
import posixpath
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import msgspec

from cleanroom.beneath import Beneath
from cleanroom.errors import CleanroomError, Interrupted
from cleanroom.evidence.collect import changed, collect, removed, unkept
from cleanroom.evidence.context import FACTORS, environment, value_of
from cleanroom.evidence.links import Links
from cleanroom.evidence.store import Store
from cleanroom.evidence.walk import Hashed, Hasher, Patience, scan
from cleanroom.model import (
    Attempt,
    Declared,
    Entry,
    Evidence,
    Image,
    Plan,
    Profile,
    RunStatus,
    Source,
    Step,
    StepStatus,
    Value,
    escape_path,
    raw_path,
)
from cleanroom.profiles.find import SNAKEFILES
from cleanroom.profiles.table import room_keys
from cleanroom.room import rooms
from cleanroom.room.claims import Budget, ClaimError, ClaimReader, Claims, Event, FinalClaim
from cleanroom.room.engines import open_engine
from cleanroom.room.interface import Limits, Network, RoomExit, RoomJob
from cleanroom.source import Patience as SourcePatience
from cleanroom.source import Reach, Repository, open_repository

STEPS = ("settings", "lint", "plan", "replan", "without", "run")
"""Every step of a room. `replan` is the plan under the other hash seed, `without` the plan without the settings in question."""
_HASH_SEEDS = {1: 2, 2: 1}
_DECIDING = ("settings", "plan", "run")
_LEAST_FREE = 256 * 2**20
_FULL = 2**20
_FAILED_JOBS = 3
_LOG_BYTES = 8192
_MEASURE_SECONDS = 2.0


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


class Watch:
    """Looks on while runs go on: receives events, and can end them all."""

    def __init__(self, on_event: Callable[[str, Event], None] | None = None) -> None:
        self._on_event = on_event
        self.cancelled = threading.Event()
        self.budget = Budget()

    def once(self) -> "Watch":
        """The same watch for runs that are not kept: what they say takes nothing from those that are."""
        other = Watch(self._on_event)
        other.cancelled = self.cancelled
        return other

    def saw(self, label: str, event: Event) -> None:
        if self._on_event:
            self._on_event(label, event)


def run(request: RunRequest, watch: Watch | None = None) -> Evidence:
    """One attempt, and its evidence, kept in the store.

    A room that broke is evidence with status `broken`, never an exception. Raises: Interrupted.
    """
    watch = watch or Watch()
    begin = time.time()
    clock = time.monotonic()
    attempt_id = uuid.uuid4().hex
    seed = environment(request.hash_seed, request.varied)["PYTHONHASHSEED"]
    context = {"hash seed": seed, "network": request.network}
    context |= {factor: FACTORS[factor].varied for factor in request.varied if factor != "hash seed"}
    if request.clock:
        context["clock"] = f"held at {request.clock}"
    if request.staged and request.staged.shown:
        context["shown to every job"] = f"{len(request.staged.shown)} files beside those that it declares"
    if request.profiles_of:
        context["profiles of"] = request.profiles_of
    if request.graft:
        context |= {"settings of": request.graft.profile, "these settings": ", ".join(request.graft.keys)}
    blank = Evidence(
        attempt_id=attempt_id, source=request.source, entry=request.entry, profile=request.profile, control=request.control,
        repeat=request.repeat, called=request.called, only=request.only, varied=request.varied,
        interrupted=str(request.interrupt or ""), staged=request.staged is not None,
        declared=request.declared, context=context, image=request.image, status=RunStatus.BROKEN, started=begin,
    )  # fmt: skip
    cache = Path(request.cache)
    try:
        store = Store(cache / "store")
        with (
            rooms.fresh(cache, request.owner, attempt_id, keep=request.keep_room) as room,
            ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="hash") as pool,
        ):
            evidence = _inhabit(request, room, blank, pool, store, watch)
    except Interrupted:
        raise
    except CleanroomError as error:
        evidence = msgspec.structs.replace(blank, why=str(error))
    except OSError as error:
        evidence = msgspec.structs.replace(blank, why=f"The host could not serve the room: {error.strerror or error} ({error.filename}).")
    evidence = msgspec.structs.replace(evidence, seconds=time.monotonic() - clock)
    if watch.cancelled.is_set():
        raise Interrupted("Stopped.")
    Store(cache / "store").put(evidence)
    return evidence


def _inhabit(request: RunRequest, room: rooms.Room, blank: Evidence, pool: Executor, store: Store, watch: Watch) -> Evidence:
    place = value_of("folder", request.varied)
    repository = _repository(request, watch)
    tracked = repository.clone(request.source.commit, room.work)
    submodules = repository.submodules(request.source.commit)
    if request.profiles_of:
        repository.lay_over(request.profiles_of, request.profile_files, room.work)
    room.furnish(_spec(request), tracked, request.engine, user=value_of("user", request.varied), place=place)
    before = scan(room.work, own := _own(request.entry, "", submodules))
    job = RoomJob(
        name=blank.attempt_id, owner=request.mark, image=request.image, env=environment(request.hash_seed, request.varied),
        limits=request.limits,
        hostname=value_of("host name", request.varied),
        command=rooms.command(request.engine), network=request.network, mounts=tuple(room.mounts(place)),
    )  # fmt: skip
    guard = _Guard(room, request, blank, watch)
    engine = open_engine(request.engine)
    try:
        ended = engine.run(job, guard.stop, guard.said)
    finally:
        engine.close()
    if watch.cancelled.is_set():
        raise Interrupted("Stopped.")
    claims = guard.claims()
    # From here on nothing of the room lives: what is seen stays as it is.
    own |= _own(request.entry, claims.workdir, ())
    patience = Patience(guard.deadline, watch.cancelled.is_set)
    grafts = {raw_path(path): room.places / str(int(number)) for path, number in claims.places.items()}
    after = scan(room.work, own, grafts, patience, _stamps(claims.attempts))
    touched = changed(before, after)
    hasher = Hasher(room.work, pool, grafts, patience)
    disk = _disk_fault(room, request.limits)
    hashed = hasher.digests({} if disk else touched)
    told = _failed_logs(claims, hasher)
    plan = _with_rules(claims)
    unchanged = _as_delivered(request, room, {p for p in touched if p in before}, hashed, pool, watch) if hashed else set()
    with Beneath(room.work, grafts) as here:
        links = Links(after, here.readlink, os.fsencode(place), own)
        artifacts = collect(
            before, touched if hashed else {}, hashed, claims.attempts, unchanged, _scratch(request.entry, claims), links, _codeless(plan)
        )
        artifacts += tuple(removed(before, after, (*claims.tracked_outputs, *claims.places)))
        away, gone = unkept(claims.attempts, artifacts, {escape_path(path) for path in after}, links)
        for artifact in artifacts:
            if artifact.sha256 and artifact.kind == "file":
                store.keep(here, raw_path(artifact.path), hashed[raw_path(artifact.path)])
    status, why = _status(claims, ended, guard.fault, disk, request.steps)
    if status is RunStatus.FAILED and told:
        why += f"\n{told}"
    blank, final = _really_varied(blank, claims.versions), claims.final or _NOTHING
    return msgspec.structs.replace(
        blank, status=status, why=why, versions=claims.versions, stack=claims.settings.stack, settings=claims.settings.settings,
        overrides=claims.settings.overrides, replaced=claims.settings.replaced, lost=claims.settings.lost,
        actions=claims.settings.actions, steps=_all_steps(claims.steps, request.steps), lints=claims.lints,
        plan=plan, replan=claims.replan, effects=claims.effects,
        unknown_key=claims.settings.error.key if claims.settings.error else "", attempts=claims.attempts,
        idle=final.idle, unstaged=final.unstaged, undescribed=claims.undescribed, artifacts=artifacts,
        tracked_outputs=claims.tracked_outputs, away=away, gone=gone,
    )  # fmt: skip


_NOTHING = FinalClaim(idle=(), code=0, unstaged=())


def _really_varied(evidence: Evidence, versions: dict[str, Any]) -> Evidence:
    """The date is another one only where the room has libfaketime, and there are fewer processors only where there were several."""
    same = {"date"} if not versions.get("faketime") else set()
    same |= {"processors"} if versions.get("processors") == 1 else set()
    context = {name: value for name, value in evidence.context.items() if name not in same}
    return msgspec.structs.replace(evidence, varied=tuple(f for f in evidence.varied if f not in same), context=context)


_SCRATCH = {"shadow-prefix": "shadow", "local-storage-prefix": ""}


def _scratch(entry: Entry, claims: Claims) -> tuple[str, ...]:
    """Folders of the clone in which Snakemake keeps shadow folders and local copies, where the profile names them."""
    found = []
    for setting in claims.settings.settings:
        if setting.key in _SCRATCH and isinstance(setting.value, str) and not setting.value.startswith("/"):
            folder = posixpath.normpath(posixpath.join(entry.folder, entry.directory, setting.value, _SCRATCH[setting.key]))
            found += [folder] if folder != "." and not folder.startswith("..") else []
    return tuple(found)


_LIMITS = {"replan": "plan", "without": "plan", "interrupted": "run", "unlock": "settings"}


def _spec(request: RunRequest) -> dict[str, object]:
    entry, limits = request.entry, request.limits
    return {
        "profile": request.profile.path, "folder": entry.folder, "snakefile": entry.snakefile, "directory": entry.directory,
        "configfiles": list(entry.configfiles), "targets": list(request.only or entry.targets),
        "cores": entry.cores, "steps": list(request.steps),
        "jobs_in_parallel": request.jobs_in_parallel, "cpus": max(2, os.cpu_count() or 2), "snakefile_choices": SNAKEFILES,
        "limits": {name: getattr(limits, _LIMITS.get(name, name)) for name in (*STEPS, "interrupted", "unlock", "grace")},
        "staged": msgspec.to_builtins(request.staged),
        "graft": msgspec.to_builtins(request.graft), "interrupt": msgspec.to_builtins(request.interrupt),
        "umask": value_of("umask", request.varied),
        "processors": value_of("processors", request.varied), "date": request.clock or value_of("date", request.varied),
        "directory order": value_of("directory order in Python", request.varied),
        "other_seed": _HASH_SEEDS[request.hash_seed], **room_keys(),
    }  # fmt: skip


def _disk_fault(room: rooms.Room, limits: Limits) -> str:
    """Why the disk, and not the workflow, would be to blame for a failure."""
    if shutil.disk_usage(room.work).free < _FULL:
        return "The host's disk is full. Free space, or set CLEANROOM_CACHE to another folder."
    if room.usage()[0] > limits.disk:
        return f"The room's disk limit of {limits.disk} bytes was reached (see --disk)."
    return ""


class _Guard:
    """Looks after one room while it lives: hears what it says, and says when it must end."""

    def __init__(self, room: rooms.Room, request: RunRequest, blank: Evidence, watch: Watch) -> None:
        self.fault = ""
        self._room, self._limits, self._watch = room, request.limits, watch
        self._label = blank.label
        self._reader = ClaimReader(watch.budget)
        self.deadline = time.monotonic() + request.limits.seconds
        self._next_measure = time.monotonic() + _MEASURE_SECONDS

    def said(self, block: bytes) -> None:
        """A piece of what the room says; what no driver says ends the room."""
        if self.fault:
            return
        try:
            for event in self._reader.feed(block):
                self._watch.saw(self._label, event)
        except ClaimError as error:
            self.fault = str(error)

    def claims(self) -> Claims:
        """All that it said; nothing, where it said what no driver says."""
        return Claims() if self.fault else self._reader.claims(self._room.out)

    def stop(self) -> str:
        now = time.monotonic()
        if self._watch.cancelled.is_set():
            return "stopped"
        if self.fault:
            return self.fault
        if now > self.deadline:
            return "the room's time limit was reached"
        if now > self._next_measure:
            used, spent = self._room.usage()
            self._next_measure = time.monotonic() + max(_MEASURE_SECONDS, 20 * spent)
            if used > self._limits.disk:
                return f"the room's disk limit of {self._limits.disk} bytes was reached (see --disk)"
            if shutil.disk_usage(self._room.work).free < _LEAST_FREE:
                return "the host's disk is full"
        return ""


def _status(claims: Claims, ended: RoomExit, fault: str, disk: str, wanted: tuple[str, ...]) -> tuple[RunStatus, str]:
    """Whose fault it is, and why; the room's own ways to break come first."""
    steps = {step.name: step for step in claims.steps}
    timed_out = [s for s in claims.steps if s.status is StepStatus.TIMEOUT and s.name in _DECIDING]
    settings = claims.settings
    limit = ended.reached or claims.reached
    last = [name for name in _DECIDING if name in wanted][-1]
    finished = last in steps and steps[last].status is StepStatus.OK
    broken = ""
    if ended.stopped or fault:
        broken = f"The room was stopped: {ended.stopped or fault}."
    elif disk:
        broken = disk
    elif "error" in claims.versions:
        broken = f"The image cannot run Snakemake: {claims.versions['error']}. Give one that can with --image."
    elif not claims.done:
        broken = f"The room ended before its work was done. {_last_lines(ended.output, 5)}".strip()
    elif claims.broken:
        broken = f"What the room exported cannot be read ({claims.broken})."
    elif settings.error:
        place = settings.error.file + (f", line {settings.error.line}" if settings.error.line else "")
        broken = f"The profile cannot be read: {place}: {settings.error.text}."
    elif settings.actions:
        first = settings.actions[0]
        broken = f"The profile replaces the run: '{first.key}' in {first.file}, line {first.line}. Nothing is proven under it."
    elif timed_out:
        broken = f"The step {timed_out[0].name} reached its time limit (see --time-limit)."
    elif limit == "memory" or (limit and not finished):
        broken = f"The room's limit of {limit} was reached" + (" (see --memory)." if limit == "memory" else ".")
    elif settings.needs and any(s.status is StepStatus.FAILED for s in claims.steps if s.name in ("plan", "run")):
        broken = f"The profile needs {' and '.join(settings.needs)}, which the room does not have. Give an image that has, with --image."
    if broken:
        return RunStatus.BROKEN, broken
    for name in _DECIDING:
        if name not in wanted:
            continue
        step = steps.get(name)
        if step is None or step.status is not StepStatus.OK:
            code = f" with exit code {step.code}" if step else ""
            text = _last_lines(_told(step.log), 20) if step else ""
            return RunStatus.FAILED, f"The {name} failed{code}." + (f"\n{text}" if text else "")
    return RunStatus.COMPLETED, ""


def _told(log: str) -> str:
    """What Snakemake printed, without the lines with which it takes its leave."""
    kept = []
    for line in log.splitlines():
        if line.startswith(("Shutting down, this might", "Exiting because a job execution failed")):
            break
        if not line.startswith("Using profile "):  # the room's own, which a person cannot mend
            kept.append(line)
    return "\n".join(kept)


def _failed_logs(claims: Claims, hasher: Hasher) -> str:
    """The last lines of the logs of jobs whose last attempt failed."""
    last = {attempt.job.identity: attempt for attempt in claims.attempts}
    failed = [a for a in last.values() if a.ok is False][:_FAILED_JOBS]
    tails = {path: _last_lines(hasher.tail(raw_path(path), _LOG_BYTES), 10) for attempt in failed for path in attempt.job.log}
    return "\n".join(f"{path}:\n{text}" for path, text in tails.items() if text)


def _last_lines(text: str, count: int) -> str:
    return "\n".join([line for line in text.splitlines() if line.strip()][-count:])


def _all_steps(steps: tuple[Step, ...], wanted: tuple[str, ...]) -> tuple[Step, ...]:
    """Every step that was wanted; one that was not reached says so."""
    found = {step.name: step for step in steps}
    return tuple(found.get(name, Step(name=name, status=StepStatus.NOT_REACHED)) for name in wanted)


def _with_rules(claims: Claims) -> Plan | None:
    """The plan, with the rules that only the run showed."""
    if claims.plan is None:
        return None
    return msgspec.structs.replace(claims.plan, rules=claims.rules | claims.plan.rules)


def _codeless(plan: Plan | None) -> set[str]:
    """Rules that only gather what others make."""
    return {name for name, rule in plan.rules.items() if not rule.code} if plan else set()


def _repository(request: RunRequest, watch: Watch) -> Repository:
    reach = Reach(SourcePatience(request.fetch_limit, watch.cancelled.is_set), request.local_submodules)
    return open_repository(request.repo, Path(request.cache), reach)


def _as_delivered(
    request: RunRequest, room: rooms.Room, paths: set[bytes], hashed: Mapping[bytes, Hashed], pool: Executor, watch: Watch
) -> set[bytes]:
    """Of the tracked files that a run touched, those that still hold what git delivered; a second clone tells."""
    if not paths:
        return set()
    fresh = room.folder / "delivered"
    _repository(request, watch).clone(request.source.commit, fresh)
    there = Hasher(fresh, pool).digests({path: seen for path, seen in scan(fresh).items() if path in paths})
    return {path for path in paths if path in there and there[path].sha256 and there[path].sha256 == hashed[path].sha256}


def _own(entry: Entry, workdir: str, submodules: Sequence[str]) -> frozenset[bytes]:
    """The places of a clone that are git's and Snakemake's own, and no results: a short list, and no name anywhere."""
    places = [".git", *(f"{path}/.git" for path in submodules)]
    if not workdir.startswith("/"):
        folders = {posixpath.normpath(posixpath.join(entry.folder, entry.directory)), posixpath.normpath(workdir or ".")}
        places += [posixpath.normpath(posixpath.join(folder, ".snakemake")) for folder in folders if not folder.startswith("..")]
    return frozenset(map(raw_path, places))


def _stamps(attempts: Sequence[Attempt]) -> frozenset[bytes]:
    """The empty files with which Snakemake marks the time of an output that is a folder."""
    folders = (file.path for attempt in attempts for file in attempt.job.output if "directory" in file.flags)
    return frozenset(raw_path(path.rstrip("/")) + b"/.snakemake_timestamp" for path in folders)
