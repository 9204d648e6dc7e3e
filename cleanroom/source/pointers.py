"""Files of a commit that only point to their content, by DVC or git-annex. Pure.

Not here: those of git-lfs, whose content is fetched with the clone.
"""

from collections.abc import Mapping, Sequence

_DVC, _ANNEX = ".dvc", ".git/annex/objects/"


def pointers(
    tracked: Sequence[str], links: Mapping[str, str], provided: Sequence[str] = ()
) -> list[str]:
    """The files that a commit is about and does not hold, in order, but for those that are
    `provided`, or lie below what is. `links` are its links and their targets.
    """
    held = set(tracked)
    of_dvc = {path.removesuffix(_DVC) for path in tracked if path.endswith(_DVC)}
    named = {path for path in of_dvc if path.rpartition("/")[2] and path not in held}
    annexed = {path for path, target in links.items() if _ANNEX in target}
    places = [place.rstrip("/") for place in provided]
    return sorted(
        path
        for path in named | annexed
        if not any(path == place or path.startswith(f"{place}/") for place in places)
    )
