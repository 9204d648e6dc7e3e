"""What whole runs say of settings that a plan leaves open. Pure. Not here: what a plan says."""

from collections.abc import Sequence

import msgspec

from cleanroom.profiles.table import look_up
from cleanroom.values.audit import AuditedSetting, Decided
from cleanroom.values.base import canonical
from cleanroom.values.comparison import Comparison
from cleanroom.values.run import Evidence, RunStatus


def settle(
    settings: Sequence[AuditedSetting],
    run: Evidence,
    runs: Sequence[Evidence],
    comparisons: Sequence[Comparison],
) -> list[AuditedSetting]:
    """The same settings, the open ones settled where a run tells; what the room replaced, no run
    can settle.
    """
    return [
        _settled(s, run, runs, comparisons) if s.decided is Decided.OPEN else s for s in settings
    ]


def _settled(
    setting: AuditedSetting,
    run: Evidence,
    runs: Sequence[Evidence],
    comparisons: Sequence[Comparison],
) -> AuditedSetting:
    if run.status is not RunStatus.COMPLETED or not run.attempts:
        return setting
    option = look_up(setting.key)
    if option is not None and option.evidence == "incomplete":
        if any(attempt.ok is False for attempt in run.attempts):
            return setting
        return _policy(setting, "No job failed in this run.")
    if (
        option is not None
        and option.evidence == "attempts"
        and all(attempt.number == 1 for attempt in run.attempts)
    ):
        return _policy(setting, "No job needed a second attempt in this run.")
    replaced = {o.key for o in run.overrides}
    if setting.key in replaced:
        return setting
    for other in runs:
        pair = {run.label, other.label}
        found = next((c for c in comparisons if {c.left, c.right} == pair), None)
        if found is None or found.noisy or _value(other, setting.key) == canonical(setting.value):
            continue
        if setting.key in {o.key for o in other.overrides}:
            continue
        if not found.differs:
            return _policy(
                setting, f"{other.label} runs without this value and leaves the same results."
            )
    return setting


def _value(run: Evidence, key: str) -> bytes | None:
    return next((canonical(s.value) for s in run.settings if s.key == key), None)


def _policy(setting: AuditedSetting, why: str) -> AuditedSetting:
    return msgspec.structs.replace(setting, decided=Decided.POLICY, why=f"{setting.why} {why}")
