"""`cleanroom ledger`: the index over all confirmations, brought up to date or made again."""

import argparse
import os
import time

from cleanroom.commands.boundary import cache_folder, say
from cleanroom.errors import ExitCode
from cleanroom.evidence.store import Store
from cleanroom.ledger.ledger import Ledger, address_of
from cleanroom.wording import counted


def opened(arguments: argparse.Namespace) -> Ledger:
    """The ledger that the call names, or the cache's own."""
    named = arguments.ledger or os.environ.get("CLEANROOM_LEDGER", "")
    return Ledger(named or address_of(cache_folder(arguments)))


def command(arguments: argparse.Namespace) -> int:
    """Take in what the store has."""
    store = Store(cache_folder(arguments) / "store")
    begin = time.monotonic()
    with opened(arguments) as ledger:
        taken = (ledger.rebuild if arguments.action == "rebuild" else ledger.follow)(store)
    say(f"{counted(taken, 'confirmation')} taken in, in {time.monotonic() - begin:.1f} s.")
    return int(ExitCode.HELD)
