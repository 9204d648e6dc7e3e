"""Where a path of the clone leads, link by link, as the room sees it: what is behind a link is examined only where the walk looks.

Pure, but for reading the links of a dead room. Not here: hashing.
"""

import posixpath
import stat
from collections.abc import Callable, Container, Mapping
from typing import NamedTuple

from cleanroom.evidence.walk import Signature

_MOST_LINKS = 40
"""As many as the kernel follows."""
_WRITABLE = ("/tmp", "/var/tmp", "/dev", "/proc", "/run", "/room")  # noqa: S108 - the room's own
"""Where a job can leave something that the walk does not see. All else outside of the clone is the image's, and cannot be written."""


class Reached(NamedTuple):
    """The end of the way: a path in the clone, or one of the room outside of it."""

    path: bytes
    inside: bool


class Links:
    """The links of one tree, after the run. `own` are the places that are left out of the walk."""

    def __init__(
        self, tree: Mapping[bytes, Signature], readlink: Callable[[bytes], bytes], place: bytes, own: Container[bytes]
    ) -> None:  # fmt: skip
        self._tree, self._readlink, self._place, self._own = tree, readlink, place, own

    def reach(self, path: bytes) -> Reached | None:
        """The end of the way of a path relative to the clone, or absolute; None where links lead in a circle."""
        left = posixpath.join(self._place, path).split(b"/")[1:]
        at: list[bytes] = []
        followed = 0
        top = self._place.split(b"/")[1:]
        while left:
            part, *left = left
            if part in (b"", b"."):
                continue
            if part == b"..":
                at = at[:-1]
                continue
            at.append(part)
            relative = b"/".join(at[len(top) :]) if at[: len(top)] == top and len(at) > len(top) else b""
            seen = self._tree.get(relative) if relative else None
            if seen is not None and stat.S_ISLNK(seen.mode):
                followed += 1
                if followed > _MOST_LINKS:
                    return None
                target = self._readlink(relative)
                left = [*target.split(b"/"), *left]
                at = [] if target.startswith(b"/") else at[:-1]
        if at[: len(top)] == top:
            return Reached(b"/".join(at[len(top) :]), True)
        return Reached(b"/" + b"/".join(at), False)

    def unseen(self, path: bytes) -> str:
        """Why the content at the end of a path is not examined though a job could have put it there; empty where it is, or is fixed."""
        end = self.reach(path)
        if end is None:
            return "its links lead in a circle"
        text = end.path.decode("utf-8", "backslashreplace")
        if end.inside:
            parts = end.path.split(b"/")
            hidden = any(b"/".join(parts[: i + 1]) in self._own for i in range(len(parts)))
            return f"it leads to {text}, which is not part of the results" if hidden else ""
        if any(text == folder or text.startswith(f"{folder}/") for folder in _WRITABLE):
            return f"it leads to {text}, where results are not kept"
        return ""
