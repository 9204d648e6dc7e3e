"""A folder that somebody else filled, reached step by step: no link is followed on the way to
anything in it.

Every path that the host writes, reads, walks or moves in a clone goes through here, because a
hostile repository chooses the links. Each step is an openat(2) with O_NOFOLLOW, so that nothing can
be exchanged between a check and its use.
"""

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Self

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Beneath:
    """One open folder. Paths are bytes relative to it, without `.` and `..`; for one thread at a
    time.

    `grafts` are other folders that stand for a path: what lies below that path is looked for in
    them.
    Every method raises OSError where a step of the way is a link, or is not there.
    """

    def __init__(self, root: Path, grafts: Mapping[bytes, Path] = MappingProxyType({})) -> None:
        self.root, self.grafts = root, grafts
        self._tops = {b"": os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)}
        self._last: tuple[bytes, int] | None = None
        try:
            for path, folder in grafts.items():
                self._tops[path] = os.open(folder, _FOLDER)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._leave()
        for fd in self._tops.values():
            os.close(fd)
        self._tops = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _leave(self) -> None:
        if self._last:
            os.close(self._last[1])
        self._last = None

    def _top_of(self, folder: bytes) -> tuple[int, bytes]:
        for path, fd in self._tops.items():
            if path and (folder == path or folder.startswith(path + b"/")):
                return fd, folder[len(path) + 1 :]
        return self._tops[b""], folder

    def folder(self, path: bytes, *, make: bool = False) -> int:
        """A descriptor of a folder, which stays open until the next one is asked for; `make`: the
        way to it is made.
        """
        if self._last and self._last[0] == path:
            return self._last[1]
        top, rest = self._top_of(path)
        fd = os.dup(top)
        try:
            for part in rest.split(b"/") if rest else ():
                if part in (b"", b".", b".."):
                    raise OSError(f"'{os.fsdecode(path)}' is no path beneath a folder")
                if make:
                    _make(part, fd)
                inner = os.open(part, _FOLDER, dir_fd=fd)
                os.close(fd)
                fd = inner
        except BaseException:
            os.close(fd)
            raise
        self._leave()
        self._last = (path, fd)
        return fd

    def _place(self, path: bytes, *, make: bool = False) -> tuple[int, bytes]:
        folder, _, name = path.rpartition(b"/")
        if name in (b"", b".", b".."):
            raise OSError(f"'{os.fsdecode(path)}' is no path beneath a folder")
        return self.folder(folder, make=make), name

    def stat(self, path: bytes) -> os.stat_result:
        folder, name = self._place(path)
        return os.stat(name, dir_fd=folder, follow_symlinks=False)

    def readlink(self, path: bytes) -> bytes:
        folder, name = self._place(path)
        return os.readlink(name, dir_fd=folder)

    def open(self, path: bytes) -> int:
        """A descriptor of a regular file, for reading.
        Raises: OSError also for anything that is not a regular file.
        """
        folder, name = self._place(path)
        fd = os.open(name, _FILE, dir_fd=folder)
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise OSError("not a regular file")
        return fd

    def entries(self, path: bytes) -> Iterator[tuple[bytes, os.stat_result]]:
        """(name, what it is) of all that a folder holds; a link is told of itself, not of what it
        leads to.
        """
        with os.scandir(self.folder(path)) as listing:
            for entry in listing:
                yield os.fsencode(entry.name), entry.stat(follow_symlinks=False)

    def set_time(self, path: bytes, seconds: int) -> None:
        """The times of access and change of a file, folder or link."""
        folder, name = self._place(path)
        os.utime(name, (seconds, seconds), dir_fd=folder, follow_symlinks=False)

    def grant(self, path: bytes, rights: int) -> None:
        """Add rights to a file or folder of ours; a link has none."""
        top = not path
        folder, name = (self.folder(b""), b".") if top else self._place(path)
        fd = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        try:
            mode = os.fstat(fd).st_mode
            if not stat.S_ISLNK(mode) and mode & rights != rights:
                Path(f"/proc/self/fd/{fd}").chmod(stat.S_IMODE(mode) | rights)
        finally:
            os.close(fd)

    def write(self, path: bytes, blocks: Iterable[bytes], mode: int = 0o644) -> None:
        """A new regular file in place of what is there, which must not be a folder."""
        folder, name = self._place(path, make=True)
        self._clear(name, folder)
        with os.fdopen(os.open(name, _NEW, 0o600, dir_fd=folder), "wb") as stream:
            for block in blocks:
                stream.write(block)
            os.fchmod(stream.fileno(), mode)

    def link(self, path: bytes, target: bytes) -> None:
        """A new symbolic link in place of what is there, which must not be a folder."""
        folder, name = self._place(path, make=True)
        self._clear(name, folder)
        os.symlink(target, name, dir_fd=folder)

    def remove(self, path: bytes) -> None:
        """A file or link that need not be there."""
        try:
            folder, name = self._place(path)
        except (FileNotFoundError, NotADirectoryError):
            return
        self._clear(name, folder)

    def move_in(self, source: Path, path: bytes) -> None:
        """A folder of the same file system takes a place that is free, or an empty folder."""
        folder, name = self._place(path, make=True)
        self._leave_if(path)
        os.rename(source, name, dst_dir_fd=folder)

    def hard_link(self, path: bytes, to: Path) -> None:
        """A further name for a file, outside of here."""
        folder, name = self._place(path)
        os.link(name, to, src_dir_fd=folder, follow_symlinks=False)

    def _leave_if(self, path: bytes) -> None:
        if self._last and (self._last[0] == path or self._last[0].startswith(path + b"/")):
            self._leave()

    @staticmethod
    def _clear(name: bytes, folder: int) -> None:
        try:
            os.unlink(name, dir_fd=folder)
        except FileNotFoundError:
            return


def _make(name: bytes, folder: int) -> None:
    try:
        os.mkdir(name, 0o755, dir_fd=folder)
    except FileExistsError:
        return
