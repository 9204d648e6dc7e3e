"""The folder of one room on the host: made fresh, furnished, removed whatever happens; swept later
if we were killed.

    in/    the driver, its specification, the tracked paths (read-only in the room)
    out/   what the room says of itself
    work/  the clone, where the run happens
    tmp/   the room's /tmp
    places/  folders in place of those that links of the clone lead to and a room does not have

Not here: what runs in it.
"""

import compileall
import contextlib
import functools
import json
import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import filelock

from cleanroom.room.engines import cgroup
from cleanroom.room.engines.interface import Mount
from cleanroom.room.inside.protocol import Spec

_START, _INSIDE = (Path(__file__).with_name(name) for name in ("start.py", "inside"))
_USERS = "root:x:0:0:root:/:/bin/false\n{name}:x:{uid}:{gid}:{name}:/tmp/home:/bin/sh\n"
_GROUPS = "root:x:0:\ncleanroom:x:{gid}:\n"


_PROCESSORS = {"cpuinfo": "/proc/cpuinfo", "online": "/sys/devices/system/cpu/online"}
_PROCESSORS_OF_HOST = "/sys/devices/system"
_CALL_SECONDS = 600.0
PLACE = "/room/work"
"""Where the clone is in every room, unless that is varied."""
PLACES = "/room/places"


class Room:
    """One room's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.inside, self.out, self.work, self.tmp, self.places = (
            folder / name for name in ("in", "out", "work", "tmp", "places")
        )

    def furnish(
        self,
        spec: Spec,
        tracked: list[bytes],
        owner: tuple[int, int],
        *,
        user: str = "cleanroom",
        place: str = PLACE,
    ) -> None:
        """Lay in what the driver needs, and hand the room's folders to their owner (user, group).

        `user` is what that one is called, `place` where the clone is.
        """
        (self.inside / "spec.json").write_text(json.dumps(spec))
        (self.inside / "place").write_text(place)
        (self.inside / "tracked").write_bytes(b"\0".join(tracked))
        uid, gid = owner
        (self.inside / "passwd").write_text(_USERS.format(name=user, uid=uid, gid=gid))
        (self.inside / "group").write_text(_GROUPS.format(gid=gid))
        if spec["processors"] != "all":
            self._show_processors(int(spec["processors"]))
        shutil.copyfile(_START, self.inside / "start.py")
        _compile_inside()
        shutil.copytree(_INSIDE, self.inside / "cleanroom_room")
        for home in ("home", "other/home", "slurm"):
            (self.tmp / home).mkdir(parents=True)
        if os.geteuid() == 0:
            _call(
                "chown",
                "--recursive",
                "--no-dereference",
                f"{uid}:{gid}",
                self.out,
                self.work,
                self.tmp,
                self.places,
            )

    @property
    def of_slurm(self) -> tuple[Mount, ...]:
        """What a Slurm of the room looks at: what it is to be, and the processors of the host."""
        return (
            Mount(host=_PROCESSORS_OF_HOST, room=_PROCESSORS_OF_HOST),
            Mount(host=str(self.tmp / "slurm"), room="/etc/slurm"),
        )

    def mounts(self, place: str = PLACE) -> Iterator[Mount]:
        yield Mount(host=str(self.inside), room="/room/in")
        yield Mount(host=str(self.out), room="/room/out", writable=True)
        yield Mount(host=str(self.work), room=place, writable=True)
        yield Mount(host=str(self.tmp), room="/tmp", writable=True)  # noqa: S108 - the room's own
        yield Mount(host=str(self.places), room=PLACES, writable=True)
        yield Mount(host=str(self.inside / "passwd"), room="/etc/passwd")
        yield Mount(host=str(self.inside / "group"), room="/etc/group")
        for name, shown in _PROCESSORS.items():
            if (self.inside / name).exists():
                yield Mount(host=str(self.inside / name), room=shown)

    def _show_processors(self, count: int) -> None:
        """What programs read that do not ask what they may use: with fewer processors."""
        try:
            stanzas = Path("/proc/cpuinfo").read_text().split("\n\n")
        except OSError:
            return
        (self.inside / "cpuinfo").write_text("\n\n".join(stanzas[:count]) + "\n\n")
        (self.inside / "online").write_text(f"0-{count - 1}\n" if count > 1 else "0\n")

    def usage(self) -> tuple[int, float]:
        """(bytes, seconds that it took to add them up).
        A file counts with its size or what it takes on disk, whichever is more:
        a file of holes takes nothing and is read to its end all the same.
        """
        begin = time.monotonic()
        ways = (
            ("--summarize", "--block-size=1"),
            ("--summarize", "--block-size=1", "--apparent-size"),
        )
        sums = [_call("du", *how, self.folder).split() for how in ways]
        return max(int(found[0]) if found else 0 for found in sums), time.monotonic() - begin

    def remove(self) -> None:
        """Remove the folder, also where the workflow took away our right to, or nested it deeper
        than Python can follow.
        """
        if os.geteuid() != 0:
            _call("chmod", "--recursive", "u+rwX", self.folder)
        _call("rm", "--recursive", "--force", self.folder)


@functools.cache
def _compile_inside() -> None:
    """What runs in a room is compiled once, for rooms of this Python, and not in each of them."""
    compileall.compile_dir(_INSIDE, quiet=2)


def _call(program: str, *arguments: str | Path) -> str:
    """A program of the system on a tree that a workflow made; a file that goes away meanwhile is no
    error, and neither is its end after too long: what it would have done is done by the next sweep.
    """
    command = (
        [program, *arguments[:-1], "--", arguments[-1]]
        if program != "chown"
        else [program, *arguments]
    )
    env = {"PATH": os.defpath, "LC_ALL": "C"}
    try:
        ended = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            env=env,
            timeout=_CALL_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return ""
    return ended.stdout


class Owner:
    """One process that has rooms.
    While it lives it holds a lock, which is how a later one knows what was left behind.
    """

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self.name = uuid.uuid4().hex[:16]
        folder = _folder(cache, self.name)
        folder.parent.mkdir(parents=True, exist_ok=True)
        self._lock = filelock.FileLock(_lock(cache, self.name), timeout=0)
        with self._alone():
            self._lock.acquire()
            folder.mkdir()

    def _alone(self) -> filelock.BaseFileLock:
        """Owners come, sweep and go one at a time, so that none takes another's beginning for its
        end.
        """
        return filelock.FileLock(self._cache / "rooms" / ".sweep.lock", timeout=600)

    @property
    def mark(self) -> str:
        """What a container of this owner is labelled with: its cache and its name."""
        return f"{self._cache}:{self.name}"

    def may_sweep(self, mark: str) -> bool:
        """Whether a container with that mark was left behind: of this cache, by an owner that is
        gone.
        """
        cache, _, name = mark.rpartition(":")
        if cache != str(self._cache):
            return False
        with self._alone():
            return not self._alive(name)

    def _alive(self, name: str) -> bool:
        """Whether the owner of that name still runs; asked by one process at a time."""
        if name == self.name:
            return True
        path = _lock(self._cache, name)
        if not path.exists():
            return False
        try:
            with filelock.FileLock(path, timeout=0):
                return False
        except filelock.Timeout:
            return True

    def sweep(self) -> int:
        """Remove the folders of owners that are gone; returns how many there were."""
        swept = 0
        with self._alone():
            for folder in (self._cache / "rooms").iterdir():
                if (
                    folder.is_dir()
                    and not (folder / "kept").exists()
                    and not self._alive(folder.name)
                ):
                    for room in folder.iterdir():
                        cgroup.remove(room.name)
                    Room(folder).remove()
                    _lock(self._cache, folder.name).unlink(missing_ok=True)
                    swept += 1
        return swept

    def close(self) -> None:
        with self._alone():
            folder = _folder(self._cache, self.name)
            if not (folder / "kept").exists():
                Room(folder).remove()
            _lock(self._cache, self.name).unlink(missing_ok=True)
            self._lock.release()


def _folder(cache: Path, owner: str) -> Path:
    return cache / "rooms" / owner


def _lock(cache: Path, owner: str) -> Path:
    return cache / "rooms" / f"{owner}.lock"


@contextlib.contextmanager
def fresh(cache: Path, owner: str, attempt_id: str, *, keep: bool = False) -> Iterator[Room]:
    """A new room's folder, removed at the end unless it is to be kept."""
    room = Room(_folder(cache, owner) / attempt_id)
    room.folder.mkdir(parents=True)
    for folder in (room.inside, room.out, room.work, room.tmp, room.places):
        folder.mkdir()
    if keep:
        (_folder(cache, owner) / "kept").touch()
    try:
        yield room
    finally:
        if not keep:
            room.remove()


def command(python: str) -> tuple[str, ...]:
    """What starts the driver."""
    return python, "-B", "/room/in/start.py"
