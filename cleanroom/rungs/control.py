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
_SAME_DAY = (
    "whether another day or minute gives the same results: dates were not varied, which needs "
    "libfaketime in the room"
)
_SAME_DAY_IN_IMAGES = (
    "whether another day or minute gives the same results of rules that ran in an image, whose "
    "clock was not another one"
)
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
        if verdict is None:
            return Climbed()
        made = [run for run in seen.runs if isinstance(run.purpose, Control)]
        part = any(run.only for run in made)
        still = not any(run.other_clock for run in made)
        inside = not still and any(run.in_images for run in made)
        open_ = [_LEFT_OPEN] * part + [_SAME_DAY] * still + [_SAME_DAY_IN_IMAGES] * inside
        return Climbed(verdict, _OF_A_PART if part else "", "; ".join(open_))

    def causes(self, runs: Mapping[str, Evidence], comparison: Comparison) -> Iterable[Cause]:
        text = "a second run under the same profile differs too: no profile is the cause"
        yield Cause(name=NOT_DETERMINISTIC, values={}, found=text, certain=True)


RUNG = ControlRung()
