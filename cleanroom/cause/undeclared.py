"""Files that a job may need or leave without declaring them, the likeliest first. Pure.
Not here: trying them.
"""

import posixpath
from collections.abc import Collection, Sequence

from cleanroom.values.comparison import Comparison, Sameness
from cleanroom.values.plan import Job
from cleanroom.values.run import Evidence, Kind


def undeclared_candidates(
    left: Evidence, right: Evidence, comparison: Comparison, delivered: Collection[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(files that are named where the difference begins or are missing themselves, all others), as
    paths from the clone.

    `left` is the usual run and `right` the staged one. What every job at the origins declares is in
    neither.
    """
    jobs = _origin_jobs(left, right, comparison)
    declared: set[str] = (
        set.intersection(*({f.path for f in (*job.input, *job.output)} for job in jobs))
        if jobs
        else set()
    )
    files = sorted(
        {*delivered, *(a.path for a in left.artifacts if a.kind is Kind.FILE)} - declared
    )
    lost = {d.path for d in comparison.artifacts if d.sameness is Sameness.MISSING and not d.rule}
    said = "\n".join(
        [
            right.why,
            *(step.log for step in right.steps),
            *(job.command for job in jobs),
            *_code(left, jobs),
        ]
    )
    workflow = (
        {rule.file for rule in left.plan.rules.values()} if left.plan else set()
    )  # Snakemake names it in every error
    named = [
        f
        for f in files
        if f in lost or (f not in workflow and (f in said or posixpath.basename(f) in said))
    ]
    likely = set(named)
    return tuple(sorted(named, key=lambda f: (f not in lost, f not in said, f))), tuple(
        f for f in files if f not in likely
    )


def _origin_jobs(left: Evidence, right: Evidence, comparison: Comparison) -> list[Job]:
    """The jobs that failed in the staged run, and those that made what differs first."""
    begun = {path for origin in comparison.origins for path in origin.paths}
    makers = {a.job for a in left.artifacts if a.job >= 0 and a.path in begun}
    return [attempt.job for attempt in right.attempts if attempt.ok is False] or [
        left.attempts[index].job for index in sorted(makers)
    ]


def _code(run: Evidence, jobs: Sequence[Job]) -> list[str]:
    """What the rules of those jobs say of themselves."""
    rules = run.plan.rules if run.plan else {}
    return [text for job in jobs if job.rule in rules for text in rules[job.rule].code.values()]
