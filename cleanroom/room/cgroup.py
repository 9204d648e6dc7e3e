"""Limits of memory and processes for a sandbox, through a control group of its own, where this user may make one.

Without one (not root, no delegation) the sandbox has per-process limits only. Not here: limits of containers.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")


def _folders(name: str) -> dict[Path, dict[str, int]]:
    """The folders to make, and the files that hold each limit; version 2 has one folder, version 1 one per controller."""
    if (_ROOT / "cgroup.controllers").exists():
        return {_ROOT / name: {"memory.max": 0, "pids.max": 1}}
    return {_ROOT / "memory" / name: {"memory.limit_in_bytes": 0}, _ROOT / "pids" / name: {"pids.max": 1}}


@contextlib.contextmanager
def limited(name: str, memory: int, processes: int) -> Iterator[Callable[[], None]]:
    """Yield a function that moves the calling process into the group; the group is removed at the end."""
    made: list[Path] = []
    for folder, files in _folders(f"cleanroom-{name}").items():
        try:
            folder.mkdir()
            made.append(folder)
            for file, which in files.items():
                (folder / file).write_text(str((memory, processes)[which]))
        except OSError:
            with contextlib.suppress(OSError):
                folder.rmdir()
            made = [f for f in made if f != folder]

    def join() -> None:
        for folder in made:
            fd = os.open(folder / "cgroup.procs", os.O_WRONLY)
            os.write(fd, b"0")
            os.close(fd)

    try:
        yield join
    finally:
        for folder in made:
            for _ in range(100):
                with contextlib.suppress(OSError):
                    folder.rmdir()
                if not folder.exists():
                    break
                time.sleep(0.01)
