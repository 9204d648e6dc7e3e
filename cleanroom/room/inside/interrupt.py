"""Killing a run at a chosen moment, so that what a resumed run makes of it can be seen.
Not here: resuming.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

from .protocol import Interrupt

_POLL = 0.002
_GRACE = 10.0  # seconds from a signal that can be handled to one that cannot


class Interruption:
    """Sends a signal to all of the step: at the `start` of the chosen job, once it has written
    something (`middle`), or `after` it.
    """

    def __init__(self, asked: Interrupt) -> None:
        self.signal = getattr(signal, "SIG" + asked["signal"])
        self.moment, self.index = asked["moment"], asked["job"]
        self.count, self.chosen, self.struck = 0, None, False

    def started(self, job: Any) -> None:
        """A job starts, and Snakemake has marked its outputs as incomplete."""
        if not list(job.output):
            return
        if self.count == self.index:
            self.chosen = job
            if self.moment == "start":
                self.strike()
            elif self.moment == "middle":
                threading.Thread(
                    target=self._watch, args=([str(f) for f in job.output],), daemon=True
                ).start()
        self.count += 1

    def ended(self, job: Any) -> None:
        """A job ended: too late for its middle, so that it is now."""
        if job is self.chosen and self.moment != "start" and not self.struck:
            self.strike()

    def _watch(self, paths: list[str]) -> None:
        while True:
            for path in paths:
                try:
                    if os.path.isdir(path) or os.stat(path).st_size:
                        return self.strike()
                except OSError:
                    pass
            time.sleep(_POLL)

    def strike(self) -> None:
        self.struck = True
        if self.signal != signal.SIGKILL:
            threading.Thread(target=self._insist, daemon=True).start()
        os.killpg(0, self.signal)

    def _insist(self) -> None:
        """Snakemake's handler waits for a lock, which the thread that it interrupts may hold: then
        it would wait for ever.
        """
        time.sleep(_GRACE)
        os.killpg(0, signal.SIGKILL)
