"""The whole way: source, profiles, rooms, evidence, comparison, causes, verdict. Not here: how a report looks."""

import datetime
import time
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from cleanroom.audit import audit
from cleanroom.cause import read_causes
from cleanroom.compare.artifacts import ComparisonContext, Locate
from cleanroom.compare.boundary import Boundary, unmatched
from cleanroom.compare.diffoscope import require_diffoscope
from cleanroom.compare.equivalences import equivalence_findings
from cleanroom.compare.examiner import Examiner
from cleanroom.compare.partial_rerun import as_targets, origin_targets
from cleanroom.compare.runs import agreeing, compare, compare_all
from cleanroom.config import FILENAME
from cleanroom.evidence.context import FACTORS
from cleanroom.evidence.folder import as_left_by
from cleanroom.evidence.request import STEPS, Interrupt, RunRequest, Stage
from cleanroom.evidence.supervise import Watch
from cleanroom.findings.codes import finding, ordered
from cleanroom.findings.observed import observe
from cleanroom.flows.against import Earlier, find_earlier
from cleanroom.flows.by_running import explain_causes
from cleanroom.flows.choose import Request, RunFactory, choose, opened
from cleanroom.runners.local import run_all
from cleanroom.values.audit import Acceptance, Finding
from cleanroom.values.base import digest
from cleanroom.values.comparison import Comparison
from cleanroom.values.run import Evidence, RunStatus, run_label
from cleanroom.values.verdict import Confirmation, VerdictName
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
            ground = ComparisonContext(_locate(ready, earlier), examiner, ready.base.declared, ready.today, diffoscope=request.diffoscope)
            before = readies[1].earlier(earlier.label) if earlier.chosen else earlier.evidence
            runs, wanted, left = _run_all(ready, before, ground, watch)
            evidence = {earlier.label: earlier.digest} if earlier.digest else {}
            found = conclude(
                runs, wanted, ground, earlier=left, evidence=evidence, acceptances=ready.acceptances, repo=request.repo, started=started,
                clock=clock,
            )  # fmt: skip
            if (request.explain_cause or request.vary or request.stage) and found.judgement.verdict is VerdictName.DRIFTED:
                causes = explain_causes([*runs, left] if left else runs, found.comparisons, ready, ground, watch)
                found = msgspec.structs.replace(found, causes=causes, seconds=time.monotonic() - clock)
        return found


def _locate(ready: RunFactory, earlier: Earlier) -> Locate:
    return lambda sha256: earlier.places.get(sha256) or ready.store.content(sha256)


def _run_all(
    ready: RunFactory, before: RunRequest | Evidence | None, ground: ComparisonContext, watch: Watch
) -> tuple[list[Evidence], list[str], Evidence | None]:
    """(runs, labels of every run that there should be, the earlier run).

    Every profile in its room, as many at once as there are processors; then the control, where one is needed.
    """
    requests = ready.requests(STEPS)
    if ready.vary:
        requests.append(ready.varied(tuple(FACTORS), f"{ready.profiles[0].name} (varied)"))
    if ready.stage:
        requests.append(ready.staged(f"{ready.profiles[0].name} (staged)", Stage()))
    least = max(ready.repeats, 1 if len(requests) == 1 and before is None else 0)
    requests += [ready.control(number) for number in range(1, least + 1)]
    also = [before] if isinstance(before, RunRequest) else []
    runs = run_all([*requests, *also], watch)
    earlier = runs.pop() if also else before if isinstance(before, Evidence) else None
    if earlier is not None and earlier.folder:
        earlier = as_left_by(earlier, runs[0], ready.delivered)
    if ready.recover:
        killed = [
            ready.interrupted(run, Interrupt(signal=signal, moment=moment, job=_middle(run)))
            for run in runs
            if run.of_profile and run.status is RunStatus.COMPLETED
            for signal, moment in _MOMENTS
        ]
        requests += killed
        runs += run_all(killed, watch)
    wanted = [r.called or run_label(r.profile, r.control, r.repeat) for r in requests]
    comparisons = () if least else compare_all(runs, ground, earlier)
    if any(c.differs for c in comparisons):
        runs.append(_control(ready, runs[0], comparisons, ground, watch))
        wanted.append(runs[-1].label)
    return runs, wanted, earlier


_MOMENTS: tuple[tuple[Literal["KILL", "TERM"], Literal["start", "middle", "after"]], ...] = (
    ("KILL", "middle"), ("TERM", "middle"), ("KILL", "start"), ("KILL", "after"),
)  # fmt: skip
"""When each profile's run is killed, for the rung `recover`."""


def _middle(run: Evidence) -> int:
    """The job with outputs that started half-way through a run."""
    return max(0, sum(bool(attempt.job.output) for attempt in run.attempts) - 1) // 2


def _control(ready: RunFactory, baseline: Evidence, comparisons: Sequence[Comparison], ground: ComparisonContext, watch: Watch) -> Evidence:
    """A control of the jobs where differences begin, with what they need; of the whole, where that would not tell enough.

    Only that they agree is taken from a part: what differs there may hang on a job that did not run.
    """
    only = origin_targets(baseline, comparisons)
    if only:
        (part,) = run_all([ready.control(only=as_targets(only, baseline))], watch)
        if part.status is RunStatus.COMPLETED and not vacuous(part) and not compare(baseline, part, ground).differs:
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
        ground = ComparisonContext(locate, examiner, runs[-1].declared, today)
        return conclude(runs, [run.label for run in runs], ground, evidence=evidence, started=started, clock=clock)


def conclude(
    runs: Sequence[Evidence], wanted: Sequence[str], ground: ComparisonContext, *, earlier: Evidence | None = None,
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


def _declared_findings(runs: Sequence[Evidence], comparisons: Sequence[Comparison], ground: ComparisonContext) -> list[Finding]:
    """What is wrong with what the commit declares of its results."""
    found = list(equivalence_findings(ground.declared, comparisons, ground.today, FILENAME))
    if any(run.artifacts for run in runs):
        found += [finding("CR-045", path, file=FILENAME) for path in unmatched(runs, ground.declared)[1]]
    swallowed = {place: path for run in runs for place, path in Boundary(run, ground.declared).swallowed().items()}
    found += [finding("CR-046", f"{place} covers {path}", file=FILENAME, key=place) for place, path in swallowed.items()]
    return found
