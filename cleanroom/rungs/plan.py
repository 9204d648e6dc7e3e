"""The rung `plan`: do all profiles plan the same work?"""

from cleanroom.rungs.interface import Climbed, Rung, Seen, verdict_of
from cleanroom.values.comparison import Relation


class Plan(Rung):
    name = "plan"
    proves = "every profile plans the same jobs from the same inputs, with the same code"
    unproven = "whether the profiles plan the same work"

    def judged(self, seen: Seen) -> Climbed:
        profiles = seen.profiles
        if len(profiles) < 2 or any(run.folder for run in profiles):
            return Climbed()
        differs = any(d.decides and not d.noise for c in seen.of(Relation.PROFILE) for d in c.plan)
        return Climbed(verdict_of(all(run.plan is not None for run in profiles), differs))


RUNG = Plan()
