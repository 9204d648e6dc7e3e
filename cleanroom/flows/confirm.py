"""The whole way: source, profiles, rooms, evidence, comparison, causes, verdict.
Not here: how a report looks.
"""

import datetime
import time
from collections.abc import Mapping, Sequence

import msgspec

from cleanroom.audit import audit
from cleanroom.compare.artifacts import ComparisonContext, Locate
from cleanroom.compare.boundary import Boundary, unmatched
from cleanroom.compare.diffoscope import require_diffoscope
from cleanroom.compare.equivalences import equivalence_findings
from cleanroom.compare.examiner import Examiner
from cleanroom.compare.partial_rerun import as_targets, origin_targets
from cleanroom.compare.runs import agreeing, compare, compare_all
from cleanroom.config import FILENAME
from cleanroom.errors import UsageError
from cleanroom.evidence.folder import as_left_by
from cleanroom.evidence.masking import masked
from cleanroom.evidence.request import RunSpec
from cleanroom.evidence.supervise import Watch
from cleanroom.findings.codes import finding, ordered
from cleanroom.findings.observed import observe
from cleanroom.flows.against import Against, find_earlier
from cleanroom.flows.by_running import explain_causes
from cleanroom.flows.choose import Request, choose
from cleanroom.flows.open import opened
from cleanroom.flows.replan import with_replan
from cleanroom.flows.run_factory import RunFactory
from cleanroom.room.inside.protocol import STEPS
from cleanroom.rungs.interface import Asked
from cleanroom.rungs.registry import RUNGS, read_causes
from cleanroom.rungs.registry import findings as rung_findings
from cleanroom.vacuous import vacuous
from cleanroom.values.audit import Acceptance, Finding
from cleanroom.values.base import digest
from cleanroom.values.comparison import Comparison
from cleanroom.values.purpose import Control
from cleanroom.values.run import Evidence, RunStatus
from cleanroom.values.setup import Source
from cleanroom.values.verdict import Confirmation, VerdictName
from cleanroom.verdict import judge
from cleanroom.wording import listed


def confirm(request: Request, watch: Watch | None = None) -> Confirmation:
    """Confirm one commit under its profiles.

    Raises: UsageError before anything runs; SourceError, EngineError or ImageError where nothing
    can be proven; Interrupted.
    """
    watch = watch or Watch()
    started, clock = time.time(), time.monotonic()
    _check_rungs(request.climb)
    if request.diffoscope:
        require_diffoscope()
    chosen = choose(request)
    earlier = find_earlier(request, chosen.profiles[0].name) if request.against else Against("")
    with Examiner() as examiner:
        commits = [chosen, earlier.chosen] if earlier.chosen else [chosen]
        with opened(request, commits, watch) as readies:
            ready = readies[0]
            ground = ComparisonContext(
                _locate(ready, earlier),
                examiner,
                ready.base.declared,
                ready.today,
                diffoscope=request.diffoscope,
            )
            before = readies[1].earlier(earlier.label) if earlier.chosen else earlier.evidence
            runs, wanted, left = _run_all(ready, before, ground, watch)
            evidence = {earlier.label: earlier.digest} if earlier.digest else {}
            found = conclude(
                runs,
                wanted,
                ground,
                earlier=left,
                evidence=evidence,
                source=ready.base.source,
                acceptances=ready.acceptances,
                repo=request.repo,
                climb=request.climb,
                started=started,
                clock=clock,
            )
            if _explains(request) and found.judgement.verdict is VerdictName.DRIFTED:
                causes = explain_causes(
                    [*runs, left] if left else runs, found.comparisons, ready, ground, watch
                )
                found = msgspec.structs.replace(
                    found, causes=causes, seconds=time.monotonic() - clock
                )
        return masked(found, request.secrets)


def _check_rungs(climb: frozenset[str]) -> None:
    """Raises: UsageError for a name that would be asked of nobody, and so be thought answered."""
    known = [rung.name for rung in RUNGS if rung.on_demand]
    if unknown := sorted(climb - set(known)):
        raise UsageError(f"There is no rung '{unknown[0]}' to ask for.", f"Give {listed(known)}.")


def _explains(request: Request) -> bool:
    """Whether the cause of a drift is searched for by runs: because somebody asked, or a rung that
    was asked for offers it.
    """
    return request.explain_cause or any(
        rung.explains and rung.name in request.climb for rung in RUNGS
    )


def _locate(ready: RunFactory, earlier: Against) -> Locate:
    return lambda sha256: earlier.places.get(sha256) or ready.store.content(sha256)


def _run_all(
    ready: RunFactory, before: RunSpec | Evidence | None, ground: ComparisonContext, watch: Watch
) -> tuple[list[Evidence], list[str], Evidence | None]:
    """(runs, labels of every run that there should be, the earlier run).

    Every profile in its room, as many at once as there are processors; then the control, where one
    is needed.
    """
    requests = ready.requests(STEPS)
    asked = Asked(ready.climb, requests[0].label, ready.repeats, tuple(ready.others))
    requests += sorted(
        (ready.wanted(one) for rung in RUNGS for one in rung.at_once(asked)),
        key=lambda request: isinstance(request.purpose, Control),
    )
    if len(requests) == 1 and before is None:
        requests.append(ready.control())  # else there is nothing to compare with
    controlled = any(isinstance(request.purpose, Control) for request in requests)
    also = [before] if isinstance(before, RunSpec) else []
    runs = ready.runner.run_all([*requests, *also], watch)
    runs = [_with_usual_clock(ready, run, watch) for run in runs]
    earlier = runs.pop() if also else before if isinstance(before, Evidence) else None
    runs = with_replan(ready, runs, watch)
    if earlier is not None and earlier.folder:
        earlier = as_left_by(earlier, runs[0], ready.delivered)
    more = [ready.wanted(one) for rung in RUNGS for one in rung.afterwards(asked, runs)]
    requests += more
    runs += ready.runner.run_all(more, watch)
    wanted = [r.label for r in requests]
    comparisons = () if controlled else compare_all(runs, ground, earlier)
    if any(c.differs for c in comparisons):
        runs.append(_control(ready, runs[0], comparisons, ground, watch))
        wanted.append(runs[-1].label)
    return runs, wanted, earlier


def _control(
    ready: RunFactory,
    baseline: Evidence,
    comparisons: Sequence[Comparison],
    ground: ComparisonContext,
    watch: Watch,
) -> Evidence:
    """A control of the jobs where differences begin, with what they need; of the whole, where that
    would not tell enough.

    A partial control is trusted only when it agrees: what differs there may depend on a job that
    did not run.
    """
    only = origin_targets(baseline, comparisons)
    if only:
        asked = ready.control(only=as_targets(only, baseline))
        (part,) = ready.runner.run_all([asked], watch)
        if (
            part.status is RunStatus.COMPLETED
            and not vacuous(part)
            and not compare(baseline, part, ground).differs
        ):
            return part
    (whole,) = ready.runner.run_all([ready.control()], watch)
    return _with_usual_clock(ready, whole, watch)


def _with_usual_clock(ready: RunFactory, run: Evidence, watch: Watch) -> Evidence:
    """A control that does not end well under another clock is made once more under the usual one:
    some programs refuse to work at another date.
    """
    purpose = run.purpose
    if not isinstance(purpose, Control) or run.status is RunStatus.COMPLETED or not run.other_clock:
        return run
    asked = ready.control(msgspec.structs.replace(purpose, same_clock=True), run.only)
    (again,) = ready.runner.run_all([asked], watch)
    return again


def recompute(
    runs: Sequence[Evidence],
    locate: Locate,
    *,
    evidence: Mapping[str, str] | None = None,
    today: datetime.date | None = None,
    started: float = 0.0,
    clock: float | None = None,
) -> Confirmation:
    """The conclusion over evidence that is there already, under what the last run's commit
    declares; nothing is run.

    `evidence` holds the digests by label, where they are known.
    """
    with Examiner() as examiner:
        ground = ComparisonContext(locate, examiner, runs[-1].declared, today)
        return conclude(
            runs,
            [run.label for run in runs],
            ground,
            evidence=evidence,
            started=started,
            clock=clock,
        )


def conclude(
    runs: Sequence[Evidence],
    wanted: Sequence[str],
    ground: ComparisonContext,
    *,
    earlier: Evidence | None = None,
    evidence: Mapping[str, str] | None = None,
    source: Source | None = None,
    acceptances: Sequence[Acceptance] = (),
    repo: str = "",
    climb: frozenset[str] = frozenset(),
    started: float = 0.0,
    clock: float | None = None,
) -> Confirmation:
    """Compare, find causes and judge: from evidence alone, so that anyone can do it again later.
    `source` is where the commit was found, where that is known better than evidence says.
    """
    comparisons = compare_all(runs, ground, earlier)
    baseline = runs[0]
    source = source or baseline.source
    whole = [*runs, earlier] if earlier else list(runs)
    found = dict.fromkeys(
        (
            *observe(source, runs, earlier),
            *rung_findings(runs),
            *_declared_findings(runs, comparisons, ground),
        )
    )
    audited = audit(runs, acceptances, ground.today, ordered(found), comparisons)
    return Confirmation(
        source=source,
        repo=repo or source.url,
        entry=baseline.entry,
        baseline=baseline.label,
        wanted=tuple(wanted),
        runs=tuple(runs),
        evidence={r.label: (evidence or {}).get(r.label) or digest(r) for r in whole},
        earlier=earlier,
        groups=agreeing(runs, comparisons, ground),
        comparisons=comparisons,
        judgement=judge(runs, comparisons, wanted, audited, earlier, climb),
        audit=audited,
        causes=read_causes(whole, comparisons),
        started=started,
        seconds=time.monotonic() - clock if clock is not None else 0.0,
        declared=ground.declared,
        climb=tuple(sorted(climb)),
    )


def _declared_findings(
    runs: Sequence[Evidence], comparisons: Sequence[Comparison], ground: ComparisonContext
) -> list[Finding]:
    """What is wrong with what the commit declares of its results."""
    clocks = any(run.other_clock for run in runs)
    found = list(equivalence_findings(ground.declared, comparisons, ground.today, FILENAME, clocks))
    if any(run.artifacts for run in runs):
        found += [
            finding("CR-045", path, file=FILENAME) for path in unmatched(runs, ground.declared)[1]
        ]
    swallowed = {
        place: path
        for run in runs
        for place, path in Boundary(run, ground.declared).swallowed().items()
    }
    found += [
        finding("CR-046", f"{place} covers {path}", file=FILENAME, key=place)
        for place, path in swallowed.items()
    ]
    return found
