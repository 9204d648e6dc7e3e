"""What a room takes of the disk, looked at now and then while it lives.
Not here: what follows for its verdict.
"""

import shutil
import time

from cleanroom.room.rooms import Room

_LEAST_FREE = 256 * 2**20
_MEASURE_SECONDS = 2.0


class Spending:
    """The disk of one room, which may take at most so many bytes."""

    def __init__(self, room: Room, most: int) -> None:
        self._room, self._most = room, most
        self._next = time.monotonic() + _MEASURE_SECONDS

    def fault(self) -> str:
        """Why the room must end now; empty while it may live, or where it is not yet time to look
        again: adding up takes at most a twentieth of the time.
        """
        if time.monotonic() <= self._next:
            return ""
        used, spent = self._room.usage()
        self._next = time.monotonic() + max(_MEASURE_SECONDS, 20 * spent)
        if used > self._most:
            return f"the room's disk limit of {self._most} bytes was reached (see --disk)"
        if shutil.disk_usage(self._room.work).free < _LEAST_FREE:
            return "the host's disk is full"
        return ""
