"""Limits of memory and processes for a sandbox, through a control group of its own, where this user
may make one.

Without one (not root, no delegation) the sandbox has per-process limits only. Not here: limits of
containers.
"""

import contextlib
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")


def _folders(name: str) -> dict[Path, dict[str, int]]:
    """The folders to make, and the files that hold each limit; version 2 has one folder, version 1
    one per controller.
    """
    if (_ROOT / "cgroup.controllers").exists():
        return {_ROOT / name: {"memory.max": 0, "pids.max": 1}}
    return {
        _ROOT / "memory" / name: {"memory.limit_in_bytes": 0},
        _ROOT / "pids" / name: {"pids.max": 1},
    }


class Group:
    """The folders that were made; empty where this user may make none."""

    def __init__(self) -> None:
        self.folders: list[Path] = []

    @property
    def limits_memory(self) -> bool:
        return any(
            (folder / file).exists()
            for folder in self.folders
            for file in ("memory.max", "memory.limit_in_bytes")
        )

    @property
    def limits_processes(self) -> bool:
        return any((folder / "pids.max").exists() for folder in self.folders)

    def reached(self) -> str:
        """Which limit the room ran into, if one: `memory` or `processes`."""
        for name, file, counter in (
            ("memory", "memory.events", "oom_kill"),
            ("memory", "memory.oom_control", "oom_kill"),
            ("processes", "pids.events", "max"),
        ):
            for folder in self.folders:
                with contextlib.suppress(OSError):
                    found = re.search(
                        rf"^{counter} (\d+)$", (folder / file).read_text(), re.MULTILINE
                    )
                    if found and int(found[1]):
                        return name
        return ""

    def join(self) -> None:
        """Move the calling process into the group."""
        for folder in self.folders:
            fd = os.open(folder / "cgroup.procs", os.O_WRONLY)
            os.write(fd, b"0")
            os.close(fd)


@contextlib.contextmanager
def limited(name: str, memory: int, processes: int, beside: str = "") -> Iterator[Group]:
    """A group with these limits, removed at the end, when the last process has left it; or that of
    the room `beside` which this one is, which has its limits already.
    """
    group = Group()
    if beside:
        group.folders += [folder for folder in _folders(f"cleanroom-{beside}") if folder.is_dir()]
        yield group
        return
    for folder, files in _folders(f"cleanroom-{name}").items():
        try:
            folder.mkdir()
            for file, which in files.items():
                (folder / file).write_text(str((memory, processes)[which]))
            group.folders.append(folder)
        except OSError:
            with contextlib.suppress(OSError):
                folder.rmdir()
    try:
        yield group
    finally:
        remove(name)


def remove(name: str) -> None:
    """Remove the group of a room, when the last process has left it."""
    for folder in _folders(f"cleanroom-{name}"):
        for _ in range(100):
            with contextlib.suppress(OSError):
                folder.rmdir()
            if not folder.exists():
                break
            time.sleep(0.01)
