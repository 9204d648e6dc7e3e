"""`cleanroom audit`: every setting of every profile, what it is here, and whether all plan the same
work.
"""

import argparse
import sys
from pathlib import Path

from rich.console import Console

from cleanroom.commands import progress
from cleanroom.commands.boundary import say
from cleanroom.commands.confirm import request_of
from cleanroom.flows.audit import audit_profiles
from cleanroom.report.audit.bundle import audit_json, write_bundle
from cleanroom.report.audit.terminal import show
from cleanroom.report.audit.view import build_audit_report


def command(arguments: argparse.Namespace) -> int:
    """Audit, write the bundle, and return the exit code."""
    with progress.shown(arguments.quiet) as watch:
        audited = audit_profiles(request_of(arguments), watch)
    if not arguments.quiet and audited.source.uncommitted:
        say(
            f"note: {audited.source.uncommitted} uncommitted paths of {audited.source.url} are "
            "not part of this audit."
        )
    report = build_audit_report(audited)
    paths = write_bundle(audited, report, Path(arguments.out))
    if arguments.format == "json":
        sys.stdout.write(audit_json(report))
    else:
        show(report, paths, Console(highlight=False))
    return report.exit_code
