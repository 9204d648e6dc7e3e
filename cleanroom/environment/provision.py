"""The packages of Python that a commit declares, made into a prefix. Not here: which packages."""

import shutil
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import msgspec

from cleanroom.environment.find import Found
from cleanroom.environment.making import Maker, Work, make_once
from cleanroom.environment.prefixes import TREE, folder_of
from cleanroom.errors import Unprovided
from cleanroom.room.engines.interface import Mount
from cleanroom.room.host_settings import index_settings
from cleanroom.values.base import digest
from cleanroom.values.environment import Environment, place_of


def mounts_of(cache: Path, environment: Environment) -> Iterator[Mount]:
    """How a room sees its prefixes."""
    prefixes = (environment.prefix, *(one.prefix for one in environment.conda))
    for prefix in dict.fromkeys(filter(None, prefixes)):
        yield Mount(host=str(folder_of(cache, prefix) / TREE), room=place_of(prefix))


def python_of(environment: Environment) -> str:
    """The Python of a prefix, in rooms; nothing where there is none."""
    return f"{environment.place}/bin/python" if environment.prefix else ""


def provision(found: Found, maker: Maker) -> Environment:
    """The environment that was found, made where it is not there yet.

    Raises: Unprovided where it cannot be made, Interrupted.
    """
    blank = Environment(
        taken=found.taken,
        passed_over=found.passed_over,
        unpinned=found.unpinned,
        declined=found.declined,
    )
    if found.recipe is None:
        return blank
    recipe = msgspec.structs.replace(found.recipe, base=maker.base)
    work = Work(
        called=f"the environment of {', '.join(found.taken) or 'cleanroom.yaml'}",
        module="python",
        asked={"recipe": msgspec.to_builtins(recipe)},
        files=recipe.files,
        programs=(the_uv(),),
        env=of_uv(maker),
        repair="Mend what the repository declares, or say under `environment:` in cleanroom.yaml "
        "what to take; --environment default takes the room's own software.",
    )
    made = make_once(recipe.digest, work, maker)
    return msgspec.structs.replace(
        blank,
        prefix=recipe.digest,
        python=made.python,
        packages=made.packages,
        inventory=digest(made.packages),
    )


def of_uv(maker: Maker) -> dict[str, str]:
    """The variables that uv gets in a room."""
    return {
        "UV_CACHE_DIR": "/tmp/uv",  # noqa: S108 - the room's own
        "UV_LINK_MODE": "copy",
        "UV_NO_CONFIG": "1",
        "UV_PYTHON_DOWNLOADS": "never",
        **index_settings(maker.environ),
    }


def the_uv() -> Path:
    """Raises: Unprovided where there is no uv."""
    uv = uv_program()
    if uv is None:
        raise Unprovided("The program uv is missing.", "Install cleanroom again, which brings it.")
    return uv


def uv_program() -> Path | None:
    """The program that came with this installation, or one on PATH."""
    for found in (Path(sysconfig.get_path("scripts")) / "uv", Path(shutil.which("uv") or "/-")):
        if found.is_file():
            return found
    return None
