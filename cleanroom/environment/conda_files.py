"""The files that describe an environment of conda, read into a recipe. Pure.

Files are read as data. Not here: making anything.
"""

import platform
import posixpath
import re
import tomllib
from collections.abc import Sequence
from typing import Any

import msgspec
import yaml

from cleanroom.errors import Unprovided
from cleanroom.values.base import Value
from cleanroom.values.environment import CondaRecipe
from cleanroom.values.supplies import CondaWanted

_MOST = 2**20
_MOST_LOCK = 64 * 2**20
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLATFORMS = {"aarch64": "linux-aarch64", "arm64": "linux-aarch64", "ppc64le": "linux-ppc64le"}
PLATFORM = _PLATFORMS.get(platform.machine(), "linux-64")
"""What conda calls this machine."""
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
    """The recipe of an environment, by the kind of file that its name tells.

    Raises: Unprovided for a file that is none.
    """
    locked = wanted.name.endswith(("pixi.lock", "conda-lock.yml"))
    if len(wanted.text) > (_MOST_LOCK if locked else _MOST):
        raise _none(wanted, "is larger than a file of packages")
    kind = posixpath.basename(wanted.name)
    said = _toml(wanted) if kind == "pixi.toml" else _yaml(wanted)
    match kind:
        case "pixi.toml":
            found = _of_pixi(said, channels)
        case "pixi.lock":
            found = _of_pixi_lock(said)
        case "conda-lock.yml":
            found = _of_conda_lock(said)
        case _:
            found = _of_environment(said, wanted, channels)
    if not (found.specs or found.explicit):
        raise _none(wanted, "has no list of dependencies")
    return msgspec.structs.replace(found, deploy=wanted.deploy)


def _none(wanted: CondaWanted, why: str) -> Unprovided:
    return Unprovided(f"'{wanted.name}' {why}.", _REPAIR)


def _yaml(wanted: CondaWanted) -> dict[Any, Any]:
    try:
        said = yaml.load(wanted.text, Loader=_LOADER)  # noqa: S506 - a safe one, in C where there is one
    except (yaml.YAMLError, RecursionError) as error:
        problem = getattr(error, "problem", "") or "nested too deeply"
        raise _none(wanted, f"is no YAML ({problem})") from None
    return said if isinstance(said, dict) else {}


def _toml(wanted: CondaWanted) -> dict[str, Any]:
    try:
        return tomllib.loads(wanted.text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise _none(wanted, f"is no TOML ({error})") from None


def _of_environment(said: Any, wanted: CondaWanted, channels: Channels) -> CondaRecipe:
    """`environment.yml`, as conda reads it, or the pins beside it."""
    asked = _list(said.get("dependencies"))
    pip = tuple(line for one in asked if isinstance(one, dict) for line in _texts(one.get("pip")))
    if explicit := _pins(wanted.pin):
        return CondaRecipe(channels=_of_pins(explicit), explicit=explicit, pip=pip)
    return CondaRecipe(
        channels=_resolved(_texts(said.get("channels")), channels),
        specs=tuple(_spec(spec, channels) for spec in _texts(asked)),
        pip=pip,
    )


def _of_pixi(said: Any, channels: Channels) -> CondaRecipe:
    """`pixi.toml`: the dependencies of its default environment."""
    head = said.get("workspace") or said.get("project") or {}
    specs = [_joined(name, how, " ") for name, how in _pairs(said.get("dependencies"))]
    return CondaRecipe(
        channels=_resolved(_texts(head.get("channels")), channels),
        specs=tuple(_spec(spec, channels) for spec in specs),
        pip=tuple(_joined(name, how, "") for name, how in _pairs(said.get("pypi-dependencies"))),
    )


def _joined(name: str, how: Any, between: str) -> str:
    version = how.get("version", "*") if isinstance(how, dict) else how
    return name if version in ("*", "") else f"{name}{between}{version}"


def _of_pixi_lock(said: Any) -> CondaRecipe:
    """`pixi.lock`: every package of its default environment for this platform."""
    default = _at(said, "environments", "default")
    hashes = {
        one.get("conda"): one.get("sha256")
        for one in _list(said.get("packages"))
        if isinstance(one, dict)
    }
    explicit, pip = [], []
    for one in _list(_at(default, "packages", PLATFORM)):
        if isinstance(one, dict) and isinstance(one.get("conda"), str):
            explicit.append(f"{one['conda']}#{hashes.get(one['conda']) or ''}".rstrip("#"))
        elif isinstance(one, dict) and isinstance(one.get("pypi"), str):
            pip.append(_wheel(one["pypi"]))
    return CondaRecipe(channels=_of_pins(explicit), explicit=tuple(explicit), pip=tuple(pip))


def _of_conda_lock(said: Any) -> CondaRecipe:
    """`conda-lock.yml`: every package of its main part for this platform."""
    explicit, pip = [], []
    for one in _list(said.get("package")):
        if not isinstance(one, dict) or one.get("platform") != PLATFORM:
            continue
        if one.get("category", "main") != "main" or one.get("optional"):
            continue
        url, digests = str(one.get("url")), one.get("hash")
        known = digests if isinstance(digests, dict) else {}
        if one.get("manager") == "pip":
            pip.append(f"{one.get('name')} @ {url}")
        else:
            explicit.append(f"{url}#{known.get('sha256') or known.get('md5') or ''}".rstrip("#"))
    return CondaRecipe(channels=_of_pins(explicit), explicit=tuple(explicit), pip=tuple(pip))


def _wheel(url: str) -> str:
    """A package of the index by its address, as a requirement."""
    name = posixpath.basename(url).split("-")[0]
    return f"{name} @ {url}" if "://" in url else url


def _at(said: Any, *keys: str) -> Any:
    for key in keys:
        said = said.get(key) if isinstance(said, dict) else None
    return said


def _list(said: Any) -> list[Any]:
    return said if isinstance(said, list) else []


def _texts(said: Any) -> list[str]:
    return [one for one in _list(said) if isinstance(one, str)]


def _pairs(said: Any) -> list[tuple[str, Any]]:
    return [(str(key), how) for key, how in said.items()] if isinstance(said, dict) else []


def _pins(text: str) -> tuple[str, ...]:
    """The addresses of a pin file, as `conda list --explicit` writes it."""
    lines = (line.strip() for line in text.splitlines())
    return tuple(line for line in lines if "://" in line and not line.startswith(("#", "@")))


def _of_pins(lines: Sequence[str]) -> tuple[str, ...]:
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
    return not recipe.explicit or not all("==" in line or " @ " in line for line in recipe.pip)


def for_rooms(recipe: CondaRecipe, snakemake: Sequence[str]) -> CondaRecipe:
    """The same with a Python and one of these Snakemakes, where it names none: rooms live in it."""
    if recipe.explicit:
        names = {posixpath.basename(line).rsplit("-", 2)[0] for line in recipe.explicit}
    else:
        names = {re.split(r"[\s=<>!~\[]", spec.rpartition("::")[2])[0] for spec in recipe.specs}
    has = names & {"snakemake", "snakemake-minimal"} or any(
        re.match(r"snakemake(?![\w-])", line) for line in recipe.pip
    )
    bare = not recipe.explicit and not names & {"python", "snakemake", "snakemake-minimal"}
    return msgspec.structs.replace(
        recipe,
        specs=(*recipe.specs, "python") if bare else recipe.specs,
        snakemake=() if has else tuple(snakemake),
    )
