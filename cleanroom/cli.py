"""The command line: parses, and calls one verb. Not here: what a verb does.

Nothing heavy is imported before a verb is chosen, so that `--help` answers at once.
"""

import sys
from collections.abc import Sequence

from cleanroom.commands.arguments import build_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, call the verb, and turn every end into an exit code."""
    try:
        arguments = build_parser().parse_args(argv)
        from cleanroom.commands.boundary import guarded

        return guarded(arguments)
    except KeyboardInterrupt:  # before there was anything to end
        sys.stderr.write("cleanroom: Stopped. Nothing was begun.\n")
        return 130


if __name__ == "__main__":
    sys.exit(main())
