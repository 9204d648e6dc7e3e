"""What to type next: the one call that would settle what a verdict leaves open. Pure.
Not here: what a call does.
"""

import shlex
from collections.abc import Sequence

from cleanroom.profiles.table import look_up
from cleanroom.rungs.registry import RUNGS, deciding
from cleanroom.values.audit import Audited, AuditOutcome
from cleanroom.values.base import Value
from cleanroom.values.comparison import Relation
from cleanroom.values.review import Reviewed, ReviewOutcome
from cleanroom.values.run import Evidence, RunStatus, StepStatus
from cleanroom.values.verdict import Confirmation, VerdictName

_ASKED = tuple(rung.name for rung in RUNGS if rung.on_demand)


class NextStep(Value, frozen=True):
    """One call of the command line, and what it is good for."""

    why: str
    command: str


def after_audit(audited: Audited, again: Sequence[str]) -> NextStep:
    """`again` is the call that does the same again."""
    confirm = ["cleanroom", "confirm", *again[2:]]
    match audited.outcome:
        case AuditOutcome.CLEAN:
            return _step("To see whether the profiles leave the same results", *confirm)
        case AuditOutcome.ERRORS:
            code = next(f.code for f in audited.audit.findings if f.counts)
            return _step("To see what the first finding means", "cleanroom", "explain", code)
        case AuditOutcome.FAILED:
            return _step("To plan it again and see all that is printed", *again, "--verbose")
        case AuditOutcome.INCONCLUSIVE:
            return _step("To see what is missing here", "cleanroom", "doctor")


def after_review(reviewed: Reviewed, again: Sequence[str]) -> NextStep:
    """The proof that the gravest change asks for; `again` is the call that does the same again."""
    proof = next((change.proof for change in reviewed.changes if change.proof), "")
    if proof:
        return NextStep(why="To prove what the first change claims", command=proof)
    words = "cleanroom", "confirm", reviewed.head.url, reviewed.head.commit
    if reviewed.outcome in (ReviewOutcome.FAILED, ReviewOutcome.INCONCLUSIVE):
        return _step("To plan it again and see all that is printed", *again, "--verbose")
    return _step("To see whether the profiles leave the same results", *words)


def after_confirmation(confirmation: Confirmation, again: Sequence[str]) -> NextStep:
    """`again` is the call that does the same again."""
    match confirmation.judgement.verdict:
        case VerdictName.HELD:
            return _held(confirmation, again)
        case VerdictName.DRIFTED:
            return _drifted(confirmation, again)
        case VerdictName.FAILED:
            failed = [run for run in confirmation.runs if run.status is RunStatus.FAILED]
            why = f"To look into the room in which {failed[0].label} failed"
            return _step(why, *again, "--keep-rooms")
        case VerdictName.INCONCLUSIVE:
            return _inconclusive(confirmation, again)


def _step(why: str, *words: str) -> NextStep:
    return NextStep(why=why, command=shlex.join(words))


def _held(confirmation: Confirmation, again: Sequence[str]) -> NextStep:
    if _of_folders(confirmation.runs):
        return _step("To confirm the workflow itself", "cleanroom", "confirm", "REPO", "REF")
    for name in _ASKED:
        if name not in confirmation.climb:
            rung = next(r for r in confirmation.judgement.rungs if r.name == name)
            return _step(f"To ask {rung.unproven or rung.proves}", *again, f"--{name}")
    why = "Every question has been asked; to ask them again of a later commit"
    return _step(why, *again[:3], "REF", *(f"--{name}" for name in confirmation.climb))


def _drifted(confirmation: Confirmation, again: Sequence[str]) -> NextStep:
    differing = [c for c in confirmation.comparisons if c.differs]
    noise = next((c for c in differing if c.relation is Relation.CONTROL), None)
    if noise is not None:
        names = confirmation.evidence[noise.left], confirmation.evidence[noise.right]
        why = "To see what declaration would cover what differs between repeated runs"
        return _step(why, "cleanroom", "suggest", *names)
    certain = [cause.name for cause in confirmation.causes if cause.certain]
    asked = next((name for name in certain if look_up(name)), "")
    if not asked and not certain and len(confirmation.causes) > 1:
        return _step("To find out which setting did it", *again, "--explain-cause")
    found = asked or next((f.key for f in confirmation.audit.drifted), "")
    if found:
        why = f"To see what '{found}' does and whether it may differ by profile"
        return _step(why, "cleanroom", "explain", found)
    if not differing:
        (first, *_) = deciding(confirmation.audit, frozenset(confirmation.climb))
        return _step("To see what the finding means", "cleanroom", "explain", first.code)
    return _step("To confirm again, once it is fixed and committed", *again[:3], "REF")


def _inconclusive(confirmation: Confirmation, again: Sequence[str]) -> NextStep:
    runs = confirmation.runs
    if action := next((run.actions[0] for run in runs if run.actions), None):
        why = f"To see why '{action.key}' proves nothing"
        return _step(why, "cleanroom", "explain", action.key.partition(":")[0])
    if any(run.unreadable for run in runs):
        return _step("To see every profile that cannot be read", *_audit(again))
    if any(step.status is StepStatus.TIMEOUT for run in runs for step in run.steps):
        return _step("To give every room more time", *again, "--time-limit", "48h")
    if any(run.status is RunStatus.BROKEN for run in runs):
        return _step("To see what is missing here", "cleanroom", "doctor")
    if _of_folders(runs):
        return _step("To confirm the workflow itself", "cleanroom", "confirm", "REPO", "REF")
    return _step("To look into the rooms", *again, "--keep-rooms")


def _of_folders(runs: Sequence[Evidence]) -> bool:
    return all(run.folder for run in runs)


def _audit(again: Sequence[str]) -> list[str]:
    """The same call, as an audit: without what only a run takes."""
    words, only_of_runs = iter(again[2:]), {f"--{name}" for name in _ASKED}
    kept = []
    for word in words:
        if word == "--against":
            next(words)
        elif word not in only_of_runs:
            kept.append(word)
    return ["cleanroom", "audit", *kept]
