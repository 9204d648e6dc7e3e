"""Every string that leaves the room is valid Unicode, every path reversible, every value plain
JSON. Not here: what is said.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import threading
import time
from typing import Any, Callable

IN, OUT, PLACES = "/room/in", "/room/out", "/room/places"
try:
    with open(os.path.join(IN, "place")) as _place:
        WORK = _place.read()
except OSError:  # in no room: a test of a part
    WORK = "/room/work"


masked: dict[str, str] = {}
"""Folders to which Snakemake gives another name in each call, and what is said instead."""


def unnamed(text: str) -> str:
    """A text without those folders."""
    for folder, instead in masked.items():
        text = text.replace(folder, instead)
    return text


def clean(text: str) -> str:
    """Any string as valid Unicode; bytes that are not UTF-8 become \\xNN."""
    text = unnamed(text)
    return os.fsencode(text).decode("utf-8", "backslashreplace")


def name(path: Any) -> str:
    """A path, reversibly: a backslash is doubled, bytes that are not UTF-8 become \\xNN."""
    return os.fsencode(str(path)).replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")


def raw(text: str) -> str:
    """The path behind `name`."""
    return os.fsdecode(
        re.sub(
            rb"\\(\\|x[0-9a-f]{2})",
            lambda m: b"\\" if m[1] == b"\\" else bytes([int(m[1][1:], 16)]),
            text.encode(),
        )
    )


class Here:
    """The working folder of the workflow.
    A job in a thread of Snakemake may change the process's own for a while.
    """

    folder: str | None = None

    @classmethod
    def keep(cls) -> None:
        cls.folder = os.getcwd()


def place(path: Any) -> str:
    """A job's path as the host will find it: relative to the clone; absolute where it lies
    outside.
    """
    full = os.path.normpath(os.path.join(Here.folder or os.getcwd(), str(path)))
    return name(full[len(WORK) + 1 :] if full.startswith(WORK + os.sep) else full)


def plain(value: Any, depth: int = 0) -> Any:
    """Any value of a workflow as JSON; sets in order, objects by type (an address in a repr would
    differ by itself).
    """
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else repr(value)
    if isinstance(value, (str, bytes)):
        return clean(value if isinstance(value, str) else os.fsdecode(value))
    if depth > 12:
        return {"type": type(value).__name__}
    if isinstance(value, dict):
        return {clean(str(k)): plain(v, depth + 1) for k, v in value.items()}
    if isinstance(value, (set, frozenset)):
        return {"set": sorted((plain(v, depth + 1) for v in value), key=repr)}
    if isinstance(value, (list, tuple)):
        return [plain(v, depth + 1) for v in value]
    if isinstance(value, os.PathLike):
        return clean(os.fspath(value))
    return {
        "type": type(value).__name__,
        "text": re.sub(r" at 0x[0-9a-f]+", "", clean(repr(value)))[:2000],
    }


def attempt(function: Callable[[], Any], default: Any = None) -> Any:
    """A field that a version of Snakemake does not have is left out, never guessed."""
    try:
        return function()
    except Exception:
        return default


def tracked_paths() -> frozenset[str]:
    """What git delivered, by its raw path."""
    with open(os.path.join(IN, "tracked"), "rb") as stream:
        return frozenset(os.fsdecode(path) for path in stream.read().split(b"\0") if path)


class Outlet:
    """Claims leave through this, one line of JSON each, on a pipe that no job inherits.

    A job runs as the same user, but is another program: the pipe is closed when it starts (Python
    opens files so), and what `hide` does keeps it from the pipes of this process by any other way.
    """

    def __init__(self, fd: int) -> None:
        self.fd, self.lock = fd, threading.Lock()
        os.set_inheritable(fd, False)

    def say(self, claim: str, value: Any, moment: float | None = None) -> None:
        """Of this moment, where no other is given (in seconds since the epoch)."""
        moment = time.time() if moment is None else moment
        self.send(
            json.dumps({"claim": claim, "time": moment, "value": value}, sort_keys=True).encode()
            + b"\n"
        )

    def send(self, data: bytes) -> None:
        left = memoryview(data)
        with self.lock:
            while left:
                left = left[os.write(self.fd, left) :]


def clock_of_files() -> float:
    """The earliest time that a file can get which is written from now on. A file system may take it
    from a clock that is behind, by a tick of the kernel or, where processors are busy, by several.
    """
    realtime_coarse = 5  # Linux's number of it; Python has no name for it
    now = time.time_ns()
    return float(min(now, attempt(lambda: time.clock_gettime_ns(realtime_coarse), now)) / 1e9)


def hide() -> None:
    """From here on no process of this user can trace this one, or open what it has open (until it
    starts another program).
    """
    import ctypes

    ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE


def digest_of_file(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()
