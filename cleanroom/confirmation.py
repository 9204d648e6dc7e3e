"""The whole way: source, profiles, rooms, evidence, comparison, causes, verdict. Not here: how a report looks."""

import datetime
import time
from collections.abc import Mapping, Sequence

import msgspec

from cleanroom.audit import audit
from cleanroom.cause import read_causes
from cleanroom.compare.artifacts import Ground, Locate, compare_artifacts
from cleanroom.compare.boundary import unmatched
from cleanroom.compare.diffoscope import require_diffoscope
from cleanroom.compare.equivalences import equivalence_findings
from cleanroom.compare.examiner import Examiner
from cleanroom.compare.groups import group
from cleanroom.compare.narrow import as_targets, narrowed, origin_targets
from cleanroom.compare.plans import compare_attempts, compare_plans, plans_of_one_seed
from cleanroom.earlier import Earlier, find_earlier
from cleanroom.evidence.fan_out import run_all
from cleanroom.evidence.folder import as_left_by
from cleanroom.evidence.gather import STEPS, RunRequest, Watch
from cleanroom.findings import finding, ordered
from cleanroom.model import Acceptance, Comparison, Confirmation, Difference, Evidence, Finding, RunStatus, Sameness, digest, run_label
from cleanroom.observe import observe
from cleanroom.prepare import Ready, Request, choose, opened
from cleanroom.settings import FILENAME
from cleanroom.verdict import judge, vacuous


def confirm(request: Request, watch: Watch | None = None) -> Confirmation:
    """Confirm one commit under its profiles.

    Raises: UsageError before anything runs; SourceError, EngineError or ImageError where nothing can be proven; Interrupted.
    """
    watch = watch or Watch()
    started, clock = time.time(), time.monotonic()
    if request.diffoscope:
        require_diffoscope()
    chosen = choose(request)
    earlier = find_earlier(request, chosen.profiles[0].name) if request.against else Earlier("")
    with Examiner() as examiner:
        with opened(request, [chosen, earlier.chosen] if earlier.chosen else [chosen]) as readies:
            ready = readies[0]
            ground = Ground(_locate(ready, earlier), examiner, ready.base.declared, ready.today, diffoscope=request.diffoscope)
            before = readies[1].earlier(earlier.label) if earlier.chosen else earlier.evidence
            runs, wanted, left = _run_all(ready, before, chosen.delivered, ground, watch)
        evidence = {earlier.label: earlier.digest} if earlier.digest else {}
        return conclude(
            runs, wanted, ground, earlier=left, evidence=evidence, acceptances=ready.acceptances, repo=request.repo, started=started,
            clock=clock,
        )  # fmt: skip


def _locate(ready: Ready, earlier: Earlier) -> Locate:
    return lambda sha256: earlier.places.get(sha256) or ready.store.object(sha256)


def _run_all(
    ready: Ready, before: RunRequest | Evidence | None, delivered: frozenset[str], ground: Ground, watch: Watch
) -> tuple[list[Evidence], list[str], Evidence | None]:
    """(runs, labels of every run that there should be, the earlier run).

    Every profile in its room, as many at once as there are processors; then the control, where one is needed.
    """
    requests = ready.requests(STEPS)
    least = max(ready.repeats, 1 if len(requests) == 1 and before is None else 0)
    requests += [ready.control(number) for number in range(1, least + 1)]
    also = [before] if isinstance(before, RunRequest) else []
    runs = run_all([*requests, *also], watch)
    earlier = runs.pop() if also else before if isinstance(before, Evidence) else None
    if earlier is not None and earlier.folder:
        earlier = as_left_by(earlier, runs[0], delivered)
    wanted = [run_label(r.profile, r.control, r.repeat) for r in requests]
    if not least and any(c.differs for c in compare_all(runs, ground, earlier)):
        runs.append(_control(ready, runs, earlier, ground, watch))
        wanted.append(runs[-1].label)
    return runs, wanted, earlier


def _control(ready: Ready, runs: Sequence[Evidence], earlier: Evidence | None, ground: Ground, watch: Watch) -> Evidence:
    """A control of the jobs where differences begin, with what they need; of the whole, where that would not tell enough.

    Only that they agree is taken from a part: what differs there may hang on a job that did not run.
    """
    only = origin_targets(runs[0], compare_all(runs, ground, earlier))
    if only:
        (part,) = run_all([ready.control(only=as_targets(only, runs[0]))], watch)
        if part.status is RunStatus.COMPLETED and not vacuous(part) and not compare(runs[0], part, ground).differs:
            return part
    (whole,) = run_all([ready.control()], watch)
    return whole


def recompute(
    runs: Sequence[Evidence], locate: Locate, *, evidence: Mapping[str, str] | None = None, today: datetime.date | None = None,
    started: float = 0.0, clock: float | None = None,
) -> Confirmation:  # fmt: skip
    """The conclusion over evidence that is there already, under what the last run's commit declares; nothing is run.

    `evidence` holds the digests by label, where they are known.
    """
    with Examiner() as examiner:
        ground = Ground(locate, examiner, runs[-1].declared, today)
        return conclude(runs, [run.label for run in runs], ground, evidence=evidence, started=started, clock=clock)


def conclude(
    runs: Sequence[Evidence], wanted: Sequence[str], ground: Ground, *, earlier: Evidence | None = None,
    evidence: Mapping[str, str] | None = None, acceptances: Sequence[Acceptance] = (), repo: str = "", started: float = 0.0,
    clock: float | None = None,
) -> Confirmation:  # fmt: skip
    """Compare, find causes and judge: from evidence alone, so that anyone can do it again later."""
    comparisons = compare_all(runs, ground, earlier)
    baseline = runs[0]
    whole = [*runs, earlier] if earlier else list(runs)
    found = dict.fromkeys((*observe(baseline.source, runs), *_declared_findings(runs, comparisons, ground)))
    audited = audit(runs, acceptances, ground.today, ordered(found), comparisons)
    return Confirmation(
        source=baseline.source, repo=repo or baseline.source.url, entry=baseline.entry, baseline=baseline.label, wanted=tuple(wanted),
        runs=tuple(runs), evidence={r.label: (evidence or {}).get(r.label) or digest(r) for r in whole}, earlier=earlier,
        groups=agreeing(runs, comparisons, ground), comparisons=comparisons,
        judgement=judge(runs, comparisons, wanted, audited, earlier), audit=audited, causes=read_causes(whole, comparisons),
        started=started, seconds=time.monotonic() - clock if clock is not None else 0.0, declared=ground.declared,
    )  # fmt: skip


def _declared_findings(runs: Sequence[Evidence], comparisons: Sequence[Comparison], ground: Ground) -> list[Finding]:
    """What is wrong with what the commit declares of its results."""
    found = list(equivalence_findings(ground.declared, comparisons, ground.today, FILENAME))
    if any(run.artifacts for run in runs):
        found += [finding("CR-045", path, file=FILENAME) for path in unmatched(runs, ground.declared)[1]]
    return found


def compare_all(runs: Sequence[Evidence], ground: Ground, earlier: Evidence | None = None) -> tuple[Comparison, ...]:
    """The first run against every other one that completed, and the earlier one against it.

    What a control shows too is marked as noise everywhere.
    """
    baseline, *others = runs
    if baseline.status is not RunStatus.COMPLETED:
        return ()
    found = [compare(baseline, other, ground) for other in others if other.status is RunStatus.COMPLETED]
    if earlier is not None and earlier.status is RunStatus.COMPLETED:
        found.append(_only_results(compare(earlier, baseline, ground)))
    controls = [c for c in found if c.control]
    return tuple(c if c.control else _mark_noise(c, controls) for c in found)


def compare(left: Evidence, right: Evidence, ground: Ground) -> Comparison:
    """Two runs, layer by layer; of the left one only as much as the right one was asked for."""
    if right.only:
        left = narrowed(left, right)
    artifacts, counts, informing, origins = compare_artifacts(left, right, ground)
    plans = compare_plans(*plans_of_one_seed(left, right)) if left.plan and right.plan else ()
    return Comparison(
        left=left.label, right=right.label, control=right.control, plan=plans, artifacts=artifacts, counts=counts,
        informing=informing, attempts=compare_attempts(left, right), origins=origins,
    )  # fmt: skip


def _only_results(comparison: Comparison) -> Comparison:
    """Between commits, code and plan may change: there, only results decide."""
    plan, attempts = (tuple(msgspec.structs.replace(d, decides=False) for d in part) for part in (comparison.plan, comparison.attempts))
    return msgspec.structs.replace(comparison, earlier=True, control=False, plan=plan, attempts=attempts)


def agreeing(runs: Sequence[Evidence], comparisons: Sequence[Comparison], ground: Ground) -> tuple[tuple[str, ...], ...]:
    """The profiles that completed, all against all, as groups that agree. Two that are the same as the baseline in every byte are not
    compared again.
    """
    controls = [c for c in comparisons if c.control]
    against = {c.right: c for c in comparisons if not c.control and not c.earlier}
    baseline = runs[0].label
    weaker = {c.right for c in against.values() if c.differs or c.noisy or set(c.counts) - {Sameness.BYTES}}

    def agree(a: Evidence, b: Evidence) -> bool:
        if a.label == baseline:
            return not against[b.label].differs
        if not {a.label, b.label} & weaker:
            return True
        return not _mark_noise(compare(a, b, ground), controls).differs

    profiles = [r for r in runs if not r.control and (r.label == baseline or r.label in against)]
    if runs[0].status is not RunStatus.COMPLETED:
        return ()
    return tuple(tuple(r.label for r in members) for members in group(profiles, agree))


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
