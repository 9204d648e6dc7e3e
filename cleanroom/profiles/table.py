"""The table of settings: what every option of Snakemake and its plugins does, its class and why.
Pure data, from `settings.toml`.

Not here: deciding a conditional setting, which takes evidence.
"""

import difflib
import fnmatch
import functools
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from cleanroom.values.base import Value
from cleanroom.values.setup import SettingClass

_FILE = Path(__file__).with_name("settings.toml")


class Option(Value, frozen=True):
    """One option. `versions` are the major versions of Snakemake that know it, none for an option
    of a plugin.

    `evidence` names what decides a conditional one; `room` says what a room does with it (see the
    table).
    """

    key: str
    family: str
    setting_class: SettingClass
    does: str
    why: str
    safe: str
    drift: str
    evidence: str = ""
    room: str = ""
    topic: str = ""
    known_by: str = ""
    """Where it is known, if neither a Snakemake nor a plugin takes it in a profile."""
    versions: tuple[int, ...] = ()
    also: tuple[str, ...] = ()


@functools.cache
def options() -> dict[str, Option]:
    """Every option by its key, patterns included, in the order of the table."""
    data = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {
        key: _option(key, line, data["families"][line["family"]])
        for key, line in data["options"].items()
    }


def _option(key: str, line: dict[str, Any], family: dict[str, Any]) -> Option:
    fields = {**family, **line}
    texts = {name: fields[name].replace("{key}", key) for name in ("why", "safe", "drift")}
    plain = {
        name: fields.get(name, "")
        for name in ("family", "does", "evidence", "room", "topic", "known_by")
    }
    versions, also = tuple(fields.get("in", ())), tuple(fields.get("also", ()))
    return Option(
        key=key,
        setting_class=SettingClass(fields["class"]),
        versions=versions,
        also=also,
        **plain,
        **texts,
    )


@functools.cache
def _names() -> dict[str, Option]:
    return {name: option for option in options().values() for name in (option.key, *option.also)}


def look_up(key: str) -> Option | None:
    """The option behind a key as a profile or a command line writes it, else the first pattern that
    fits; None where the table lacks it.
    """
    name = key.lstrip("-").replace("_", "-")
    if found := _names().get(name):
        return found
    patterns = (
        option
        for pattern, option in options().items()
        if "*" in pattern and fnmatch.fnmatchcase(name, pattern)
    )
    found = next(patterns, None)
    return msgspec.structs.replace(found, key=name) if found else None


def near(key: str) -> list[str]:
    """Known keys that look like this one."""
    return difflib.get_close_matches(
        key.lstrip("-"), [name for name in _names() if "*" not in name], n=3, cutoff=0.6
    )


@functools.cache
def cutting_keys() -> frozenset[str]:
    """Settings that leave out a part of the workflow."""
    return frozenset(
        name for o in options().values() if o.family == "cut" for name in (o.key, *o.also)
    )
