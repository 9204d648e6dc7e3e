"""The whole way: source, profiles, rooms, evidence, comparison, causes, verdict.
Not here: how a report looks.
"""

import time
from collections.abc import Sequence

import msgspec

from cleanroom.compare.artifacts import ComparisonContext, Locate
from cleanroom.compare.diffoscope import require_diffoscope
from cleanroom.compare.examiner import Examiner
from cleanroom.compare.partial_rerun import as_targets, origin_targets
from cleanroom.compare.runs import compare, compare_all
from cleanroom.errors import UsageError
from cleanroom.evidence.folder import as_left_by
from cleanroom.evidence.masking import masked
from cleanroom.evidence.request import RunSpec
from cleanroom.evidence.supervise import Watch
from cleanroom.flows.against import Against, find_earlier
from cleanroom.flows.by_running import explain_causes
from cleanroom.flows.choose import Request, choose
from cleanroom.flows.conclude import conclude
from cleanroom.flows.open import opened
from cleanroom.flows.records import keep
from cleanroom.flows.replan import with_replan
from cleanroom.flows.run_factory import RunFactory
from cleanroom.room.inside.protocol import STEPS
from cleanroom.rungs.interface import Asked
from cleanroom.rungs.registry import RUNGS
from cleanroom.vacuous import vacuous
from cleanroom.values.comparison import Comparison
from cleanroom.values.purpose import Control
from cleanroom.values.run import Evidence, RunStatus
from cleanroom.values.verdict import Confirmation, VerdictName
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
            found = masked(found, request.secrets)
            record = keep(found, ready.store, ready.acceptances, ready.today, earlier.places)
            return msgspec.structs.replace(found, record=record)


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
