"""The rung `lint`: what does Snakemake's own linter say? It only informs."""

from cleanroom.rungs.interface import Climbed, Rung, Seen
from cleanroom.values.verdict import VerdictName


class Lint(Rung):
    name = "lint"
    decides = False
    proves = "Snakemake's own linter was asked"
    unproven = "what Snakemake's linter would say"

    def judged(self, seen: Seen) -> Climbed:
        asked = seen.profiles and all(run.lints is not None for run in seen.profiles)
        return Climbed(VerdictName.HELD) if asked else Climbed()


RUNG = Lint()
