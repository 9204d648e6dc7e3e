"""`cleanroom compare`: compare two stored runs, or two folders."""

import argparse
from pathlib import Path

from cleanroom.commands.boundary import cache_folder
from cleanroom.commands.confirm import deliver
from cleanroom.flows.stored import compare_stored


def command(arguments: argparse.Namespace) -> int:
    """Compare, write the reports where somebody asks for them, and return the exit code."""
    found = compare_stored(arguments.left, arguments.right, cache_folder(arguments))
    return deliver(found, arguments, Path(arguments.out) if arguments.out else None)
