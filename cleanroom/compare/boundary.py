"""What decides and what only informs. Not here: whether two artifacts are the same."""

from cleanroom.model import Artifact, Evidence, Role

_INFORMING = {Role.TEMP, Role.LOG, Role.BENCHMARK, Role.CACHE}


class Boundary:
    """The line between files that decide and files that inform, for one run.

    Every file that a run left decides, declared or not, except logs, benchmarks, temporary outputs and bytecode caches.
    A log or benchmark that is a target, or that another job reads, decides too.
    """

    def __init__(self, evidence: Evidence) -> None:
        read = {file.path for attempt in evidence.attempts for file in attempt.job.input}
        self._read = read | (set(evidence.plan.targets) if evidence.plan else set())

    def decides(self, artifact: Artifact) -> bool:
        if artifact.role in (Role.LOG, Role.BENCHMARK):
            return artifact.path in self._read
        return artifact.role not in _INFORMING
