"""`cleanroom completion`: the script that a shell sources."""

import argparse

import shtab

from cleanroom.commands.arguments import build_parser


def command(arguments: argparse.Namespace) -> int:
    print(shtab.complete(build_parser(), arguments.shell))
    return 0
