"""The whole way: source, profiles, rooms, evidence, comparison, causes, verdict. Not here: how a report looks."""

import datetime
import time
from collections.abc import Sequence

import msgspec

from cleanroom.audit import audit
from cleanroom.cause import read_causes
from cleanroom.compare.artifacts import Ground, Locate, compare_artifacts
from cleanroom.compare.boundary import unmatched
from cleanroom.compare.equivalences import equivalence_findings
from cleanroom.compare.examiner import Examiner
from cleanroom.compare.plans import compare_attempts, compare_plans, plans_of_one_seed
from cleanroom.evidence.fan_out import run_all
from cleanroom.evidence.gather import STEPS, Watch
from cleanroom.findings import finding, ordered
from cleanroom.model import Acceptance, Comparison, Confirmation, Difference, Evidence, Finding, RunStatus, Sameness, digest, run_label
from cleanroom.observe import observe
from cleanroom.prepare import Ready, Request, choose, opened
from cleanroom.settings import FILENAME
from cleanroom.verdict import judge


def confirm(request: Request, watch: Watch | None = None) -> Confirmation:
    """Confirm one commit under its profiles.

    Raises: UsageError before anything runs; SourceError, EngineError or ImageError where nothing can be proven; Interrupted.
    """
    watch = watch or Watch()
    started, clock = time.time(), time.monotonic()
    with Examiner() as examiner:
        with opened(request, [choose(request)]) as (ready,):
            ground = Ground(ready.store.object, examiner, ready.base.declared, ready.today)
            runs, wanted = _run_all(ready, ground, watch)
        return conclude(runs, wanted, ground, acceptances=ready.acceptances, repo=request.repo, started=started, clock=clock)


def _run_all(ready: Ready, ground: Ground, watch: Watch) -> tuple[list[Evidence], list[str]]:
    """Every profile in its room, as many at once as there are processors; then the control, where one is needed."""
    requests = ready.requests(STEPS)
    least = max(ready.repeats, 1 if len(requests) == 1 else 0)
    requests += [ready.control(number) for number in range(1, least + 1)]
    runs = run_all(requests, watch)
    done = [r for r in runs if r.status is RunStatus.COMPLETED]
    if not least and runs[0] in done and any(compare(runs[0], r, ground).differs for r in done[1:]):
        requests.append(ready.control())
        runs += run_all(requests[-1:], watch)
    return runs, [run_label(r.profile, r.control, r.repeat) for r in requests]


def recompute(
    runs: Sequence[Evidence], locate: Locate, *, today: datetime.date | None = None, started: float = 0.0, clock: float | None = None
) -> Confirmation:
    """The conclusion over evidence that is there already, under what the last run's commit declares; nothing is run."""
    with Examiner() as examiner:
        ground = Ground(locate, examiner, runs[-1].declared, today)
        return conclude(runs, [run.label for run in runs], ground, started=started, clock=clock)


def conclude(
    runs: Sequence[Evidence], wanted: Sequence[str], ground: Ground, *, acceptances: Sequence[Acceptance] = (),
    repo: str = "", started: float = 0.0, clock: float | None = None,
) -> Confirmation:  # fmt: skip
    """Compare, find causes and judge: from evidence alone, so that anyone can do it again later."""
    comparisons = compare_all(runs, ground)
    baseline = runs[0]
    found = dict.fromkeys((*observe(baseline.source, runs), *_declared_findings(runs, comparisons, ground)))
    audited = audit(runs, acceptances, ground.today, ordered(found), comparisons)
    return Confirmation(
        source=baseline.source, repo=repo or baseline.source.url, entry=baseline.entry, baseline=baseline.label, wanted=tuple(wanted),
        runs=tuple(runs), evidence={r.label: digest(r) for r in runs}, comparisons=comparisons,
        judgement=judge(runs, comparisons, wanted, audited), audit=audited, causes=read_causes(runs, comparisons),
        started=started, seconds=time.monotonic() - clock if clock is not None else 0.0, declared=ground.declared,
    )  # fmt: skip


def _declared_findings(runs: Sequence[Evidence], comparisons: Sequence[Comparison], ground: Ground) -> list[Finding]:
    """What is wrong with what the commit declares of its results."""
    found = list(equivalence_findings(ground.declared, comparisons, ground.today, FILENAME))
    if any(run.artifacts for run in runs):
        found += [finding("CR-045", path, file=FILENAME) for path in unmatched(runs, ground.declared)[1]]
    return found


def compare_all(runs: Sequence[Evidence], ground: Ground) -> tuple[Comparison, ...]:
    """The first run against every other one that completed; what a control shows too is marked as noise everywhere."""
    baseline, *others = runs
    if baseline.status is not RunStatus.COMPLETED:
        return ()
    found = [compare(baseline, other, ground) for other in others if other.status is RunStatus.COMPLETED]
    controls = [c for c in found if c.control]
    return tuple(c if c.control else _mark_noise(c, controls) for c in found)


def compare(left: Evidence, right: Evidence, ground: Ground) -> Comparison:
    """Two runs, layer by layer."""
    artifacts, counts, informing, origins = compare_artifacts(left, right, ground)
    plans = compare_plans(*plans_of_one_seed(left, right)) if left.plan and right.plan else ()
    return Comparison(
        left=left.label, right=right.label, control=right.control, plan=plans, artifacts=artifacts, counts=counts,
        informing=informing, attempts=compare_attempts(left, right), origins=origins,
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
        origins=tuple(msgspec.structs.replace(o, noise=bool(paths) and set(o.paths) <= paths) for o in comparison.origins),
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
