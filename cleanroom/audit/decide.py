"""What evidence says of one setting: policy, meaning, or only a run can tell; with a sentence and
the rules. Pure.

Each kind of evidence in the table of settings has its decider. Not here: findings, and whether
plans of profiles agree.
"""

import re
from typing import Any

import msgspec

from cleanroom.audit.file_deciders import OF_FILES
from cleanroom.audit.job_deciders import OF_JOBS
from cleanroom.audit.shown import (
    Decision,
    View,
    is_open,
    meaning,
    policy,
    truthy,
)
from cleanroom.profiles.table import Option, cutting_keys, look_up
from cleanroom.values.audit import AuditedSetting, Decided
from cleanroom.values.run import Evidence
from cleanroom.values.setup import Setting, SettingClass


def audit_settings(run: Evidence) -> tuple[AuditedSetting, ...]:
    """Every setting in force under one profile, decided by that profile's own evidence."""
    view = View(run)
    found = []
    for setting in run.settings:
        option = look_up(setting.key)
        decision = decide(setting, option, view)
        found.append(
            AuditedSetting(
                profile=run.label,
                key=setting.key,
                value=setting.value,
                file=setting.file,
                line=setting.line,
                shadows=setting.shadows,
                setting_class=option.setting_class if option else None,
                does=option.does if option else "",
                decided=decision.decided,
                why=decision.why,
                rules=decision.rules,
                silent=decision.silent,
                planned=decision.planned,
                topic=option.topic if option else "",
            )
        )
    return tuple(found)


def decide(setting: Setting, option: Option | None, view: View) -> Decision:
    """One setting."""
    if option is None:
        return is_open("The table of settings does not know it.")
    if (
        not truthy(setting.value)
        and option.setting_class is not SettingClass.MEANING
        and not _is_number(setting.value)
    ):
        return policy("It is switched off.")
    match option.setting_class:
        case SettingClass.POLICY:
            return policy(option.why)
        case SettingClass.ACTION:
            return Decision(decided=Decided.ACTION, why=option.why)
        case SettingClass.MEANING:
            return _meaning(setting, option, view)
        case SettingClass.CONDITIONAL:
            if view.run.plan is None:
                return is_open(
                    "There is no plan under this profile, so nothing shows what it does."
                )
            return _DECIDERS[option.evidence](setting, view)


def _is_number(value: Any) -> bool:
    return re.fullmatch(r"\d+", str(value)) is not None


_UNPLANNED = {"wrapper-prefix"}
"""Settings of meaning whose effect no plan shows: the code of a wrapper comes with its job."""


def _meaning(setting: Setting, option: Option, view: View) -> Decision:
    if loud := view.loud(setting.key):
        return msgspec.structs.replace(loud, why=f"{option.why} {loud.why}")
    effect = view.effect(setting.key)
    if effect is not None and not effect.code:
        text = f"{option.why} Today's plan is the same without it."
        planned = setting.key not in _UNPLANNED
        return meaning(text, silent=planned, planned=planned)
    return meaning(option.why, planned=setting.key not in _UNPLANNED)


def _stack(setting: Setting, view: View) -> Decision:
    return policy("Inside a profile Snakemake does not follow it.")


_DECIDERS = OF_JOBS | OF_FILES | {"stack": _stack}


def kinds() -> frozenset[str]:
    """Every kind of evidence that has a decider; the table names no other."""
    return frozenset(_DECIDERS)


def always_counts(key: str) -> bool:
    """Whether a setting of meaning is an error even where every profile has it: it leaves out a
    part of the workflow.
    """
    return key in cutting_keys()
