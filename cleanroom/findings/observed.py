"""Findings that the evidence of runs shows. Not here: the codes, and whether meaning held."""

from collections.abc import Iterator, Sequence

from cleanroom.findings.codes import finding, ordered
from cleanroom.findings.untried import sends_jobs, unused_software
from cleanroom.values.audit import Finding
from cleanroom.values.run import Evidence, Kind, Role, StepStatus
from cleanroom.values.setup import OverrideCause, Source
from cleanroom.wording import counted

_SHOWN = 5


def observe(source: Source, runs: Sequence[Evidence]) -> tuple[Finding, ...]:
    """Every finding, each once, errors first."""
    found: dict[Finding, None] = {}
    if source.uncommitted:
        paths = counted(source.uncommitted, "path")
        found[finding("CR-005", f"{paths} of the work tree differ from what is committed")] = None
    for path in source.passed_over:
        text = f"{path}; to confirm it, name it with --profile"
        found[finding("CR-051", text, file=path)] = None
    if runs and runs[0].image.shared:
        found[finding("CR-006", "rooms shared the host's system software, read-only")] = None
    for run in runs:
        if run.of_profile:
            found.update(dict.fromkeys(_of_run(run)))
    return ordered(found)


def _of_run(run: Evidence) -> Iterator[Finding]:
    name = run.profile.name
    causes = {o.key: o.cause for o in run.overrides if o.now is None}
    apart = any(o.cause is OverrideCause.NODES for o in run.overrides)
    for place in run.replaced:
        outdated = causes.get(place.key) is OverrideCause.OUTDATED
        told = (
            "it was left out, so that the rest of the profile could be run"
            if outdated and not sends_jobs(place.key)
            else "each job ran as a process of its own on this machine instead"
            if apart
            else "jobs ran on this machine, in one process, instead"
        )
        yield finding(
            "CR-001",
            f"'{place.key}': {place.text}; {told}",
            file=place.file,
            line=place.line,
            profile=name,
            key=place.key,
        )
    refused = [p for p in run.replaced if causes.get(p.key) is OverrideCause.OUTDATED]
    if refused:
        text = f"{_names([p.key for p in refused])}: {refused[0].text}"
        first = refused[0]
        yield finding("CR-050", text, file=first.file, line=first.line, profile=name, key=first.key)
    if unused := unused_software(run):
        yield finding("CR-049", unused, profile=name)
    for place in run.actions:
        yield finding(
            "CR-002",
            f"'{place.key}'",
            file=place.file,
            line=place.line,
            profile=name,
            key=place.key,
        )
    if run.tracked_outputs:
        yield finding(
            "CR-003",
            f"{_names(run.tracked_outputs)}; removed before the run, so that they had to be "
            "made again",
        )
    for step in run.steps:
        written = (*step.created, *step.changed, *step.removed)
        if written and step.name != "run":
            yield finding("CR-004", f"the step {step.name} touched {_names(written)}")
        if step.status is StepStatus.TIMEOUT:
            yield finding(
                "CR-009",
                f"{step.name} reached its time limit after {step.seconds:.0f} s",
                profile=name,
            )
    for place in run.lost:
        yield finding(
            "CR-007",
            f"'{place.key}' has no effect",
            file=place.file,
            line=place.line,
            profile=name,
            key=place.key,
        )
    if run.lints:
        yield finding(
            "CR-008",
            f"{len(run.lints)} remarks, the first: {run.lints[0].place}: {run.lints[0].text}",
        )
    again = {a.job.label: a.number for a in run.attempts if a.number > 1}
    if again:
        yield finding(
            "CR-010",
            f"{_names(tuple(again))}; a retry can hide a result that differs",
            profile=name,
        )
    asked = run.profile.path
    for layer in run.stack:
        file = layer.file
        if asked not in {file, file.rpartition("/")[0]}:
            yield finding("CR-011", f"{file} joins without being asked for", file=file)
    if run.unreadable and not run.unreadable.key:
        yield finding(
            "CR-013",
            run.unreadable.text,
            file=run.unreadable.file,
            line=run.unreadable.line,
            profile=name,
        )
    if overwritten := tuple(a.path for a in run.artifacts if a.role is Role.TRACKED):
        yield finding("CR-012", _names(overwritten))
    results = [a for a in run.artifacts if a.role is Role.OUTPUT and a.kind is Kind.FILE]
    if results and not any(a.size for a in results):
        yield finding("CR-052", _names([a.path for a in results]), profile=name)
    if run.lingering:
        yield finding(
            "CR-047", f"{_names(run.lingering)}; they were ended with the room", profile=name
        )
    if run.gone:
        yield finding("CR-015", _names(run.gone), profile=name)
    for artifact in run.artifacts:
        if artifact.unexamined:
            yield finding("CR-014", artifact.unexamined, file=artifact.path, profile=name)


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"
