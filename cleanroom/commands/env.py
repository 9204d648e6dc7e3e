"""`cleanroom env`: the environments that were made, and those used least recently removed."""

import argparse
import datetime
import sys

from cleanroom.commands.boundary import cache_folder, say
from cleanroom.environment.prefixes import Kept, listed, lock_of, prune
from cleanroom.errors import ExitCode
from cleanroom.report.visible import json_text
from cleanroom.room.rooms import Owner

_MEGABYTE = 10**6


def command(arguments: argparse.Namespace) -> int:
    """List them, print the lock of one, or remove some."""
    cache = cache_folder(arguments)
    match arguments.action:
        case "show":
            sys.stdout.write(lock_of(cache, arguments.name))
        case "prune":
            owner = Owner(cache)
            try:
                _print(list(prune(cache, arguments.keep, owner)), arguments.format, "removed")
            finally:
                owner.close()
        case _:
            _print(listed(cache), arguments.format, "there")
    return int(ExitCode.HELD)


def _print(found: list[Kept], form: str, what: str) -> None:
    if form == "json":
        rows = [
            {
                "prefix": one.digest,
                "bytes": one.size,
                "used": one.used,
                "python": one.made.python,
                "packages": len(one.made.packages),
            }
            for one in found
        ]
        sys.stdout.write(json_text(rows))
        return
    for one in found:
        used = datetime.datetime.fromtimestamp(one.used, datetime.UTC)
        held = f"Python {one.made.python}, {len(one.made.packages)} packages"
        size = f"{one.size / _MEGABYTE:.0f} MB"
        sys.stdout.write(f"{one.digest[:16]}  {size:>8}  used {used:%Y-%m-%d %H:%M}  {held}\n")
    total = sum(one.size for one in found) / _MEGABYTE
    say(f"{len(found)} environments {what}, {total:.0f} MB.")
