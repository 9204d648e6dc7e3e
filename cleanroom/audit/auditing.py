"""The whole audit, from evidence alone: settings decided, plans compared, findings, acceptances,
answers. Pure.
"""

import datetime
from collections.abc import Iterator, Sequence

import msgspec

from cleanroom.audit.accept import accept
from cleanroom.audit.answers import answer
from cleanroom.audit.code_findings import code_findings
from cleanroom.audit.decide import audit_settings
from cleanroom.audit.plan_audits import audit_plans, plan_findings
from cleanroom.audit.recovery_findings import recovery_findings
from cleanroom.audit.setting_findings import setting_findings
from cleanroom.audit.settled import settle
from cleanroom.audit.stack_findings import stack_findings
from cleanroom.audit.staging_findings import staging_findings
from cleanroom.findings.codes import ordered
from cleanroom.values.audit import Acceptance, Audit, AuditedSetting, Finding, PlanAudit
from cleanroom.values.comparison import Comparison
from cleanroom.values.run import Evidence


def audit(
    runs: Sequence[Evidence],
    acceptances: Sequence[Acceptance] = (),
    today: datetime.date | None = None,
    observed: Sequence[Finding] = (),
    comparisons: Sequence[Comparison] = (),
) -> Audit:
    """Audit the profiles behind these runs, the baseline first.
    `comparisons` of whole runs settle what only a run can tell.

    `observed` are findings from elsewhere that can be accepted too; `today` decides which
    acceptances are in force.
    """
    profiles = [run for run in runs if run.of_profile and not run.folder]
    settings = tuple(
        s for run in profiles for s in settle(audit_settings(run), run, profiles, comparisons)
    )
    day = today or datetime.date.max
    plans = audit_plans(profiles, day)
    found = ordered(dict.fromkeys((*observed, *_findings(profiles, settings, plans))))
    found = accept(found, acceptances, day)
    made = Audit(
        baseline=profiles[0].label if profiles else "",
        profiles=tuple(run.label for run in profiles),
        settings=settings,
        plans=plans,
        findings=found,
        answers=(),
    )
    return msgspec.structs.replace(made, answers=answer(made, profiles))


def _findings(
    runs: Sequence[Evidence], settings: Sequence[AuditedSetting], plans: Sequence[PlanAudit]
) -> Iterator[Finding]:
    yield from stack_findings(runs)
    yield from setting_findings(runs, settings, plans)
    yield from plan_findings(runs, plans)
    yield from recovery_findings(runs)
    yield from staging_findings(runs)
    yield from code_findings(runs)
