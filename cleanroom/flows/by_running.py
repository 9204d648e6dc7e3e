"""Finding a cause by running: between two profiles, between two surroundings, only as much of the
workflow as tells.

Not here: what the evidence shows by itself.
"""

import functools
import itertools
from collections.abc import Sequence
from typing import Any

from cleanroom.cause.read import NOT_DETERMINISTIC, differing_settings, reads_arguments
from cleanroom.cause.search import independent
from cleanroom.cause.undeclared import undeclared_candidates
from cleanroom.compare.artifacts import ComparisonContext
from cleanroom.compare.partial_rerun import as_targets, origin_targets
from cleanroom.compare.plans import as_declared, compare_plans, plans_of_one_seed
from cleanroom.compare.runs import compare, mark_noise
from cleanroom.evidence.context import FACTORS, HELD_CLOCK
from cleanroom.evidence.request import RunSpec
from cleanroom.evidence.supervise import Watch
from cleanroom.flows.run_factory import RunFactory
from cleanroom.profiles.table import look_up
from cleanroom.rungs.registry import read_causes
from cleanroom.values.base import digest
from cleanroom.values.comparison import Cause, Comparison, Relation
from cleanroom.values.purpose import Staged, Varied, factors_of
from cleanroom.values.run import Evidence
from cleanroom.values.setup import SettingClass

THE_NAME = "the name of the profile"
"""What is left where no setting did it: code that asks under which profile it runs."""
_HELD_RUNS = 3
"""Runs with something held fixed that must agree before it is named: fewer would agree by luck too
often.
"""
_PATIENCE, _TIMES = 30.0, 5.0
"""How long a run may take whose clock stands still, where a program may wait for it: seconds, and
times the usual.
"""
_SHOWN = 3
"""Files that a step names; of more it gives the number."""


def explain_causes(
    runs: Sequence[Evidence],
    comparisons: Sequence[Comparison],
    ready: RunFactory,
    ground: ComparisonContext,
    watch: Watch,
) -> tuple[Cause, ...]:
    """The causes of every comparison; where the evidence leaves several open, found by runs in
    between.
    """
    by_label = {run.label: run for run in runs}
    controls = [c for c in comparisons if c.relation is Relation.CONTROL]
    found: list[Cause] = []
    for comparison in comparisons:
        causes = read_causes(runs, [comparison])
        if comparison.differs and comparison.relation not in (Relation.EARLIER, Relation.RESUMED):
            left, right = by_label[comparison.left], by_label[comparison.right]
            tries = _Tries(left, comparison, controls, ready, ground, watch)
            if comparison.relation is Relation.CONTROL:
                causes = _of_noise(tries, left, right) or causes
            elif comparison.relation is Relation.STAGED:
                causes = _of_undeclared(tries, left, right, comparison) or causes
            elif not any(c.certain for c in causes):
                causes = (
                    _of_surroundings if comparison.relation is Relation.VARIED else _of_settings
                )(tries, left, right) or causes
        found += causes
    return tuple(found)


def _of_settings(tries: "_Tries", left: Evidence, right: Evidence) -> tuple[Cause, ...]:
    """The first profile with some settings of the second one."""
    values = differing_settings(left, right)

    @functools.cache
    def moves(keys: tuple[str, ...]) -> bool | None:
        label = f"{left.label} with {', '.join(keys)} of {right.label}"
        return tries.differs(
            tries.ready.hybrid(
                left.profile, right.profile, keys, label, only=tries.only, plan_only=tries.only_plan
            )
        )

    keys = sorted(values, key=_unlikely)
    # Where no code asks for its name, all settings together are known to make the difference.
    if reads_arguments(left) and keys and moves(tuple(keys)) is False:
        text = (
            f"with all settings of {right.label} under its own name, {left.label} leaves what it "
            "left before"
        )
        names = {run.label: run.profile.path for run in (left, right)}
        return (
            Cause(name=THE_NAME, values=names, found=text, certain=True, steps=tuple(tries.steps)),
        )
    return _named(independent(keys, moves), values, tries, "the two profiles")


def _of_surroundings(tries: "_Tries", left: Evidence, right: Evidence) -> tuple[Cause, ...]:
    """The baseline with some factors varied."""
    values = {
        name: {left.label: FACTORS[name].usual, right.label: FACTORS[name].varied}
        for name in factors_of(right.purpose)
    }

    def moves(factors: tuple[str, ...]) -> bool | None:
        return tries.differs(
            tries.ready.again(
                Varied(factors=factors),
                f"{left.label} with another {', '.join(factors)}",
                only=tries.only,
            )
        )

    return _named(independent(list(values), moves), values, tries, "the two surroundings")


def _of_noise(tries: "_Tries", left: Evidence, right: Evidence) -> tuple[Cause, ...]:
    """A control has another hash seed than the baseline: whether the same seed gives the same tells
    if that is all.
    """
    again = tries.differs(
        tries.ready.again(Varied(), f"{left.label} once more under the same hash seed"),
        noise_too=True,
    )
    if again is None:
        return ()
    if again:
        return _of_moving(tries, left)
    values = {run.label: run.context["hash seed"] for run in (left, right)}
    text = (
        "under the same hash seed a second run agrees: the order of a set or of hashes is in "
        "a result, and no profile is the cause"
    )
    return (
        Cause(name="hash seed", values=values, found=text, certain=True, steps=tuple(tries.steps)),
    )


def _of_moving(tries: "_Tries", left: Evidence) -> tuple[Cause, ...]:
    """What moves from run to run under one hash seed: with something held fixed, until several runs
    agree.
    """
    held: list[tuple[str, str, dict[str, Any], str]] = []
    if left.versions.get("faketime"):
        held.append(("date", HELD_CLOCK, {"clock": HELD_CLOCK}, "passes"))
    if _at_once(left) and not str(left.versions.get("snakemake", "")).startswith(
        "7."
    ):  # there, a limit of jobs is one of cores
        held.append(("jobs at once", "1", {"jobs_in_parallel": 1}, "as many as there are cores"))
    for name, fixed, how, usual in held:
        labels = [
            f"{left.label} with {name} held at {fixed} ({number})"
            for number in range(1, _HELD_RUNS + 1)
        ]
        limit = _PATIENCE + _TIMES * left.seconds
        if tries.agree(
            [tries.ready.steady(label, limit, only=tries.only, **how) for label in labels]
        ):
            text = (
                f"with it held at {fixed}, {_HELD_RUNS} runs agree; without, two of two "
                "differ from the first: no profile is the cause"
            )
            return (
                Cause(
                    name=name,
                    values={left.label: usual, labels[0]: fixed},
                    found=text,
                    certain=True,
                    steps=tuple(tries.steps),
                ),
            )
    text = "a second run under the same profile and hash seed differs too: no profile is the cause"
    return (
        Cause(
            name=NOT_DETERMINISTIC, values={}, found=text, certain=True, steps=tuple(tries.steps)
        ),
    )


def _at_once(run: Evidence) -> bool:
    """Whether two jobs were at work at the same time."""
    spans = sorted(
        (a.started, a.ended) for a in run.attempts if a.job.output and a.ended is not None
    )
    return any(start < end for (_, end), (start, _) in itertools.pairwise(spans))


def _of_undeclared(
    tries: "_Tries", left: Evidence, right: Evidence, comparison: Comparison
) -> tuple[Cause, ...]:
    """Staged runs in which all files but some are shown to every job."""
    named, others = undeclared_candidates(left, right, comparison, tries.ready.delivered)
    every = (*named, *others)
    nobodys = {artifact.path for artifact in left.artifacts if artifact.job < 0}

    def moves(hidden: tuple[str, ...]) -> bool | None:
        kept = frozenset(hidden)
        what = ", ".join(hidden) if len(hidden) <= _SHOWN else f"{len(hidden)} files"
        label = (
            f"{right.label} without {what}" if hidden else f"{right.label}, but every file is shown"
        )
        shown = tuple(path for path in every if path not in kept)
        stage = Staged(shown=shown, strays=tuple(path for path in shown if path in nobodys))
        return tries.differs(tries.ready.again(stage, label, only=tries.only))

    seeing_all = moves(())
    if seeing_all is None:
        return ()
    if seeing_all:
        text = (
            "a job that works in a folder of its own leaves something else, or fails, though "
            "it sees every file there"
        )
        return (
            Cause(
                name="the folder of a job",
                values={},
                found=text,
                certain=True,
                steps=tuple(tries.steps),
            ),
        )
    sets = independent(named, moves) if named and moves(named) else []
    rest = tuple(path for path in every if path not in itertools.chain(*sets))
    if not sets or moves(rest):
        sets += independent(rest, moves)
    values = {
        path: {
            left.label: "seen by every job",
            right.label: "seen by none that does not declare it",
        }
        for path in every
    }
    return _named(sets, values, tries, "the staged run and one in which every file is shown")


def _named(
    sets: Sequence[tuple[str, ...]],
    values: dict[str, dict[str, str]],
    tries: "_Tries",
    between: str,
) -> tuple[Cause, ...]:
    how = f"found by {len(tries.steps)} runs between {between}"
    return tuple(
        Cause(
            name=key,
            values=values[key],
            certain=True,
            steps=tuple(tries.steps),
            found=how
            if len(keys) == 1
            else f"{how}; only together with {', '.join(k for k in keys if k != key)}",
        )
        for keys in sets
        for key in keys
    )


class _Tries:
    """Runs that are compared with the baseline, as far as one comparison needs them; `steps` tells
    of each.
    """

    def __init__(
        self,
        baseline: Evidence,
        comparison: Comparison,
        controls: Sequence[Comparison],
        ready: RunFactory,
        ground: ComparisonContext,
        watch: Watch,
    ) -> None:
        self.ready, self.steps = ready, list[str]()
        self.only_plan = any(d.decides and not d.noise for d in comparison.plan)
        self.only = as_targets(origin_targets(baseline, [comparison]), baseline)
        self._baseline, self._controls, self._ground, self._watch = (
            baseline,
            controls,
            ground,
            watch,
        )

    def differs(self, request: RunSpec, *, noise_too: bool = False) -> bool | None:
        """Whether a run leaves something else than the baseline; None where it did not end well."""
        (run,) = self.ready.runner.run_all([request], self._watch.once())
        found: bool | None = None
        if run.comparable:
            found = (
                self._plan_differs(run)
                if "run" not in request.steps
                else self._results_differ(run, noise_too)
            )
        said = {
            True: f"differs from {self._baseline.label}",
            False: f"is as {self._baseline.label}",
            None: "did not end well",
        }[found]
        self.steps.append(f"{request.called}: {said} (evidence {digest(run)[:12]})")
        return found

    def agree(self, requests: Sequence[RunSpec]) -> bool:
        """Whether all runs end well and leave the same as the first of them."""
        first, *others = runs = self.ready.runner.run_all(requests, self._watch.once())
        found = all(run.comparable for run in runs) and not any(
            compare(first, run, self._ground).differs for run in others
        )
        said = (
            f"{'agree' if found else 'do not agree'} (evidence "
            f"{', '.join(digest(run)[:12] for run in runs)})"
        )
        self.steps.append(f"{first.label} and {len(others)} more: they {said}")
        return found

    def _results_differ(self, run: Evidence, noise_too: bool) -> bool:
        compared = compare(self._baseline, run, self._ground)
        return (compared if noise_too else mark_noise(compared, self._controls)).differs

    def _plan_differs(self, run: Evidence) -> bool:
        if self._baseline.plan is None or run.plan is None:
            return False
        found = compare_plans(*plans_of_one_seed(self._baseline, run))
        declared, today = self._ground.declared, self._ground.today
        return any(d.decides for d in as_declared(found, declared, today))


def _unlikely(key: str) -> tuple[int, str]:
    """Settings that are policy by their class come last."""
    option = look_up(key)
    return (int(option is not None and option.setting_class is SettingClass.POLICY), key)
