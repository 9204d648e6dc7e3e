"""Looking on while rooms live: what they say is heard, and they end when they must.
Not here: what it means.
"""

import shutil
import threading
import time
from collections.abc import Callable

from cleanroom.room import rooms
from cleanroom.room.claim_reader import ClaimReader
from cleanroom.room.claims import Budget, ClaimError, Claims, Event
from cleanroom.room.engines.interface import Limits
from cleanroom.room.spending import Spending

_FULL = 2**20


class Watch:
    """Looks on while runs go on: receives events, and can end them all."""

    def __init__(self, on_event: Callable[[str, Event], None] | None = None) -> None:
        self._on_event = on_event
        self.cancelled = threading.Event()
        self.budget = Budget()

    def once(self) -> "Watch":
        """The same watch for runs that are not kept: what they say takes nothing from those that
        are.
        """
        other = Watch(self._on_event)
        other.cancelled = self.cancelled
        return other

    def saw(self, label: str, event: Event) -> None:
        if self._on_event:
            self._on_event(label, event)


class Guard:
    """Looks after one room while it lives: hears what it says, and says when it must end."""

    def __init__(self, room: rooms.Room, limits: Limits, label: str, watch: Watch) -> None:
        self.fault = ""
        self._room, self._watch = room, watch
        self._label = label
        self._reader = ClaimReader(watch.budget)
        self.deadline = time.monotonic() + limits.seconds
        self._spending = Spending(room, limits.disk)

    def said(self, block: bytes) -> None:
        """A piece of what the room says; what no driver says ends the room."""
        if self.fault:
            return
        try:
            for event in self._reader.feed(block):
                self._watch.saw(self._label, event)
        except ClaimError as error:
            self.fault = str(error)

    def claims(self) -> Claims:
        """All that it said; nothing, where it said what no driver says."""
        return Claims() if self.fault else self._reader.claims(self._room.out)

    def cancelled(self) -> bool:
        return self._watch.cancelled.is_set()

    def stop(self) -> str:
        """Why the room must end now; empty while it may live."""
        if self.cancelled():
            return "stopped"
        if self.fault:
            return self.fault
        if time.monotonic() > self.deadline:
            return "the room's time limit was reached"
        return self._spending.fault()


def disk_fault(room: rooms.Room, limits: Limits) -> str:
    """Why the disk, and not the workflow, would be to blame for a failure."""
    if shutil.disk_usage(room.work).free < _FULL:
        return "The host's disk is full. Free space, or set CLEANROOM_CACHE to another folder."
    if room.usage()[0] > limits.disk:
        return f"The room's disk limit of {limits.disk} bytes was reached (see --disk)."
    return ""
