"""The tree of a commit as git lists it, refused where it holds what no honest commit does.

Git writes a tree to disk entry by entry. Two entries of one name, a link and a folder, would make
it write through the link; a name such as `.git` would make it write its own configuration. Git's
own checks see this in a fetch; these see it whenever a commit is used. Pure. Not here: asking git.
"""

import re
import unicodedata
from typing import NamedTuple

from cleanroom.errors import SourceError

_MOST_ENTRIES = 500_000
_SHORT_NAME = re.compile(r"git~\d+")


class Entry(NamedTuple):
    """One entry: `blob`, `tree` or `commit` (a submodule), its mode as git writes it, its object,
    its path from the top.

    `size` is that of a blob in bytes.
    """

    mode: str
    kind: str
    object: str
    path: str
    size: int = 0


def parse_tree(listing: str, url: str) -> tuple[Entry, ...]:
    """The entries of `git ls-tree -r -t -z --long --full-tree`, folders before what they hold.

    Raises: SourceError for a tree that no honest commit has.
    """
    if listing.count("\0") > _MOST_ENTRIES:
        raise SourceError(
            f"A commit of {url} holds more than {_MOST_ENTRIES} files.",
            "Is the repository what it should be?",
        )
    found: list[Entry] = []
    kinds: dict[str, str] = {"": "tree"}
    same: dict[
        str, str
    ] = {}  # one text for all that are equal: a tree may name one object a million times
    for line in filter(None, listing.split("\0")):
        head, _, path = line.partition("\t")
        mode, kind, name, *size = (same.setdefault(word, word) for word in head.split())
        folder, _, last = path.rpartition("/")
        if path in kinds:
            raise _hostile(url, path, "is there twice")
        if kinds.get(folder) != "tree":
            raise _hostile(url, path, "lies in something that is no folder")
        if why := _forbidden(last):
            raise _hostile(url, path, why)
        kinds[path] = kind
        found.append(Entry(mode, kind, name, path, int(size[0]) if size and size[0] != "-" else 0))
    return tuple(found)


def _forbidden(name: str) -> str:
    """Why no file may be called so, or nothing; file systems that fold names or leave out signs are
    thought of.
    """
    if name in ("", ".", ".."):
        return "is no name of a file"
    shown = name if name.isascii() else "".join(c for c in name if unicodedata.category(c) != "Cf")
    seen = shown.casefold().rstrip(". ").partition(":")[0]
    return "is git's own name" if seen == ".git" or _SHORT_NAME.fullmatch(seen) else ""


def _hostile(url: str, path: str, why: str) -> SourceError:
    return SourceError(
        f"A commit of {url} is refused: '{path}' {why}.",
        "No honest commit has such a tree; see `git fsck` there.",
    )
