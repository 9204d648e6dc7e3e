"""The rung `vary`: would another machine, user or day give the same results?"""

from collections.abc import Iterable, Mapping, Sequence

from cleanroom.cause.read import of_surroundings
from cleanroom.evidence.context import FACTORS
from cleanroom.rungs.interface import Asked, Climbed, Rung, Seen, Wanted, compared
from cleanroom.values.comparison import Cause, Comparison, Relation
from cleanroom.values.purpose import Varied, factors_of
from cleanroom.values.run import Evidence
from cleanroom.wording import listed

_IN_IMAGES = "whether rules that ran in an image depend on the date, which they saw as it is"


class Vary(Rung):
    name = "vary"
    on_demand = True
    explains = True
    proves = "the results do not depend on time zone, locale, user or host"
    unproven = "whether another machine would give the same results"
    relation = Relation.VARIED

    def at_once(self, asked: Asked) -> Iterable[Wanted]:
        return (
            [Wanted(Varied(factors=tuple(FACTORS)), f"{asked.baseline} (varied)")]
            if self.name in asked.climb
            else ()
        )

    def judged(self, seen: Seen) -> Climbed:
        factors = next((found for run in seen.runs if (found := factors_of(run.purpose))), ())
        proves = f"the results depend on none of these: {', '.join(factors)}" if factors else ""
        varied = seen.of(Relation.VARIED)
        images = any(isinstance(r.purpose, Varied) and r.in_images for r in seen.runs)
        verdict = compared(seen.proven, varied) if varied else None
        return Climbed(verdict, proves, _IN_IMAGES * (images and "date" in factors))

    def causes(self, runs: Mapping[str, Evidence], comparison: Comparison) -> Iterable[Cause]:
        return of_surroundings(runs[comparison.left], runs[comparison.right])

    def drifted(self, comparison: Comparison, causes: Sequence[str]) -> str:
        return (
            f"what {comparison.left} leaves depends on "
            f"{listed(causes) if causes else 'the surroundings'}."
        )


RUNG = Vary()
