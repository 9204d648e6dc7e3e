"""The whole way: source, profiles, rooms, evidence, comparison, causes, verdict. Not here: how a report looks."""

import concurrent.futures
import os
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from cleanroom import settings as configuration
from cleanroom.cause import read_causes
from cleanroom.compare.artifacts import Locate, compare_artifacts
from cleanroom.compare.plans import compare_attempts, compare_plans
from cleanroom.errors import Interrupted
from cleanroom.evidence.gather import RunRequest, Watch, run
from cleanroom.evidence.store import Store
from cleanroom.model import Comparison, Confirmation, Difference, Entry, Evidence, Profile, RunStatus, Sameness, Value, digest
from cleanroom.observe import observe
from cleanroom.profiles.find import choose_baseline, choose_profiles, find_profiles, find_snakefile
from cleanroom.room import rooms
from cleanroom.room.engines import choose_engine, open_engine
from cleanroom.room.interface import Limits, Network
from cleanroom.source import open_repository
from cleanroom.verdict import judge

# The baseline runs under one hash seed, every other room under another. The control of the baseline runs under the other one
# too: it differs from the rooms that it controls in nothing but the profile.
_BASELINE_SEED, _OTHER_SEED = 1, 2


class ConfirmRequest(Value, frozen=True):
    """What is asked for; all but the repository and the ref has a default. Empty means: as `cleanroom.yaml` says."""

    repo: str
    ref: str
    cache: str
    profiles: tuple[str, ...] = ()
    baseline_profile: str = ""
    engine: str = "auto"
    image: str = ""
    entry: Entry = Entry()
    config: str = ""
    limits: Limits = Limits()
    network: Network = "none"
    jobs_in_parallel: int | None = None
    keep_rooms: bool = False


def confirm(request: ConfirmRequest, watch: Watch | None = None) -> Confirmation:
    """Confirm one commit under its profiles.

    Raises: UsageError before anything runs; SourceError, EngineError or ImageError where nothing can be proven; Interrupted.
    """
    watch = watch or Watch()
    started, clock = time.time(), time.monotonic()
    cache = Path(request.cache)
    repository = open_repository(request.repo, cache)
    source = repository.resolve(request.ref)
    text = Path(request.config).read_bytes() if request.config else repository.read(source.commit, configuration.FILENAME)
    settings = configuration.read_settings(text or b"", request.config or configuration.FILENAME)
    entry = _entry(request.entry, settings.workflow)
    tracked = repository.files(source.commit)
    find_snakefile(tracked, entry.folder, entry.snakefile, entry.directory)
    found = find_profiles(tracked, entry.folder)
    profiles = choose_profiles(found, request.profiles or settings.profiles or (), tracked, entry.folder)
    first = choose_baseline(profiles, request.baseline_profile or settings.baseline_profile or "")
    profiles = [profiles[first], *profiles[:first], *profiles[first + 1 :]]
    engine_name = choose_engine(request.engine, request.image)
    owner = rooms.Owner(cache)
    try:
        engine = open_engine(engine_name)
        try:
            image = engine.resolve(request.image)
            engine.sweep(owner.may_sweep)
        finally:
            engine.close()
        owner.sweep()
        base = RunRequest(
            source=source, repo=request.repo, entry=entry, profile=profiles[0], image=image, engine=engine_name, cache=str(cache),
            owner=owner.name, mark=owner.mark, hash_seed=_BASELINE_SEED, limits=request.limits, network=request.network,
            jobs_in_parallel=request.jobs_in_parallel, keep_room=request.keep_rooms,
        )  # fmt: skip
        runs, wanted = _run_all(base, profiles, watch, Store(cache / "store"))
    finally:
        owner.close()
    return conclude(runs, wanted, Store(cache / "store").object, repo=request.repo, started=started, seconds=time.monotonic() - clock)


def _entry(asked: Entry, written: Entry) -> Entry:
    """What was asked for, and where nothing was, what `cleanroom.yaml` says."""
    values = {name: getattr(asked, name) or getattr(written, name) for name in Entry.__struct_fields__}
    entry = Entry(**values)
    configuration.check_entry(entry, "the call")
    return entry


def _run_all(base: RunRequest, profiles: Sequence[Profile], watch: Watch, store: Store) -> tuple[list[Evidence], list[str]]:
    """Every profile in its room, as many at once as there are processors; then the control, where one is needed."""
    requests = [msgspec.structs.replace(base, profile=p, hash_seed=_OTHER_SEED if i else _BASELINE_SEED) for i, p in enumerate(profiles)]
    control = msgspec.structs.replace(base, control=True, hash_seed=_OTHER_SEED)
    if len(requests) == 1:
        requests.append(control)
    with concurrent.futures.ThreadPoolExecutor(min(len(requests), os.cpu_count() or 1)) as pool:
        futures = [pool.submit(run, request, watch) for request in requests]
        try:
            runs = [future.result() for future in futures]
            done = [r for r in runs if r.status is RunStatus.COMPLETED]
            if len(profiles) > 1 and runs[0] in done and any(compare(runs[0], r, store.object).differs for r in done[1:]):
                runs.append(pool.submit(run, control, watch).result())
                requests.append(control)
        except BaseException as error:
            watch.cancelled.set()
            for future in futures:
                future.cancel()
            if isinstance(error, KeyboardInterrupt):
                raise Interrupted("Stopped.") from None
            raise
    labels = [f"{r.profile.name} (control)" if r.control else r.profile.name for r in requests]
    return runs, labels


def conclude(
    runs: Sequence[Evidence], wanted: Sequence[str], locate: Locate, *, repo: str = "", started: float = 0.0, seconds: float = 0.0
) -> Confirmation:
    """Compare, find causes and judge: from evidence alone, so that anyone can do it again later."""
    comparisons = compare_all(runs, locate)
    baseline = runs[0]
    return Confirmation(
        source=baseline.source, repo=repo or baseline.source.url, entry=baseline.entry, baseline=baseline.label, wanted=tuple(wanted),
        runs=tuple(runs), evidence={r.label: digest(r) for r in runs}, comparisons=comparisons,
        judgement=judge(runs, comparisons, wanted), findings=observe(baseline.source, runs), causes=read_causes(runs, comparisons),
        started=started, seconds=seconds,
    )  # fmt: skip


def compare_all(runs: Sequence[Evidence], locate: Locate) -> tuple[Comparison, ...]:
    """The first run against every other one that completed; what a control shows too is marked as noise everywhere."""
    baseline, *others = runs
    if baseline.status is not RunStatus.COMPLETED:
        return ()
    found = [compare(baseline, other, locate) for other in others if other.status is RunStatus.COMPLETED]
    controls = [c for c in found if c.control]
    return tuple(c if c.control else _mark_noise(c, controls) for c in found)


def compare(left: Evidence, right: Evidence, locate: Locate) -> Comparison:
    """Two runs, layer by layer."""
    artifacts, counts, informing = compare_artifacts(left, right, locate)
    plans = compare_plans(left.plan, right.plan) if left.plan and right.plan else ()
    return Comparison(
        left=left.label, right=right.label, control=right.control, plan=plans, artifacts=artifacts, counts=counts,
        informing=informing, attempts=compare_attempts(left, right),
    )  # fmt: skip


def _mark_noise(comparison: Comparison, controls: Sequence[Comparison]) -> Comparison:
    """Mark what differs without any change of profile."""
    paths = {d.path for c in controls for d in c.artifacts if d.decides}
    fields = {(d.job, d.field) for c in controls for d in (*c.plan, *c.attempts) if d.decides}
    renamed = _renamed(controls)

    def noisy(d: Difference) -> bool:
        return d.path in paths or (d.sameness is Sameness.EXTRA and not d.rule and _folder(d.path) in renamed)

    return msgspec.structs.replace(
        comparison,
        artifacts=tuple(msgspec.structs.replace(d, noise=noisy(d)) for d in comparison.artifacts),
        plan=tuple(msgspec.structs.replace(d, noise=(d.job, d.field) in fields) for d in comparison.plan),
        attempts=tuple(msgspec.structs.replace(d, noise=(d.job, d.field) in fields) for d in comparison.attempts),
    )


def _renamed(controls: Sequence[Comparison]) -> set[str]:
    """Folders in which undeclared files have another name each time: there, a new name says nothing of a profile."""
    found = [
        {_folder(d.path) for c in controls for d in c.artifacts if d.sameness is sameness and not d.rule}
        for sameness in (Sameness.MISSING, Sameness.EXTRA)
    ]
    return found[0] & found[1]


def _folder(path: str) -> str:
    return path.rpartition("/")[0]
