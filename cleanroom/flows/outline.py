"""What a confirmation of a commit would be: its entry, profiles, software and rooms. Nothing is
made and nothing is run. Not here: how it looks.
"""

import os
from pathlib import Path

from cleanroom.environment.making import base_of
from cleanroom.environment.prefixes import kept
from cleanroom.environment.provision import recipe_of
from cleanroom.errors import ProofError
from cleanroom.flows.choose import Chosen, Request, choose
from cleanroom.flows.open import deployment_of
from cleanroom.room.engines.registry import choose_engine, open_engine
from cleanroom.rungs.interface import Asked
from cleanroom.rungs.registry import RUNGS
from cleanroom.values.base import SCHEMA_VERSION, Value
from cleanroom.values.environment import PassedOver
from cleanroom.values.setup import Entry, Image, Learnt, Profile, Source


class Software(Value, frozen=True):
    """What rooms would hold beside the clone. `prefix` is its digest, empty for the base's own
    software or where no engine answers; it is `there` already, with so many `packages` and bytes.
    """

    taken: tuple[str, ...] = ()
    passed_over: tuple[PassedOver, ...] = ()
    unpinned: tuple[str, ...] = ()
    to_make: bool = False
    prefix: str = ""
    there: bool = False
    packages: int = 0
    size: int = 0


class Outline(Value, frozen=True):
    """What `cleanroom confirm` would do with a commit."""

    source: Source
    entry: Entry
    profiles: tuple[Profile, ...]
    software: Software
    deployment: str
    """What rules would run in."""
    reaches: bool
    """Whether a plan more is made first, to learn what the workflow takes from beyond its
    commit.
    """
    rooms: tuple[str, ...]
    """The rooms that are made whatever is found in them, each in a few words."""
    engine: str = ""
    image: Image | None = None
    lacking: str = ""
    """Why no room can be made here."""
    learnt: Learnt | None = None
    schema_version: str = SCHEMA_VERSION


def outline(request: Request) -> Outline:
    """What a confirmation would be. Raises: UsageError, SourceError, Unprovided."""
    chosen = choose(request)
    image, engine, lacking = _base(request)
    return Outline(
        source=chosen.source,
        entry=chosen.entry,
        learnt=chosen.learnt,
        profiles=chosen.profiles,
        software=_software(chosen, request, image),
        deployment=deployment_of(request),
        reaches=chosen.reaches,
        rooms=tuple(_rooms(chosen, request)),
        engine=engine,
        image=image,
        lacking=lacking,
    )


def _base(request: Request) -> tuple[Image | None, str, str]:
    """(image, engine, why there is none)."""
    try:
        name = choose_engine(request.engine, request.image)
        engine = open_engine(name)
        try:
            return engine.resolve(request.image), name, ""
        finally:
            engine.close()
    except ProofError as error:
        return None, "", str(error)


def _software(chosen: Chosen, request: Request, image: Image | None) -> Software:
    found = chosen.software
    recipe = recipe_of(found, base_of(image), os.environ) if image else None
    prefix = recipe.digest if recipe else ""
    there = kept(Path(request.cache), prefix)
    return Software(
        taken=found.taken,
        passed_over=found.passed_over,
        unpinned=found.unpinned,
        to_make=found.any and there is None,
        prefix=prefix,
        there=there is not None,
        packages=len(there.made.packages) if there else 0,
        size=there.size if there else 0,
    )


def _rooms(chosen: Chosen, request: Request) -> list[str]:
    names = [profile.name for profile in chosen.profiles]
    looked = [f"{name}, planned to see what it takes from beyond the commit" for name in names]
    first = names[0]
    asked = Asked(request.climb, first, request.repeats, tuple(chosen.others))
    more = [f"{first}, {rung.name}" for rung in RUNGS for _ in rung.at_once(asked)]
    if len(names) == 1 and not more and not request.against:
        more = [f"{first}, once more"]
    return [*(looked if chosen.reaches else ()), *names, *more]
