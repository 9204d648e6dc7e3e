"""The tree of a room as the host sees it, and the digests of its files.
Links are hashed, never followed.

Nothing of a room lives any more when its files are hashed: a process that holds a file in memory
can change it without a trace in its times. Not here: what a file is to the workflow.
"""

import contextlib
import hashlib
import os
import stat
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from cleanroom.beneath import Beneath
from cleanroom.errors import EngineError, Interrupted

_BLOCK = 2**20
_LONGEST = 4096
"""Bytes of a path: the kernel takes no longer one, so that no program of a workflow can name what
lies deeper.
"""
_MOST_FILES, _MOST_PATHS = 2_000_000, 128 * 2**20
"""Files that one room may leave, and the bytes of all their paths: each is kept in memory, about 1
KB a file.
"""
_SPECIAL = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFBLK: "a device",
    stat.S_IFCHR: "a device",
}


class Signature(NamedTuple):
    """What tells that a file was touched, without reading it.
    Times in nanoseconds, size in bytes.
    """

    mode: int
    size: int
    mtime: int
    ctime: int
    inode: int

    @property
    def same_content(self) -> tuple[int, int, int]:
        """Inode, size and time of content: what another name, other rights or another owner do not
        change.
        """
        return self.inode, self.size, self.mtime


class Hashed(NamedTuple):
    """A digest, or why there is none. `seen` is the file whose content it is."""

    sha256: str
    target: str = ""
    unexamined: str = ""
    seen: Signature | None = None


class Patience(NamedTuple):
    """When hashing must end: a moment of the monotonic clock, and whether somebody wants it to."""

    deadline: float = float("inf")
    stopped: Callable[[], bool] = lambda: False

    def check(self) -> None:
        """Raises: Interrupted, EngineError."""
        if self.stopped():
            raise Interrupted("Stopped.")
        if time.monotonic() > self.deadline:
            raise EngineError(
                "The time limit of the room was reached while its files were hashed.",
                "See --time-limit and --disk.",
            )


def signature(info: os.stat_result) -> Signature:
    return Signature(info.st_mode, info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino)


def scan(
    root: Path,
    own: frozenset[bytes] = frozenset(),
    grafts: Mapping[bytes, Path] = MappingProxyType({}),
    patience: Patience = Patience(),  # noqa: B008 - it is frozen
    stamps: frozenset[bytes] = frozenset(),
) -> dict[bytes, Signature]:
    """Every file, link and empty folder below `root`, by path relative to it; the places `own` are
    left out, and `stamps` while empty.

    `grafts` are folders that stand for a path. A folder that cannot be listed is itself in the
    result. The size and times of a folder say nothing, and are zero. A folder whose path is too
    long is in the result, and what it holds is not.

    Raises: EngineError where there is more than can be kept in memory; Interrupted.
    """
    found: dict[bytes, Signature] = {}
    length = 0
    with Beneath(root, grafts) as here:
        folders = [b"", *grafts]
        while folders:
            patience.check()
            folder = folders.pop()
            entries = 0
            _grant(here, folder, stat.S_IRWXU)
            try:
                for name, info in here.entries(folder):
                    path = folder + b"/" + name if folder else name
                    if path in stamps and stat.S_ISREG(info.st_mode) and not info.st_size:
                        continue
                    entries += 1
                    if path in own or path in grafts:
                        continue
                    if stat.S_ISDIR(info.st_mode) and len(path) <= _LONGEST:
                        folders.append(path)
                    else:
                        found[path] = signature(info)
                        length += len(path)
                if len(found) > _MOST_FILES or length > _MOST_PATHS:
                    raise EngineError(
                        f"The room left more than {_MOST_FILES} files, or paths of more than "
                        f"{_MOST_PATHS} bytes in all.",
                        "Let jobs remove what they do not need, or work in $TMPDIR.",
                    )
            except PermissionError:
                entries = 0
            if not entries and folder and folder not in grafts:
                info = here.stat(folder)
                found[folder] = Signature(info.st_mode, 0, 0, 0, info.st_ino)
    return found


def _grant(here: Beneath, path: bytes, rights: int) -> None:
    """Give us back what a job took away from its own files; root needs no leave."""
    if os.geteuid():
        with contextlib.suppress(OSError):
            here.grant(path, rights)


def hash_open(fd: int, patience: Patience = Patience()) -> str:  # noqa: B008 - it is frozen
    """The SHA-256 of an open file, from its beginning.
    Raises: OSError, Interrupted, EngineError.
    """
    digest, buffer = hashlib.sha256(), bytearray(_BLOCK)
    view = memoryview(buffer)
    position = 0
    while count := os.preadv(fd, [view], position):
        digest.update(view[:count])
        position += count
        if not position % (64 * _BLOCK):
            patience.check()
    return digest.hexdigest()


class Hasher:
    """Digests of one room's files, on any executor."""

    def __init__(
        self,
        root: Path,
        pool: Executor,
        grafts: Mapping[bytes, Path] = MappingProxyType({}),
        patience: Patience = Patience(),  # noqa: B008 - it is frozen
    ) -> None:
        self._root, self._pool, self._grafts, self._patience = root, pool, grafts, patience

    def tail(self, path: bytes, limit: int) -> str:
        """The last `limit` bytes of a regular file as text; empty for anything else."""
        try:
            with (
                Beneath(self._root, self._grafts) as here,
                os.fdopen(here.open(path), "rb") as stream,
            ):
                stream.seek(max(0, os.fstat(stream.fileno()).st_size - limit))
                return stream.read(limit).decode("utf-8", "backslashreplace")
        except OSError:
            return ""

    def digests(self, files: Mapping[bytes, Signature], batch: int = 256) -> dict[bytes, Hashed]:
        """The digest of every file, link and empty folder of a scan.
        Raises: Interrupted, EngineError.
        """
        hashed: dict[bytes, Hashed] = {}
        with Beneath(self._root, self._grafts) as here:
            for path, seen in files.items():
                if not stat.S_ISREG(seen.mode):
                    hashed[path] = _special(here, path, seen)
        # The largest first, so that no worker is left with one at the end; small ones in batches,
        # so that a task costs little.
        large = [
            path for path, seen in files.items() if stat.S_ISREG(seen.mode) and seen.size >= 2**20
        ]
        large.sort(key=lambda path: files[path].size, reverse=True)
        small = sorted(
            path for path, seen in files.items() if stat.S_ISREG(seen.mode) and seen.size < 2**20
        )
        batches = [[path] for path in large] + [
            small[i : i + batch] for i in range(0, len(small), batch)
        ]
        for result in self._pool.map(self._hash_batch, batches):
            for path, found in result.items():
                # The same value, and not another that is equal: of 200,000 files that is 50 MB
                # less.
                hashed[path] = (
                    found._replace(seen=files[path]) if found.seen == files[path] else found
                )
        return hashed

    def _hash_batch(self, paths: list[bytes]) -> dict[bytes, Hashed]:
        result = {}
        self._patience.check()
        with Beneath(self._root, self._grafts) as here:
            for path in paths:
                try:
                    _grant(here, path, stat.S_IRUSR)
                    fd = here.open(path)
                    try:
                        result[path] = Hashed(
                            hash_open(fd, self._patience), seen=signature(os.fstat(fd))
                        )
                    finally:
                        os.close(fd)
                except OSError as error:
                    result[path] = Hashed(
                        "", unexamined=f"it could not be read: {error.strerror or error}"
                    )
        return result


def _special(here: Beneath, path: bytes, seen: Signature) -> Hashed:
    if stat.S_ISLNK(seen.mode):
        raw = here.readlink(path)
        return Hashed(
            hashlib.sha256(b"link\0" + raw).hexdigest(),
            target=raw.decode("utf-8", "backslashreplace"),
        )
    if stat.S_ISDIR(seen.mode) and len(path) > _LONGEST:
        return Hashed(
            "",
            unexamined=f"its path has more than {_LONGEST} bytes, and what it holds was not listed",
        )
    if stat.S_ISDIR(seen.mode):
        if seen.mode & stat.S_IRUSR or os.geteuid() == 0:
            return Hashed(hashlib.sha256(f"type {stat.S_IFMT(seen.mode):o}".encode()).hexdigest())
        return Hashed("", unexamined="the folder could not be listed")
    kind = _SPECIAL.get(stat.S_IFMT(seen.mode), "no file")
    return Hashed("", unexamined=f"it is {kind}, which holds nothing that could be compared")
