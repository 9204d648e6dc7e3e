"""The processes of this program that would outlive it: each is known while it lives, and ended with
all that it started.

Not here: rooms, which end by themselves when this program is gone.
"""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

_alive: set[int] = set()
_lock = threading.Lock()


def know(process: "subprocess.Popen[Any]") -> None:
    """Know a process, which must lead a session of its own."""
    with _lock:
        _alive.add(process.pid)


def end(process: "subprocess.Popen[Any]") -> int:
    """End a process that is known, and all of its session; returns how it ended."""
    with _lock:
        if process.poll() is None:
            _kill(process.pid)
        _alive.discard(process.pid)
    return process.wait()


@contextlib.contextmanager
def known(process: "subprocess.Popen[Any]") -> Iterator[None]:
    """Know a process while the block runs; it is ended with the block."""
    know(process)
    try:
        yield
    finally:
        end(process)


def end_all() -> None:
    """End every process that is known, at once."""
    with _lock:
        for pid in _alive:
            _kill(pid)


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
