"""The folder of one room on the host: made fresh, furnished, removed whatever happens; swept later if we were killed.

    in/    the driver, its specification, the tracked paths (read-only in the room)
    out/   what the room says of itself
    work/  the clone, where the run happens
    tmp/   the room's /tmp

Not here: what runs in it.
"""

import contextlib
import json
import os
import shutil
import stat
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import filelock

from cleanroom.room import sandbox
from cleanroom.room.docker import room_gid, room_uid
from cleanroom.room.interface import Mount

_DRIVER = Path(__file__).with_name("driver.py")
_USERS = "root:x:0:0:root:/:/bin/false\ncleanroom:x:10001:10001:cleanroom:/tmp/home:/bin/sh\n"
_GROUP = "root:x:0:\ncleanroom:x:10001:\n"


class Room:
    """One room's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.inside, self.out, self.work, self.tmp = (folder / name for name in ("in", "out", "work", "tmp"))

    def furnish(self, spec: dict[str, object], tracked: list[bytes], engine: str) -> None:
        """Lay in what the driver needs, and hand the room's folders to the user of the room (a sandbox maps this one)."""
        (self.inside / "spec.json").write_text(json.dumps(spec))
        (self.inside / "tracked").write_bytes(b"\0".join(tracked))
        (self.inside / "passwd").write_text(_USERS)
        (self.inside / "group").write_text(_GROUP)
        shutil.copyfile(_DRIVER, self.inside / "driver.py")
        (self.tmp / "home").mkdir()
        if os.geteuid() == 0 and engine != "sandbox":
            for top in (self.out, self.work, self.tmp):
                for path, folders, files in os.walk(os.fsencode(top)):
                    for name in (b".", *folders, *files):
                        os.chown(os.path.join(path, name), room_uid(), room_gid(), follow_symlinks=False)

    def paths(self) -> dict[str, str]:
        """Where the driver finds its folders."""
        return {"CLEANROOM_IN": "/room/in", "CLEANROOM_OUT": "/room/out", "CLEANROOM_WORK": "/room/work"}

    def mounts(self) -> Iterator[Mount]:
        yield Mount(host=str(self.inside), room="/room/in")
        yield Mount(host=str(self.out), room="/room/out", writable=True)
        yield Mount(host=str(self.work), room="/room/work", writable=True)
        yield Mount(host=str(self.tmp), room="/tmp", writable=True)  # noqa: S108 - the room's own
        yield Mount(host=str(self.inside / "passwd"), room="/etc/passwd")
        yield Mount(host=str(self.inside / "group"), room="/etc/group")

    def usage(self) -> tuple[int, float]:
        """(bytes on disk, seconds that it took to add them up)."""
        begin, total = time.monotonic(), 0
        for top in (self.work, self.tmp, self.out):
            for path, _, files in os.walk(os.fsencode(top)):
                for name in files:
                    with contextlib.suppress(OSError):
                        total += os.lstat(os.path.join(path, name)).st_blocks * 512
        return total, time.monotonic() - begin

    def remove(self) -> None:
        """Remove the folder, also where the workflow took away our right to."""

        def allow(path: bytes) -> None:
            with contextlib.suppress(OSError):
                os.chmod(path, stat.S_IRWXU)

        for path, folders, _ in os.walk(os.fsencode(self.folder)):
            for name in folders:
                inner = os.path.join(path, name)
                if not os.path.islink(inner):
                    allow(inner)
        shutil.rmtree(self.folder, ignore_errors=True)


class Owner:
    """One process that has rooms. While it lives it holds a lock, which is how a later one knows what was left behind."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self.name = uuid.uuid4().hex[:16]
        folder = _folder(cache, self.name)
        folder.mkdir(parents=True)
        self._lock = filelock.FileLock(_lock(cache, self.name), timeout=0)
        self._lock.acquire()

    @property
    def mark(self) -> str:
        """What a container of this owner is labelled with: its cache and its name."""
        return f"{self._cache}:{self.name}"

    def may_sweep(self, mark: str) -> bool:
        """Whether a container with that mark was left behind: of this cache, by an owner that is gone."""
        cache, _, name = mark.rpartition(":")
        return cache == str(self._cache) and not self.alive(name)

    def alive(self, name: str) -> bool:
        """Whether the owner of that name still runs."""
        if name == self.name:
            return True
        path = _lock(self._cache, name)
        if not path.exists():
            return False
        lock = filelock.FileLock(path, timeout=0)
        try:
            with lock:
                return False
        except filelock.Timeout:
            return True

    def sweep(self) -> int:
        """Remove the folders of owners that are gone; returns how many there were."""
        swept = 0
        for folder in (self._cache / "rooms").iterdir():
            if folder.is_dir() and not (folder / "kept").exists() and not self.alive(folder.name):
                Room(folder).remove()
                _lock(self._cache, folder.name).unlink(missing_ok=True)
                swept += 1
        return swept

    def close(self) -> None:
        self._lock.release()
        folder = _folder(self._cache, self.name)
        if not (folder / "kept").exists():
            shutil.rmtree(folder, ignore_errors=True)
        _lock(self._cache, self.name).unlink(missing_ok=True)


def _folder(cache: Path, owner: str) -> Path:
    return cache / "rooms" / owner


def _lock(cache: Path, owner: str) -> Path:
    return cache / "rooms" / f"{owner}.lock"


@contextlib.contextmanager
def fresh(cache: Path, owner: str, attempt_id: str, *, keep: bool = False) -> Iterator[Room]:
    """A new room's folder, removed at the end unless it is to be kept."""
    room = Room(_folder(cache, owner) / attempt_id)
    room.folder.mkdir(parents=True)
    for folder in (room.inside, room.out, room.work, room.tmp):
        folder.mkdir()
    if keep:
        (_folder(cache, owner) / "kept").touch()
    try:
        yield room
    finally:
        if not keep:
            room.remove()


def command(engine: str) -> tuple[str, ...]:
    """What starts the driver: the Python that holds Snakemake in a sandbox, the image's own in a container."""
    python = sandbox.python() if engine == "sandbox" else "python3"
    return python, "-I", "-B", "/room/in/driver.py"
