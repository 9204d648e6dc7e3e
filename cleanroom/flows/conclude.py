"""From evidence to what is concluded: comparisons, causes, findings, verdict. Nothing is run.
Not here: where the evidence comes from.
"""

import datetime
import time
from collections.abc import Mapping, Sequence

from cleanroom.audit import audit
from cleanroom.compare.artifacts import ComparisonContext, Locate
from cleanroom.compare.boundary import Boundary, unmatched
from cleanroom.compare.equivalences import equivalence_findings
from cleanroom.compare.examiner import Examiner
from cleanroom.compare.runs import agreeing, compare_all
from cleanroom.config import FILENAME
from cleanroom.findings.codes import finding, ordered
from cleanroom.findings.observed import observe
from cleanroom.rungs.registry import findings as rung_findings
from cleanroom.rungs.registry import read_causes
from cleanroom.values.audit import Acceptance, Finding
from cleanroom.values.base import digest
from cleanroom.values.comparison import Comparison
from cleanroom.values.run import Evidence
from cleanroom.values.setup import Source
from cleanroom.values.verdict import Confirmation
from cleanroom.verdict import judge


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
