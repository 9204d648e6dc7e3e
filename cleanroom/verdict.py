"""From comparisons to the verdict and the exit code. Pure: values in, values out; tested as a truth table.

First match wins: INCONCLUSIVE (nothing was proven), FAILED (the workflow failed), DRIFTED (meaning differs), HELD.
"""

from collections.abc import Sequence
from typing import assert_never

from cleanroom.compare.boundary import Boundary, consumed, unmatched
from cleanroom.errors import ExitCode
from cleanroom.profiles.table import cutting_keys
from cleanroom.values.audit import Audit, AuditOutcome, Decided
from cleanroom.values.comparison import Comparison, Sameness
from cleanroom.values.declared import Declared
from cleanroom.values.run import Evidence, Role, RunStatus, StepStatus
from cleanroom.values.verdict import Judgement, Rung, VerdictName

_EXIT = {
    VerdictName.HELD: ExitCode.HELD,
    VerdictName.DRIFTED: ExitCode.DRIFTED,
    VerdictName.FAILED: ExitCode.FAILED,
    VerdictName.INCONCLUSIVE: ExitCode.INCONCLUSIVE,
}

_LADDER = {
    # name: (decides, what it proves, what stays open without it)
    "audit": (True, "every setting of every profile is policy, not meaning", "whether a setting of a profile reaches the meaning"),
    "lint": (False, "Snakemake's own linter was asked", "what Snakemake's linter would say"),
    "plan": (True, "every profile plans the same jobs from the same inputs, with the same code", "whether the profiles plan the same work"),
    "run": (True, "every profile leaves the same results", "whether the profiles leave the same results"),
    "control": (True, "a second run of the same profile leaves the same results", "whether one profile agrees with itself"),
    "vary": (True, "the results do not hang on time zone, locale, user or host", "whether another machine would give the same results"),
    "recover": (True, "an interrupted run resumes to the same results", "whether a killed and resumed run gives the same results"),
    "stage": (True, "jobs need no file by a relative path that they do not declare", "whether jobs need files that no rule declares"),
    "baseline": (True, "the results are those of an earlier confirmation", "whether the results are those of an earlier commit or machine"),
}  # fmt: skip


_PARTIAL = (
    "a second run of the jobs where differences began leaves the same results",
    "whether all other jobs of one profile agree with themselves",
)

_LEVELS = {
    Sameness.BYTES: "by bytes", Sameness.PAYLOAD: "by payload", Sameness.CANONICAL: "by canonical content",
    Sameness.TOLERANCE: "within a declared tolerance", Sameness.EXISTENCE: "by existence only",
}  # fmt: skip


def judge(
    runs: Sequence[Evidence], comparisons: Sequence[Comparison], wanted: Sequence[str], audit: Audit, earlier: Evidence | None = None
) -> Judgement:
    """The verdict over all rungs. `wanted` are the labels of every run that there should have been; `earlier` is the run of an
    earlier confirmation, which must have ended well to be compared with.
    """
    missing = sorted(set(wanted) - {run.label for run in runs})
    nothing = [f"{label}: this profile was not run." for label in missing]
    nothing += [reason for run in runs for reason in vacuous(run)]
    nothing += [reason for comparison in comparisons for reason in unexamined(comparison)]
    nothing += cut(runs)
    nothing += levelled(runs)
    nothing += unpublished(runs)
    if earlier is not None:
        nothing += vacuous(earlier) or [f"{earlier.label}: {_first_line(earlier.why)}"] * (earlier.status is RunStatus.FAILED)
    failed = [f"{run.label}: {_first_line(run.why)}" for run in runs if run.status is RunStatus.FAILED and not run.on_trial]
    if len(wanted) + (earlier is not None) < 2 or not comparisons:
        if not nothing and not failed:
            nothing.append("Nothing was compared.")
    elif not nothing and not any(_compared(c) for c in comparisons):
        nothing.append("Nothing that decides was compared.")
    elif not nothing and _only_there(comparisons, runs[-1].declared):
        nothing.append("Of every result only its existence was compared, by a pattern; that proves nothing of what they hold.")
    noise = [c for c in comparisons if c.control and c.differs]
    drift = [c for c in comparisons if not c.control and c.differs]
    rungs = _ladder(runs, comparisons, nothing, audit, earlier)
    if nothing:
        return _judgement(VerdictName.INCONCLUSIVE, nothing, rungs)
    if failed:
        return _judgement(VerdictName.FAILED, failed, rungs)
    if noise or drift or audit.drifted:
        reasons = [f"{c.left}: the workflow differs from itself; {_count(c)}." for c in noise]
        reasons += [f"{c.right} differs from {c.left}; {_count(c)}." for c in drift]
        reasons += [f"{f.profile}: {f.text}" for f in audit.drifted]
        return _judgement(VerdictName.DRIFTED, reasons, rungs)
    accepted = {level: sum(c.counts.get(level, 0) for c in comparisons) for level in _LEVELS if level is not Sameness.BYTES}
    reasons = [f"{c.right} = {c.left}: {_held(c)}." for c in comparisons]
    if any(accepted.values()):
        reasons.append(f"Accepted below bytes: {', '.join(f'{count} {_LEVELS[level]}' for level, count in accepted.items() if count)}.")
    return _judgement(VerdictName.HELD, reasons, rungs)


def judge_audit(runs: Sequence[Evidence], audit: Audit) -> tuple[AuditOutcome, int, tuple[str, ...]]:
    """The outcome of an audit, its exit code and every reason; first match wins: INCONCLUSIVE, FAILED, ERRORS, CLEAN.

    A profile that is at fault itself is an error that counts; then its room proves no more by being broken.
    """
    blamed = {f.profile for f in audit.findings if f.code in _REFUSED}
    broken = [f"{run.label}: {_first_line(run.why)}" for run in runs if run.status is RunStatus.BROKEN and run.label not in blamed]
    failed = [f"{run.label}: {_first_line(run.why)}" for run in runs if run.status is RunStatus.FAILED]
    errors = [f"{f.code} {f.profile + ': ' if f.profile else ''}{f.text}" for f in audit.findings if f.counts]
    if broken:
        return AuditOutcome.INCONCLUSIVE, int(ExitCode.INCONCLUSIVE), tuple(broken)
    if failed:
        return AuditOutcome.FAILED, int(ExitCode.FAILED), tuple(failed + errors)
    if errors:
        return AuditOutcome.ERRORS, int(ExitCode.DRIFTED), tuple(errors)
    return AuditOutcome.CLEAN, int(ExitCode.HELD), ("No finding of severity error, and every profile plans the same work.",)


_REFUSED = {"CR-002", "CR-013", "CR-017"}
"""Findings of a profile that Snakemake refuses, or that replaces the run."""


def vacuous(run: Evidence) -> list[str]:
    """Why a run proves nothing; empty where it does prove something, or where it failed by its own fault."""
    label = run.label
    if run.interrupted and run.status is not RunStatus.BROKEN:
        return []  # what a resumed run leaves out, it has from the one before
    match run.status:
        case RunStatus.BROKEN:
            return [f"{label}: {run.why}"]
        case RunStatus.FAILED:
            return []
        case RunStatus.COMPLETED:
            pass
        case _:
            assert_never(run.status)
    if run.folder:
        return [] if run.artifacts else [f"{label}: the folder is empty."]
    if run.actions:
        return [f"{label}: the profile replaces the run ('{run.actions[0].key}')."]
    if run.plan is None or not run.plan.jobs:
        return [f"{label}: the plan has no jobs."]
    if not any(job.needed and job.output for job in run.plan.jobs):
        return [f"{label}: nothing to be done; no job would make anything."]
    ran = {a.job.identity for a in run.attempts if a.ok}
    if not any(identity[2] for identity in ran):
        return [f"{label}: no job that makes something ran."]
    idle = [job for job in run.idle if job.output]
    if idle:
        return [f"{label}: {len(idle)} jobs never ran, among them {idle[0].label}; their outputs were taken as they were."]
    unseen = [a.job for a in run.attempts if a.ok is None and a.job.output and a.job.identity not in ran]
    if unseen:
        return [f"{label}: {len(unseen)} jobs were started and never seen to end, among them {unseen[0].label}."]
    graph = ran | {job.identity for job in run.idle}
    dynamic = any(rule.checkpoint for rule in run.plan.rules.values())
    lost = [job for job in run.plan.jobs if job.needed and job.output and job.identity not in graph]
    if lost and not dynamic:
        return [f"{label}: {len(lost)} planned jobs neither ran nor are accounted for, among them {lost[0].label}."]
    if run.away:
        return [f"{label}: {len(run.away)} declared outputs lie where they cannot be examined, among them {run.away[0]}."]
    within = consumed(run)
    if lost_results := [path for path in run.gone if path not in within]:
        said = f"{len(lost_results)} declared outputs were made and are gone at the end, among them {lost_results[0]}"
        return [f"{label}: {said}; nothing was made of them, and what they held was not examined."]
    if run.undescribed:
        return [f"{label}: a job ran that could not be recorded ({run.undescribed[0]})."]
    boundary = Boundary(run)
    if swallowed := boundary.swallowed():
        place, path = next(iter(swallowed.items()))
        return [f"{label}: the scratch place '{place}' covers {path}, a result of a rule; so it was not compared."]
    if not any(boundary.decides(artifact) for artifact in run.artifacts if artifact.role is not Role.TEMP):
        return [f"{label}: the run left no result that decides."]
    return []


def unexamined(comparison: Comparison) -> list[str]:
    """Deciding artifacts that could not be looked at: neither the same nor different."""
    blind = [d for d in comparison.artifacts if d.decides and not d.examined]
    return (
        [f"{comparison.right}: {len(blind)} results could not be examined, among them {blind[0].path} ({blind[0].note})."] if blind else []
    )


def cut(runs: Sequence[Evidence]) -> list[str]:
    """Settings that leave out a part of the workflow in every run: what was compared is not the whole."""
    keys = [{s.key for s in run.settings if s.key in cutting_keys()} for run in runs if run.settings or not run.control]
    return [f"Every profile leaves out a part of the workflow ('{key}')." for key in sorted(set.intersection(*keys))] if keys else []


def levelled(runs: Sequence[Evidence]) -> list[str]:
    """Where profiles differ in cores and the minimum that was asked for made them alike: what differs was not tried."""
    profiles = [run for run in runs if run.of_profile and not run.folder]
    stated = {run.label: next((s.value for s in run.settings if s.key == "cores"), None) for run in profiles}
    raised = {run.label: o.now for run in profiles for o in run.overrides if o.key == "cores" and o.was is not None and o.now is not None}
    if not raised or len({str(value) for value in stated.values()}) < 2:
        return []
    label, now = next(iter(raised.items()))
    said = f"its cores ({stated[label]}) were raised to {now}, the minimum that was asked for"
    return [f"{label}: {said}; profiles differ in cores, and that was not tried."]


def unpublished(runs: Sequence[Evidence]) -> list[str]:
    """Parts of the published contract that no file of any run is of: there, nothing was compared."""
    runs = [run for run in runs if not run.on_trial]
    if not runs or not all(run.status is RunStatus.COMPLETED for run in runs):
        return []
    return [f"The published contract names {label}, and no run left such a file." for label in unmatched(runs, runs[-1].declared)[0]]


def _only_there(comparisons: Sequence[Comparison], declared: Declared) -> bool:
    """Whether of no result more than its existence was compared, and a pattern says so: somebody who names a file has thought of it."""
    if not all(set(c.counts) <= {Sameness.EXISTENCE} for c in comparisons):
        return False
    accepted = [d for c in comparisons for d in c.artifacts if d.sameness is Sameness.EXISTENCE and d.equivalence >= 0]
    return any(d.path not in declared.equivalences[d.equivalence].paths for d in accepted)


def _compared(comparison: Comparison) -> int:
    return sum(comparison.counts.values())


def _judgement(name: VerdictName, reasons: Sequence[str], rungs: tuple[Rung, ...]) -> Judgement:
    return Judgement(verdict=name, exit_code=int(_EXIT[name]), reasons=tuple(reasons), rungs=rungs)


def _ladder(
    runs: Sequence[Evidence], comparisons: Sequence[Comparison], nothing: Sequence[str], audit: Audit, earlier: Evidence | None
) -> tuple[Rung, ...]:
    profiles = [run for run in runs if run.of_profile]
    between = [c for c in comparisons if c.of_profile]
    controls = [c for c in comparisons if c.control]
    climbed: dict[str, VerdictName] = {}
    if audit.profiles:
        whole = len(audit.plans) == len(audit.profiles) and not any(s.decided is Decided.OPEN for s in audit.settings)
        climbed["audit"] = VerdictName.DRIFTED if audit.drifted else _rung(whole, False, False)
    if profiles and all(run.lints is not None for run in profiles):
        climbed["lint"] = VerdictName.HELD
    if len(profiles) > 1:
        if not any(run.folder for run in profiles):
            climbed["plan"] = _rung(all(run.plan is not None for run in profiles), False, any(_plan_differs(c) for c in between))
        whole = not nothing and len(between) >= len(profiles) - 1
        failed = any(run.status is RunStatus.FAILED for run in profiles)
        climbed["run"] = VerdictName.FAILED if failed and not nothing else _compared_rung(whole or failed, between)
    if controls:
        climbed["control"] = _rung(not nothing, False, any(c.differs for c in controls))
    partial = any(run.only for run in runs)
    if varied := [c for c in comparisons if c.varied]:
        climbed["vary"] = _compared_rung(not nothing, varied)
    unproven = [why for run in runs if (why := _not_resumed(run))]
    if resumed := [c for c in comparisons if c.resumed]:
        climbed["recover"] = _compared_rung(not nothing and not unproven, resumed)
    elif unproven:
        climbed["recover"] = VerdictName.INCONCLUSIVE
    staged = next((run for run in runs if run.staged), None)
    unstaged = _not_staged(staged) if staged else ""
    if staged:
        climbed["stage"] = _compared_rung(not nothing and not unstaged, [c for c in comparisons if c.staged])
    if earlier is not None:
        since = [c for c in comparisons if c.earlier]
        climbed["baseline"] = _compared_rung(not nothing and bool(since), since)
    rungs = []
    for name, (decides, proves, open_without) in _LADDER.items():
        verdict = climbed.get(name)
        left_open = "" if verdict in (VerdictName.HELD, VerdictName.DRIFTED) else open_without
        if name == "control" and partial:
            proves, left_open = _PARTIAL
        if name == "recover" and unproven:
            left_open = f"{open_without}; {unproven[0]}"
        if name == "stage" and unstaged:
            left_open = f"{open_without}; {unstaged}"
        elif name == "stage" and staged and staged.unstaged and not left_open:
            left_open = f"whether jobs of {', '.join(staged.unstaged)} need such files: they cannot be staged"
        if name == "vary" and (factors := next((run.varied for run in runs if run.varied), ())):
            proves = f"the results hang on none of these: {', '.join(factors)}"
        rungs.append(Rung(name=name, verdict=verdict, decides=decides, proves=proves, unproven=left_open))
    return tuple(rungs)


def _rung(proven: bool, failed: bool, differs: bool) -> VerdictName:
    if not proven:
        return VerdictName.INCONCLUSIVE
    if failed:
        return VerdictName.FAILED
    return VerdictName.DRIFTED if differs else VerdictName.HELD


def _not_staged(run: Evidence) -> str:
    """Why a run whose jobs were to be staged shows nothing of what they need."""
    if not run.comparable:
        return f"{run.label} did not end well: {_first_line(run.why)}"
    made = {attempt.job.rule for attempt in run.attempts if attempt.job.output}
    return "" if made - set(run.unstaged) else f"no job of {run.label} could be staged"


def _not_resumed(run: Evidence) -> str:
    """Why a run that was to be killed and resumed shows nothing of recovery."""
    if run.interrupted and run.status is RunStatus.FAILED:
        return f"{run.label} did not end well: {_first_line(run.why)}"
    spared = any(step.name == "interrupted" and step.status is StepStatus.OK for step in run.steps)
    return f"{run.label} had ended before it could be killed" if spared else ""


def _compared_rung(proven: bool, comparisons: Sequence[Comparison]) -> VerdictName:
    """What differs from itself proves nothing of what it was compared with."""
    verdict = _rung(proven, False, any(c.differs for c in comparisons))
    return VerdictName.INCONCLUSIVE if verdict is VerdictName.HELD and any(c.noisy for c in comparisons) else verdict


def _plan_differs(comparison: Comparison) -> bool:
    return any(difference.decides and not difference.noise for difference in comparison.plan)


def _count(comparison: Comparison) -> str:
    parts = []
    plan = sum(d.decides and not d.noise for d in comparison.plan)
    files = [d for d in comparison.artifacts if d.decides and not d.noise]
    if plan:
        parts.append("1 deciding field of the plan" if plan == 1 else f"{plan} deciding fields of the plan")
    if attempts := sum(d.decides and not d.noise for d in comparison.attempts):
        parts.append(f"{attempts} jobs in attempts")
    if files:
        parts.append(f"{len(files)} of {_compared(comparison)} results")
    return ", ".join(parts)


def _held(comparison: Comparison) -> str:
    parts = [f"{_results(comparison.counts[level])} {word}" for level, word in _LEVELS.items() if comparison.counts.get(level)]
    return ", ".join(parts)


def _results(count: int) -> str:
    return "1 result" if count == 1 else f"{count} results"


def _first_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[0] if lines else ""
