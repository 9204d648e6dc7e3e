"""What decides and what only informs. Not here: whether two artifacts are the same."""

from collections.abc import Sequence

from cleanroom.compare.paths import matches
from cleanroom.model import Artifact, Declared, Evidence, Publish, Role

_INFORMING = {Role.TEMP, Role.LOG, Role.BENCHMARK, Role.CACHE}


class Boundary:
    """The line between files that decide and files that inform, for one run, as the commit declares it.

    Every file that a run left decides, declared or not, except logs, benchmarks, temporary outputs and bytecode caches.
    A log or benchmark that is a target, or that another job reads, decides too. Where the commit names a published contract,
    only that decides, even within a scratch place; otherwise a scratch place never does.
    """

    def __init__(self, evidence: Evidence, declared: Declared | None = None) -> None:
        self._evidence = evidence
        self._declared = declared or evidence.declared
        read = {file.path for attempt in evidence.attempts for file in attempt.job.input}
        self._read = read | (set(evidence.plan.targets) if evidence.plan else set())

    def decides(self, artifact: Artifact) -> bool:
        if self._declared.publish:
            return artifact.role is not Role.CACHE and any(publishes(entry, artifact, self._evidence) for entry in self._declared.publish)
        if any(matches(artifact.path, scratch.path) for scratch in self._declared.scratch):
            return False
        if artifact.role in (Role.LOG, Role.BENCHMARK):
            return artifact.path in self._read
        return artifact.role not in _INFORMING


def publishes(entry: Publish, artifact: Artifact, evidence: Evidence) -> bool:
    """Whether an artifact is of a part of the published contract."""
    if entry.rule:
        return artifact.job >= 0 and evidence.attempts[artifact.job].job.rule == entry.rule and artifact.role is not Role.LOG
    return matches(artifact.path, entry.path)


def unmatched(runs: Sequence[Evidence], declared: Declared) -> tuple[list[str], list[str]]:
    """(parts of the published contract, scratch places) that no file of any run is of."""
    pairs = [(artifact, run) for run in runs for artifact in run.artifacts]
    publish = [entry.label for entry in declared.publish if not any(publishes(entry, a, run) for a, run in pairs)]
    scratch = [place.path for place in declared.scratch if not any(matches(a.path, place.path) for a, _ in pairs)]
    return publish, scratch
