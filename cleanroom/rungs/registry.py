"""Every rung, in the order in which the ladder is read; a rung is one file and one line here."""

from collections.abc import Sequence

from cleanroom.rungs import (
    audit,
    baseline,
    control,
    lint,
    nodes,
    plan,
    recover,
    rest,
    run,
    snakemake,
    stage,
    vary,
)
from cleanroom.rungs.interface import Rung, Seen
from cleanroom.values.audit import Audit, Finding
from cleanroom.values.comparison import Cause, Comparison
from cleanroom.values.run import Evidence
from cleanroom.values.verdict import ClimbedRung, VerdictName

RUNGS: tuple[Rung, ...] = (
    audit.RUNG,
    lint.RUNG,
    plan.RUNG,
    run.RUNG,
    control.RUNG,
    vary.RUNG,
    recover.RUNG,
    stage.RUNG,
    nodes.RUNG,
    snakemake.RUNG,
    rest.RUNG,
    baseline.RUNG,
)


def ladder(seen: Seen) -> tuple[ClimbedRung, ...]:
    """How each rung was climbed."""
    return tuple(_climbed(rung, seen) for rung in RUNGS)


def _climbed(rung: Rung, seen: Seen) -> ClimbedRung:
    found = rung.judged(seen)
    decides = rung.decides if found.decides is None else found.decides
    answered = found.verdict in (VerdictName.HELD, VerdictName.DRIFTED)
    state = "not checked" if found.verdict is None else found.verdict if decides else "asked"
    return ClimbedRung(
        name=rung.name,
        verdict=found.verdict,
        decides=decides,
        state=found.state or state,
        proves=found.proves or rung.proves,
        unproven=found.unproven or ("" if answered else rung.unproven),
    )


def findings(runs: Sequence[Evidence]) -> list[Finding]:
    """What the runs of profiles show of the questions that rungs ask."""
    return [
        found for run in runs if run.of_profile for rung in RUNGS for found in rung.findings(run)
    ]


def deciding(audit: Audit, climb: frozenset[str]) -> list[Finding]:
    """The findings that say that meaning drifted, though no two runs were compared."""
    return [found for rung in RUNGS for found in rung.deciding(audit, climb)]


def lacking(seen: Seen) -> list[str]:
    """Why rungs that somebody asked for show nothing."""
    return [f"{rung.name}: {why}." for rung in RUNGS for why in rung.lacking(seen)]


def read_causes(runs: Sequence[Evidence], comparisons: Sequence[Comparison]) -> tuple[Cause, ...]:
    """The causes of every comparison that differs, as far as the evidence shows them by itself."""
    by_label = {run.label: run for run in runs}
    by_relation = {rung.relation: rung for rung in RUNGS if rung.relation}
    return tuple(
        cause
        for comparison in comparisons
        if comparison.differs
        for cause in by_relation[comparison.relation].causes(by_label, comparison)
    )
