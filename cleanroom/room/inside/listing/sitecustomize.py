"""Python lists every folder in reverse.
A file system promises no order; a result must not hang on it.
"""

import importlib.machinery
import importlib.util
import os
import sys


class _Reversed:
    """What `os.scandir` gives, from the last entry on."""

    def __init__(self, entries):
        with entries:
            self._entries = iter(list(entries)[::-1])

    def __iter__(self):
        return self

    def __next__(self):
        return next(self._entries)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._entries = iter(())


def reverse():
    listdir, scandir = os.listdir, os.scandir
    if not getattr(listdir, "in_reverse", False):  # twice would be not at all
        os.listdir = lambda *path: listdir(*path)[::-1]
        os.scandir = lambda *path: _Reversed(scandir(*path))
        os.listdir.in_reverse = True


if __name__ == "sitecustomize":
    reverse()
    sys.path[:] = [folder for folder in sys.path if folder != os.path.dirname(__file__)]
    behind = importlib.machinery.PathFinder.find_spec(
        "sitecustomize"
    )  # this Python's own, where it has one
    if behind and behind.loader:
        behind.loader.exec_module(importlib.util.module_from_spec(behind))
