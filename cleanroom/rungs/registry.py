"""Every rung, in the order in which the ladder is read; a rung is one file and one line here."""

from collections.abc import Sequence

from cleanroom.rungs import audit, baseline, control, lint, plan, recover, run, stage, vary
from cleanroom.rungs.interface import Rung, Seen
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
    baseline.RUNG,
)


def ladder(seen: Seen) -> tuple[ClimbedRung, ...]:
    """How each rung was climbed."""
    found = []
    for rung in RUNGS:
        verdict, proves, unproven = rung.judged(seen)
        answered = verdict in (VerdictName.HELD, VerdictName.DRIFTED)
        left_open = unproven or ("" if answered else rung.unproven)
        found.append(
            ClimbedRung(
                name=rung.name,
                verdict=verdict,
                decides=rung.decides,
                proves=proves or rung.proves,
                unproven=left_open,
            )
        )
    return tuple(found)


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
