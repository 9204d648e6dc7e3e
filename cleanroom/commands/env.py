"""`cleanroom env`: environments that were made, their locks, and how the least used are removed."""

import argparse
import datetime
import sys
from pathlib import Path

import msgspec

from cleanroom.commands.boundary import cache_folder, say
from cleanroom.environment.conda_files import PLATFORM
from cleanroom.environment.prefixes import Kept, listed, lock_of, prune
from cleanroom.errors import ExitCode, UsageError
from cleanroom.report.visible import json_text
from cleanroom.room.rooms import Owner
from cleanroom.values.environment import CondaPrefix

_MEGABYTE = 10**6


def command(arguments: argparse.Namespace) -> int:
    """List them, print the lock of one, or remove some."""
    cache = cache_folder(arguments)
    match arguments.action:
        case "show":
            sys.stdout.write(lock_of(cache, arguments.name))
        case "lock":
            _lock(cache, Path(arguments.report), Path(arguments.into))
        case "prune":
            owner = Owner(cache)
            try:
                _print(list(prune(cache, arguments.keep, owner)), arguments.format, "removed")
            finally:
                owner.close()
        case _:
            _print(listed(cache), arguments.format, "there")
    return int(ExitCode.HELD)


class _Software(msgspec.Struct):
    conda: tuple[CondaPrefix, ...] = ()


class _Report(msgspec.Struct):
    software: _Software


def _lock(cache: Path, report: Path, into: Path) -> None:
    """Write what was solved for each environment of rules beside its file, as pins that Snakemake
    takes.
    """
    file = report / "report.json" if report.is_dir() else report
    try:
        held = msgspec.json.decode(file.read_bytes(), type=_Report).software.conda
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        raise UsageError(
            f"'{report}' is no report of a confirmation.", "Give its report.json."
        ) from None
    for one in held:
        path = (into / one.name).resolve()
        within = path.is_relative_to(into.resolve()) and path.is_file()
        if not one.named and within and path.suffix in (".yaml", ".yml"):
            pins = path.with_suffix(f".{PLATFORM}.pin.txt")
            pins.write_text(lock_of(cache, one.prefix))
            sys.stdout.write(f"{pins}\n")
        else:
            say(f"{one.name}: no file of {into}, so no pins were written.")


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
