"""Finding a cause by running: hybrids of two profiles, only as much of the workflow as tells.

Not here: what the evidence shows by itself.
"""

from collections.abc import Sequence

from cleanroom.cause import read_causes
from cleanroom.cause.read import differing_settings
from cleanroom.cause.search import smallest
from cleanroom.compare.artifacts import Ground
from cleanroom.compare.narrow import as_targets, origin_targets
from cleanroom.compare.plans import compare_plans, plans_of_one_seed
from cleanroom.compare.runs import compare, mark_noise
from cleanroom.evidence.fan_out import run_all
from cleanroom.evidence.gather import Watch
from cleanroom.model import Cause, Comparison, Evidence, RunStatus, SettingClass, digest
from cleanroom.prepare import Ready
from cleanroom.profiles.table import look_up


def explain_causes(
    runs: Sequence[Evidence], comparisons: Sequence[Comparison], ready: Ready, ground: Ground, watch: Watch
) -> tuple[Cause, ...]:
    """The causes of every comparison; where the evidence leaves several settings open, found by running hybrids."""
    found: list[Cause] = []
    for comparison in comparisons:
        causes = read_causes(runs, [comparison])
        if comparison.differs and not comparison.control and not comparison.earlier and not any(c.certain for c in causes):
            hybrids = _Hybrids(runs, comparison, comparisons, ready, ground, watch)
            causes = hybrids.causes() or causes
        found += causes
    return tuple(found)


class _Hybrids:
    """Two profiles that differ, and runs in between."""

    def __init__(
        self,
        runs: Sequence[Evidence],
        comparison: Comparison,
        comparisons: Sequence[Comparison],
        ready: Ready,
        ground: Ground,
        watch: Watch,
    ) -> None:
        by_label = {run.label: run for run in runs}
        self._left, self._right = by_label[comparison.left], by_label[comparison.right]
        self._controls = [c for c in comparisons if c.control]
        self._ready, self._ground, self._watch = ready, ground, watch
        self._only_plan = any(d.decides and not d.noise for d in comparison.plan)
        self._only = as_targets(origin_targets(self._left, [comparison]), self._left)
        self._steps: list[str] = []

    def causes(self) -> tuple[Cause, ...]:
        values = differing_settings(self._left, self._right)
        keys = smallest(sorted(values, key=_unlikely), self._moves)
        if not keys:
            return ()
        alone = self._stops(keys)
        note = "" if alone else "; without it they differ still, so that it is not the only cause"
        how = f"found by {len(self._steps)} runs between the two profiles{note}"
        return tuple(Cause(name=key, values=values[key], found=how, certain=True, steps=tuple(self._steps)) for key in keys)

    def _moves(self, keys: tuple[str, ...]) -> bool | None:
        """Whether the first profile, with these settings of the second one, leaves something else than by itself."""
        return self._differs(self._left, self._right, keys)

    def _stops(self, keys: tuple[str, ...]) -> bool:
        """Whether the second profile, with these settings of the first one, leaves the same as the first one."""
        return self._differs(self._right, self._left, keys) is False

    def _differs(self, base: Evidence, giver: Evidence, keys: tuple[str, ...]) -> bool | None:
        label = f"{base.label} with {', '.join(keys)} of {giver.label}"
        request = self._ready.hybrid(base.profile, giver.profile, keys, label, only=self._only, plan_only=self._only_plan)
        (run,) = run_all([request], self._watch)
        differs: bool | None = None
        if run.status is RunStatus.COMPLETED:
            differs = (
                self._plan_differs(run) if self._only_plan else mark_noise(compare(self._left, run, self._ground), self._controls).differs
            )
        said = {True: f"differs from {self._left.label}", False: f"is as {self._left.label}", None: "did not end well"}[differs]
        self._steps.append(f"{label}: {said} (evidence {digest(run)[:12]})")
        return differs

    def _results_differ(self, run: Evidence) -> bool:
        return mark_noise(compare(self._left, run, self._ground), self._controls).differs

    def _plan_differs(self, run: Evidence) -> bool:
        if self._left.plan is None or run.plan is None:
            return False
        return any(d.decides for d in compare_plans(*plans_of_one_seed(self._left, run)))


def _unlikely(key: str) -> tuple[int, str]:
    """Settings that are policy by their class come last."""
    option = look_up(key)
    return (int(option is not None and option.setting_class is SettingClass.POLICY), key)
