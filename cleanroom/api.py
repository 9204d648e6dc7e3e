"""What Python code may call: the verbs of the command line, as functions.

This module, the reports that its functions return, `cleanroom.errors`, and the interface of
comparators (`cleanroom.compare.formats.interface`) are public: they change only as the changelog
says. All else is the house's own and may change at any time.

Nothing here prints, exits or reads the environment.
"""

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path

import platformdirs

from cleanroom.evidence.masking import checked
from cleanroom.flows.audit import audit_profiles
from cleanroom.flows.choose import Deployments, Environments, Request
from cleanroom.flows.confirm import confirm as confirm_commit
from cleanroom.flows.review import review_commits
from cleanroom.flows.stored import compare_stored
from cleanroom.report import Report, build_report
from cleanroom.report.audit.view import AuditReport, build_audit_report
from cleanroom.report.confirmation.files import write_reports
from cleanroom.report.review.view import ReviewReport, build_review_report
from cleanroom.room.engines.interface import Limits, Network
from cleanroom.values.setup import Entry

__all__ = [
    "AuditReport",
    "Entry",
    "Limits",
    "Report",
    "ReviewReport",
    "audit",
    "compare",
    "confirm",
    "review",
    "write_reports",
]


def confirm(
    repo: str | Path,
    ref: str,
    *,
    profiles: Sequence[str] = (),
    baseline_profile: str = "",
    against: str = "",
    rungs: Sequence[str] = (),
    repeats: int = 0,
    explain_cause: bool = False,
    entry: Entry | None = None,
    config: str = "",
    engine: str = "auto",
    image: str = "",
    environment: Environments = "auto",
    deployment: Deployments = "auto",
    snakemakes: Sequence[str] = (),
    refresh: bool = False,
    secrets: Mapping[str, str] | None = None,
    limits: Limits | None = None,
    network: Network = "none",
    today: datetime.date | None = None,
    cache: str | Path = "",
) -> Report:
    """Run one commit under each of its profiles in fresh rooms, compare, and judge.

    `repo` is a URL or a path, `ref` a commit, tag or branch. `profiles` are names or paths; empty
    means all. `rungs` names what is asked beside the usual: vary, recover, stage, nodes, rest.
    `against` names an earlier run, a folder of results, or a commit. `snakemakes` are versions of
    it: the first runs the profiles, each other one the baseline once more. `refresh` makes the
    declared software anew. `today` decides which acceptances are in force. `secrets` are variables
    of every room, whose values nothing shows.
    `cache` keeps mirrors and evidence; empty means the user's own cache folder.

    Returns the whole report, whatever the verdict: `report.verdict`, `report.exit_code`,
    `report.reasons`. Raises: cleanroom.errors.CleanroomError where nothing could be said at all.
    """
    request = Request(
        repo=str(repo),
        ref=ref,
        cache=_cache(cache),
        profiles=tuple(profiles),
        baseline_profile=baseline_profile,
        against=against,
        climb=frozenset(rungs),
        repeats=repeats,
        explain_cause=explain_cause,
        entry=entry or Entry(),
        config=config,
        engine=engine,
        image=image,
        environment=environment,
        deployment=deployment,
        snakemakes=tuple(snakemakes),
        refresh=refresh,
        secrets=checked(secrets),
        limits=limits or Limits(),
        network=network,
        today=today,
    )
    return build_report(confirm_commit(request))


def audit(
    repo: str | Path,
    ref: str = "HEAD",
    *,
    profiles: Sequence[str] = (),
    baseline_profile: str = "",
    entry: Entry | None = None,
    config: str = "",
    engine: str = "auto",
    image: str = "",
    environment: Environments = "auto",
    deployment: Deployments = "auto",
    secrets: Mapping[str, str] | None = None,
    limits: Limits | None = None,
    today: datetime.date | None = None,
    cache: str | Path = "",
) -> AuditReport:
    """Read, lint and plan one commit under each of its profiles, and run no job of it.

    The arguments are those of `confirm`. `report.outcome` is CLEAN, ERRORS, FAILED or INCONCLUSIVE.
    Raises: cleanroom.errors.CleanroomError.
    """
    request = Request(
        repo=str(repo),
        ref=ref,
        cache=_cache(cache),
        profiles=tuple(profiles),
        baseline_profile=baseline_profile,
        entry=entry or Entry(),
        config=config,
        engine=engine,
        image=image,
        environment=environment,
        deployment=deployment,
        secrets=checked(secrets),
        limits=limits or Limits(),
        today=today,
    )
    return build_audit_report(audit_profiles(request))


def review(
    repo: str | Path,
    base: str,
    ref: str,
    *,
    profiles: Sequence[str] = (),
    entry: Entry | None = None,
    config: str = "",
    engine: str = "auto",
    image: str = "",
    environment: Environments = "auto",
    deployment: Deployments = "auto",
    secrets: Mapping[str, str] | None = None,
    limits: Limits | None = None,
    cache: str | Path = "",
) -> ReviewReport:
    """Say of each change between two commits whether it is policy, declared, or semantic drift.

    No job is run. The arguments are those of `confirm`. Raises: cleanroom.errors.CleanroomError.
    """
    request = Request(
        repo=str(repo),
        ref=ref,
        cache=_cache(cache),
        profiles=tuple(profiles),
        entry=entry or Entry(),
        config=config,
        engine=engine,
        image=image,
        environment=environment,
        deployment=deployment,
        secrets=checked(secrets),
        limits=limits or Limits(),
    )
    return build_review_report(review_commits(request, base))


def compare(left: str | Path, right: str | Path, *, cache: str | Path = "") -> Report:
    """Compare two stored runs, by the digests of their evidence, or two folders of results.

    Raises: cleanroom.errors.CleanroomError.
    """
    return build_report(compare_stored(str(left), str(right), Path(_cache(cache))))


def _cache(named: str | Path) -> str:
    return str(Path(named or platformdirs.user_cache_dir("cleanroom")).expanduser().resolve())
