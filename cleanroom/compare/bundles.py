"""Folders of files that are one thing (zarr stores): found among the artifacts of two runs, and
laid out for a comparator.

A file of a store that only one run has stays missing or extra. Not here: what a store holds.
"""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from cleanroom.compare.formats.zarr import ROOTS
from cleanroom.values.base import raw_path
from cleanroom.values.run import Evidence, Kind

BUNDLE = "zarr"
"""The comparator of all bundles."""


def bundle_roots(left: Evidence, right: Evidence) -> frozenset[str]:
    """The outermost folders that are a store in both runs."""
    marked = [
        {
            a.path.rpartition("/")[0]
            for a in run.artifacts
            if a.kind is Kind.FILE and a.path.rpartition("/")[2] in ROOTS
        }
        for run in (left, right)
    ]
    both = {folder for folder in marked[0] & marked[1] if folder}
    return frozenset(
        folder for folder in both if not any(parent in both for parent in _parents(folder))
    )


def bundle_of(path: str, roots: frozenset[str]) -> str:
    """The store that a file is part of, or nothing."""
    return next((parent for parent in _parents(path) if parent in roots), "") if roots else ""


def _parents(path: str) -> Iterable[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def lay_out(root: str, evidence: Evidence, locate: Callable[[str], Path], to: Path) -> bool:
    """Make the files of a store appear in a folder, as links to their contents; false where one is
    no longer kept.
    """
    for artifact in evidence.artifacts:
        if artifact.kind is not Kind.FILE or not artifact.path.startswith(f"{root}/"):
            continue
        content = locate(artifact.sha256)
        if not content.is_file():
            return False
        place = to / os.fsdecode(raw_path(artifact.path[len(root) + 1 :]))
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(content.absolute())
    return True
