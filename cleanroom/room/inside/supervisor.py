"""Process 1 of the room: forks one step at a time, holds it to its limit, and leaves no process
behind. Not here: the steps.
"""

from __future__ import annotations

import json
import os
import select
import signal
import stat
import sys
import time
from typing import Any, Callable, NoReturn

from .export import OUT, Outlet, attempt, name
from .protocol import Spec

SKIP = {".git", ".snakemake"}
LINGER = 3.0  # seconds that what jobs left running has to end


def tree(root: str, *others: str) -> dict[str, tuple[int, ...]]:
    """{path from `root`: signature} of everything but git's and Snakemake's own folders."""
    found: dict[str, tuple[int, ...]] = {}
    folders = [root] + [other for other in others if os.path.isdir(other)]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.name in SKIP:
                    continue
                info = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(info.st_mode):
                    folders.append(entry.path)
                else:
                    found[os.path.relpath(entry.path, root)] = (
                        info.st_mode,
                        info.st_size,
                        info.st_mtime_ns,
                        info.st_ctime_ns,
                        info.st_ino,
                    )
    return found


def tree_change(
    before: dict[str, tuple[int, ...]], after: dict[str, tuple[int, ...]]
) -> dict[str, list[str]]:
    return {
        "created": sorted(name(p) for p in after if p not in before),
        "changed": sorted(name(p) for p in after if p in before and before[p] != after[p]),
        "removed": sorted(name(p) for p in before if p not in after),
    }


class HostGone(Exception):  # noqa: N818
    """The host closed our standard input, or asked us to end."""


class Lines:
    """Whole lines of a pipe. A last line without an end is of a process that was killed in the
    middle of it.
    """

    def __init__(self, fd: int) -> None:
        self.fd, self.ended = fd, False
        self._parts: list[bytes] = []

    def new(self) -> list[bytes]:
        """What is there to be read, without waiting."""
        found = []
        while not self.ended:
            try:
                block = os.read(self.fd, 1 << 20)
            except BlockingIOError:
                break
            self.ended = not block
            *lines, rest = block.split(b"\n")
            for line in lines:
                self._parts.append(line)
                found.append(b"".join(self._parts))
                self._parts = []
            self._parts += [rest] if rest else []
        return found


class Warden:
    """Forks one step at a time, holds it to its time limit, and leaves no process behind.

    A step says its claims to this process, which passes them on as claims of that step: what runs
    in a step can say nothing in the name of another one, nor that the work is done.
    """

    def __init__(self, spec: Spec, host: Outlet) -> None:
        self.spec, self.host = spec, host
        self.wake, wake = os.pipe()
        os.set_blocking(self.wake, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._stop)

    def _stop(self, *_: Any) -> NoReturn:
        raise HostGone

    def say(self, claim: str, value: Any) -> None:
        """A claim of this process itself."""
        self.say_to(self.host, claim, value)

    @staticmethod
    def say_to(host: Outlet, claim: str, value: Any) -> None:
        host.send(
            b"!"
            + json.dumps({"claim": claim, "time": time.time(), "value": value}).encode()
            + b"\n"
        )

    def step(
        self,
        step: str,
        function: Callable[[Outlet], Any],
        keep: bool = False,
    ) -> tuple[tuple[str, int, float], list[bytes]]:
        """((status, exit code, seconds), what the step said where it is to be kept): status is
        'ok', 'failed' or 'timeout'.
        """
        self.say("step", {"name": step, "state": "start"})
        begin = time.monotonic()
        said, outlet = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(said)
            self._child(step, function, Outlet(outlet))
        os.close(outlet)
        os.set_blocking(said, False)
        pipe = Lines(said)
        kept = []

        def listen() -> None:
            lines = pipe.new()
            if keep:
                kept.extend(lines)
            self._forward(lines)

        try:
            status, code = self._wait(child, begin + self.spec["limits"][step], pipe, listen)
            if step == "run":
                self._see_off()
        finally:
            self._sweep(child)
            listen()
            os.close(said)
        seconds = time.monotonic() - begin
        self.say("step", {"name": step, "state": status, "code": code, "seconds": seconds})
        return (status, code, seconds), kept

    def _forward(self, lines: list[bytes]) -> None:
        """Pass on what a step said."""
        if lines:
            self.host.send(b"".join(b":" + line + b"\n" for line in lines))

    def _child(self, step: str, function: Callable[[Outlet], Any], outlet: Outlet) -> NoReturn:
        code = 70
        try:
            os.setsid()
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.close(self.host.fd)
            log = os.open(
                os.path.join(OUT, step + ".log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644
            )
            null = os.open(os.devnull, os.O_RDONLY)
            os.dup2(null, 0)
            os.dup2(log, 1)
            os.dup2(log, 2)
            code = function(outlet)
            sys.stdout.flush()
            sys.stderr.flush()
        except BaseException:
            import traceback

            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(code if isinstance(code, int) and 0 <= code <= 255 else 1)

    def _wait(
        self, child: int, deadline: float, pipe: Lines, listen: Callable[[], None]
    ) -> tuple[str, int]:
        grace = None
        while True:
            code = self._reap(child)
            if code is not None:
                return ("timeout" if grace is not None else "ok" if code == 0 else "failed"), code
            now = time.monotonic()
            if grace is None and now >= deadline:
                grace = now + self.spec["limits"]["grace"]
                self._signal(child, signal.SIGTERM)
            elif grace is not None and now >= grace:
                self._signal(child, signal.SIGKILL)
                grace = now + 3600
            watched = [self.wake, 0] + ([] if pipe.ended else [pipe.fd])
            readable, _, _ = select.select(watched, [], [], max(0.05, (grace or deadline) - now))
            if self.wake in readable:
                attempt(lambda: os.read(self.wake, 4096))
            if 0 in readable and not os.read(0, 4096):
                raise HostGone
            if pipe.fd in readable:
                listen()

    def _reap(self, child: int) -> int | None:
        """The exit code of the step, once it has ended; orphans of the room are reaped on the
        way.
        """
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return 70
            if pid == 0:
                return None
            if pid == child:
                return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)

    def _see_off(self) -> None:
        """Jobs may have left processes that are still at work: they get a moment to end; those that
        do not are named.
        """
        end = time.monotonic() + LINGER
        while (names := self._living()) and time.monotonic() < end:
            time.sleep(0.05)
            self._reap(0)
        if names:
            self.say("lingering", sorted(names)[:20])

    def _living(self) -> set[str]:
        """The names of all processes of the room but this one; of one room only as process 1."""
        names = set()
        for pid in filter(str.isdigit, os.listdir("/proc") if os.getpid() == 1 else ()):
            try:
                with open("/proc/%s/stat" % pid, "rb") as stream:
                    called, _, rest = stream.read().partition(b"(")[2].rpartition(b")")
            except OSError:
                continue
            if pid != "1" and not rest.strip().startswith((b"Z", b"X")):
                names.add(name(os.fsdecode(called)))
        return names

    def _signal(self, child: int, number: int) -> None:
        attempt(lambda: os.killpg(child, number))

    def _sweep(self, child: int) -> None:
        self._signal(child, signal.SIGKILL)
        if os.getpid() == 1:
            attempt(lambda: os.kill(-1, signal.SIGKILL))
        while True:
            try:
                os.waitpid(-1, 0)
            except ChildProcessError:
                return
