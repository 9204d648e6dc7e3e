"""The rung `audit`: is every setting of every profile policy, and not meaning?"""

from cleanroom.rungs.interface import Climbed, Rung, Seen, verdict_of
from cleanroom.values.audit import Decided


class AuditRung(Rung):
    name = "audit"
    proves = "every setting of every profile is policy, not meaning"
    unproven = "whether a setting of a profile reaches the meaning"

    def judged(self, seen: Seen) -> Climbed:
        audit = seen.audit
        if not audit.profiles:
            return Climbed()
        whole = len(audit.plans) == len(audit.profiles) and not any(
            s.decided is Decided.OPEN for s in audit.settings
        )
        return Climbed(verdict_of(whole or bool(audit.drifted), bool(audit.drifted)))


RUNG = AuditRung()
