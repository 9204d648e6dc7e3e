"""What profiles say and no run tried: settings that a room had to replace, software that no setting
turned on. Pure.

Not here: what the rungs leave open, which is the same whatever profiles say.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from cleanroom.values.base import canonical
from cleanroom.values.run import Evidence, RunStatus
from cleanroom.values.setup import SENDERS, OverrideCause
from cleanroom.wording import listed, named

_METHODS = {
    "conda": ("conda",),
    "container": ("apptainer", "singularity"),
    "modules": ("env-modules", "envmodules"),
}
"""What rules declare, and the words by which a profile turns it on."""
_NAMES = {"conda": "conda environments", "container": "containers", "modules": "modules"}
_SWITCHES = {
    "conda": ("use-conda",),
    "container": ("use-singularity", "use-apptainer"),
    "modules": ("use-envmodules",),
}


def untried(runs: Sequence[Evidence]) -> tuple[str, ...]:
    """What the verdict does not speak of, each in a few words; settings that all profiles share are
    no difference between them.
    """
    profiles = [r for r in runs if r.of_profile and not r.folder]
    found = [text for run in profiles for text in _replaced(run, profiles)]
    found += dict.fromkeys(filter(None, map(unused_software, profiles)))
    return tuple(dict.fromkeys(found))


def _replaced(run: Evidence, profiles: Sequence[Evidence]) -> Iterator[str]:
    refused = [o.key for o in run.overrides if o.cause is OverrideCause.OUTDATED]
    if refused:
        version = run.versions.get("snakemake", "")
        keys = listed([f"'{key}'" for key in refused])
        yield f"{run.label} as a whole, which Snakemake {version} refuses because of {keys}"
    others = [p for p in profiles if p is not run]
    executor = [o for o in run.overrides if o.cause is OverrideCause.LOCAL and o.key in SENDERS]
    if executor and _differs(run, others, executor[0].key):
        yield f"the executor of {run.label} ({_text(executor[0].was)})"
    for override in run.overrides:
        key = override.key.partition(":")[0]
        if override.cause is OverrideCause.ELSEWHERE and _differs(run, others, key):
            yield f"'{override.key}' of {run.label} ({_text(override.was)})"


def _differs(run: Evidence, others: Sequence[Evidence], key: str) -> bool:
    mine = _stated(run, key)
    return any(_stated(other, key) != mine for other in others)


def _stated(run: Evidence, key: str) -> bytes | None:
    return next((canonical(s.value) for s in run.settings if s.key == key), None)


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else canonical(value).decode()
    return text if len(text) <= 40 else f"{text[:39]}…"


def unused_software(run: Evidence) -> str:
    """The software that rules of the plan declare and that no setting turned on; nothing where
    there is none, or nothing ran.
    """
    if run.plan is None or run.status is not RunStatus.COMPLETED:
        return ""
    planned = {job.rule for job in run.plan.jobs if job.needed}
    declared: dict[str, list[str]] = {}
    for name in sorted(planned & run.plan.rules.keys()):
        for kind in _NAMES:
            if kind in run.plan.rules[name].software and not turned_on(run, kind):
                declared.setdefault(kind, []).append(name)
    if not declared:
        return ""
    rules = sorted({name for names in declared.values() for name in names})
    return f"the {listed([_NAMES[kind] for kind in declared])} of {named(rules)}"


def turned_on(run: Evidence, kind: str, *, as_stated: bool = False) -> bool:
    """Whether the settings of a run turn that kind of software on: those in force, or those that
    its profile states.
    """
    values = {setting.key: setting.value for setting in run.settings}
    if not as_stated:
        values |= {o.key: o.now for o in run.overrides if o.cause is OverrideCause.DEPLOYED}
    method = str(values.get("software-deployment-method", values.get("deployment-method", "")))
    return any(word in method for word in _METHODS[kind]) or any(
        str(values.get(key, "")).lower() == "true" for key in _SWITCHES[kind]
    )
