"""What evidence says of one setting: policy, meaning, or only a run can tell; with a sentence and
the rules. Pure.

Each kind of evidence in the table of settings has its decider here. Not here: findings, and whether
plans of profiles agree.
"""

import re
from collections.abc import Callable
from typing import Any

import msgspec

from cleanroom.audit.shown import Decision, View, cap, is_open, meaning, policy, they, truthy
from cleanroom.profiles.table import Option, cutting_keys, look_up
from cleanroom.values.audit import AuditedSetting, Decided
from cleanroom.values.run import Evidence
from cleanroom.values.setup import SENDERS, OverrideCause, Setting, SettingClass
from cleanroom.wording import named

_UNREAD = "the code of a wrapper or remote script was not read."
_NO_EFFECT = "no plan without it could be made"
_DEFAULTS = ("mem_mb", "mem_mib", "disk_mb", "disk_mib", "tmpdir")
"""What Snakemake adds to the resources of every rule as soon as one default or a remote executor is
given.
"""


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


# --- deciders, by kind of evidence
# ------------------------------------------------------------------------------------


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


def _threads(setting: Setting, view: View) -> Decision:
    key = setting.key
    if key == "jobs":
        if view.settings.get("cores") is not None or _overridden(view, "jobs"):
            return policy("It only limits how many jobs run at once.")
        key = "cores"
    if _overridden(view, key):
        return policy("On a remote executor it is no limit of a rule's threads.")
    if key == "cores":
        lines = [
            h for h in (view.run.plan.hidden if view.run.plan else ()) if "workflow.cores" in h.text
        ]
        if lines:
            return is_open(
                f"{lines[0].file}, line {lines[0].line} reads workflow.cores.",
                sorted({h.rule for h in lines if h.rule}),
            )
    if loud := view.loud(key):
        return loud
    if view.effect(key) is None:
        return is_open(f"It can change the threads of rules, and {_NO_EFFECT}.")
    changed = view.changed(key, "threads")
    if not changed:
        return policy("No rule gets another number of threads by it.")
    if readers := view.readers("threads", among=changed):
        return is_open(_reads(readers, "threads"), readers)
    if unread := view.unread(changed):
        return is_open(f"{cap(named(unread))} got other threads, and {_UNREAD}", unread)
    text = (
        f"{cap(named(changed))} got other threads; a program may follow them "
        "(OMP_NUM_THREADS) though no code names them."
    )
    return is_open(text, changed)


def _reads(readers: dict[str, str], what: str) -> str:
    parts = [
        f"rule {rule} reads {what} in its {where}" for rule, where in list(readers.items())[:3]
    ]
    more = f" and {len(readers) - 3} more rules do" if len(readers) > 3 else ""
    return cap("; ".join(parts) + more) + "."


def _overridden(view: View, key: str) -> bool:
    return any(o.key == key and o.cause is OverrideCause.LOCAL for o in view.run.overrides)


def _resources(setting: Setting, view: View) -> Decision:
    if loud := view.loud(setting.key):
        return loud
    names, rules = touched(setting)
    words = [f"resources.{name}" for name in names]
    if readers := view.readers(*words, among=rules):
        return is_open(_reads(readers, " or ".join(names[:3])), readers)
    changed = view.changed(setting.key, "resources")
    if unread := view.unread([r for r in changed if rules is None or r in rules]):
        return is_open(
            f"{cap(named(unread))} got other resources, and the code of a wrapper or remote "
            "script was not read.",
            unread,
        )
    return policy(f"No rule that it reaches reads {', '.join(names[:4]) or 'resources'}.")


def touched(setting: Setting) -> tuple[list[str], set[str] | None]:
    """(names of resources that a setting gives, the rules that it names or None for all)."""
    value = setting.value
    items = (
        value
        if isinstance(value, list)
        else list(value.items())
        if isinstance(value, dict)
        else [value]
    )
    names: dict[str, None] = {}
    rules: set[str] = set()
    for item in items:
        text = (
            item
            if isinstance(item, str)
            else "=".join(map(str, item))
            if isinstance(item, tuple)
            else str(item)
        )
        left = text.partition("=")[0]
        if setting.key == "set-resources" and ":" in left:
            rule, _, left = left.partition(":")
            rules.add(rule)
        names[left] = None
    if setting.key == "default-resources":
        names |= dict.fromkeys(_DEFAULTS)
    return list(names), rules or None


def _attempts(setting: Setting, view: View) -> Decision:
    if not truthy(setting.value):
        return policy("No job is run again.")
    if loud := view.loud(setting.key):
        return loud
    if readers := view.readers("attempt"):
        return is_open(_reads(readers, "which attempt it is"), readers)
    if unread := view.unread():
        return is_open(
            f"The code of {named(unread)} was not read; it may follow the attempt.", unread
        )
    return policy(
        "No rule reads which attempt it is, and Snakemake removes what a failed attempt left of "
        "its outputs."
    )


def _rerun(setting: Setting, view: View) -> Decision:
    if view.run.tracked_outputs:
        first = view.run.tracked_outputs[0]
        return meaning(
            f"Results are committed to git ({first}); whether they are made again follows this "
            "setting."
        )
    return policy("A fresh clone holds no results, so that every job runs whatever it says.")


def _incomplete(setting: Setting, view: View) -> Decision:
    return is_open(
        "It matters where a job fails or is killed: then a partial file stays. A run shows "
        "whether one does."
    )


def _storage(setting: Setting, view: View) -> Decision:
    if loud := view.loud(setting.key):
        return loud
    plan = view.run.plan
    stored = (
        sorted(
            {
                job.rule
                for job in plan.jobs
                for f in (*job.input, *job.output)
                if "storage_object" in f.flags
            }
        )
        if plan
        else []
    )
    default = next(
        (
            k
            for k in ("default-storage-provider", "default-remote-provider")
            if provides(view.settings.get(k))
        ),
        "",
    )
    if stored:
        return is_open(f"{they(stored, 'use')} files in a storage.", stored)
    if default:
        return is_open(f"'{default}' keeps inputs and outputs in a storage.")
    return policy("No file of the plan lies in a storage.")


def provides(value: Any) -> bool:
    return truthy(value) and value != "fs"


def _scratch(setting: Setting, view: View) -> Decision:
    if loud := view.loud(setting.key):
        return loud
    shadow = [name for name, rule in view.rules.items() if rule.shadow]
    if not shadow:
        return policy("No rule works in a shadow folder.")
    return is_open(
        f"{they(shadow, 'work')} in a shadow folder, whose name may reach a result.", shadow
    )


def _plan(setting: Setting, view: View) -> Decision:
    if loud := view.loud(setting.key):
        return loud
    if view.effect(setting.key) is None:
        return is_open(f"It can change every path, and {_NO_EFFECT}.")
    return policy("The plan is the same without it.")


def _software(setting: Setting, view: View) -> Decision:
    declared = {
        name: sorted(k for k in rule.software if not k.endswith("_sha256"))
        for name, rule in view.rules.items()
        if rule.software
    }
    if not declared:
        return policy(
            "No rule declares an environment, a container or a module, so it has no effect."
        )
    kinds = sorted({kind for found in declared.values() for kind in found})
    return is_open(
        f"{they(list(declared), 'declare')} {' and '.join(kinds)}; the setting decides whether "
        "they are used.",
        declared,
    )


def _remote(setting: Setting, view: View) -> Decision:
    if not is_remote(view):
        return policy("The profile runs jobs locally, where it is not used.")
    return is_open(
        "It decides the software or shell of jobs on remote nodes, which a room does not have; a "
        "run there can tell."
    )


def is_remote(view: View) -> bool:
    executor = view.settings.get("executor")
    seven = any(truthy(view.settings.get(key)) for key in SENDERS - {"executor"})
    return seven or (executor is not None and executor not in ("local", "dryrun", "touch"))


def _removal(setting: Setting, view: View) -> Decision:
    plan, made_temporary = view.run.plan, view.changed(setting.key, "output")
    jobs = [job for job in plan.jobs if job.needed and job.rule in made_temporary] if plan else []
    lost = [f.path for job in jobs for f in job.output if f.path not in view.targets]
    if lost:
        more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
        return meaning(
            f"It deletes results that are no target: {lost[0]}{more}.",
            sorted({job.rule for job in jobs}),
        )
    return policy("What it deletes is temporary anyway; targets stay.")


_SAFE_FLAGS = {"temp", "protected", "temporary"}


def _flags(setting: Setting, view: View) -> Decision:
    dropped = set(setting.value if isinstance(setting.value, list) else str(setting.value).split())
    plan = view.run.plan
    used = {
        flag
        for job in (plan.jobs if plan else ())
        for f in (*job.input, *job.output)
        for flag in f.flags
    }
    if not dropped - _SAFE_FLAGS:
        return policy("A flag that it drops says only how long a file is kept.")
    if loud := view.loud(setting.key):
        return loud
    risky = sorted((dropped & used) - _SAFE_FLAGS)
    if risky:
        return is_open(
            f"Files of the plan have the flag {' and '.join(risky)}, on which a job may rely."
        )
    return policy("It drops no flag on which a job relies.")


def _run_blocks(setting: Setting, view: View) -> Decision:
    if shadow := [name for name, rule in view.rules.items() if rule.shadow]:
        return meaning(
            f"{they(shadow, 'work')} in a shadow folder; in threads, that moves every job's "
            "working folder.",
            shadow,
        )
    blocks = [
        name for name, rule in view.rules.items() if {"run_func_src", "run_sha256"} & set(rule.code)
    ]
    if not blocks:
        return policy("No rule has a `run:` block or a shadow folder.")
    return is_open(
        f"{they(blocks, 'have')} `run:` blocks, which then share one interpreter.", blocks
    )


def _environment(setting: Setting, view: View) -> Decision:
    names = setting.value if isinstance(setting.value, list) else [setting.value]
    lines = [h for h in (view.run.plan.hidden if view.run.plan else ()) if h.kind == "environment"]
    place = f" {lines[0].file}, line {lines[0].line} reads the environment." if lines else ""
    return is_open(
        f"Jobs get {', '.join(map(str, names))} from outside; a result may follow it.{place}"
    )


def _hooks(setting: Setting, view: View) -> Decision:
    hooks = view.run.plan.hooks if view.run.plan else ()
    return (
        is_open(f"The workflow has {' and '.join(hooks)}, which it leaves out.")
        if hooks
        else policy("The workflow has no hooks.")
    )


def _benchmarks(setting: Setting, view: View) -> Decision:
    plan = view.run.plan
    made = {job.benchmark for job in plan.jobs if job.benchmark} if plan else set()
    used = (
        sorted({job.rule for job in plan.jobs for f in job.input if f.path in made}) if plan else []
    )
    if used:
        return is_open(f"{they(used, 'read')} benchmark files.", used)
    return policy("No job reads a benchmark file.")


def _cache(setting: Setting, view: View) -> Decision:
    cached = [name for name, rule in view.rules.items() if rule.cached]
    listed = setting.value if isinstance(setting.value, list) else []
    cached += [name for name in listed if name in view.rules and name not in cached]
    if not cached:
        return policy("No rule's outputs are cached.")
    return is_open(
        f"Outputs of {named(cached)} may come from a cache instead of the code of this commit.",
        cached,
    )


def _queue(setting: Setting, view: View) -> Decision:
    plan = view.run.plan
    queued = (
        sorted({job.rule for job in plan.jobs for f in job.input if "from_queue" in f.flags})
        if plan
        else []
    )
    if queued:
        return is_open(f"{they(queued, 'take')} inputs from a queue.", queued)
    return policy("No rule takes inputs from a queue.")


def _placement(setting: Setting, view: View) -> Decision:
    if not is_remote(view):
        return policy("Jobs run on this machine.")
    given, _ = touched(
        Setting(
            key="default-resources", value=view.settings.get("default-resources") or [], file=""
        )
    )
    added = [name for name in _DEFAULTS if name in given]
    if readers := view.readers("executor"):
        return is_open(_reads(readers, "variables of an executor"), readers)
    if readers := view.readers(*(f"resources.{name}" for name in added)):
        return is_open(
            f"A remote executor adds default resources. {_reads(readers, 'one of them')}", readers
        )
    return policy(
        "It decides where jobs run; no rule reads the resources that a remote executor adds."
    )


def _stack(setting: Setting, view: View) -> Decision:
    return policy("Inside a profile Snakemake does not follow it.")


_DECIDERS: dict[str, Callable[[Setting, View], Decision]] = {
    "threads": _threads,
    "resources": _resources,
    "attempts": _attempts,
    "rerun": _rerun,
    "incomplete": _incomplete,
    "storage": _storage,
    "scratch": _scratch,
    "plan": _plan,
    "software": _software,
    "remote": _remote,
    "removal": _removal,
    "flags": _flags,
    "runblocks": _run_blocks,
    "environment": _environment,
    "hooks": _hooks,
    "benchmarks": _benchmarks,
    "cache": _cache,
    "queue": _queue,
    "placement": _placement,
    "stack": _stack,
}


def kinds() -> frozenset[str]:
    """Every kind of evidence that has a decider; the table names no other."""
    return frozenset(_DECIDERS)


def always_counts(key: str) -> bool:
    """Whether a setting of meaning is an error even where every profile has it: it leaves out a
    part of the workflow.
    """
    return key in cutting_keys()
