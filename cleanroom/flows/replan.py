"""The baseline's plan under the hash seed of the others, made only where theirs is another one:
what a seed changes is no difference between profiles. Not here: how two plans are compared.
"""

from collections.abc import Sequence

import msgspec

from cleanroom.compare.plans import compare_plans
from cleanroom.evidence.supervise import Watch
from cleanroom.flows.run_factory import RunFactory
from cleanroom.values.run import Evidence, StepStatus


def with_replan(ready: RunFactory, runs: Sequence[Evidence], watch: Watch) -> list[Evidence]:
    """The same runs; the first one, the baseline, with its plan under the other seed where a run
    under that seed does not plan the same, or there is none.
    """
    baseline, *others = runs
    asked = [run for run in others if run.hash_seed != baseline.hash_seed]
    if baseline.plan is None or (asked and not any(_other_plan(baseline, run) for run in asked)):
        return list(runs)
    (again,) = ready.runner.run_all([ready.replan()], watch)
    made = [msgspec.structs.replace(s, name="replan") for s in again.steps if s.name == "plan"]
    differs = again.plan is not None and compare_plans(baseline.plan, again.plan)
    amended = msgspec.structs.replace(
        baseline,
        replan=again.plan if differs else None,
        steps=(*baseline.steps, *made),
    )
    ready.store.put(amended, amends=True)
    return [amended, *others]


def _other_plan(baseline: Evidence, run: Evidence) -> bool:
    """Whether a run plans something else that decides, or cannot plan at all."""
    if baseline.plan is None or run.plan is None:
        failed = [s for s in run.steps if s.name == "plan" and s.status is StepStatus.FAILED]
        return bool(failed)
    return any(difference.decides for difference in compare_plans(baseline.plan, run.plan))
