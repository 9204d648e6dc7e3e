"""The files that describe an environment of conda, read into a recipe. Pure.

Files are read as data. Not here: making anything.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
import yaml

from cleanroom.errors import Unprovided
from cleanroom.values.base import Value
from cleanroom.values.environment import CondaRecipe
from cleanroom.values.supplies import CondaWanted

_MOST = 2**20
_DEFAULTS = ("https://repo.anaconda.com/pkgs/main", "https://repo.anaconda.com/pkgs/r")
_REPAIR = "Mend the file; --deployment none runs the rules in the room's own software."


class Channels(Value, frozen=True):
    """Where the channels of conda are for a user: what a bare name stands below, what `defaults`
    is, what single names are, and the channels of a file that names none.
    """

    alias: str = "https://conda.anaconda.org"
    defaults: tuple[str, ...] = _DEFAULTS
    custom: dict[str, str] = msgspec.field(default_factory=dict)
    usual: tuple[str, ...] = ("defaults",)


def read_conda(wanted: CondaWanted, channels: Channels) -> CondaRecipe:
    """The recipe of an environment. Raises: Unprovided for a file that is none."""
    if len(wanted.text) > _MOST:
        raise Unprovided(f"'{wanted.name}' is larger than a file of packages.", _REPAIR)
    try:
        text = yaml.safe_load(wanted.text)
    except (yaml.YAMLError, RecursionError) as error:
        problem = getattr(error, "problem", "") or "nested too deeply"
        raise Unprovided(f"'{wanted.name}' is no YAML ({problem}).", _REPAIR) from None
    said = text if isinstance(text, dict) else {}
    asked = said.get("dependencies")
    if not isinstance(asked, list):
        raise Unprovided(f"'{wanted.name}' has no list of dependencies.", _REPAIR)
    explicit = _pins(wanted.pin)
    specs = [one for one in asked if isinstance(one, str)]
    named = said.get("channels")
    names = [c for c in named if isinstance(c, str)] if isinstance(named, list) else []
    return CondaRecipe(
        channels=_of_pins(explicit) if explicit else _resolved(names, channels),
        specs=() if explicit else tuple(_spec(spec, channels) for spec in specs),
        explicit=explicit,
        pip=tuple(line for one in asked if isinstance(one, dict) for line in _pip(one)),
        deploy=wanted.deploy,
    )


def _pip(section: Mapping[Any, Any]) -> list[str]:
    found = section.get("pip")
    return [line for line in found if isinstance(line, str)] if isinstance(found, list) else []


def _pins(text: str) -> tuple[str, ...]:
    """The addresses of a pin file, as `conda list --explicit` writes it."""
    lines = (line.strip() for line in text.splitlines())
    return tuple(line for line in lines if "://" in line and not line.startswith(("#", "@")))


def _of_pins(lines: tuple[str, ...]) -> tuple[str, ...]:
    """The channels that addresses of packages lie in."""
    return tuple(dict.fromkeys(line.rsplit("/", 2)[0] for line in lines))


def _resolved(names: list[str], channels: Channels) -> tuple[str, ...]:
    """Addresses of channels, in order; `nodefaults` is none."""
    found: list[str] = []
    for name in names or list(channels.usual):
        if name == "defaults":
            found += channels.defaults
        elif name != "nodefaults":
            found.append(_address(name, channels))
    return tuple(dict.fromkeys(found))


def _address(name: str, channels: Channels) -> str:
    if "://" in name:
        return name.rstrip("/")
    if name in channels.custom:
        return f"{channels.custom[name].rstrip('/')}/{name}"
    return f"{channels.alias.rstrip('/')}/{name}"


def _spec(text: str, channels: Channels) -> str:
    """A specification; a channel that it names by its address."""
    channel, marked, rest = text.partition("::")
    if not marked:
        return text
    return f"{_address(re.sub(r'/(?:linux-64|noarch)$', '', channel), channels)}::{rest}"


def unpinned(recipe: CondaRecipe) -> bool:
    """Whether another day may solve it otherwise: it has no pins, or something of pip has none."""
    return not recipe.explicit or not all("==" in line for line in recipe.pip)
