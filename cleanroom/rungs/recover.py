"""The rung `recover`: does a run that was killed and resumed leave the same results?"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from cleanroom.cause.read import of_interruption
from cleanroom.rungs.interface import Asked, Climbed, Rung, Seen, Wanted, compared, first_line
from cleanroom.values.comparison import Cause, Comparison, Relation
from cleanroom.values.purpose import Interrupted
from cleanroom.values.run import Evidence, RunStatus, StepStatus
from cleanroom.values.verdict import VerdictName

_MOMENTS: tuple[tuple[Literal["KILL", "TERM"], Literal["start", "middle", "after"]], ...] = (
    ("KILL", "middle"),
    ("TERM", "middle"),
    ("KILL", "start"),
    ("KILL", "after"),
)
"""When each profile's run is killed."""


class Recover(Rung):
    name = "recover"
    on_demand = True
    proves = "an interrupted run resumes to the same results"
    unproven = "whether a killed and resumed run gives the same results"
    relation = Relation.RESUMED

    def afterwards(self, asked: Asked, runs: Sequence[Evidence]) -> Iterable[Wanted]:
        if self.name not in asked.climb:
            return
        for run in runs:
            if run.of_profile and run.status is RunStatus.COMPLETED:
                for signal, moment in _MOMENTS:
                    purpose = Interrupted(signal=signal, moment=moment, job=_middle(run))
                    yield Wanted(purpose, f"{run.label} ({purpose}, resumed)", run)

    def judged(self, seen: Seen) -> Climbed:
        open_ = [*_failed(seen), *_spared(seen)]
        unproven = f"{self.unproven}; {open_[0]}" if open_ else ""
        if resumed := seen.of(Relation.RESUMED):
            return Climbed(compared(seen.proven and not open_, resumed), unproven=unproven)
        return Climbed(VerdictName.INCONCLUSIVE, unproven=unproven) if open_ else Climbed()

    def lacking(self, seen: Seen) -> Iterable[str]:
        """Where not one run comes back by itself, the workflow does not recover. One that asks a
        person how to go on leaves its own moment open, and so does one that could not be killed.
        """
        return [] if seen.of(Relation.RESUMED) else _failed(seen)[:1]

    def causes(self, runs: Mapping[str, Evidence], comparison: Comparison) -> Iterable[Cause]:
        return of_interruption(runs[comparison.right])

    def drifted(self, comparison: Comparison, causes: Sequence[str]) -> str:
        return f"a run that was killed and resumed does not leave what {comparison.left} leaves."


def _middle(run: Evidence) -> int:
    """The job with outputs that started half-way through a run."""
    return max(0, sum(bool(attempt.job.output) for attempt in run.attempts) - 1) // 2


def _failed(seen: Seen) -> list[str]:
    """Which runs did not end well after they had been killed and resumed."""
    return [
        f"{run.label} did not end well: {first_line(run.why)}"
        for run in seen.runs
        if isinstance(run.purpose, Interrupted) and run.status is RunStatus.FAILED
    ]


def _spared(seen: Seen) -> list[str]:
    """Which runs were not killed at all."""
    return [
        f"{run.label} had ended before it could be killed"
        for run in seen.runs
        if any(step.name == "interrupted" and step.status is StepStatus.OK for step in run.steps)
    ]


RUNG = Recover()
