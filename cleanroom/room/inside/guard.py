"""What jobs leave behind is not imported into Snakemake's own process, where it could say anything
of the run.

Not here: what the workflow's own code imports while it is read; that is code of the commit.
"""

import os
import sys

from .export import OUT, PLACES, WORK

WRITABLE = (WORK, OUT, PLACES, "/tmp", "/var/tmp", "/dev/shm")


def code_in(root):
    """{path: (inode, time of change)} of every file from which Python could import.
    No job can choose a time of change.
    """
    found = {}
    for folder, _, files in os.walk(root):
        for file in files:
            if file.endswith((".py", ".pyc", ".so", ".zip", ".egg", ".whl")):
                path = os.path.join(folder, file)
                info = os.lstat(path)
                found[path] = info.st_ino, info.st_ctime_ns
    return found


class Guard:
    """A finder before all others: what they find where jobs can write must have been there before
    the first job.
    """

    def __init__(self):
        self.known = None

    def close(self):
        """From now on: called before the first job starts."""
        if self.known is None:
            self.known = code_in(WORK)
            sys.meta_path.insert(0, self)

    def find_spec(self, fullname, path=None, target=None):
        for finder in list(sys.meta_path):
            find = getattr(finder, "find_spec", None)
            spec = find(fullname, path, target) if find is not None and finder is not self else None
            if spec is not None:
                places = [place for place in (spec.origin, spec.cached) if place] + list(
                    spec.submodule_search_locations or ()
                )
                for place in places:
                    self._check(fullname, os.path.abspath(str(place)))
                return spec
        return None

    def _check(self, fullname, place):
        for full in {place, os.path.realpath(place)}:
            if not any(full == folder or full.startswith(folder + os.sep) for folder in WRITABLE):
                continue
            try:
                info = os.lstat(full)
            except OSError:
                continue  # nothing is there: nothing can be read from it
            package = os.path.isdir(full) and any(
                path.startswith(full + os.sep) for path in self.known
            )
            if not package and self.known.get(full) != (info.st_ino, info.st_ctime_ns):
                text = (
                    "cleanroom: the module '%s' (%s) was made while jobs ran; Snakemake's own "
                    "process does not import it"
                )
                raise ModuleNotFoundError(text % (fullname, full), name=fullname)
