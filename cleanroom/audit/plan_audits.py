"""The plan under each profile against the baseline's. Pure.
Not here: how two plans are compared.
"""

import datetime
from collections.abc import Iterator, Sequence

import msgspec

from cleanroom.compare.plans import as_declared, compare_plans, plans_of_one_seed
from cleanroom.findings.codes import finding
from cleanroom.values.audit import Finding, PlanAudit, Severity
from cleanroom.values.plan import Plan
from cleanroom.values.run import Evidence, StepStatus

_SHOWN = 3


def audit_plans(runs: Sequence[Evidence], today: datetime.date) -> tuple[PlanAudit, ...]:
    """One for each profile that has a plan; the baseline's own has nothing to differ from."""
    if not runs or runs[0].plan is None:
        return ()
    found = []
    for run in runs:
        if run.plan is None:
            continue
        left, right = plans_of_one_seed(runs[0], run)
        differences = () if run is runs[0] else compare_plans(left, right)
        differences = as_declared(differences, runs[-1].declared, today)
        noise = runs[0].plan_noise | run.plan_noise
        differences = tuple(
            msgspec.structs.replace(d, noise=(d.rule, d.kind) in noise) for d in differences
        )
        jobs = sum(job.needed for job in run.plan.jobs)
        found.append(
            PlanAudit(
                profile=run.label,
                against=runs[0].label,
                jobs=jobs,
                differences=differences,
                caveat=_caveat(run, run.plan),
            )
        )
    return tuple(found)


def _caveat(run: Evidence, plan: Plan) -> str:
    """What the plan cannot show, because a checkpoint decides in the run."""
    planned = [job for job in plan.jobs if job.needed]
    points = sorted(
        {job.rule for job in planned if job.rule in plan.rules and plan.rules[job.rule].checkpoint}
    )
    if not points:
        return ""
    names = f"checkpoint {points[0]}" if len(points) == 1 else f"checkpoints {', '.join(points)}"
    if run.attempts:
        ran = {attempt.job.identity for attempt in run.attempts}
        known = {job.identity for job in planned}
        return f"{len(ran - known)} of {len(ran)} jobs appear only in a run, after {names}."
    return (
        f"{len(planned)} jobs are planned; more appear only in a run, after {names}, and are "
        "not compared here."
    )


def plan_findings(runs: Sequence[Evidence], plans: Sequence[PlanAudit]) -> Iterator[Finding]:
    for run in runs:
        if run.plan is not None and not any(job.needed for job in run.plan.jobs):
            yield finding("CR-036", "Snakemake has nothing to do", profile=run.label)
        steps = {step.name: step for step in run.steps}
        if "replan" in steps and steps["replan"].status is StepStatus.FAILED:
            yield finding(
                "CR-034", "under another hash seed there is no plan at all", profile=run.label
            )
        elif (
            run.plan is not None
            and run.replan is not None
            and (
                unstable := [
                    d
                    for d in compare_plans(run.plan, run.replan)
                    if (d.rule, d.kind) not in run.plan_noise
                ]
            )
        ):
            fields = ", ".join(dict.fromkeys(f"{d.field} of {d.job}" for d in unstable[:_SHOWN]))
            yield finding("CR-034", fields, profile=run.label)
    for plan in plans:
        yield from _differences(plan)


def _differences(plan: PlanAudit) -> Iterator[Finding]:
    deciding = [d for d in plan.differences if d.decides and not d.noise]
    if deciding:
        fields = dict.fromkeys(d.place for d in deciding)
        shown = ", ".join(list(fields)[:_SHOWN]) + (
            f" and {len(fields) - _SHOWN} more" if len(fields) > _SHOWN else ""
        )
        yield finding(
            "CR-035", f"{plan.profile} differs from {plan.against} in {shown}", profile=plan.profile
        )
    moved = [d for d in plan.differences if d.field in ("log", "benchmark")]
    if moved:
        text = f"{moved[0].field} of {moved[0].job}: {moved[0].left} / {moved[0].right}"
        yield finding("CR-020", text, profile=plan.profile, severity=Severity.WARNING)
