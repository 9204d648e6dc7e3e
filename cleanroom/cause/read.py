"""Causes that the evidence shows by itself: the control, a job that differs in the plan, the
settings that differ.

A setting is named with certainty only where no other one in force differs. Not here: finding out by
running.
"""

from collections.abc import Iterator

from cleanroom.evidence.context import FACTORS
from cleanroom.values.base import canonical
from cleanroom.values.comparison import Cause, Comparison
from cleanroom.values.purpose import factors_of
from cleanroom.values.run import Evidence
from cleanroom.values.setup import OverrideCause

NOT_DETERMINISTIC = "not deterministic"
UNDECLARED = "undeclared files"
_CONFIGURES = {"config", "configfile", "replace-workflow-config", "snakefile"}


def _configuration_differs(comparison: Comparison) -> bool:
    return any(not d.rule and d.decides and not d.noise for d in comparison.plan)


def of_settings(left: Evidence, right: Evidence, comparison: Comparison) -> Iterator[Cause]:
    """The settings in force in the room that differ; one that the room replaced for both cannot
    have done it.

    Where the plan shows another configuration, only the settings that can change it are named.
    """
    values = differing_settings(left, right)
    keys, found = list(values), "the only setting in force that differs"
    if _configuration_differs(comparison) and (able := [key for key in keys if key in _CONFIGURES]):
        keys, found = (
            able,
            "the plan shows another configuration, and only this setting can change it",
        )
    if not keys:
        yield Cause(
            name="unknown", values={}, found="no setting in force differs between the two profiles"
        )
    by_name = reads_arguments(left)
    for key in keys:
        if len(keys) == 1 and by_name:
            text = "the only setting that differs; but code reads the command line, too"
            yield Cause(name=key, values=values[key], found=text)
        elif len(keys) == 1:
            yield Cause(name=key, values=values[key], found=found, certain=True)
        else:
            yield Cause(
                name=key,
                values=values[key],
                found=f"one of {len(keys)} settings in force that differ; not told apart",
            )


def reads_arguments(run: Evidence) -> bool:
    """Whether code of the workflow reads the command line, which names the profile."""
    hidden = run.plan.hidden if run.plan else ()
    return any(line.kind == "arguments" for line in hidden)


def differing_settings(left: Evidence, right: Evidence) -> dict[str, dict[str, str]]:
    """The settings in force in the rooms that differ, with the value of each run."""
    values = [_in_force(run) for run in (left, right)]
    keys = [
        key
        for key in sorted(values[0].keys() | values[1].keys())
        if values[0].get(key) != values[1].get(key)
    ]
    return {
        key: {
            run.label: side.get(key, "(not set)")
            for run, side in zip((left, right), values, strict=True)
        }
        for key in keys
    }


def of_surroundings(left: Evidence, right: Evidence) -> Iterator[Cause]:
    """What was varied between two runs of one profile."""
    factors = factors_of(right.purpose)
    count = len(factors)
    text = (
        "the only factor that was varied"
        if count == 1
        else f"one of {count} factors that were varied; not told apart"
    )
    for name in factors:
        values = {left.label: FACTORS[name].usual, right.label: FACTORS[name].varied}
        yield Cause(name=name, values=values, found=text, certain=count == 1)


_TRUSTS = ("ignore-incomplete", "keep-incomplete", "rerun-triggers", "nolock")
"""Settings by which a resumed run may trust what a killed one left."""


def of_interruption(run: Evidence) -> Iterator[Cause]:
    """What a resumed run trusted."""
    values = _in_force(run)
    trusting = [key for key in _TRUSTS if values.get(key, "false").lower() not in ("false", "")]
    for key in trusting:
        text = (
            f"killed ({run.purpose}) and resumed, the run trusts what was left, as this "
            "setting says"
        )
        yield Cause(
            name=key, values={run.label: values[key]}, found=text, certain=len(trusting) == 1
        )
    if not trusting:
        text = (
            f"killed ({run.purpose}) and resumed, the run leaves something else, and no "
            "setting says that it may"
        )
        yield Cause(name="interruption", values={}, found=text, certain=True)


def since(left: Evidence, right: Evidence) -> Iterator[Cause]:
    """What is known to have changed between two confirmations.
    Never certain: time has passed, and perhaps the machine is another one.
    """
    known = [
        ("commit", left.source.commit, right.source.commit),
        ("image", left.image.digest, right.image.digest),
        (
            "Snakemake",
            str(left.versions.get("snakemake", "")),
            str(right.versions.get("snakemake", "")),
        ),
        ("profile", left.profile.path, right.profile.path),
    ]
    known += [
        (key, pair[left.label], pair[right.label])
        for key, pair in differing_settings(left, right).items()
    ]
    changed = [] if left.folder else [one for one in known if one[1] != one[2]]
    if not changed:
        text = (
            "a folder does not say how it was made"
            if left.folder
            else "commit, image and settings in force are the same"
        )
        yield Cause(name="unknown", values={}, found=text)
    for name, before, after in changed:
        text = (
            "the only thing known to have changed"
            if len(changed) == 1
            else f"one of {len(changed)} things that changed; not told apart"
        )
        yield Cause(name=name, values={left.label: before, right.label: after}, found=text)


def _in_force(run: Evidence) -> dict[str, str]:
    """What the room replaced for the comparison's sake is no setting of anybody's."""
    values = {s.key: canonical(s.value).decode().strip('"') for s in run.settings}
    for override in run.overrides:
        if override.now is None or override.cause is OverrideCause.COMPARISON:
            values.pop(override.key, None)
        else:
            values[override.key] = canonical(override.now).decode().strip('"')
    return values
