"""Which runs agree with which: all against all, as groups. Pure. Not here: when two agree."""

from collections.abc import Callable, Sequence
from typing import TypeVar

_Thing = TypeVar("_Thing")


def group(things: Sequence[_Thing], agree: Callable[[_Thing, _Thing], bool]) -> list[list[_Thing]]:
    """Groups whose members all agree with each other; each thing joins the first group that it
    agrees with in whole.

    Agreeing within a tolerance is not transitive, so one member is not asked for all.
    """
    groups: list[list[_Thing]] = []
    for thing in things:
        home = next(
            (members for members in groups if all(agree(member, thing) for member in members)), None
        )
        if home is None:
            groups.append([thing])
        else:
            home.append(thing)
    return groups
