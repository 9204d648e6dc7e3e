"""Deciders of what becomes of files: whether they are made, kept, stored, cached, deleted. Pure.
Not here: how jobs run.
"""

from typing import Any

from cleanroom.audit.shown import (
    NO_EFFECT,
    Decider,
    Decision,
    View,
    is_open,
    meaning,
    policy,
    they,
    truthy,
)
from cleanroom.values.setup import Setting
from cleanroom.wording import named


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
        return is_open(f"It can change every path, and {NO_EFFECT}.")
    return policy("The plan is the same without it.")


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


OF_FILES: dict[str, Decider] = {
    "rerun": _rerun,
    "incomplete": _incomplete,
    "storage": _storage,
    "scratch": _scratch,
    "plan": _plan,
    "removal": _removal,
    "flags": _flags,
    "benchmarks": _benchmarks,
    "cache": _cache,
    "queue": _queue,
}
