"""Clean-room confirmation for Snakemake workflows: does the meaning hold under every profile?

report = cleanroom.confirm("https://…/workflow.git", "v1.2")
evidence = cleanroom.run(request)
judgement = cleanroom.judge([evidence, other])
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cleanroom.evidence.request import RunRequest
    from cleanroom.report import Report
    from cleanroom.values.run import Evidence
    from cleanroom.values.verdict import Judgement

__version__ = "0.1.0"
__all__ = ["__version__", "confirm", "judge", "run"]

# Imports are inside, so that `cleanroom --help` need not load an engine.


def confirm(repo: str, ref: str, *, cache: str, **options: Any) -> "Report":
    """Confirm one commit under its profiles.
    `options` are the fields of `cleanroom.flows.choose.Request`.

    Raises: cleanroom.errors.CleanroomError.
    """
    from cleanroom.flows.choose import Request
    from cleanroom.flows.confirm import confirm as walk
    from cleanroom.report import build_report

    return build_report(walk(Request(repo=repo, ref=ref, cache=cache, **options)))


def run(request: "RunRequest") -> "Evidence":
    """One run of one profile in one fresh room; its evidence is kept in the store of the request's
    cache.
    """
    from cleanroom.evidence.run import run as gather

    return gather(request)


def judge(runs: "Sequence[Evidence]", *, cache: str) -> "Judgement":
    """The verdict over runs whose evidence is in the store of `cache`, the first one being the
    baseline.
    """
    from pathlib import Path

    from cleanroom.evidence.store import Store
    from cleanroom.flows.confirm import recompute

    return recompute(runs, Store(Path(cache) / "store").object).judgement
