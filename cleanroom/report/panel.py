"""The panel in which every verb shows its result on a terminal. Not here: what is in it."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.panel import Panel
from rich.segment import Segment
from rich.text import Text

from cleanroom.report.visible import spoken, visible


class Harmless:
    """What is shown, with no control sequence but this program's styles, whatever its texts are."""

    def __init__(self, shown: RenderableType) -> None:
        self._shown = shown

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self._shown, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)


def print_panel(
    console: Console,
    title: str,
    style: str,
    parts: Sequence[RenderableType],
    subtitle: str,
    paths: Sequence[Path],
    then: tuple[str, str] = ("", ""),
) -> None:
    """Print the result, where its reports are, and what to type next: (what for, the call)."""
    panel = Panel(
        Group(*parts),
        title=Text(f" {title} ", style=f"bold {style} reverse"),
        title_align="left",
        subtitle=Text(subtitle, style="dim"),
        subtitle_align="left",
        border_style=style,
        padding=(1, 2),
    )
    console.print(Harmless(panel))
    for path in paths:
        console.print(Text(spoken(f"  {path}")), soft_wrap=True)
    why, call = then
    if call:
        console.print(Text(spoken(f"\n{why}:")), soft_wrap=True)
        console.print(Text(spoken(f"  {call}"), style="bold"), soft_wrap=True)
