"""The processes of a sandbox: started under a filter of system calls, listened to, and all ended
before their files are read. Not here: what the room sees.
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import IO

from cleanroom.errors import EngineError
from cleanroom.room.engines import seccomp
from cleanroom.room.engines.interface import RoomExit

_TAIL = 64 * 1024
_POLL_SECONDS = 0.2
_LAST_SECONDS = 60.0


@contextlib.contextmanager
def filter_of_calls() -> Iterator[tuple[list[str], int]]:
    """(bubblewrap's options for the filter of system calls, the descriptor that it reads it
    from).
    """
    fd = os.memfd_create("seccomp")
    try:
        os.write(fd, seccomp.program())
        os.lseek(fd, 0, os.SEEK_SET)
        yield ["--seccomp", str(fd)], fd
    finally:
        os.close(fd)


def attend(
    command: list[str],
    inner: list[str],
    stop: Callable[[], str],
    said: Callable[[bytes], None],
    complained: Callable[[bytes], None] | None,
    join: Callable[[], None],
) -> RoomExit:
    """Run `inner` in the room that `command` makes; returns when the room's first process, and so
    every other one, is gone.
    """
    output, reason, code = b"", "", None
    told, tell = os.pipe()
    with filter_of_calls() as (options, fd), os.fdopen(told, "rb") as info:
        whole = [*command, *options, "--info-fd", str(tell), "--", *inner]
        try:
            process = subprocess.Popen(
                whole,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={"PATH": os.defpath},
                preexec_fn=join,
                pass_fds=[fd, tell],
            )
        finally:
            os.close(tell)
        with process, _first_process(info) as first:
            assert process.stdout is not None and process.stderr is not None
            streams = [process.stdout, process.stderr]
            try:
                while streams and not reason:
                    for stream in select.select(streams, [], [], _POLL_SECONDS)[0]:
                        block = os.read(stream.fileno(), 2**20)
                        if not block:
                            streams.remove(stream)
                        elif stream is process.stdout:
                            said(block)
                        else:
                            if complained:
                                complained(block)
                            output = (output + block)[-_TAIL:]
                    reason = stop()
                while complained and not reason and (code := process.poll()) is None:
                    time.sleep(_POLL_SECONDS / 10)  # it closed both, and goes on
                    reason = stop()
            finally:
                _end(process, first)
    return RoomExit(stopped=reason, code=code, output=output.decode("utf-8", "backslashreplace"))


@contextlib.contextmanager
def _first_process(info: IO[bytes]) -> Iterator[int]:
    """A descriptor of the first process of a room, -1 where it did not come so far."""
    try:
        first = os.pidfd_open(json.loads(info.read())["child-pid"])
    except (ValueError, KeyError, TypeError, ProcessLookupError):
        first = -1
    try:
        yield first
    finally:
        if first >= 0:
            os.close(first)


def _end(process: "subprocess.Popen[bytes]", first: int) -> None:
    """Kill the first process of the room, with which the kernel ends all others before it counts as
    gone; then its maker.
    """
    if first >= 0:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(first, signal.SIGKILL)
        deadline = time.monotonic() + _LAST_SECONDS
        while not select.select([first], [], [], _POLL_SECONDS)[0]:
            if time.monotonic() > deadline:
                raise EngineError(
                    "A room of the sandbox does not end.",
                    "Look for processes that wait for a disk or a network drive.",
                )
    process.kill()
