"""Environments of conda that rules declare, made into prefixes. Not here: which ones."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from cleanroom.environment.conda_files import PLATFORM, Channels, for_rooms, read_conda, unpinned
from cleanroom.environment.making import Maker, Work, make_once
from cleanroom.environment.prefixes import Made
from cleanroom.environment.supplies import PROGRAMS
from cleanroom.environment.uv import of_uv, the_uv
from cleanroom.errors import Unprovided
from cleanroom.room.engines.interface import Mount
from cleanroom.room.host_settings import condarc
from cleanroom.values.base import digest
from cleanroom.values.environment import CondaPrefix, CondaRecipe
from cleanroom.values.supplies import CondaWanted


def provision_conda(wanted: CondaWanted, maker: Maker, *, named: bool = False) -> CondaPrefix:
    """An environment of rules, made where it is not there yet.

    Raises: Unprovided where it cannot be made, Interrupted.
    """
    recipe = read_conda(wanted, channels_of(condarc(maker.environ)))
    recipe = msgspec.structs.replace(recipe, base=maker.base)
    repair = "Mend the file; --deployment none runs the rules in the room's own software."
    made = make_once(recipe.digest, _work(recipe, wanted.name, maker, repair), maker)
    return CondaPrefix(
        name=wanted.name,
        key=wanted.key,
        prefix=recipe.digest,
        packages=made.packages,
        inventory=digest(made.packages),
        unpinned=unpinned(recipe),
        named=named,
    )


def rooms_recipe(
    wanted: CondaWanted,
    pip: tuple[str, ...],
    snakemake: tuple[str, ...],
    base: str,
    environ: Mapping[str, str],
) -> CondaRecipe:
    """The recipe of the environment that rooms live in, with more packages of Python and one of
    these Snakemakes where it brings none.

    Raises: Unprovided for a file that is none.
    """
    recipe = for_rooms(read_conda(wanted, channels_of(condarc(environ))), snakemake)
    return msgspec.structs.replace(recipe, pip=(*recipe.pip, *pip), base=base)


def provision_rooms_conda(name: str, recipe: CondaRecipe, maker: Maker) -> Made:
    """What that environment holds, made where it is not there yet.

    Raises: as `provision_conda`.
    """
    repair = (
        "Mend the file, or say under `environment:` in cleanroom.yaml what to take; --environment "
        "default takes the room's own software."
    )
    return make_once(recipe.digest, _work(recipe, name, maker, repair), maker)


def _work(recipe: CondaRecipe, name: str, maker: Maker, repair: str) -> Work:
    return Work(
        called=f"the environment of {name}",
        module="conda",
        asked={"recipe": {**msgspec.to_builtins(recipe), "platform": PLATFORM}},
        programs=(the_uv(), PROGRAMS / "activate.sh"),
        env=of_uv(maker.environ),
        mounts=(Mount(host=str(_rattler()), room="/room/rattler/rattler"),),
        repair=repair,
    )


def channels_of(said: Mapping[str, Any]) -> Channels:
    """Where a user's own files of conda say that channels are; what they do not say is as ever."""
    usual = Channels()
    alias = said.get("channel_alias")
    custom = said.get("custom_channels")
    return Channels(
        alias=alias if isinstance(alias, str) else usual.alias,
        defaults=_texts(said.get("default_channels")) or usual.defaults,
        custom={str(k): str(v) for k, v in custom.items()} if isinstance(custom, dict) else {},
        usual=_texts(said.get("channels")) or usual.usual,
    )


def _texts(said: Any) -> tuple[str, ...]:
    return tuple(map(str, said)) if isinstance(said, list) else ()


def _rattler() -> Path:
    """The folder of py-rattler, as it came with this installation."""
    found = importlib.util.find_spec("rattler")
    if found is None or not found.origin:
        raise Unprovided("py-rattler is missing.", "Install cleanroom again, which brings it.")
    return Path(found.origin).parent
