"""The rung `run`: do all profiles leave the same results?"""

from collections.abc import Iterable, Mapping

from cleanroom.cause.read import of_settings
from cleanroom.rungs.interface import Climbed, Rung, Seen, compared
from cleanroom.values.comparison import Cause, Comparison, Relation
from cleanroom.values.run import Evidence, RunStatus
from cleanroom.values.verdict import VerdictName


class Run(Rung):
    name = "run"
    proves = "every profile leaves the same results"
    unproven = "whether the profiles leave the same results"
    relation = Relation.PROFILE

    def judged(self, seen: Seen) -> Climbed:
        profiles, between = seen.profiles, seen.of(Relation.PROFILE)
        if len(profiles) < 2:
            return Climbed()
        failed = any(run.status is RunStatus.FAILED for run in profiles)
        if failed and seen.proven:
            return Climbed(VerdictName.FAILED)
        whole = seen.proven and len(between) >= len(profiles) - 1
        return Climbed(compared((whole or failed) and bool(between), between))

    def causes(self, runs: Mapping[str, Evidence], comparison: Comparison) -> Iterable[Cause]:
        return of_settings(runs[comparison.left], runs[comparison.right], comparison)


RUNG = Run()
