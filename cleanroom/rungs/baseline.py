"""The rung `baseline`: are the results those of an earlier commit, machine or folder?"""

from collections.abc import Iterable, Mapping, Sequence

from cleanroom.cause.read import since
from cleanroom.rungs.interface import Climbed, Rung, Seen, compared
from cleanroom.values.comparison import Cause, Comparison, Relation
from cleanroom.values.run import Evidence


class Baseline(Rung):
    name = "baseline"
    proves = "the results are those of an earlier confirmation"
    unproven = "whether the results are those of an earlier commit or machine"
    relation = Relation.EARLIER

    def judged(self, seen: Seen) -> Climbed:
        found = seen.of(Relation.EARLIER)
        return (
            Climbed(compared(seen.proven and bool(found), found))
            if seen.earlier is not None
            else Climbed()
        )

    def causes(self, runs: Mapping[str, Evidence], comparison: Comparison) -> Iterable[Cause]:
        return since(runs[comparison.left], runs[comparison.right])

    def drifted(self, comparison: Comparison, causes: Sequence[str]) -> str:
        return f"{comparison.right} does not leave what {comparison.left} left."


RUNG = Baseline()
