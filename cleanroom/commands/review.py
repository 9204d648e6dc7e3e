"""`cleanroom review`: what changed between two commits, and whether meaning came through a
profile.
"""

import argparse
import sys
from pathlib import Path

from rich.console import Console

from cleanroom.commands import progress
from cleanroom.commands.confirm import request_of
from cleanroom.flows.review import review_commits
from cleanroom.report.review.view import (
    build_review_report,
    review_json,
    review_markdown,
    show_review,
    write_review,
)


def command(arguments: argparse.Namespace) -> int:
    """Review, write the reports, and return the exit code."""
    with progress.shown(arguments.quiet) as watch:
        reviewed = review_commits(request_of(arguments), arguments.base, watch)
    report = build_review_report(reviewed)
    paths = write_review(report, Path(arguments.out))
    if arguments.format == "json":
        sys.stdout.write(review_json(report))
    elif arguments.format == "md":
        sys.stdout.write(review_markdown(report))
    else:
        show_review(report, paths, Console(highlight=False))
    return report.exit_code
