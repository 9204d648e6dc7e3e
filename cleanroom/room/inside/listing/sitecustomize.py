"""Python lists every folder in reverse.
A file system promises no order; a result must not depend on it.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import sys
from typing import Any


class _Reversed:
    """What `os.scandir` gives, from the last entry on."""

    def __init__(self, entries: Any) -> None:
        with entries:
            self._entries = iter(list(entries)[::-1])

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        return next(self._entries)

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        self._entries = iter(())


def reverse() -> None:
    listdir: Any = os.listdir
    scandir: Any = os.scandir

    def in_reverse(*path: Any) -> Any:
        return listdir(*path)[::-1]

    if not getattr(listdir, "in_reverse", False):  # twice would be not at all
        setattr(in_reverse, "in_reverse", True)
        setattr(os, "listdir", in_reverse)
        setattr(os, "scandir", lambda *path: _Reversed(scandir(*path)))


if __name__ == "sitecustomize":
    reverse()
    sys.path[:] = [folder for folder in sys.path if folder != os.path.dirname(__file__)]
    behind = importlib.machinery.PathFinder.find_spec(
        "sitecustomize"
    )  # this Python's own, where it has one
    if behind and behind.loader:
        behind.loader.exec_module(importlib.util.module_from_spec(behind))
