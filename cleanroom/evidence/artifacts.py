"""From a tree and the job records of a room to artifacts: what a run left, what it is to the
workflow, which job made it.
"""

import bisect
import hashlib
import itertools
import re
import stat
from collections.abc import Container, Iterator

from cleanroom.evidence.links import Links
from cleanroom.evidence.tree import Hashed, Signature
from cleanroom.values.base import escape_path, raw_path
from cleanroom.values.run import Artifact, Attempt, Kind, Role


def changed(
    before: dict[bytes, Signature], after: dict[bytes, Signature]
) -> dict[bytes, Signature]:
    """What is new or was touched. A folder that was there before is no trace of a run."""
    return {
        path: seen
        for path, seen in after.items()
        if before.get(path) != seen and not _same_folder(before.get(path), seen)
    }


def _same_folder(before: Signature | None, after: Signature) -> bool:
    return before is not None and stat.S_ISDIR(before.mode) and stat.S_ISDIR(after.mode)


class _Owners:
    """Which job declared a path, and as what."""

    def __init__(self, attempts: tuple[Attempt, ...], links: Links | None) -> None:
        self.paths: dict[str, tuple[int, Role]] = {}
        self.folders: dict[str, tuple[int, Role]] = {}
        for index, attempt in enumerate(attempts):
            job = attempt.job
            for path in filter(None, (*job.log, job.benchmark)):
                self.paths[path] = (index, Role.BENCHMARK if path == job.benchmark else Role.LOG)
        for index, attempt in enumerate(attempts):  # what is an output too is an output
            for file in attempt.job.output:
                role = Role.TEMP if {"temp", "temporary"} & set(file.flags) else Role.OUTPUT
                for path in {file.path, _end_of(file.path, links)}:
                    (self.folders if "directory" in file.flags else self.paths)[path] = (
                        index,
                        role,
                    )

    def of(self, path: str) -> tuple[int, Role] | None:
        if found := self.paths.get(path) or self.folders.get(path):
            return found
        folder = path
        while self.folders and "/" in folder:
            folder = folder.rpartition("/")[0]
            if found := self.folders.get(folder):
                return found
        return None


def _end_of(path: str, links: Links | None) -> str:
    """Where a path of the clone lies through its links; the path itself where it does not lie in
    the clone.
    """
    end = links.reach(raw_path(path)) if links and not path.startswith("/") else None
    return escape_path(end.path) if end and end.inside and not end.through else path


_NOT_KEPT = {"temp", "temporary", "pipe", "service"}


def unkept(
    attempts: tuple[Attempt, ...],
    artifacts: tuple[Artifact, ...],
    delivered: set[str],
    links: Links,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(declared outputs that lie where the walk does not look, those that are gone at the end), of
    the jobs that ended well.
    """
    paths = {artifact.path for artifact in artifacts} | delivered
    folders = {folder for path in paths for folder in _parents(path)}
    away: dict[str, None] = {}
    gone: dict[str, None] = {}
    for attempt in attempts:
        for file in attempt.job.output if attempt.ok else ():
            if _NOT_KEPT & set(file.flags) or file.path in paths or file.path in folders:
                continue
            if (found := _end_of(file.path, links)) != file.path and (
                found in paths or found in folders
            ):
                continue  # through a link of the clone, to what was examined
            end = links.reach(raw_path(file.path))
            hidden = end is None or not end.inside or links.unseen(raw_path(file.path))
            (away if hidden else gone).setdefault(file.path)
    return tuple(away), tuple(gone)


def _parents(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


class _AtWork:
    """Which attempts were running at a moment; attempts with an unknown end are ignored."""

    def __init__(self, attempts: tuple[Attempt, ...], codeless: Container[str] = ()) -> None:
        self._spans = sorted(
            (a.started, a.ended, i)
            for i, a in enumerate(attempts)
            if a.ended is not None and a.job.rule not in codeless
        )
        self._starts = [start for start, _, _ in self._spans]
        self._latest = list(itertools.accumulate((end for _, end, _ in self._spans), max))
        """The latest end of all spans up to each: before the first that reaches a moment, no span
        does.
        """

    def at(self, moment: float) -> tuple[int, ...]:
        """Who was at work at a moment of a file system. Its clock may be behind: attempts start by
        that clock and end by the exact one.
        """
        first, last = (
            bisect.bisect_left(self._latest, moment),
            bisect.bisect_right(self._starts, moment),
        )
        return tuple(sorted(i for _, end, i in self._spans[first:last] if moment <= end))


def _kind(mode: int) -> Kind:
    if stat.S_ISREG(mode):
        return Kind.FILE
    if stat.S_ISLNK(mode):
        return Kind.LINK
    return Kind.DIRECTORY if stat.S_ISDIR(mode) else Kind.OTHER


def removed(
    before: dict[bytes, Signature], after: dict[bytes, Signature], tracked_outputs: tuple[str, ...]
) -> Iterator[Artifact]:
    """Tracked files that the run took away; outputs that were removed before it are not its
    work.
    """
    for raw in sorted(before.keys() - after.keys()):
        path = escape_path(raw)
        if path not in tracked_outputs and not stat.S_ISDIR(before[raw].mode):
            sha256 = hashlib.sha256(b"removed").hexdigest()
            yield Artifact(
                path=path, kind=Kind.REMOVED, size=0, mode=0, sha256=sha256, role=Role.TRACKED
            )


def _bytecode_of(path: bytes) -> bytes:
    """The module of the clone whose compiled form Python keeps under that path; nothing where it is
    no such path.
    """
    match = re.fullmatch(rb"((?:.*/)?)__pycache__/([^/]+)\.cpython-\d+(?:\.opt-\d)?\.pyc", path)
    return match[1] + match[2] + b".py" if match else b""


def collect(
    before: dict[bytes, Signature],
    touched: dict[bytes, Signature],
    hashed: dict[bytes, Hashed],
    attempts: tuple[Attempt, ...],
    unchanged: set[bytes],
    scratch: tuple[re.Pattern[str], ...] = (),
    links: Links | None = None,
    codeless: Container[str] = (),
) -> tuple[Artifact, ...]:
    """The artifacts of a run, sorted by path.

    `links` tells where a link leads; `scratch` are paths at which Snakemake itself works, wherever
    a profile puts them; that of a folder ends with a slash. `unchanged` are tracked files that were
    touched but hold what git delivered; without a job that declares them they are nobody's work,
    and no artifact. `codeless` are rules that run nothing, and so are at work on no file.
    """
    owners = _Owners(attempts, links)
    at_work = _AtWork(attempts, codeless)
    artifacts = []
    for raw, seen in touched.items():
        path = escape_path(raw)
        owner = owners.of(path)
        if owner is None and raw in unchanged:
            continue
        result = hashed[raw]
        index, role = owner or (-1, Role.TRACKED if raw in before else Role.UNDECLARED)
        if owner is None and (
            _bytecode_of(raw) in before
            or any(
                place.fullmatch(f"{path}/" if stat.S_ISDIR(seen.mode) else path)
                for place in scratch
            )
        ):
            role = Role.CACHE
        leads = _end_of(path, links) if stat.S_ISLNK(seen.mode) else path
        artifacts.append(
            Artifact(
                path=path,
                kind=_kind(seen.mode),
                size=seen.size,
                mode=stat.S_IMODE(seen.mode),
                sha256=result.sha256,
                role=role,
                job=index,
                target=result.target,
                leads_to=leads if leads != path else "",
                unexamined=result.unexamined
                or (links.unseen(raw) if links and stat.S_ISLNK(seen.mode) else ""),
                written_during=at_work.at(seen.ctime / 1e9) if owner is None else (),
            )
        )
    return tuple(sorted(artifacts, key=lambda artifact: artifact.path))
