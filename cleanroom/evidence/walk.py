"""The tree of a room as the host sees it, and the digests of its files. Links are hashed, never followed.

Hashing overlaps with the run: a file is hashed when its job has ended, and its digest holds only if nothing about the file,
its change time included (no process can set that), is different at the end. Not here: what a file is to the workflow.
"""

import contextlib
import hashlib
import os
import stat
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import NamedTuple

_OWN = {b".git", b".snakemake"}
_TIMESTAMP = b".snakemake_timestamp"


class Signature(NamedTuple):
    """What tells that a file was touched, without reading it. Times in nanoseconds, size in bytes."""

    mode: int
    size: int
    mtime: int
    ctime: int
    inode: int


class Hashed(NamedTuple):
    """A digest, or why there is none."""

    sha256: str
    target: str = ""
    unexamined: str = ""


def signature(info: os.stat_result) -> Signature:
    return Signature(info.st_mode, info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino)


def scan(root: bytes) -> dict[bytes, Signature]:
    """Every file, link and empty folder below `root`, by path relative to it; git's and Snakemake's own folders left out.

    A folder that cannot be listed is itself in the result. The size and times of a folder say nothing, and are zero.
    """
    found: dict[bytes, Signature] = {}
    folders = [b""]
    while folders:
        folder = folders.pop()
        entries = 0
        _allow(os.path.join(root, folder), stat.S_IRWXU)
        try:
            with os.scandir(os.path.join(root, folder)) as listing:
                for entry in listing:
                    if entry.name == _TIMESTAMP:
                        continue
                    entries += 1
                    if entry.name in _OWN:
                        continue
                    path = os.path.join(folder, entry.name)
                    info = entry.stat(follow_symlinks=False)
                    if stat.S_ISDIR(info.st_mode):
                        folders.append(path)
                    else:
                        found[path] = signature(info)
        except PermissionError:
            entries = 0
        if not entries and folder:
            info = os.lstat(os.path.join(root, folder))
            found[folder] = Signature(info.st_mode, 0, 0, 0, info.st_ino)
    return found


def _allow(path: bytes, rights: int) -> None:
    """Give us back what a job took away from its own files; root needs no leave."""
    if os.geteuid() and not os.access(path, os.R_OK | (os.X_OK if rights & stat.S_IXUSR else 0)):
        with contextlib.suppress(OSError):
            os.chmod(path, stat.S_IMODE(os.stat(path).st_mode) | rights)


def open_beneath(root: int, path: bytes) -> int:
    """Open a regular file below the open folder `root`, following no link on the way. Raises OSError."""
    folder = os.dup(root)
    try:
        *parts, last = path.split(b"/")
        for part in parts:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
            os.close(folder)
            folder = inner
        return os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    finally:
        os.close(folder)


def hash_file(root: int, path: bytes) -> tuple[Signature, str]:
    """The signature and SHA-256 of a regular file. Raises OSError, also for anything that is not a regular file."""
    with os.fdopen(open_beneath(root, path), "rb", buffering=0) as stream:
        info = os.fstat(stream.fileno())
        if not stat.S_ISREG(info.st_mode):
            raise OSError("not a regular file")
        return signature(info), hashlib.file_digest(stream, "sha256").hexdigest()


class Hasher:
    """Digests of one room's files, on any executor, each file once."""

    def __init__(self, root: bytes, pool: Executor) -> None:
        self._root = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._base = root
        self._pool = pool
        self._early: dict[bytes, Future[tuple[Signature, str]]] = {}

    def close(self) -> None:
        for future in self._early.values():
            future.cancel()
            if not future.cancelled():
                future.exception()
        os.close(self._root)

    def __enter__(self) -> "Hasher":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ahead(self, path: bytes) -> None:
        """Hash a file while the run goes on; a later change makes the digest void."""
        self._early[path] = self._pool.submit(hash_file, self._root, path)

    def tail(self, path: bytes, limit: int) -> str:
        """The last `limit` bytes of a regular file as text; empty for anything else."""
        try:
            with os.fdopen(open_beneath(self._root, path), "rb") as stream:
                info = os.fstat(stream.fileno())
                if not stat.S_ISREG(info.st_mode):
                    return ""
                stream.seek(max(0, info.st_size - limit))
                return stream.read(limit).decode("utf-8", "backslashreplace")
        except OSError:
            return ""

    def digests(self, files: dict[bytes, Signature], batch: int = 256) -> dict[bytes, Hashed]:
        """The digest of every file, link and empty folder of a scan."""
        regular: list[bytes] = []
        hashed: dict[bytes, Hashed] = {}
        for path, seen in files.items():
            early = self._early_digest(path, seen)
            if early:
                hashed[path] = Hashed(early)
            elif stat.S_ISREG(seen.mode):
                regular.append(path)
            else:
                hashed[path] = self._special(path, seen)
        # The largest first, so that no worker is left with one at the end; small ones in batches, so that a task costs little.
        regular.sort(key=lambda path: files[path].size, reverse=True)
        large = [path for path in regular if files[path].size >= 2**20]
        small = regular[len(large) :]
        batches = [[path] for path in large] + [small[i : i + batch] for i in range(0, len(small), batch)]
        for result in self._pool.map(self._hash_batch, batches):
            hashed.update(result)
        return hashed

    def _early_digest(self, path: bytes, seen: Signature) -> str:
        future = self._early.get(path)
        if future is None or future.exception() is not None:
            return ""
        before, sha256 = future.result()
        return sha256 if before == seen else ""

    def _hash_batch(self, paths: list[bytes]) -> dict[bytes, Hashed]:
        result = {}
        for path in paths:
            try:
                _allow(os.path.join(self._base, path), stat.S_IRUSR)
                result[path] = Hashed(hash_file(self._root, path)[1])
            except OSError as error:
                result[path] = Hashed("", unexamined=f"it could not be read: {error.strerror or error}")
        return result

    def _special(self, path: bytes, seen: Signature) -> Hashed:
        if stat.S_ISLNK(seen.mode):
            target = os.readlink(Path(os.fsdecode(self._base)) / os.fsdecode(path))
            raw = os.fsencode(target)
            return Hashed(hashlib.sha256(b"link\0" + raw).hexdigest(), target=raw.decode("utf-8", "backslashreplace"))
        if stat.S_ISDIR(seen.mode) and not seen.mode & stat.S_IRUSR:
            return Hashed("", unexamined="the folder could not be listed")
        return Hashed(hashlib.sha256(f"type {stat.S_IFMT(seen.mode):o}".encode()).hexdigest())
