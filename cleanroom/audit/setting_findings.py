"""Findings of single settings: meaning in a profile, unknown keys, paths of one machine, what is
left open. Pure.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from cleanroom.audit.decide import always_counts
from cleanroom.findings.codes import finding
from cleanroom.profiles.table import near
from cleanroom.values.audit import AuditedSetting, Decided, Finding, PlanAudit, Severity
from cleanroom.values.base import canonical
from cleanroom.values.run import Evidence
from cleanroom.values.setup import SettingClass
from cleanroom.wording import named

_PERSON = re.compile(r"(?:^|[\s=:'\"])(/(?:home|Users|root)/[\w.-]+[^\s'\",]*)")
_MACHINE = re.compile(r"(?:^|[\s=:'\"])(/(?!tmp\b|dev/shm\b|usr/|bin/|opt/?$)[\w.-]+/[^\s'\",]*)")


def setting_findings(
    runs: Sequence[Evidence], settings: Sequence[AuditedSetting], plans: Sequence[PlanAudit]
) -> Iterator[Finding]:
    for run in runs:
        if unknown := _unknown(run):
            close = [key for key in near(unknown) if key != unknown]
            hint = f"; did you mean {' or '.join(close)}?" if close else ""
            place = _place(run, unknown)
            yield finding("CR-017", f"'{unknown}'{hint}", **place, profile=run.label, key=unknown)
    for setting in settings:
        at = {
            "file": setting.file,
            "line": setting.line,
            "profile": setting.profile,
            "key": setting.key,
        }
        known = all(run.label != setting.profile or _unknown(run) != setting.key for run in runs)
        if setting.decided is Decided.MEANING and known:
            yield _meaning(setting, settings, runs, plans)
        elif setting.setting_class is None and known:
            yield finding("CR-040", f"'{setting.key}'", **at)  # type: ignore[arg-type]
        texts = list(_texts(setting.value))
        if path := next((m[1] for t in texts if (m := _PERSON.search(t))), ""):
            yield finding("CR-021", f"'{setting.key}' names {path}", **at)  # type: ignore[arg-type]
        elif path := next((m[1] for t in texts if (m := _MACHINE.search(t))), ""):
            yield finding("CR-021", f"'{setting.key}' names {path}", **at, severity=Severity.NOTE)  # type: ignore[arg-type]
    yield from _left_open(settings)


def _unknown(run: Evidence) -> str:
    """The setting that made the profile unreadable, because Snakemake does not know it."""
    return run.unreadable.key if run.unreadable else ""


def _place(run: Evidence, key: str) -> dict[str, Any]:
    found = next((s for s in run.settings if s.key == key), None)
    return {"file": found.file, "line": found.line} if found else {}


def _meaning(
    setting: AuditedSetting,
    settings: Sequence[AuditedSetting],
    runs: Sequence[Evidence],
    plans: Sequence[PlanAudit],
) -> Finding:
    """An error where it sets this profile apart from another one, or leaves out a part of the
    workflow; else a warning.
    """
    values = {s.profile: canonical(s.value) for s in settings if s.key == setting.key}
    mine = values[setting.profile]
    others = [r.label for r in runs if r.label != setting.profile and values.get(r.label) != mine]
    apart = [
        other for other in others if not setting.planned or _apart(setting.profile, other, plans)
    ]
    weighs = always_counts(setting.key) or (bool(apart) and not setting.silent)
    who = ""
    if not weighs and len(runs) > 1:
        who = " All profiles plan the same work." if others else " Every profile has it."
    return finding(
        "CR-016",
        f"'{setting.key}'. {setting.why}{who}",
        file=setting.file,
        line=setting.line,
        profile=setting.profile,
        key=setting.key,
        severity=Severity.ERROR if weighs else Severity.WARNING,
    )


def _apart(profile: str, other: str, plans: Sequence[PlanAudit]) -> bool:
    """Whether two profiles plan other work, as far as their plans are known."""
    against = {plan.profile: plan for plan in plans}
    pair = {profile, other}
    return not pair <= against.keys() or any(against[name].drifts for name in pair)


def _left_open(settings: Sequence[AuditedSetting]) -> Iterator[Finding]:
    """One note for each profile with the settings that can only be judged by running."""
    for profile in dict.fromkeys(s.profile for s in settings):
        found = [
            s
            for s in settings
            if s.profile == profile
            and s.decided is Decided.OPEN
            and s.setting_class is SettingClass.CONDITIONAL
        ]
        if found:
            rules = sorted({rule for s in found for rule in s.rules})
            text = ", ".join(f"'{s.key}'" for s in found) + (
                f", which reach {named(rules)}" if rules else ""
            )
            yield finding("CR-039", text, file=found[0].file, profile=profile)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
