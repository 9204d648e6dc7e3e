"""What jobs leave behind is not imported into Snakemake's own process, where it could say anything
of the run.

Not here: what the workflow's own code imports while it is read; that is code of the commit.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import SourceFileLoader
from typing import Any, Dict, Tuple

from .export import OUT, PLACES, WORK

WRITABLE = (WORK, OUT, PLACES, "/tmp", "/var/tmp", "/dev/shm")
Known = Dict[str, Tuple[int, int]]
_REFUSED = (
    "cleanroom: the module '%s' (%s) was made while jobs ran; Snakemake's own process does not "
    "import it"
)


def signature(info: os.stat_result) -> tuple[int, int]:
    """(inode, time of change) of a file. No job can choose a time of change."""
    return info.st_ino, info.st_ctime_ns


def code_in(root: str) -> Known:
    """The signature of every file from which Python could import, by path."""
    found = {}
    for folder, _, files in os.walk(root):
        for file in files:
            if file.endswith((".py", ".pyc", ".so", ".zip", ".egg", ".whl")):
                path = os.path.join(folder, file)
                found[path] = signature(os.lstat(path))
    return found


def writable(path: str) -> bool:
    """Whether it lies where jobs can write."""
    return any(path == folder or path.startswith(folder + os.sep) for folder in WRITABLE)


class Guard:
    """Stands before every finder: what they find where jobs can write must have been there before
    the first job.
    """

    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        """From now on: called before the first job starts."""
        if not self.closed:
            self.closed = True
            known = code_in(WORK)
            sys.meta_path[:] = [Finder(finder, known) for finder in sys.meta_path]


class Finder:
    """A finder whose answers are looked at.

    Each is asked once: an answer that another one gives a moment later would not have been looked
    at, and a job that is at work can make that difference.
    """

    def __init__(self, finder: Any, known: Known) -> None:
        self._finder, self._known = finder, known

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._finder, attribute)

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        find = getattr(self._finder, "find_spec", None)
        spec = find(fullname, path, target) if find is not None else None
        if spec is None:
            return None
        places = [place for place in (spec.origin, spec.cached) if place]
        for place in places + list(spec.submodule_search_locations or ()):
            self._check(fullname, os.path.abspath(str(place)))
        if type(spec.loader) is SourceFileLoader and writable(os.path.realpath(spec.origin)):
            spec.loader = Source(fullname, spec.origin, self._known)
        return spec

    def _check(self, fullname: str, place: str) -> None:
        for full in {place, os.path.realpath(place)}:
            if not writable(full):
                continue
            try:
                info = os.lstat(full)
            except OSError:
                continue  # nothing is there: nothing can be read from it
            package = os.path.isdir(full) and any(
                path.startswith(full + os.sep) for path in self._known
            )
            if not package and self._known.get(full) != signature(info):
                raise ModuleNotFoundError(_REFUSED % (fullname, full), name=fullname)


class Source(SourceFileLoader):
    """Reads a module of the clone as it was before the first job, or not at all: a job may write it
    between the moment when it is found and the one when it is read.
    """

    def __init__(self, fullname: str, path: str, known: Known) -> None:
        super().__init__(fullname, path)
        self._known = known

    def get_data(self, path: Any) -> bytes:
        with open(path, "rb") as stream:
            begin = signature(os.fstat(stream.fileno()))
            data = stream.read()
            end = signature(os.fstat(stream.fileno()))
        if not begin == end == self._known.get(os.path.realpath(path)):
            raise ModuleNotFoundError(_REFUSED % (self.name, path), name=self.name)
        return data
