"""One process at a time: a lock that is waited for in a way that can be stopped.
Not here: what it guards.
"""

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import filelock

from cleanroom.errors import CleanroomError, Interrupted

_POLL = 0.2


@contextlib.contextmanager
def held(
    path: Path,
    stopped: Callable[[], bool],
    *,
    within: float = math.inf,
    late: CleanroomError | None = None,
) -> Iterator[None]:
    """The lock at a path, for as long as the block lasts.

    Raises: Interrupted where waiting was stopped; `late` after `within` seconds.
    """
    lock, deadline = filelock.FileLock(path), time.monotonic() + within
    while True:
        try:
            lock.acquire(timeout=_POLL)
            break
        except filelock.Timeout:
            if stopped():
                raise Interrupted("Stopped.") from None
            if late and time.monotonic() > deadline:
                raise late from None
    try:
        yield
    finally:
        lock.release()
