"""`cleanroom history`: what was concluded of a repository over time, and what had changed."""

import argparse
import datetime
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cleanroom.commands.boundary import cache_folder, say
from cleanroom.commands.ledger import opened
from cleanroom.errors import CleanroomError, ExitCode, UsageError
from cleanroom.evidence.store import Store
from cleanroom.ledger.history import (
    Entry,
    History,
    PathEntry,
    Standing,
    history,
    of_path,
    repositories,
)
from cleanroom.report.confirmation.terminal import VERDICT_STYLE
from cleanroom.report.visible import json_text, one_line
from cleanroom.source.address import is_local, public
from cleanroom.values.verdict import VerdictName
from cleanroom.wording import counted, listed

_WHY = "what changed, and why"
_PACKAGES = "packages"
_SHOWN = 4
"""Packages that a line names."""


def command(arguments: argparse.Namespace) -> int:
    """Print it, newest first; 0 whatever was concluded."""
    store = Store(cache_folder(arguments) / "store")
    with opened(arguments) as ledger:
        ledger.follow(store)
        if not arguments.repo:
            found = [history(ledger, repo) for repo in repositories(ledger)]
            _say(arguments, found, lambda: _board(found), "No confirmation is in the store yet.")
            return int(ExitCode.HELD)
        repo = _address(arguments.repo, repositories(ledger))
        if arguments.path:
            entries = of_path(ledger, repo, arguments.path, arguments.ref)[: arguments.limit]
            empty = f"No confirmation of {repo} left a result at '{arguments.path}'."
            _say(arguments, entries, lambda: _path_table(entries), empty)
            return int(ExitCode.HELD)
        of_repo = history(ledger, repo, arguments.ref)
    empty = f"No confirmation of {repo} at {arguments.ref} is in the store."
    _say(arguments, of_repo, lambda: _print(of_repo, arguments.limit, store), empty)
    return int(ExitCode.HELD)


def _address(said: str, known: list[str]) -> str:
    """The address under which a repository is known. Raises: UsageError where it is not."""
    for address in (public(said), said, str(Path(said.removeprefix("file://")).resolve())):
        if address in known and (address == said or "://" in said or is_local(said)):
            return address
    near = [one for one in known if said.rstrip("/").rpartition("/")[2] in one]
    raise UsageError(
        f"No confirmation of {public(said)} is in the store.",
        f"There are some of {listed(near or known, 5)}." if known else "Confirm it first.",
    )


def _say(
    arguments: argparse.Namespace, found: object, show: Callable[[], None], empty: str
) -> None:
    if arguments.format == "json":
        sys.stdout.write(json_text(found))
    elif not found or (isinstance(found, History) and not found.entries):
        say(empty)
    else:
        show()


def _day(moment: float | None) -> str:
    if moment is None:
        return ""
    return datetime.datetime.fromtimestamp(moment, datetime.UTC).strftime("%Y-%m-%d %H:%M")


def _verdict(name: str) -> Text:
    return Text(name, style=VERDICT_STYLE[VerdictName(name)])


def _board(found: list[History]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for one in found:
        console.print(Text(one_line(one.repo)))
        for standing in one.standings:
            console.print(Text.assemble(f"  {one_line(standing.ref)}  ", *_stands(standing)))


def _print(found: History, limit: int, store: Store) -> None:
    console = Console(highlight=False)
    for standing in found.standings:
        console.print(Text.assemble(f"{one_line(standing.ref)}  ", *_stands(standing)))
    console.print()
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False)
    for head in ("when (UTC)", "ref", "commit", "verdict", _WHY):
        table.add_column(Text(head, style="dim"), no_wrap=head not in ("ref", _WHY))
    for entry in found.entries[:limit]:
        table.add_row(
            _day(entry.started),
            Text(one_line(entry.ref)[:24]),
            entry.commit[:12],
            _verdict(entry.verdict),
            Text(one_line(". ".join(_told(entry, store)))),
        )
    console.print(table)
    if (left := len(found.entries) - limit) > 0:
        console.print(f"… and {counted(left, 'older confirmation')}: --limit {len(found.entries)}")


def _stands(standing: Standing) -> Iterator[str | Text]:
    yield _verdict(standing.verdict)
    if standing.lost is not None:
        yield f", held last on {_day(standing.held)}, not since {_day(standing.lost)}"
    elif standing.held is None:
        yield ", never held"
    if standing.wavered > 1:
        yield f", changed {standing.wavered} times"


def _told(entry: Entry, store: Store) -> Iterator[str]:
    if entry.regression:
        yield "Regression"
    if entry.changed:
        named = [word if word != _PACKAGES else _packages(entry, store) for word in entry.changed]
        yield f"Changed: {listed(named)}"
    elif entry.since:
        yield "Nothing known had changed"
    yield entry.reason.rstrip(".")


def _packages(entry: Entry, store: Store) -> str:
    """Which packages are others, where the evidence of both is still there."""
    try:
        before, now = (store.get(name)[1].environment for name in (entry.since, entry.evidence))
    except CleanroomError:
        return _PACKAGES
    lines = before.differing(now)
    return listed(lines, _SHOWN) if lines else "what the environment was made from"


def _path_table(entries: list[PathEntry]) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False)
    for head in ("when (UTC)", "ref", "commit", "profile", "bytes", "SHA-256", ""):
        table.add_column(Text(head, style="dim"), no_wrap=head not in ("ref", "profile", ""))
    for entry in entries:
        said = ["another than before"] * entry.another + ["differed between runs"] * entry.differs
        table.add_row(
            _day(entry.started),
            Text(one_line(entry.ref)[:24]),
            entry.commit[:12],
            Text(one_line(entry.label)),
            str(entry.size),
            entry.sha256[:16],
            Text(", ".join(said), style="red" if entry.differs else "yellow"),
        )
    Console(highlight=False).print(table)
