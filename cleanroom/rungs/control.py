"""The rung `control`: does the baseline agree with itself?

Climbed unasked where something differs, or where there is nothing else to compare.
"""

from collections.abc import Iterable, Mapping

from cleanroom.cause.read import NOT_DETERMINISTIC
from cleanroom.rungs.interface import Asked, Climbed, Rung, Seen, Wanted, verdict_of
from cleanroom.values.comparison import Cause, Comparison, Relation
from cleanroom.values.purpose import Control
from cleanroom.values.run import Evidence

_OF_A_PART = "a second run of the jobs where differences began leaves the same results"
_LEFT_OPEN = "whether all other jobs of one profile agree with themselves"


class ControlRung(Rung):
    name = "control"
    proves = "a second run of the same profile leaves the same results"
    unproven = "whether one profile agrees with itself"
    relation = Relation.CONTROL

    def at_once(self, asked: Asked) -> Iterable[Wanted]:
        return [Wanted(Control(repeat=number)) for number in range(1, asked.repeats + 1)]

    def judged(self, seen: Seen) -> Climbed:
        controls = seen.of(Relation.CONTROL)
        verdict = verdict_of(seen.proven, any(c.differs for c in controls)) if controls else None
        return (
            Climbed(verdict, _OF_A_PART, _LEFT_OPEN)
            if any(run.only for run in seen.runs)
            else Climbed(verdict)
        )

    def causes(self, runs: Mapping[str, Evidence], comparison: Comparison) -> Iterable[Cause]:
        text = "a second run under the same profile differs too: no profile is the cause"
        yield Cause(name=NOT_DETERMINISTIC, values={}, found=text, certain=True)


RUNG = ControlRung()
