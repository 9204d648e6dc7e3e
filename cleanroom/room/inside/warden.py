"""Process 1 of the room: forks one step at a time, holds it to its limit, and leaves no process behind. Not here: the steps."""

import os
import select
import signal
import stat
import sys
import time

from .words import OUT, attempt, name

SKIP = {".git", ".snakemake"}


def tree(root):
    """{path: signature} of everything but git's and Snakemake's own folders."""
    found, folders = {}, [root]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.name in SKIP:
                    continue
                info = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(info.st_mode):
                    folders.append(entry.path)
                else:
                    found[os.path.relpath(entry.path, root)] = (info.st_mode, info.st_size, info.st_mtime_ns, info.st_ino)
    return found


def tree_change(before, after):
    return {
        "created": sorted(name(p) for p in after if p not in before),
        "changed": sorted(name(p) for p in after if p in before and before[p] != after[p]),
        "removed": sorted(name(p) for p in before if p not in after),
    }


class HostGone(Exception):  # noqa: N818
    """The host closed our standard input, or asked us to end."""


class Warden:
    """Forks one step at a time, holds it to its time limit, and leaves no process behind."""

    def __init__(self, spec, events):
        self.spec, self.events = spec, events
        self.wake, wake = os.pipe()
        os.set_blocking(self.wake, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._stop)

    def _stop(self, *_):
        raise HostGone

    def step(self, step, function):
        """(status, exit code, seconds): status is 'ok', 'failed' or 'timeout'."""
        self.events.say("step", name=step, state="start")
        begin = time.monotonic()
        child = os.fork()
        if child == 0:
            self._child(step, function)
        try:
            status, code = self._wait(child, begin + self.spec["limits"][step])
        except HostGone:
            self._sweep(child)
            raise
        self._sweep(child)
        seconds = time.monotonic() - begin
        self.events.say("step", name=step, state=status, code=code, seconds=seconds)
        return status, code, seconds

    def _child(self, step, function):
        code = 70
        try:
            os.setsid()
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            log = os.open(os.path.join(OUT, step + ".log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            null = os.open(os.devnull, os.O_RDONLY)
            os.dup2(null, 0)
            os.dup2(log, 1)
            os.dup2(log, 2)
            code = function()
            sys.stdout.flush()
            sys.stderr.flush()
        except BaseException:
            import traceback

            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(code if isinstance(code, int) and 0 <= code <= 255 else 1)

    def _wait(self, child, deadline):
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
            readable, _, _ = select.select([self.wake, 0], [], [], max(0.05, (grace or deadline) - now))
            if self.wake in readable:
                attempt(lambda: os.read(self.wake, 4096))
            if 0 in readable and not os.read(0, 4096):
                raise HostGone

    def _reap(self, child):
        """The exit code of the step, once it has ended; orphans of the room are reaped on the way."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return 70
            if pid == 0:
                return None
            if pid == child:
                return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)

    def _signal(self, child, number):
        attempt(lambda: os.killpg(child, number))

    def _sweep(self, child):
        self._signal(child, signal.SIGKILL)
        if os.getpid() == 1:
            attempt(lambda: os.kill(-1, signal.SIGKILL))
        while True:
            try:
                os.waitpid(-1, 0)
            except ChildProcessError:
                return
