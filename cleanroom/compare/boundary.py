"""What decides and what only informs. Not here: whether two artifacts are the same."""

from collections.abc import Sequence

from cleanroom.compare.paths import matches
from cleanroom.values.declared import Declared, Publish
from cleanroom.values.run import Artifact, Evidence, Kind, Role

_INFORMING = {Role.TEMP, Role.LOG, Role.BENCHMARK, Role.CACHE}


class Boundary:
    """The line between files that decide and files that inform, for one run, as the commit declares
    it.

    Every file that a run left decides, declared or not, except logs, benchmarks, temporary outputs
    and bytecode caches.
    A log or benchmark that is a target, or that another job reads, decides too, as does a temporary
    output that is a target or that the profile keeps, and whatever a link leads to that decides.
    Where the commit names a published contract, only that decides, even within a scratch place;
    otherwise a scratch place never does.
    """

    def __init__(self, evidence: Evidence, declared: Declared | None = None) -> None:
        self._evidence = evidence
        self._declared = declared or evidence.declared
        read = {file.path for attempt in evidence.attempts for file in attempt.job.input}
        self._targets = set(evidence.plan.targets) if evidence.plan else set[str]()
        self._read = read | self._targets
        on = {s.key for s in evidence.settings if s.value in (True, "True", "true")}
        self._kept, self._deletes = "notemp" in on, "all-temp" in on
        self._behind = self._ends_of_links()

    def _ends_of_links(self) -> set[str]:
        """Where links end that decide: what lies there is what they hold.
        A folder may hold links of its own.
        """
        links = [artifact for artifact in self._evidence.artifacts if artifact.leads_to]
        found: set[str] = set()
        while (
            new := {a.leads_to for a in links if self._by_itself(a) or within(a.path, found)}
            - found
        ):
            found |= new
        return found

    def decides(self, artifact: Artifact) -> bool:
        """Whether what an artifact holds is a part of the meaning."""
        return self._by_itself(artifact) or within(artifact.path, self._behind)

    def is_result(self, artifact: Artifact) -> bool:
        """Whether it decides and somebody wants to keep it: under `all-temp` every output counts as
        temporary, and what stays is kept.
        """
        kept = artifact.role is not Role.TEMP or self._deletes
        return kept and self.decides(artifact)

    def _by_itself(self, artifact: Artifact) -> bool:
        if artifact.kind is Kind.OTHER and artifact.job < 0:
            return False  # a pipe or socket that somebody left holds nothing
        if self._declared.publish:
            return artifact.role is not Role.CACHE and any(
                publishes(entry, artifact, self._evidence) for entry in self._declared.publish
            )
        if self._scratch_of(artifact):
            return False
        if artifact.role in (Role.LOG, Role.BENCHMARK):
            return artifact.path in self._read
        if artifact.role is Role.TEMP:
            return self._kept or artifact.path in self._targets
        return artifact.role not in _INFORMING

    def _scratch_of(self, artifact: Artifact) -> str:
        """The scratch place that an artifact lies in, or nothing."""
        return next(
            (
                scratch.path
                for scratch in self._declared.scratch
                if matches(artifact.path, scratch.path)
            ),
            "",
        )

    def swallowed(self) -> dict[str, str]:
        """{scratch place: a result that lies in it and so was not compared}.
        What is only read by other jobs may be scratch.
        """
        if self._declared.publish:
            return {}
        within = consumed(self._evidence)
        pairs = [
            (self._scratch_of(a), a.path)
            for a in self._evidence.artifacts
            if a.role is Role.OUTPUT and a.path not in within
        ]
        return {place: path for place, path in reversed(pairs) if place}


def within(path: str, places: set[str]) -> bool:
    """Whether a path is one of some places, or lies in one."""
    while path not in places and "/" in path:
        path = path.rpartition("/")[0]
    return path in places


def consumed(evidence: Evidence) -> set[str]:
    """Files that nobody asked for and a job made something of: what they held shows in what was
    made.
    """
    read = {
        file.path
        for attempt in evidence.attempts
        if attempt.job.output
        for file in attempt.job.input
    }
    return read - (set(evidence.plan.targets) if evidence.plan else set())


def publishes(entry: Publish, artifact: Artifact, evidence: Evidence) -> bool:
    """Whether an artifact is of a part of the published contract."""
    if entry.rule:
        return (
            artifact.job >= 0
            and evidence.attempts[artifact.job].job.rule == entry.rule
            and artifact.role is not Role.LOG
        )
    return matches(artifact.path, entry.path)


def unmatched(runs: Sequence[Evidence], declared: Declared) -> tuple[list[str], list[str]]:
    """(parts of the published contract, scratch places) that no file of any run is of."""
    pairs = [(artifact, run) for run in runs for artifact in run.artifacts]
    publish = [
        entry.label
        for entry in declared.publish
        if not any(publishes(entry, a, run) for a, run in pairs)
    ]
    scratch = [
        place.path
        for place in declared.scratch
        if not any(matches(a.path, place.path) for a, _ in pairs)
    ]
    return publish, scratch
