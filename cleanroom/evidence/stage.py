"""Staged jobs: each sees only what it declares. Which cannot be staged is told here, for the room and for the report."""

from cleanroom.model import Plan, Value

IN_PLACE = ("pipe", "service", "update")
"""Flags of outputs that must be where they are: jobs of such a rule see everything, as ever."""


class Stage(Value, frozen=True):
    """What is asked of a staged run: files that are `shown` to every job though no rule declares them (paths from the clone)."""

    shown: tuple[str, ...] = ()


def unstaged(plan: Plan) -> tuple[str, ...]:
    """The rules of a plan with jobs that see everything also in a staged run, in order of their names."""
    kept = {
        job.rule
        for job in plan.jobs
        if job.output
        and (
            any(set(IN_PLACE) & set(file.flags) for file in job.output)
            or "template_engine" in (plan.rules[job.rule].code if job.rule in plan.rules else {})
            or any(file.path.startswith("..") for file in (*job.input, *job.output))
        )
    }
    return tuple(sorted(kept))
