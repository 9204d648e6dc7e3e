"""Findings that the evidence of runs shows. Not here: the codes, and whether meaning held."""

from collections.abc import Iterator, Sequence

from cleanroom.findings.codes import finding, ordered
from cleanroom.findings.untried import unused_software
from cleanroom.values.audit import Finding
from cleanroom.values.environment import Environment
from cleanroom.values.run import Evidence, Kind, Role, StepStatus
from cleanroom.values.setup import SENDERS, OverrideCause, SettingPlace, Source
from cleanroom.wording import counted

_SHOWN = 5


def observe(
    source: Source, runs: Sequence[Evidence], earlier: Evidence | None = None
) -> tuple[Finding, ...]:
    """Every finding, each once, errors first; `earlier` is a run that they are compared with."""
    found: dict[Finding, None] = {}
    if source.uncommitted:
        paths = counted(source.uncommitted, "path")
        found[finding("CR-005", f"{paths} of the work tree differ from what is committed")] = None
    for path in source.passed_over:
        text = f"{path}; to confirm it, name it with --profile"
        found[finding("CR-051", text, file=path)] = None
    if source.pointers:
        text = f"DVC or git-annex has {_names(source.pointers)}"
        found[finding("CR-058", text, file=source.pointers[0])] = None
    if runs and runs[0].image.shared:
        found[finding("CR-006", "rooms shared the host's system software, read-only")] = None
    if runs:
        found.update(dict.fromkeys(_of_software(runs[0].environment)))
        if learnt := runs[0].learnt:
            text = f"`{learnt.text}`"
            found[finding("CR-056", text, file=learnt.file, line=learnt.line)] = None
        for other in [*runs[1:], *([earlier] if earlier else [])]:
            if differing := other.environment.differing(runs[0].environment):
                more = f", {len(differing) - _SHOWN} more" if len(differing) > _SHOWN else ""
                text = f"{other.label} / {runs[0].label}: {', '.join(differing[:_SHOWN])}{more}"
                found[finding("CR-055", text)] = None
    for run in runs:
        if run.of_profile:
            found.update(dict.fromkeys(_of_run(run)))
    return ordered(found)


def _of_software(held: Environment) -> Iterator[Finding]:
    """What a repository declares of its packages, and what became of it."""
    for passed in held.passed_over:
        yield finding("CR-053", f"{passed.file}: {passed.why}", file=passed.file)
    if held.unpinned:
        yield finding("CR-054", _names(held.unpinned), file=held.taken[0] if held.taken else "")
    for one in held.conda:
        if one.unpinned:
            text = f"{one.name}; its lock: cleanroom env show {one.prefix[:16]}"
            yield finding("CR-054", text, file=one.name)
    for image in held.containers:
        if image.moves:
            yield finding("CR-054", f"the image {image.url}, which is {image.digest[:19]} here")
    for source in held.sources:
        if source.moves and source.sha256:
            yield finding("CR-057", source.uri)


def _of_run(run: Evidence) -> Iterator[Finding]:
    name = run.profile.name
    outdated = {o.key for o in run.overrides if o.cause is OverrideCause.OUTDATED}
    refused = [place for place in run.replaced if place.key in outdated]
    for place in run.replaced:
        told = (
            "it was left out, so that the rest of the profile could be run"
            if place in refused and place.key not in SENDERS
            else "each job ran as a process of its own on this machine instead"
            if run.apart
            else "jobs ran on this machine, in one process, instead"
        )
        yield _at("CR-001", f"'{place.key}': {place.text}; {told}", place, name)
    if refused:
        keys = _names([p.key for p in refused])
        yield _at("CR-050", f"{keys}: {refused[0].text}", refused[0], name)
    if unused := unused_software(run):
        yield finding("CR-049", unused, profile=name)
    for place in run.actions:
        yield _at("CR-002", f"'{place.key}'", place, name)
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
        yield _at("CR-007", f"'{place.key}' has no effect", place, name)
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
    asked = run.profile_place
    for layer in run.stack:
        file = layer.file
        if asked not in {file, file.rpartition("/")[0]}:
            yield finding("CR-011", f"{file} joins without being asked for", file=file)
    if run.unreadable and not run.unreadable.key:
        yield _at("CR-013", run.unreadable.text, run.unreadable, name)
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


def _at(code: str, text: str, place: SettingPlace, profile: str) -> Finding:
    """A finding about a setting where it stands."""
    return finding(code, text, file=place.file, line=place.line, profile=profile, key=place.key)


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"
