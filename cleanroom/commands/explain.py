"""`cleanroom explain`: what a setting does and whether it may differ by profile; what a finding
means. From the tables alone.
"""

import argparse
import sys
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cleanroom.errors import ExitCode, UsageError
from cleanroom.findings.codes import codes
from cleanroom.profiles.table import Option, look_up, near, options
from cleanroom.report.pages import known_by


def command(arguments: argparse.Namespace) -> int:
    """Explain one key or code, or list all keys. Raises: UsageError with near names."""
    key, console = arguments.key, Console(highlight=False)
    if not key:
        value: Any = list(options().values())
        _show(arguments, value, lambda: console.print(_all()))
    elif key.upper() in codes():
        code = codes()[key.upper()]
        _show(
            arguments,
            code,
            lambda: _lines(
                console,
                key.upper(),
                {
                    "severity": code.severity,
                    "what": code.title,
                    "why": code.why,
                    "repair": code.repair,
                },
            ),
        )
    elif option := look_up(key):
        _show(arguments, option, lambda: _lines(console, option.key, _facts(option)))
    else:
        close = near(key)
        raise UsageError(
            f"There is no setting and no finding '{key}'.",
            f"Did you mean {' or '.join(close)}?" if close else "Call `cleanroom explain` for all.",
        )
    return int(ExitCode.HELD)


def _show(arguments: argparse.Namespace, value: Any, text: Any) -> None:
    if arguments.format == "json":
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")
    else:
        text()


def _facts(option: Option) -> dict[str, str]:
    facts = {
        "class": option.setting_class.value,
        "does": option.does,
        "why": option.why,
        "safe": option.safe,
        "drift": option.drift,
    }
    facts["known by"] = known_by(option)
    if option.also:
        facts["also"] = ", ".join(option.also)
    return facts


def _lines(console: Console, title: str, facts: dict[str, str]) -> None:
    table = Table.grid(padding=(0, 2))
    for name, text in facts.items():
        table.add_row(Text(name, style="dim"), Text(text))
    console.print(Text(title, style="bold"), table)


def _all() -> Table:
    table = Table.grid(padding=(0, 2))
    for option in options().values():
        table.add_row(
            Text(option.key, style="bold"),
            Text(option.setting_class, style="dim"),
            Text(option.does),
        )
    return table
