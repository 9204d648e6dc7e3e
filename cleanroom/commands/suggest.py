"""`cleanroom suggest`: the narrowest equivalences that would cover what differs without any change
of profile.
"""

import argparse
import sys
from pathlib import Path

from cleanroom.commands.boundary import cache_folder, say
from cleanroom.compare.artifacts import ComparisonContext
from cleanroom.compare.examiner import Examiner
from cleanroom.compare.runs import compare
from cleanroom.compare.suggest import as_yaml, suggest
from cleanroom.errors import ExitCode, UsageError
from cleanroom.evidence.reported import read_reported
from cleanroom.evidence.store import Store
from cleanroom.report.visible import json_text


def command(arguments: argparse.Namespace) -> int:
    """Print YAML for `cleanroom.yaml`; 1 where something is left that nothing narrow covers."""
    store = Store(cache_folder(arguments) / "store")
    names = (
        [arguments.report, arguments.other] if arguments.other else _control(Path(arguments.report))
    )
    baseline, *others = (store.get(name)[1] for name in names)
    with Examiner() as examiner:
        ground = ComparisonContext(store.content, examiner, baseline.declared)
        comparisons = [compare(baseline, other, ground) for other in others]
        covered, uncovered = suggest(comparisons, ground, baseline)
    if arguments.format == "json":
        sys.stdout.write(json_text({"covered": covered, "uncovered": uncovered}))
    else:
        sys.stdout.write(as_yaml(covered, uncovered, ground.today))
    if not covered and not uncovered:
        say("No result differs; no equivalence is needed.")
    elif covered:
        say(
            "Review each entry, say why it is right and who answers for it, and commit it in "
            "cleanroom.yaml."
        )
    return int(ExitCode.DRIFTED if uncovered else ExitCode.HELD)


def _control(folder: Path) -> list[str]:
    """The digests of a report's baseline and its controls."""
    if not folder.is_dir():
        raise UsageError(
            f"There is no folder '{folder}'.",
            "Give the folder of a report, or the digests of two stored runs.",
        )
    report = read_reported(folder)
    controls = [run.evidence for run in report.runs if run.control and run.evidence]
    if not controls:
        raise UsageError(
            f"The report in {folder} has no control run.",
            "Confirm again with --repeats 1, or give the digests of two stored runs.",
        )
    return [report.of_baseline, *controls]
