"""`cleanroom confirm`: one commit, all its profiles, one verdict."""

import argparse
import os
import sys
from pathlib import Path

import msgspec
from rich.console import Console

from cleanroom.commands import progress
from cleanroom.commands.boundary import cache_folder, say
from cleanroom.commands.options import size
from cleanroom.errors import UsageError
from cleanroom.evidence.masking import check_secret
from cleanroom.flows.choose import Request
from cleanroom.flows.confirm import confirm
from cleanroom.report import build_report
from cleanroom.report.confirmation.files import render, write_reports
from cleanroom.report.confirmation.terminal import show
from cleanroom.room.engines.interface import Limits
from cleanroom.values.setup import Entry
from cleanroom.values.verdict import Confirmation


def command(arguments: argparse.Namespace) -> int:
    """Confirm, report, and return the verdict's exit code."""
    request = request_of(arguments)
    with progress.shown(arguments.quiet) as watch:
        confirmation = confirm(request, watch)
    if not arguments.quiet and confirmation.source.uncommitted:
        say(
            f"note: {confirmation.source.uncommitted} uncommitted paths of "
            f"{confirmation.source.url} are not part of this confirmation."
        )
    return deliver(confirmation, arguments, Path(arguments.out))


def _limit_of_prefixes() -> int:
    """How many bytes of prefixes the cache keeps. Raises: UsageError."""
    said = os.environ.get("CLEANROOM_PREFIX_LIMIT", "50g")
    try:
        return size(said)
    except argparse.ArgumentTypeError as error:
        raise UsageError(f"CLEANROOM_PREFIX_LIMIT: {error}.", "Give a size such as 50g.") from None


def deliver(confirmation: Confirmation, arguments: argparse.Namespace, out: Path | None) -> int:
    """Write the reports, print the result on standard output, and return its exit code."""
    report = build_report(confirmation)
    paths = write_reports(report, out) if out else []
    if arguments.format == "json":
        sys.stdout.write(render(report, "json"))
    else:
        show(report, paths, Console(highlight=False))
    if getattr(arguments, "keep_rooms", False):
        say(f"The rooms were kept in {cache_folder(arguments) / 'rooms'}.")
    return report.exit_code


def request_of(arguments: argparse.Namespace) -> Request:
    """What was asked for on the command line. Raises: UsageError."""
    if arguments.config and not Path(arguments.config).is_file():
        raise UsageError(
            f"There is no file '{arguments.config}'.", "Give --config an existing cleanroom.yaml."
        )
    asked = {"run": arguments.time_limit, "memory": arguments.memory, "disk": arguments.disk}
    limits = msgspec.structs.replace(
        Limits(), **{name: value for name, value in asked.items() if value is not None}
    )
    if arguments.time_limit is not None:
        # A limit shorter than a step's own holds for that step too.
        shorter = {
            name: min(getattr(limits, name), arguments.time_limit)
            for name in ("settings", "lint", "plan")
        }
        limits = msgspec.structs.replace(limits, **shorter)
    return Request(
        repo=arguments.repo,
        ref=arguments.ref,
        cache=str(cache_folder(arguments)),
        profiles=tuple(arguments.profile),
        baseline_profile=arguments.baseline_profile,
        engine=arguments.engine,
        image=arguments.image,
        environment=arguments.environment,
        deployment=arguments.deployment,
        refresh=arguments.refresh,
        executor=getattr(arguments, "executor", ""),
        snakemakes=tuple(getattr(arguments, "snakemake", ())),
        entry=Entry(
            folder=arguments.folder,
            snakefile=arguments.snakefile,
            directory=arguments.directory,
            configfiles=tuple(arguments.configfile),
            targets=tuple(arguments.target),
            cores=arguments.cores,
        ),
        config=arguments.config,
        limits=limits,
        network=arguments.network,
        jobs_in_parallel=getattr(arguments, "jobs_in_parallel", None),
        fetch_limit=arguments.fetch_limit,
        local_submodules=arguments.allow_local_submodules,
        private_sources=arguments.allow_private_sources,
        prefix_limit=_limit_of_prefixes(),
        secrets={name: check_secret(name, os.environ.get(name)) for name in arguments.env},
        keep_rooms=getattr(arguments, "keep_rooms", False),
        repeats=getattr(arguments, "repeats", None) or 0,
        climb=frozenset(getattr(arguments, "climb", None) or ()),
        explain_cause=getattr(arguments, "explain_cause", False),
        diffoscope=getattr(arguments, "diffoscope", False),
        against=getattr(arguments, "against", ""),
    )
