"""What the driver of a room is told of settings, from the table of all of them.
Not here: the table, and what a setting means.
"""

import functools
import re
from collections.abc import Iterable

from cleanroom.profiles.table import Option, options
from cleanroom.room.inside.protocol import Keys
from cleanroom.values.setup import SettingClass


@functools.cache
def room_keys() -> Keys:
    """What the driver of a room needs to know of settings: which it replaces, which replace the
    run, and which a plan is made without.
    """
    table = options()

    def names(chosen: Iterable[Option]) -> list[str]:
        return [name for option in chosen for name in (option.key, *option.also)]

    def pattern(keys: Iterable[str]) -> str:
        return "|".join(re.escape(key).replace(r"\*", ".*") for key in keys)

    return {
        "known": pattern(names(table.values())),
        "executor_keys": pattern(names(o for o in table.values() if o.room == "local")),
        "cluster_keys": [
            o.key for o in table.values() if o.family == "placement" and 7 in o.versions
        ],
        "path_keys": names(o for o in table.values() if o.room == "path"),
        "action_keys": names(o for o in table.values() if o.setting_class is SettingClass.ACTION),
        "threads_keys": names(o for o in table.values() if o.evidence == "threads"),
        "older": {
            name: list(o.versions)
            for o in table.values()
            if o.versions and (o.setting_class is SettingClass.POLICY or o.room == "local")
            for name in (o.key, *o.also)
        },
        "questioned": names(o for o in table.values() if o.room != "local" and _plan_tells(o)),
    }


def _plan_tells(option: Option) -> bool:
    """Whether a plan without the setting can show what it does; `cores` is asked by planning with
    more of them.
    """
    if option.key in {"cores", "jobs", "attempt"}:
        return False
    return option.setting_class is SettingClass.MEANING or option.evidence in _PLANNED


_PLANNED = {"threads", "resources", "storage", "plan", "flags", "attempts", "scratch", "removal"}
"""Kinds of evidence that a plan without the setting can give."""
