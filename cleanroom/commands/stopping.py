"""A stop by a person: ^C or SIGTERM ends all in order within two seconds, or else at once; a second
one always at once.

The kernel may hand a signal to any thread, and Python then runs its handler only when the main
thread next does something: it could wait for a room first. So a thread of its own hears of every
signal, wakes the main thread, and looks at the clock.
Not here: what in order means.
"""

import contextlib
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

from cleanroom.children import end_all
from cleanroom.errors import ExitCode

SIGNALS = (signal.SIGINT, signal.SIGTERM)
STOPPED = "Stopped. No room is left, and there is no verdict."
STOP_SECONDS = 1.5
"""How long a stop may take to end in order.
After it nothing is waited for; rooms end with the process.
"""
_NUDGE_SECONDS = 0.2


class _Stop:
    def __init__(self) -> None:
        self._heard, self._tell = os.pipe()
        os.set_blocking(self._tell, False)
        self._raised = False
        self._main = threading.main_thread().ident

    def handle(self, _number: int, _frame: FrameType | None) -> None:
        """In the main thread."""
        if not self._raised:
            self._raised = True
            raise KeyboardInterrupt

    def listen(self) -> None:
        """In a thread of its own, until `close`."""
        first = os.read(self._heard, 1)
        if not first:
            return
        deadline, nudged = time.monotonic() + STOP_SECONDS, 0
        while (left := deadline - time.monotonic()) > 0:
            if select.select([self._heard], [], [], min(left, _NUDGE_SECONDS))[0]:
                more = os.read(self._heard, 64)
                if not more:
                    return
                nudged -= len(more)
                if nudged < 0:
                    break  # a person asked again
            elif not self._raised and self._main is not None:
                nudged += 1
                signal.pthread_kill(self._main, first[0])
        leave()

    def close(self) -> None:
        os.close(self._tell)


def leave() -> NoReturn:
    """End now: what would outlive this process is ended, and what it leaves on disk is removed by
    the next call.
    """
    end_all()
    os.write(
        2, f"cleanroom: {STOPPED} What is left on disk is removed by the next call.\n".encode()
    )
    os._exit(int(ExitCode.INTERRUPTED))


def left_in_order() -> NoReturn:
    """End after a stop that was heeded, before Python's own end gives the signals back: a second
    one finds nothing to kill.
    """
    end_all()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(int(ExitCode.INTERRUPTED))


@contextlib.contextmanager
def heeded() -> Iterator[None]:
    """A stop raises KeyboardInterrupt in the main thread while the block runs, and ends the process
    where that takes too long.
    """
    stop = _Stop()
    before = {number: signal.signal(number, stop.handle) for number in SIGNALS}
    told = signal.set_wakeup_fd(stop._tell, warn_on_full_buffer=False)
    listener = threading.Thread(target=stop.listen, daemon=True, name="stop")
    listener.start()
    try:
        yield
    finally:
        end_all()
        signal.set_wakeup_fd(told)
        for number, handler in before.items():
            signal.signal(number, handler)
        stop.close()
