"""`cleanroom plan`: what a confirmation would be, before anything is made or run."""

import argparse
import sys

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cleanroom.commands.confirm import request_of
from cleanroom.entry.learn import options_of
from cleanroom.errors import ExitCode
from cleanroom.flows.outline import Outline, outline
from cleanroom.report.visible import json_text, one_line
from cleanroom.wording import counted, listed

_MEGABYTE = 10**6
_RUNS_IN = {
    "declared": "the conda environments and containers that they declare",
    "conda": "the conda environments that they declare",
    "apptainer": "the containers that they declare",
    "none": "the room's own software",
    "profile": "what the profile says",
}


def command(arguments: argparse.Namespace) -> int:
    """Print it, and return 4 where no room can be made here."""
    found = outline(request_of(arguments))
    if arguments.format == "json":
        sys.stdout.write(json_text(found))
    else:
        console = Console(highlight=False)
        console.print(_table(found))
    return int(ExitCode.INCONCLUSIVE if found.lacking else ExitCode.HELD)


def _table(found: Outline) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for name, text in _rows(found):
        table.add_row(Text(name, style="dim"), Text(one_line(text)))
    return table


def _rows(found: Outline) -> list[tuple[str, str]]:
    ref = f" ({found.source.ref})" if found.source.ref != found.source.commit else ""
    rows = [("commit", f"{found.source.commit}{ref} of {found.source.url}")]
    entry = " ".join(options_of(found.entry)) or "the usual Snakefile, at the top"
    if found.learnt:
        entry += f", as {found.learnt.file}, line {found.learnt.line}, does it"
    rows.append(("entry", entry))
    rows.append(("profiles", listed([p.path or "none" for p in found.profiles])))
    rows.append(("software", _software(found)))
    rows += [("", f"passed over {p.file}: {p.why}") for p in found.software.passed_over]
    if found.software.unpinned:
        rows.append(("", f"not pinned: {listed(found.software.unpinned, 6)}"))
    rows.append(("rules run in", _RUNS_IN[found.deployment]))
    rows += [("rooms" if not n else "", room) for n, room in enumerate(found.rooms)]
    if found.image:
        rows.append(("image", f"{found.image.reference} ({found.image.isolation})"))
    else:
        rows.append(("lacking", found.lacking))
    return rows


def _software(found: Outline) -> str:
    held = found.software
    of = listed(held.taken) if held.taken else "cleanroom.yaml"
    if held.there:
        size = f"{held.size / _MEGABYTE:.0f} MB"
        return f"made from {of}: {counted(held.packages, 'package')}, {size}, there already"
    if held.to_make:
        return f"to be made from {of}, in a room with a network, before the first run"
    return "the rooms' own"
