"""The rung `snakemake`: do the results depend on which Snakemake runs the workflow?

Climbed where more than one is named: the baseline once more under each of the others, with the same
packages beside it as far as they go together.
"""

from collections.abc import Iterable, Mapping

from cleanroom.rungs.interface import Asked, Climbed, Rung, Seen, Wanted, compared, first_line
from cleanroom.values.comparison import Cause, Comparison, Relation
from cleanroom.values.purpose import OtherSnakemake
from cleanroom.values.run import Evidence
from cleanroom.values.verdict import VerdictName
from cleanroom.wording import listed


class SnakemakeRung(Rung):
    name = "snakemake"
    proves = "another Snakemake leaves the same results"
    unproven = "whether another Snakemake would leave the same results"
    relation = Relation.SNAKEMAKE

    def at_once(self, asked: Asked) -> Iterable[Wanted]:
        return [
            Wanted(OtherSnakemake(version=version), f"{asked.baseline} (Snakemake {version})")
            for version in asked.snakemakes
        ]

    def judged(self, seen: Seen) -> Climbed:
        runs = _runs(seen)
        if not runs:
            return Climbed()
        lacking = any(map(_not_under_it, runs))
        verdict = compared(seen.proven and not lacking, seen.of(Relation.SNAKEMAKE))
        held = [run.versions.get("snakemake", "") for run in (seen.runs[0], *runs)]
        proves = f"Snakemake {listed(held)} leave the same results"
        return Climbed(verdict, proves if verdict is VerdictName.HELD else "")

    def lacking(self, seen: Seen) -> Iterable[str]:
        for run in _runs(seen):
            if why := _not_under_it(run):
                yield why

    def causes(self, runs: Mapping[str, Evidence], comparison: Comparison) -> Iterable[Cause]:
        pair = (comparison.left, comparison.right)
        values = {label: f"Snakemake {runs[label].versions.get('snakemake', '')}" for label in pair}
        one, other = (runs[label].environment for label in pair)
        beside = [line for line in other.differing(one) if not line.startswith("snakemake")]
        text = (
            f"these packages are others too: {listed(beside, 5)}"
            if beside
            else "nothing else was another one between the two runs"
        )
        yield Cause(name="snakemake", values=values, found=text, certain=not beside)

    def drifted(self, comparison: Comparison, causes: Iterable[str]) -> str:
        return f"what {comparison.left} leaves depends on the version of Snakemake."


def _not_under_it(run: Evidence) -> str:
    """Why a run shows nothing of the Snakemake that it was to be under."""
    if not run.comparable:
        return f"{run.label} did not end well: {first_line(run.why)}"
    held = run.versions.get("snakemake", "")
    if isinstance(run.purpose, OtherSnakemake) and held != run.purpose.version:
        return f"{run.label} was under Snakemake {held}, which its environment brings"
    return ""


def _runs(seen: Seen) -> list[Evidence]:
    return [run for run in seen.runs if isinstance(run.purpose, OtherSnakemake)]


RUNG = SnakemakeRung()
