"""The packages of Python that a commit declares, made into a prefix. Not here: which packages."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from cleanroom.environment.find import Found
from cleanroom.environment.making import Maker, Work, make_once
from cleanroom.environment.prefixes import TREE, Made, folder_of
from cleanroom.environment.provision_conda import provision_rooms_conda, rooms_recipe
from cleanroom.environment.uv import of_uv, the_uv
from cleanroom.room.engines.interface import Mount
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
    if found.conda is not None:
        conda = rooms_recipe(found.conda, found.pip, found.snakemake, maker)
        return _with(blank, conda.digest, provision_rooms_conda(found.conda.name, conda, maker))
    if found.recipe is None:
        return blank
    recipe = msgspec.structs.replace(found.recipe, base=maker.base)
    work = Work(
        called=f"the environment of {', '.join(found.taken) or 'cleanroom.yaml'}",
        module="python",
        asked={"recipe": msgspec.to_builtins(recipe)},
        files=recipe.files,
        programs=(the_uv(),),
        env=of_uv(maker.environ),
        repair="Mend what the repository declares, or say under `environment:` in cleanroom.yaml "
        "what to take; --environment default takes the room's own software.",
    )
    made = make_once(recipe.digest, work, maker)
    return _with(blank, recipe.digest, made)


def prefix_of(found: Found, maker: Maker) -> str:
    """The digest that the prefix of this environment has, or would have; nothing without one.

    Raises: Unprovided.
    """
    if found.conda is not None:
        return rooms_recipe(found.conda, found.pip, found.snakemake, maker).digest
    return msgspec.structs.replace(found.recipe, base=maker.base).digest if found.recipe else ""


def _with(blank: Environment, prefix: str, made: Made) -> Environment:
    return msgspec.structs.replace(
        blank,
        prefix=prefix,
        python=made.python,
        packages=made.packages,
        inventory=digest(made.packages),
    )
