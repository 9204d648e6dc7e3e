"""Why runs and comparisons prove nothing, each reason in a sentence. Pure.
Not here: what follows from it.
"""

from collections.abc import Sequence
from typing import assert_never

from cleanroom.compare.boundary import Boundary, consumed, unmatched, within
from cleanroom.profiles.table import cutting_keys
from cleanroom.rungs.interface import first_line
from cleanroom.values.comparison import Comparison, Sameness
from cleanroom.values.declared import Declared
from cleanroom.values.plan import Job, Plan
from cleanroom.values.purpose import Control, Interrupted
from cleanroom.values.run import Evidence, RunStatus
from cleanroom.values.setup import OverrideCause


def vacuous(run: Evidence) -> list[str]:
    """Why a run proves nothing; empty where it does prove something, or where it failed by its own
    fault.
    """
    label = run.label
    if isinstance(run.purpose, Interrupted) and run.status is not RunStatus.BROKEN:
        return []  # what a resumed run leaves out, it has from the one before
    match run.status:
        case RunStatus.BROKEN:
            return [f"{label}: {first_line(run.why)}"]
        case RunStatus.FAILED:
            return []
        case RunStatus.COMPLETED:
            pass
        case _:
            assert_never(run.status)
    if run.folder:
        return [] if run.artifacts else [f"{label}: the folder is empty."]
    if run.actions:
        return [f"{label}: the profile replaces the run ('{run.actions[0].key}')."]
    if run.plan is None or not run.plan.jobs:
        return [f"{label}: the plan has no jobs."]
    ended = [a.job for a in run.attempts if a.ok]
    ran = {job.identity for job in ended}
    if not run.plan.grows and not any(j.needed and _works(j, run.plan) for j in run.plan.jobs):
        return [f"{label}: nothing to be done; no job would make anything."]
    if not any(_works(job, run.plan) for job in ended):
        return [f"{label}: no job that makes something ran."]
    made = {file.path for attempt in run.attempts if attempt.ok for file in attempt.job.output}
    idle = [
        job for job in run.idle if job.output and not all(within(f.path, made) for f in job.output)
    ]
    if idle:
        return [
            f"{label}: {len(idle)} jobs never ran, among them {idle[0].label}; their outputs "
            "were taken as they were."
        ]
    unseen = [
        a.job for a in run.attempts if a.ok is None and a.job.output and a.job.identity not in ran
    ]
    if unseen:
        return [
            f"{label}: {len(unseen)} jobs were started and never seen to end, among them "
            f"{unseen[0].label}."
        ]
    graph = ran | {job.identity for job in run.idle}
    lost = [job for job in run.plan.jobs if job.needed and job.output and job.identity not in graph]
    if lost and not any(rule.checkpoint for rule in run.plan.rules.values()):
        return [
            f"{label}: {len(lost)} planned jobs neither ran nor are accounted for, among them "
            f"{lost[0].label}."
        ]
    if run.away:
        return [
            f"{label}: {len(run.away)} declared outputs lie where they cannot be examined, among "
            f"them {run.away[0]}."
        ]
    read = consumed(run)
    if lost_results := [path for path in run.gone if path not in read]:
        said = (
            f"{len(lost_results)} declared outputs were made and are gone at the end, among "
            f"them {lost_results[0]}"
        )
        return [f"{label}: {said}; nothing was made of them, and what they held was not examined."]
    if run.undescribed:
        return [f"{label}: a job ran that could not be recorded ({run.undescribed[0]})."]
    boundary = Boundary(run)
    if swallowed := boundary.swallowed():
        place, path = next(iter(swallowed.items()))
        return [
            f"{label}: the scratch place '{place}' covers {path}, a result of a rule; so it was "
            "not compared."
        ]
    if not any(boundary.is_result(a) for a in run.artifacts):
        return [f"{label}: the run left no result that decides."]
    return []


def _works(job: Job, plan: Plan) -> bool:
    """Whether a job can leave something: it declares an output, or has code."""
    rule = plan.rules.get(job.rule)
    return bool(job.output) or bool(rule and rule.code)


def unexamined(comparison: Comparison) -> list[str]:
    """Deciding artifacts that could not be looked at: neither the same nor different."""
    blind = [d for d in comparison.artifacts if d.decides and not d.examined]
    return (
        [
            f"{comparison.right}: {len(blind)} results could not be examined, among them "
            f"{blind[0].path} ({blind[0].note})."
        ]
        if blind
        else []
    )


def cut(runs: Sequence[Evidence]) -> list[str]:
    """Settings that leave out a part of the workflow in every run: what was compared is not the
    whole.
    """
    keys = [
        {s.key for s in run.settings if s.key in cutting_keys()}
        for run in runs
        if run.settings or not isinstance(run.purpose, Control)
    ]
    return (
        [
            f"Every profile leaves out a part of the workflow ('{key}')."
            for key in sorted(set.intersection(*keys))
        ]
        if keys
        else []
    )


def levelled(runs: Sequence[Evidence]) -> list[str]:
    """Where profiles differ in cores and the minimum that was asked for made them alike: what
    differs was not tried.
    """
    profiles = [run for run in runs if run.of_profile and not run.folder]
    stated = {
        run.label: next((s.value for s in run.settings if s.key == "cores"), None)
        for run in profiles
    }
    raised = {
        run.label: o.now
        for run in profiles
        for o in run.overrides
        if o.cause is OverrideCause.MINIMUM
    }
    if not raised or len({str(value) for value in stated.values()}) < 2:
        return []
    label, now = next(iter(raised.items()))
    said = f"its cores ({stated[label]}) were raised to {now}, the minimum that was asked for"
    return [f"{label}: {said}; profiles differ in cores, and that was not tried."]


def unpublished(runs: Sequence[Evidence]) -> list[str]:
    """Parts of the published contract that no file of any run is of: there, nothing was
    compared.
    """
    runs = [run for run in runs if not run.on_trial]
    if not runs or not all(run.status is RunStatus.COMPLETED for run in runs):
        return []
    return [
        f"The published contract names {label}, and no run left such a file."
        for label in unmatched(runs, runs[-1].declared)[0]
    ]


def only_there(comparisons: Sequence[Comparison], declared: Declared) -> bool:
    """Whether of no result more than its existence was compared, and a pattern says so: somebody
    who names a file has thought of it.
    """
    if not all(set(c.counts) <= {Sameness.EXISTENCE} for c in comparisons):
        return False
    accepted = [
        d
        for c in comparisons
        for d in c.artifacts
        if d.sameness is Sameness.EXISTENCE and d.equivalence >= 0
    ]
    return any(d.path not in declared.equivalences[d.equivalence].paths for d in accepted)
