"""Runs against runs, layer by layer: the baseline against every other, all against all, and what is
noise. Not here: judging.
"""

from collections.abc import Sequence

import msgspec

from cleanroom.compare.artifacts import ComparisonContext, compare_artifacts
from cleanroom.compare.groups import group
from cleanroom.compare.partial_rerun import narrowed
from cleanroom.compare.plans import as_declared, compare_attempts, compare_plans, plans_of_one_seed
from cleanroom.values.comparison import (
    Comparison,
    Difference,
    PlanDifference,
    Relation,
    Sameness,
)
from cleanroom.values.purpose import (
    Control,
    Interrupted,
    Nodes,
    OtherSnakemake,
    Purpose,
    Staged,
    Varied,
)
from cleanroom.values.run import Evidence, RunStatus


def compare_all(
    runs: Sequence[Evidence], ground: ComparisonContext, earlier: Evidence | None = None
) -> tuple[Comparison, ...]:
    """The first run against every other one that completed, and the earlier one against it.

    What a control shows too is marked as noise everywhere.
    """
    baseline, *others = runs
    if baseline.status is not RunStatus.COMPLETED:
        return ()
    own = {
        run.profile.path: run
        for run in reversed(runs)
        if run.of_profile and run.status is RunStatus.COMPLETED
    }
    found = []
    for other in others:
        left = own.get(other.profile.path) if isinstance(other.purpose, Interrupted) else baseline
        if left is not None and other.comparable:
            found.append(compare(left, other, ground))
    if earlier is not None and earlier.status is RunStatus.COMPLETED:
        found.append(
            msgspec.structs.replace(
                _only_results(compare(earlier, baseline, ground)), relation=Relation.EARLIER
            )
        )
    controls = [c for c in found if c.relation is Relation.CONTROL]
    return tuple(c if c.relation is Relation.CONTROL else mark_noise(c, controls) for c in found)


def compare(left: Evidence, right: Evidence, ground: ComparisonContext) -> Comparison:
    """Two runs, layer by layer; of the left one only as much as the right one was asked for."""
    pair = left.attempt_id, left.label, right.attempt_id, right.label
    if pair not in ground.compared:
        ground.compared[pair] = _compare(left, right, ground)
    return ground.compared[pair]


def _compare(left: Evidence, right: Evidence, ground: ComparisonContext) -> Comparison:
    if right.only:
        left = narrowed(left, right)
    artifacts, counts, informing, origins = compare_artifacts(left, right, ground)
    plans = compare_plans(*plans_of_one_seed(left, right)) if left.plan and right.plan else ()
    plans = as_declared(plans, ground.declared, ground.today)
    relation = _relation(right.purpose)
    found = Comparison(
        left=left.label,
        right=right.label,
        relation=relation,
        plan=plans,
        artifacts=artifacts,
        counts=counts,
        informing=informing,
        attempts=compare_attempts(left, right),
        origins=origins,
    )
    return _only_results(found) if relation in _OF_RESULTS else found


_OF_RESULTS = (Relation.RESUMED, Relation.STAGED, Relation.NODES, Relation.SNAKEMAKE)


def _relation(purpose: Purpose) -> Relation:
    """What a run is to the baseline."""
    match purpose:
        case Control():
            return Relation.CONTROL
        case Varied():
            return Relation.VARIED
        case Interrupted():
            return Relation.RESUMED
        case Staged():
            return Relation.STAGED
        case Nodes():
            return Relation.NODES
        case OtherSnakemake():
            return Relation.SNAKEMAKE
        case _:
            return Relation.PROFILE


def _only_results(comparison: Comparison) -> Comparison:
    """Where code may have changed, a run was resumed or jobs were staged, plan and attempts may
    differ: there, only results decide.
    """
    plan, attempts = (
        tuple(msgspec.structs.replace(d, decides=False) for d in part)
        for part in (comparison.plan, comparison.attempts)
    )
    return msgspec.structs.replace(comparison, plan=plan, attempts=attempts)


def agreeing(
    runs: Sequence[Evidence], comparisons: Sequence[Comparison], ground: ComparisonContext
) -> tuple[tuple[str, ...], ...]:
    """The profiles that completed, all against all, as groups that agree.
    Two that are the same as the baseline in every byte are not compared again.
    """
    controls = [c for c in comparisons if c.relation is Relation.CONTROL]
    against = {c.right: c for c in comparisons if c.of_profile}
    baseline = runs[0].label
    weaker = {
        c.right
        for c in against.values()
        if c.differs or c.noisy or set(c.counts) - {Sameness.BYTES}
    }

    def agree(a: Evidence, b: Evidence) -> bool:
        if a.label == baseline:
            return not against[b.label].differs
        if not {a.label, b.label} & weaker:
            return True
        return not mark_noise(compare(a, b, ground), controls).differs

    profiles = [r for r in runs if r.of_profile and (r.label == baseline or r.label in against)]
    if runs[0].status is not RunStatus.COMPLETED:
        return ()
    return tuple(tuple(r.label for r in members) for members in group(profiles, agree))


def mark_noise(comparison: Comparison, controls: Sequence[Comparison]) -> Comparison:
    """Mark what differs without any change of profile."""
    paths = {d.path for c in controls for d in c.artifacts if d.decides}
    fields = {(d.job, d.field) for c in controls for d in (*c.plan, *c.attempts) if d.decides}
    renamed, uncounted = _renamed(controls), _uncounted(controls)
    rules = {
        d.rule
        for c in controls
        for d in (*c.plan, *c.attempts)
        if d.decides and d.field == "job" and d.rule
    }

    def noisy(d: Difference) -> bool:
        if d.path in paths or (
            d.sameness is Sameness.EXTRA and not d.rule and _folder(d.path) in renamed
        ):
            return True
        return d.in_one and (d.rule in rules or (d.rule, _folder(d.path)) in uncounted)

    def of_noise(d: PlanDifference) -> bool:
        return (d.job, d.field) in fields or (d.field == "job" and d.rule in rules)

    artifacts = tuple(msgspec.structs.replace(d, noise=noisy(d)) for d in comparison.artifacts)
    silenced = paths | {d.path for d in artifacts if d.noise}
    return msgspec.structs.replace(
        comparison,
        artifacts=artifacts,
        origins=tuple(
            msgspec.structs.replace(o, noise=bool(o.paths) and set(o.paths) <= silenced)
            for o in comparison.origins
        ),
        plan=tuple(msgspec.structs.replace(d, noise=of_noise(d)) for d in comparison.plan),
        attempts=tuple(msgspec.structs.replace(d, noise=of_noise(d)) for d in comparison.attempts),
    )


def _renamed(controls: Sequence[Comparison]) -> set[str]:
    """Folders in which undeclared files have another name each time: there, a new name says nothing
    of a profile.
    """
    found = [
        {
            _folder(d.path)
            for c in controls
            for d in c.artifacts
            if d.sameness is sameness and not d.rule
        }
        for sameness in (Sameness.MISSING, Sameness.EXTRA)
    ]
    return found[0] & found[1]


def _uncounted(controls: Sequence[Comparison]) -> set[tuple[str, str]]:
    """(rule, folder) of results that are there in one run and not in another of the same profile:
    how many there are says nothing of a profile.
    """
    return {
        (d.rule, _folder(d.path))
        for c in controls
        for d in c.artifacts
        if d.rule and d.decides and d.in_one
    }


def _folder(path: str) -> str:
    return path.rpartition("/")[0]
