"""The command line: parses, and calls one verb. Not here: what a verb does.

Nothing heavy is imported before a verb is chosen, so that `--help` answers at once.
"""

import importlib
import sys
from collections.abc import Sequence

from cleanroom.commands.arguments import build_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, call the verb, and turn every end into an exit code."""
    arguments = build_parser().parse_args(argv)
    from cleanroom.commands.boundary import guarded

    verb = importlib.import_module(f"cleanroom.commands.{arguments.verb}")
    return guarded(verb.command, arguments)


if __name__ == "__main__":
    sys.exit(main())
