"""What the claims of a room make of a run: how it ended, whose fault that was, and what its
evidence holds. Pure.

Not here: what the host measures.
"""

import re
from typing import Any

import msgspec

from cleanroom.evidence.failure import error_of, lacking, rule_of
from cleanroom.room.claims import Claims, FinalClaim
from cleanroom.room.engines.interface import RoomExit
from cleanroom.room.inside.protocol import STEPS
from cleanroom.values.plan import Plan
from cleanroom.values.purpose import Varied
from cleanroom.values.run import Evidence, RunStatus, Step, StepStatus

_DECIDING = ("settings", "plan", "run")
_NOTHING = FinalClaim(idle=(), code=0, unstaged=())


def outcome(
    blank: Evidence,
    claims: Claims,
    ended: RoomExit,
    fault: str = "",
    disk: str = "",
    wanted: tuple[str, ...] = STEPS,
) -> Evidence:
    """The evidence of a run as far as the room tells it.
    `fault` is why the host ended it, `disk` why the disk would be to blame.
    """
    status, why = _status(claims, ended, fault, disk, wanted, trial=blank.on_trial)
    final, settings = claims.final or _NOTHING, claims.settings
    return msgspec.structs.replace(
        _really_varied(blank, claims.versions),
        status=status,
        why=why,
        versions=claims.versions,
        stack=settings.stack,
        settings=settings.settings,
        overrides=settings.overrides,
        replaced=settings.replaced,
        lost=settings.lost,
        actions=settings.actions,
        steps=_all_steps(claims.steps, wanted),
        lints=claims.lints,
        plan=with_rules(claims),
        effects=claims.effects,
        unreadable=settings.error,
        attempts=claims.attempts,
        idle=final.idle,
        wants=claims.wants,
        rest=claims.rest,
        unstaged=final.unstaged,
        undescribed=claims.undescribed,
        tracked_outputs=claims.tracked_outputs,
        lingering=claims.lingering,
    )


def _really_varied(evidence: Evidence, versions: dict[str, Any]) -> Evidence:
    """Date and clock are other ones only where the room has libfaketime, and there are fewer
    processors only where there were several.
    """
    same = {"date", "clock"} if not versions.get("faketime") else set()
    same |= {"processors"} if versions.get("processors") == 1 else set()
    context = {name: value for name, value in evidence.context.items() if name not in same}
    if isinstance(evidence.purpose, Varied):
        purpose = Varied(factors=tuple(f for f in evidence.purpose.factors if f not in same))
        evidence = msgspec.structs.replace(evidence, purpose=purpose)
    return msgspec.structs.replace(evidence, context=context)


def _status(
    claims: Claims,
    ended: RoomExit,
    fault: str,
    disk: str,
    wanted: tuple[str, ...],
    *,
    trial: bool,
) -> tuple[RunStatus, str]:
    """Whose fault it is, and why; the room's own ways to break come first."""
    steps = {step.name: step for step in claims.steps}
    timed_out = [s for s in claims.steps if s.status is StepStatus.TIMEOUT and s.name in _DECIDING]
    settings = claims.settings
    limit = ended.reached or claims.reached
    last = [name for name in _DECIDING if name in wanted][-1]
    finished = last in steps and steps[last].status is StepStatus.OK
    broken = ""
    if ended.stopped or fault:
        broken = f"The room was stopped: {ended.stopped or fault}."
    elif disk:
        broken = disk
    elif "error" in claims.versions:
        broken = (
            f"The image cannot run Snakemake: {claims.versions['error']}. Give one that can "
            "with --image."
        )
    elif not claims.done:
        broken = f"The room ended before its work was done. {last_lines(ended.output, 5)}".strip()
    elif claims.broken:
        broken = f"What the room exported cannot be read ({claims.broken})."
    elif settings.error:
        place = settings.error.file + (
            f", line {settings.error.line}" if settings.error.line else ""
        )
        broken = f"The profile cannot be read: {place}: {settings.error.text}."
    elif settings.actions:
        first = settings.actions[0]
        broken = (
            f"The profile replaces the run: '{first.key}' in {first.file}, line "
            f"{first.line}. Nothing is proven under it."
        )
    elif timed_out:
        broken = f"The step {timed_out[0].name} reached its time limit (see --time-limit)."
    elif limit == "memory" or (limit and not finished):
        broken = f"The room's limit of {limit} was reached" + (
            " (see --memory)." if limit == "memory" else "."
        )
    elif settings.needs and any(
        s.status is StepStatus.FAILED for s in claims.steps if s.name in ("plan", "run")
    ):
        broken = (
            f"The profile needs {' and '.join(settings.needs)}, which the room does not "
            "have. Give an image that has, with --image."
        )
    elif written := _written_at_rest(steps):
        broken = (
            f"Reading the workflow again after its run changed what the run had left ({written})."
        )
    if broken:
        return RunStatus.BROKEN, broken
    for name in _DECIDING:
        if name not in wanted:
            continue
        step = steps.get(name)
        if step is None or step.status is not StepStatus.OK:
            why = _failure(name, step)
            # What is missing in a run on trial is its answer.
            return (RunStatus.FAILED, why) if trial or not step else _fault(claims, step, why)
    return RunStatus.COMPLETED, ""


def _failure(name: str, step: Step | None) -> str:
    """The error itself first, then the last of what was printed."""
    if step is None:
        return f"The {name} failed."
    rule = rule_of(step.log)
    where = f"Rule {rule} failed" if rule and name == "run" else f"The {name} failed"
    first, *more = error_of(step.log) or ("",)
    said = f"{where}: {first.rstrip('.')}." if first else f"{where} with exit code {step.code}."
    return "\n".join([said, *more, last_lines(_told(step.log), 20)]).strip()


def _fault(claims: Claims, failed: Step, why: str) -> tuple[RunStatus, str]:
    """A workflow is not at fault for what it does not bring along."""
    found = lacking(failed.log, str(claims.versions.get("python", "")))
    if found is None:
        return RunStatus.FAILED, why
    rule = rule_of(failed.log)
    who = f"Rule {rule}" if rule else "The workflow"
    moved = next((s for s in claims.settings.settings if s.key == "directory"), None)
    if moved and found.in_the_commit:
        first_words = (
            f"{who} needs {found.what}: 'directory' in {moved.file} moves where paths begin."
        )
        return RunStatus.FAILED, f"{first_words}\n{why}"
    return RunStatus.BROKEN, f"{who} needs {found.what}. {found.provide}\n{why}"


def _written_at_rest(steps: dict[str, Step]) -> str:
    """The first file that the step `rest` touched, which runs no job, but the workflow's code."""
    rest = steps.get("rest")
    return next(iter((*rest.created, *rest.changed, *rest.removed)), "") if rest else ""


def _told(log: str) -> str:
    """What Snakemake printed, without the lines with which it introduces itself and takes its
    leave.
    """
    kept = []
    for line in re.sub(r"^SNAKEMAKE\n=+\n(?:  .*\n)+\n?", "", log, flags=re.M).splitlines():
        if line.startswith(("Shutting down, this might", "Exiting because a job execution failed")):
            break
        if not line.startswith("Using profile "):  # the room's own, which a person cannot fix
            kept.append(line)
    return "\n".join(kept)


def last_lines(text: str, count: int) -> str:
    return "\n".join([line for line in text.splitlines() if line.strip()][-count:])


def _all_steps(steps: tuple[Step, ...], wanted: tuple[str, ...]) -> tuple[Step, ...]:
    """Every step that was wanted; one that was not reached says so."""
    found = {step.name: step for step in steps}
    return tuple(found.get(name, Step(name=name, status=StepStatus.NOT_REACHED)) for name in wanted)


def with_rules(claims: Claims) -> Plan | None:
    """The plan, with the rules that only the run showed."""
    if claims.plan is None:
        return None
    return msgspec.structs.replace(claims.plan, rules=claims.rules | claims.plan.rules)
