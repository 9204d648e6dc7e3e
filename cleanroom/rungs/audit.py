"""The rung `audit`: is every setting of every profile policy, and not meaning?"""

from collections.abc import Sequence

from cleanroom.rungs.interface import Climbed, Rung, Seen, verdict_of
from cleanroom.values.audit import Audit, Decided, Finding


class AuditRung(Rung):
    name = "audit"
    proves = "every setting of every profile is policy, not meaning"
    unproven = "whether a profile setting changes what the workflow means"

    def judged(self, seen: Seen) -> Climbed:
        audit = seen.audit
        if not audit.profiles:
            return Climbed()
        whole = len(audit.plans) == len(audit.profiles) and not any(
            s.decided is Decided.OPEN for s in audit.settings
        )
        return Climbed(verdict_of(whole or bool(audit.drifted), bool(audit.drifted)))

    def deciding(self, audit: Audit, climb: frozenset[str]) -> Sequence[Finding]:
        return audit.drifted

    def told(self, findings: Sequence[Finding]) -> str:
        keys = ", ".join(dict.fromkeys(f"'{f.key}' in {f.profile}" for f in findings))
        return f"a profile setting changes what the workflow means: {keys}."


RUNG = AuditRung()
