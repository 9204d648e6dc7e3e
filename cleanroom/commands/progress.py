"""Live progress on standard error: a line per room on a terminal, plain lines elsewhere.
Not here: the result.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cleanroom.commands.boundary import say
from cleanroom.evidence.supervise import Watch
from cleanroom.report.panel import Harmless
from cleanroom.report.visible import one_line
from cleanroom.room.claims import Event

_PLAIN_SECONDS = 10.0


class _Room:
    def __init__(self) -> None:
        self.begin = time.monotonic()
        self.step, self.state = "clone", ""
        self.planned = self.done = self.failed = 0
        self.running: dict[int, str] = {}
        self.ended = False

    def saw(self, event: Event) -> None:
        if event.event == "step":
            self.step, self.state = event.name, event.state
        elif event.event == "planned":
            self.planned = max(self.planned, event.jobs)
        elif event.event == "start" and event.job is not None:
            self.running[event.number] = event.job.label
        elif event.event == "end":
            self.running.pop(event.number, None)
            self.done += event.ok
            self.failed += not event.ok
        elif event.event == "done":
            self.ended = True

    def text(self) -> str:
        if self.ended:
            return f"done, {self.done} jobs" + (
                f", {self.failed} attempts failed" if self.failed else ""
            )
        if self.step != "run":
            return one_line(self.step)[:60]
        current = next(iter(self.running.values()), "")
        total = max(self.planned, self.done + len(self.running))
        if not total:
            return "run"
        count = f"{self.done}/{total} jobs"
        return f"run  {count}" + (f"  {one_line(current)[:60]}" if current else "")


class Progress:
    """Collects events of all rooms, from any thread."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._rooms: dict[str, _Room] = {}
        self._lock = threading.Lock()
        self._said: dict[str, tuple[str, float]] = {}

    def saw(self, label: str, event: Event) -> None:
        with self._lock:
            room = self._rooms.setdefault(label, _Room())
            room.saw(event)
            if not self._console.is_terminal:
                self._plain(label, room, event)

    def _plain(self, label: str, room: _Room, event: Event) -> None:
        """A line when a step begins or a room is done, and one in a while during the run."""
        key, last = self._said.get(label, ("", 0.0))
        now = time.monotonic()
        fresh = room.step != key or event.event == "done"
        if fresh or now - last > _PLAIN_SECONDS:
            self._said[label] = (room.step, now)
            say(f"{one_line(label)}: {room.text()}")

    def __rich__(self) -> Harmless:
        table = Table.grid(padding=(0, 2))
        with self._lock:
            for label, room in self._rooms.items():
                mark = "✓" if room.ended else "·"
                seconds = f"{time.monotonic() - room.begin:5.0f} s"
                style = "dim" if room.ended else ""
                table.add_row(
                    Text(f"  {mark}"),
                    Text(one_line(label), style="bold"),
                    Text(seconds, style="dim"),
                    Text(room.text(), style=style),
                )
        return Harmless(table)


@contextmanager
def shown(quiet: bool) -> Iterator[Watch]:
    """A watch whose events are shown while the block runs."""
    console = Console(stderr=True, highlight=False)
    progress = Progress(console)
    watch = Watch(None if quiet else progress.saw)
    if quiet or not console.is_terminal:
        yield watch
        return
    with Live(progress, console=console, refresh_per_second=8, transient=True):
        yield watch
