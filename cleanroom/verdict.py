"""From comparisons to the verdict and the exit code.
Pure: values in, values out; tested as a truth table.

First match wins: INCONCLUSIVE (nothing was proven), FAILED (the workflow failed), DRIFTED (meaning
differs), HELD.
"""

from collections.abc import Sequence

from cleanroom.errors import ExitCode
from cleanroom.findings.untried import untried
from cleanroom.rungs.interface import Seen, first_line
from cleanroom.rungs.registry import deciding, lacking, ladder
from cleanroom.vacuous import cut, levelled, only_there, unexamined, unpublished, vacuous
from cleanroom.values.audit import Audit, AuditOutcome
from cleanroom.values.comparison import Comparison, Relation, Sameness
from cleanroom.values.run import Evidence, RunStatus
from cleanroom.values.verdict import ClimbedRung, Judgement, VerdictName
from cleanroom.wording import counted

_EXIT = {
    VerdictName.HELD: ExitCode.HELD,
    VerdictName.DRIFTED: ExitCode.DRIFTED,
    VerdictName.FAILED: ExitCode.FAILED,
    VerdictName.INCONCLUSIVE: ExitCode.INCONCLUSIVE,
}

_LEVELS = {
    Sameness.BYTES: "by bytes",
    Sameness.PAYLOAD: "by payload",
    Sameness.CANONICAL: "by canonical content",
    Sameness.TOLERANCE: "within a declared tolerance",
    Sameness.EXISTENCE: "by existence only",
}


def judge(
    runs: Sequence[Evidence],
    comparisons: Sequence[Comparison],
    wanted: Sequence[str],
    audit: Audit,
    earlier: Evidence | None = None,
    climb: frozenset[str] = frozenset(),
) -> Judgement:
    """The verdict over all rungs.
    `wanted` are the labels of every run that there should have been; `earlier` is the run of an
    earlier confirmation, which must have ended well to be compared with; `climb` names the rungs
    that somebody asked for.
    """
    missing = sorted(set(wanted) - {run.label for run in runs})
    nothing = [f"{label}: this profile was not run." for label in missing]
    nothing += [reason for run in runs for reason in vacuous(run)]
    nothing += [reason for comparison in comparisons for reason in unexamined(comparison)]
    nothing += cut(runs)
    nothing += levelled(runs)
    nothing += unpublished(runs)
    if earlier is not None:
        nothing += vacuous(earlier) or [f"{earlier.label}: {first_line(earlier.why)}"] * (
            earlier.status is RunStatus.FAILED
        )
    failed = [
        f"{run.label}: {first_line(run.why)}"
        for run in runs
        if run.status is RunStatus.FAILED and not run.on_trial
    ]
    if len(wanted) + (earlier is not None) < 2 or not comparisons:
        if not nothing and not failed:
            nothing.append("Nothing was compared.")
    elif not nothing and not any(_compared(c) for c in comparisons):
        nothing.append("No result files were compared.")
    elif not nothing and only_there(comparisons, runs[-1].declared):
        nothing.append(
            "Of every result only its existence was compared, by a pattern; that proves nothing "
            "of what they hold."
        )
    noise = [c for c in comparisons if c.relation is Relation.CONTROL and c.differs]
    drift = [c for c in comparisons if c.relation is not Relation.CONTROL and c.differs]
    missed = untried(runs)
    seen = Seen(runs, comparisons, audit, earlier, not nothing, climb)
    rungs = ladder(seen)
    if nothing:
        return _judgement(VerdictName.INCONCLUSIVE, nothing, rungs, missed)
    if failed:
        return _judgement(VerdictName.FAILED, failed, rungs, missed)
    found = deciding(audit, climb)
    if noise or drift or found:
        reasons = [
            f"{c.left}: repeated runs differ (not reproducible); {_count(c)}." for c in noise
        ]
        reasons += [f"{c.right} differs from {c.left}; {_count(c)}." for c in drift]
        reasons += [f"{f.profile}: {f.text}" for f in found]
        return _judgement(VerdictName.DRIFTED, reasons, rungs, missed)
    if shown_nothing := lacking(seen):
        return _judgement(VerdictName.INCONCLUSIVE, shown_nothing, rungs, missed)
    accepted = {
        level: sum(c.counts.get(level, 0) for c in comparisons)
        for level in _LEVELS
        if level is not Sameness.BYTES
    }
    reasons = [f"{c.right} = {c.left}: {_held(c)}." for c in comparisons]
    if any(accepted.values()):
        levels = [f"{count} {_LEVELS[level]}" for level, count in accepted.items() if count]
        reasons.append(f"Accepted below bytes: {', '.join(levels)}.")
    return _judgement(VerdictName.HELD, reasons, rungs, missed)


def judge_audit(
    runs: Sequence[Evidence], audit: Audit
) -> tuple[AuditOutcome, int, tuple[str, ...]]:
    """The outcome of an audit, its exit code and every reason; first match wins: INCONCLUSIVE,
    FAILED, ERRORS, CLEAN.

    A profile that is at fault itself is an error that counts; then its room proves no more by being
    broken.
    """
    blamed = {f.profile for f in audit.findings if f.code in _REFUSED}
    broken = [
        f"{run.label}: {first_line(run.why)}"
        for run in runs
        if run.status is RunStatus.BROKEN and run.label not in blamed
    ]
    failed = [
        f"{run.label}: {first_line(run.why)}" for run in runs if run.status is RunStatus.FAILED
    ]
    errors = [
        f"{f.code} {f.profile + ': ' if f.profile else ''}{f.text}"
        for f in audit.findings
        if f.counts
    ]
    if broken:
        return AuditOutcome.INCONCLUSIVE, int(ExitCode.INCONCLUSIVE), tuple(broken)
    if failed:
        return AuditOutcome.FAILED, int(ExitCode.FAILED), tuple(failed + errors)
    if errors:
        return AuditOutcome.ERRORS, int(ExitCode.DRIFTED), tuple(errors)
    return (
        AuditOutcome.CLEAN,
        int(ExitCode.HELD),
        ("No finding of severity error, and every profile plans the same work.",),
    )


_REFUSED = {"CR-002", "CR-013", "CR-017"}
"""Findings of a profile that Snakemake refuses, or that replaces the run."""


def _compared(comparison: Comparison) -> int:
    return sum(comparison.counts.values())


def _judgement(
    name: VerdictName,
    reasons: Sequence[str],
    rungs: tuple[ClimbedRung, ...],
    missed: tuple[str, ...],
) -> Judgement:
    return Judgement(
        verdict=name,
        exit_code=int(_EXIT[name]),
        reasons=tuple(reasons),
        rungs=rungs,
        untried=missed,
    )


def _count(comparison: Comparison) -> str:
    """What of a comparison differs, in numbers."""
    plan = sum(d.decides and not d.noise for d in comparison.plan)
    weighty = [d for d in comparison.attempts if d.decides and not d.noise]
    once = sum(d.field == "job" for d in weighty)
    attempts = len(weighty) - once
    files = sum(d.decides and not d.noise for d in comparison.artifacts)
    parts = [
        f"{counted(plan, 'deciding field')} of the plan" if plan else "",
        f"{counted(once, 'job')} ran in only one of them" if once else "",
        f"{counted(attempts, 'job')} needed a different number of attempts" if attempts else "",
        f"{files} of {_compared(comparison)} results" if files else "",
    ]
    return ", ".join(filter(None, parts))


def _held(comparison: Comparison) -> str:
    parts = [
        f"{counted(comparison.counts[level], 'result')} {word}"
        for level, word in _LEVELS.items()
        if comparison.counts.get(level)
    ]
    return ", ".join(parts)
