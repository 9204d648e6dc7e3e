"""Where a difference began: a job that read the same inputs and wrote something else, or that only
one run has. Not here: why.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from cleanroom.values.comparison import Difference, JobSide, Origin, Sameness
from cleanroom.values.plan import Job
from cleanroom.values.run import Artifact, Attempt, Evidence, Role

_TAIL = 1500
_MOST = 50
"""Origins that are described."""
_Key = tuple[str, tuple[tuple[str, str], ...], tuple[str, ...]]


def find_origins(
    left: Evidence,
    right: Evidence,
    differences: Sequence[Difference],
    locate: Callable[[str], Path],
) -> tuple[list[Difference], tuple[Origin, ...]]:
    """The differences, each marked whether it is an origin; and the origins, each with what follows
    from it.
    """
    graph = _Graph(left, right, differences)
    marked = [msgspec.structs.replace(d, origin=graph.is_origin(d.path)) for d in differences]
    weighty = [
        d
        for d in marked
        if d.sameness is not Sameness.PAYLOAD and (d.decides or d.role is Role.TEMP)
    ]
    groups: dict[_Key | str, list[Difference]] = {}
    for d in weighty:
        if d.origin:
            groups.setdefault(graph.key(d.path), []).append(d)
    derived: dict[_Key | str, list[str]] = {}
    for d in weighty:
        if not d.origin:
            derived.setdefault(graph.first_origin(d.path), []).append(d.path)
    sides = _Sides(left, locate), _Sides(right, locate)
    ordered = sorted(
        groups.items(),
        key=lambda item: (not any(d.decides for d in item[1]), -len(derived.get(item[0], ()))),
    )
    return marked, tuple(
        _origin(graph, key, found, derived.get(key, []), sides) for key, found in ordered[:_MOST]
    )


def _origin(
    graph: "_Graph",
    key: "_Key | str",
    found: list[Difference],
    derived: list[str],
    sides: "tuple[_Sides, _Sides]",
) -> Origin:
    paths = [d.path for d in found]
    jobs = graph.makers(paths[0])
    job = jobs[0] if jobs else None
    return Origin(
        rule=job.rule if job else "",
        wildcards=job.wildcards if job else {},
        paths=tuple(paths[:200]),
        derived=tuple(derived[:500]),
        left=sides[0].of(key),
        right=sides[1].of(key),
        by_time=not found[0].rule and job is not None,
    )


class _Graph:
    """Who made what from what, in both runs."""

    def __init__(self, left: Evidence, right: Evidence, differences: Sequence[Difference]) -> None:
        # Payload counts as the same: a reader of the file itself could have seen its bytes, but not
        # its content, differ.
        self._differing = {d.path for d in differences if d.sameness is not Sameness.PAYLOAD}
        self._folders: dict[str, list[str]] = {}
        for path in self._differing:
            folder = path
            while "/" in folder:
                folder = folder.rpartition("/")[0]
                self._folders.setdefault(folder, []).append(path)
        self._jobs: dict[str, list[Job]] = {}
        for evidence in (left, right):
            for artifact in evidence.artifacts:
                if artifact.path in self._differing and (
                    job := _maker(artifact, evidence.attempts)
                ):
                    self._jobs.setdefault(artifact.path, []).append(job)

    def makers(self, path: str) -> list[Job]:
        return self._jobs.get(path, [])

    def key(self, path: str) -> "_Key | str":
        """The job that made it; for a file of nobody, the file."""
        jobs = self.makers(path)
        return jobs[0].identity if jobs else path

    def is_origin(self, path: str) -> bool:
        """True unless the job that made it read something that differs already, in either run."""
        return not any(True for job in self.makers(path) for _ in self._read(job, path))

    def _read(self, job: Job, made: str) -> "list[str]":
        own = {f.path for f in job.output}
        found = [f.path for f in job.input if f.path in self._differing and f.path not in own]
        found += [
            p for f in job.input if f.path not in own for p in self._folders.get(f.path, ())[:1]
        ]
        return [path for path in found if path != made]

    def first_origin(self, path: str) -> "_Key | str":
        """The first origin upstream, by the order of inputs."""
        met: set[str] = set()
        while path not in met:
            met.add(path)
            upstream = [p for job in self.makers(path) for p in self._read(job, path)]
            if not upstream:
                break
            path = next((p for p in upstream if p not in met), path)
        return self.key(path)


def _maker(artifact: Artifact, attempts: Sequence[Attempt]) -> Job | None:
    """The job that declares it, or the only one that was at work when it was last touched."""
    if artifact.job >= 0:
        return attempts[artifact.job].job
    return attempts[artifact.written_during[0]].job if len(artifact.written_during) == 1 else None


class _Sides:
    """Jobs of one run as a report shows them."""

    def __init__(self, evidence: Evidence, locate: Callable[[str], Path]) -> None:
        self._jobs = {attempt.job.identity: attempt.job for attempt in evidence.attempts}
        self._logs = {a.path: a.sha256 for a in evidence.artifacts if a.role is Role.LOG}
        self._locate = locate

    def of(self, key: "_Key | str") -> JobSide | None:
        job = self._jobs.get(key) if not isinstance(key, str) else None
        if job is None:
            return None
        log = next((path for path in job.log if path in self._logs), "")
        return JobSide(
            command=job.command[:4000],
            log=log or (job.log[0] if job.log else ""),
            log_tail=self._tail(log) if log else "",
        )

    def _tail(self, log: str) -> str:
        file = self._locate(self._logs[log])
        if not file.is_file():
            return ""
        with file.open("rb") as stream:
            stream.seek(max(0, file.stat().st_size - _TAIL))
            return stream.read().decode("utf-8", "backslashreplace")
