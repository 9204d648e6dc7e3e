"""Where a path of the clone leads, link by link, as the room sees it: what is behind a link is
examined only where the walk looks.

Pure, but for reading the links of a dead room. Not here: hashing.
"""

import posixpath
import stat
from collections.abc import Callable, Container, Mapping, Sequence
from typing import NamedTuple

from cleanroom.evidence.tree import Signature

_MOST_LINKS = 40
"""As many as the kernel follows."""
_WRITABLE = (b"/tmp", b"/var/tmp", b"/dev", b"/proc", b"/run", b"/room")
"""Where a job can leave something that the walk does not see.
All else outside of the clone is the image's, and cannot be written.
"""


class Reached(NamedTuple):
    """The end of the way: a path in the clone, or one of the room outside of it.

    `through` is the first step of the way that lies where a job can leave something unseen: there
    the way itself may be another one than it looks (a `..` after a link is resolved by the kernel,
    not by its letters).
    """

    path: bytes
    inside: bool
    through: bytes = b""


class Links:
    """The links of one tree, after the run. `own` are the places that are left out of the walk.

    `writable` are the folders outside of the tree in which something can have been left; "/" for a
    tree of which nothing else is known.
    """

    def __init__(
        self,
        tree: Mapping[bytes, Signature],
        readlink: Callable[[bytes], bytes],
        place: bytes,
        own: Container[bytes],
        writable: Sequence[bytes] = _WRITABLE,
    ) -> None:
        self._tree, self._readlink, self._place, self._own, self._writable = (
            tree,
            readlink,
            place,
            own,
            writable,
        )

    def reach(self, path: bytes) -> Reached | None:
        """The end of the way of a path relative to the clone, or absolute; None where links lead in
        a circle.
        """
        left = posixpath.join(self._place, path).split(b"/")[1:]
        at: list[bytes] = []
        followed, through = 0, b""
        top = self._place.split(b"/")[1:]
        while left:
            part, *left = left
            if part in (b"", b"."):
                continue
            if part == b"..":
                at = at[:-1]
                continue
            at.append(part)
            relative = (
                b"/".join(at[len(top) :]) if at[: len(top)] == top and len(at) > len(top) else b""
            )
            through = through or self._unseen_step(b"/".join(at), relative, at == top[: len(at)])
            seen = self._tree.get(relative) if relative else None
            if seen is not None and stat.S_ISLNK(seen.mode):
                followed += 1
                if followed > _MOST_LINKS:
                    return None
                target = self._readlink(relative)
                left = [*target.split(b"/"), *left]
                at = [] if target.startswith(b"/") else at[:-1]
        if at[: len(top)] == top:
            return Reached(b"/".join(at[len(top) :]), True, through)
        return Reached(b"/" + b"/".join(at), False, through)

    def _unseen_step(self, at: bytes, relative: bytes, above: bool) -> bytes:
        """A step of a way, where a job can leave something there that nobody sees; nothing for any
        other.
        """
        if relative:
            return relative if relative in self._own else b""
        full = b"/" + at
        hidden = not above and any(
            full == folder or full.startswith(folder.rstrip(b"/") + b"/")
            for folder in self._writable
        )
        return full if hidden else b""

    def unseen(self, path: bytes) -> str:
        """Why the content at the end of a path is not examined though a job could have put it
        there; empty where it is, or is fixed.
        """
        end = self.reach(path)
        if end is None:
            return "its links lead in a circle"
        if not end.through:
            return ""
        text = end.path.decode("utf-8", "backslashreplace")
        return (
            f"it leads to {text}, which is not part of the results"
            if end.inside
            else f"it leads to {text}, where results are not kept"
        )
