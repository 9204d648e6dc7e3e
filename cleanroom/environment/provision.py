"""The packages of Python that a commit declares, made into a prefix. Not here: which packages."""

from collections.abc import Mapping

import msgspec

from cleanroom.environment.find import Found
from cleanroom.environment.making import Maker, Work, make_once
from cleanroom.environment.prefixes import Made
from cleanroom.environment.provision_conda import provision_rooms_conda, rooms_recipe
from cleanroom.environment.uv import of_uv, the_uv
from cleanroom.values.base import digest
from cleanroom.values.environment import CondaRecipe, Environment, Recipe


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
    recipe = recipe_of(found, maker.base, maker.environ)
    if recipe is None:
        return blank
    if isinstance(recipe, CondaRecipe):
        name = found.conda.name if found.conda else ""
        return _with(blank, recipe.digest, provision_rooms_conda(name, recipe, maker))
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


def recipe_of(found: Found, base: str, environ: Mapping[str, str]) -> Recipe | CondaRecipe | None:
    """The recipe of what was found, on that base; none where nothing is to be made.

    Raises: Unprovided.
    """
    if found.conda is not None:
        return rooms_recipe(found.conda, found.pip, found.snakemake, base, environ)
    return msgspec.structs.replace(found.recipe, base=base) if found.recipe else None


def _with(blank: Environment, prefix: str, made: Made) -> Environment:
    return msgspec.structs.replace(
        blank,
        prefix=prefix,
        python=made.python,
        packages=made.packages,
        inventory=digest(made.packages),
    )
