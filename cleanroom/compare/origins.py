"""Where a difference began: a job that read the same inputs and wrote something else. Not here: why it did."""

from cleanroom.model import Difference, Evidence, Job, Sameness


class Origins:
    """The job records of two runs, and the files that differ between them."""

    def __init__(self, left: Evidence, right: Evidence, differences: list[Difference]) -> None:
        # Payload counts here too: a reader of the file itself could have seen its bytes, but not its content, differ.
        self._differing = {d.path for d in differences if d.sameness is not Sameness.PAYLOAD}
        self._folders = {path.rpartition("/")[0] for path in self._differing}
        self._jobs: dict[str, list[Job]] = {}
        for evidence in (left, right):
            for artifact in evidence.artifacts:
                if artifact.job >= 0:
                    self._jobs.setdefault(artifact.path, []).append(evidence.attempts[artifact.job].job)

    def is_origin(self, difference: Difference) -> bool:
        """True unless the job that made it read something that differs already, in either run."""
        return not any(self._read_differing(job) for job in self._jobs.get(difference.path, []))

    def _read_differing(self, job: Job) -> bool:
        for file in job.input:
            if file.path in self._differing:
                return True
            if any(folder == file.path or folder.startswith(file.path + "/") for folder in self._folders):
                return True
        return False
