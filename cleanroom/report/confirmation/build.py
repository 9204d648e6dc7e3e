"""From a confirmation to its view. Not here: how it looks."""

import datetime
import shlex
from collections.abc import Iterator, Sequence

import msgspec

from cleanroom import __version__
from cleanroom.compare.boundary import Boundary
from cleanroom.compare.equivalences import covers
from cleanroom.report.audit.view import call_options, setting_rows
from cleanroom.report.confirmation.cells import agreement, matrix
from cleanroom.report.confirmation.sentence import leads, sentence
from cleanroom.report.confirmation.statements import boundary_of, repeats_of, software_of
from cleanroom.report.confirmation.view import (
    Accepted,
    DifferenceView,
    FailedJob,
    OriginView,
    PlanView,
    Report,
    RunView,
    StepView,
)
from cleanroom.report.next_step import after_confirmation
from cleanroom.values.base import SCHEMA_VERSION
from cleanroom.values.comparison import (
    Comparison,
    Difference,
    Sameness,
)
from cleanroom.values.plan import Job
from cleanroom.values.purpose import Control, Interrupted, OtherSnakemake, Staged, factors_of
from cleanroom.values.run import Attempt, Evidence
from cleanroom.values.setup import OverrideCause
from cleanroom.values.verdict import Confirmation

_LINES = 12


def build_report(confirmation: Confirmation) -> Report:
    """Everything a reader needs, from what a confirmation found."""
    judgement = confirmation.judgement
    isolation = next((r.image.isolation for r in confirmation.runs), "")
    created = datetime.datetime.fromtimestamp(confirmation.started, datetime.UTC)
    whole = (
        [*confirmation.runs, confirmation.earlier]
        if confirmation.earlier
        else list(confirmation.runs)
    )
    runs = {run.label: run for run in whole}
    again = _again(confirmation)
    return Report(
        schema_version=SCHEMA_VERSION,
        cleanroom=__version__,
        verdict=judgement.verdict,
        exit_code=judgement.exit_code,
        sentence=sentence(confirmation),
        reasons=judgement.reasons,
        source=confirmation.source,
        entry={k: v for k, v in msgspec.to_builtins(confirmation.entry).items() if v},
        learnt=confirmation.runs[0].learnt if confirmation.runs else None,
        baseline=confirmation.baseline,
        isolation=isolation,
        software=software_of(confirmation.runs),
        created=created.strftime("%Y-%m-%d %H:%M:%S UTC"),
        seconds=round(confirmation.seconds, 3),
        boundary=boundary_of(confirmation.declared),
        rungs=judgement.rungs,
        matrix=tuple(matrix(confirmation)),
        groups=confirmation.groups,
        agreement=agreement(confirmation.groups),
        runs=tuple(
            _run_view(run, confirmation.evidence.get(run.label, ""), run is confirmation.earlier)
            for run in whole
        ),
        origins=tuple(_origin_views(confirmation)),
        differences=tuple(_differences(confirmation, runs)),
        plan_differences=tuple(_plan_views(confirmation)),
        causes=confirmation.causes,
        accepted=tuple(_accepted(confirmation)),
        settings=setting_rows(confirmation.audit),
        answers=confirmation.audit.answers,
        findings=confirmation.audit.findings,
        repeats=repeats_of(confirmation),
        unproven=(
            *(f"not tried: {what}" for what in judgement.untried),
            *(f"{rung.name}: {rung.unproven}" for rung in judgement.rungs if rung.unproven),
        ),
        reproduce=shlex.join(again),
        record=confirmation.record,
        next=after_confirmation(confirmation, again),
    )


def _run_view(run: Evidence, evidence: str, earlier: bool) -> RunView:
    boundary = Boundary(run)
    deciding = sum(boundary.decides(artifact) for artifact in run.artifacts)
    return RunView(
        label=run.label,
        profile=run.profile.name,
        control=isinstance(run.purpose, Control),
        earlier=earlier,
        varied=factors_of(run.purpose),
        interrupted=str(run.purpose) if isinstance(run.purpose, Interrupted) else "",
        staged=isinstance(run.purpose, Staged),
        only=run.only,
        commit=run.source.commit,
        attempt_id=run.attempt_id,
        evidence=evidence,
        status=run.status,
        why=run.why,
        image=run.image,
        versions=run.versions,
        context=run.context,
        stack=tuple(msgspec.structs.replace(layer, text="") for layer in run.stack),
        settings=run.settings,
        overrides=run.overrides,
        replaced=run.replaced,
        attempts=max((attempt.number for attempt in run.attempts), default=0),
        jobs=len({a.job.identity for a in run.attempts}),
        decides=deciding,
        informs=len(run.artifacts) - deciding,
        seconds=round(run.seconds, 3),
        steps=tuple(
            StepView(
                name=s.name,
                status=s.status,
                seconds=round(s.seconds, 3),
                log="" if s.status == "ok" or s.name == "lint" else _tail(s.log),
            )
            for s in run.steps
        ),
        lints=None if run.lints is None else len(run.lints),
        failed=tuple(_failed(run.attempts)),
    )


def _failed(attempts: tuple[Attempt, ...]) -> Iterator[FailedJob]:
    """Jobs whose last attempt failed."""
    last = {attempt.job.identity: attempt for attempt in attempts}
    for attempt in last.values():
        if attempt.ok is False:
            yield FailedJob(
                job=attempt.job.label, attempts=attempt.number, log=", ".join(attempt.job.log)
            )


def _tail(text: str) -> str:
    return "\n".join([line for line in text.splitlines() if line.strip()][-_LINES:])


def _differences(confirmation: Confirmation, runs: dict[str, Evidence]) -> Iterator[DifferenceView]:
    """Those that decide first, origins before what follows from them."""
    commands = {label: _commands(run) for label, run in runs.items()}
    views = [
        _difference_view(d, c, commands)
        for c in confirmation.comparisons
        for d in c.artifacts
        if d.sameness is not Sameness.PAYLOAD and not covers(d)
    ]
    yield from sorted(views, key=lambda d: (not (d.decides or leads(d)), d.noise, not d.origin))


def _commands(run: Evidence) -> dict[str, Job]:
    owners: dict[str, Job] = {}
    for artifact in run.artifacts:
        if artifact.job >= 0:
            owners[artifact.path] = run.attempts[artifact.job].job
    return owners


def _difference_view(
    d: Difference, c: Comparison, commands: dict[str, dict[str, Job]]
) -> DifferenceView:
    left, right = commands[c.left].get(d.path), commands[c.right].get(d.path)
    shown = leads(d)
    return DifferenceView(
        path=d.path,
        left=c.left,
        right=c.right,
        sameness=d.sameness,
        comparator=d.comparator,
        decides=d.decides,
        origin=d.origin,
        noise=d.noise,
        rule=d.rule,
        wildcards=d.wildcards,
        role=d.role,
        note=d.note,
        left_sha256=d.left_sha256,
        right_sha256=d.right_sha256,
        left_command=left.command if left and shown else "",
        right_command=right.command if right and shown else "",
        facts=d.facts,
        excerpts=d.excerpts,
        kinds=d.kinds,
        pictures=d.pictures,
        diffoscope=d.diffoscope,
    )


def _plan_views(confirmation: Confirmation) -> Iterator[PlanView]:
    """Those that decide first; the same change in several jobs of a rule once, with their
    number.
    """
    views: dict[tuple[str, ...], PlanView] = {}
    for c in confirmation.comparisons:
        for d in (*c.plan, *c.attempts):
            key = (
                c.right,
                d.rule,
                d.field,
                d.left,
                d.right,
                str(d.noise),
                d.note,
            )
            if key in views and d.field != "job":
                views[key] = msgspec.structs.replace(views[key], also=views[key].also + 1)
                continue
            views[(*key, d.job) if d.field == "job" else key] = PlanView(
                job=d.job,
                rule=d.rule,
                field=d.field,
                left=c.left,
                right=c.right,
                left_value=d.left,
                right_value=d.right,
                decides=d.decides,
                noise=d.noise,
                note=d.note,
            )
    yield from sorted(views.values(), key=lambda d: not d.decides)


def _origin_views(confirmation: Confirmation) -> Iterator[OriginView]:
    for c in confirmation.comparisons:
        for o in c.origins:
            yield OriginView(
                left=c.left,
                right=c.right,
                rule=o.rule,
                wildcards=o.wildcards,
                paths=o.paths,
                derived=o.derived,
                left_job=o.left,
                right_job=o.right,
                by_time=o.by_time,
                noise=o.noise,
            )


def _accepted(confirmation: Confirmation) -> Iterator[Accepted]:
    """What does not count though its bytes differ: the payload, and what an equivalence covers."""
    for c in confirmation.comparisons:
        for d in c.artifacts:
            if d.sameness is Sameness.PAYLOAD:
                yield Accepted(
                    path=d.path,
                    left=c.left,
                    right=c.right,
                    sameness=d.sameness,
                    rule=f"payload ({d.comparator}): {d.note}",
                )
            elif covers(d):
                e = confirmation.declared.equivalences[d.equivalence]
                text = (
                    f"{d.sameness} ({d.comparator}): {d.note}; {e.reason} ({e.owner}, until "
                    f"{e.expires.isoformat()})"
                )
                yield Accepted(
                    path=d.path, left=c.left, right=c.right, sameness=d.sameness, rule=text
                )


def _again(confirmation: Confirmation) -> list[str]:
    """The call that does it again: the full commit, the profiles and the image's digest."""
    if confirmation.runs[0].folder:
        return ["cleanroom", "compare", *(run.folder for run in confirmation.runs)]
    source, earlier = confirmation.source, confirmation.earlier
    climbed = [f"--{name}" for name in confirmation.climb]
    against = (
        ["--against", earlier.folder or confirmation.evidence[earlier.label]] if earlier else []
    )
    runs = confirmation.runs
    options = [*call_options(confirmation.entry, runs), *_software(runs), *climbed, *against]
    return ["cleanroom", "confirm", source.url, source.commit, *options]


def _software(runs: Sequence[Evidence]) -> list[str]:
    """The options that name the same Snakemakes and the same executor."""
    words: list[str] = []
    others = [r.purpose.version for r in runs if isinstance(r.purpose, OtherSnakemake)]
    for version in [runs[0].versions.get("snakemake", ""), *others] if others else ():
        words += ["--snakemake", version]
    if any(o.cause is OverrideCause.SLURM for run in runs for o in run.overrides):
        words += ["--executor", "slurm"]
    return words
