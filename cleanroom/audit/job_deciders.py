"""Deciders of how jobs run: threads, resources, attempts, software, place. Pure.
Not here: what becomes of files.
"""

from cleanroom.audit.shown import (
    NO_EFFECT,
    Decider,
    Decision,
    View,
    cap,
    is_open,
    meaning,
    policy,
    they,
    truthy,
)
from cleanroom.values.setup import SENDERS, OverrideCause, Setting
from cleanroom.wording import named

_UNREAD = "the code of a wrapper or remote script was not read."
_DEFAULTS = ("mem_mb", "mem_mib", "disk_mb", "disk_mib", "tmpdir")
"""What Snakemake adds to the resources of every rule as soon as one default or a remote executor is
given.
"""


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
        return is_open(f"It can change the threads of rules, and {NO_EFFECT}.")
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


OF_JOBS: dict[str, Decider] = {
    "threads": _threads,
    "resources": _resources,
    "attempts": _attempts,
    "software": _software,
    "remote": _remote,
    "runblocks": _run_blocks,
    "environment": _environment,
    "hooks": _hooks,
    "placement": _placement,
}
