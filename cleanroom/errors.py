"""Every way to fail: what happened, what to do next, and the exit code.
Not here: verdicts, which are results.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process returns; 0, 1, 3 and 4 are verdicts, the rest are not."""

    HELD = 0
    DRIFTED = 1
    USAGE = 2
    FAILED = 3
    INCONCLUSIVE = 4
    INTERNAL = 70
    INTERRUPTED = 130


class CleanroomError(Exception):
    """An expected failure.

    `what` says what happened and where, `next_step` what a person does about it.
    """

    exit_code = ExitCode.USAGE

    def __init__(self, what: str, next_step: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.what} {self.next_step}".strip()

    def __reduce__(self) -> tuple[type["CleanroomError"], tuple[str, str]]:
        return type(self), (self.what, self.next_step)


class UsageError(CleanroomError):
    """The call or the configuration is wrong; nothing was run."""


class ProofError(CleanroomError):
    """Nothing could be proven: the remote, the engine, the image or the disk was not there."""

    exit_code = ExitCode.INCONCLUSIVE


class SourceError(ProofError):
    """The repository could not be read or cloned."""


class EngineError(ProofError):
    """The engine could not be reached, or it refused the room."""


class ImageError(ProofError):
    """The image is missing or cannot run here."""


class Unprovided(ProofError):  # noqa: N818 - it says what is not there
    """The software that a repository declares could not be made."""


class StoreError(ProofError):
    """The evidence could not be written or read."""


class LedgerError(ProofError):
    """The history of confirmations could not be written or read; the store was not touched."""


class Interrupted(CleanroomError):  # noqa: N818 - it is an end, not an error
    """The person stopped it."""

    exit_code = ExitCode.INTERRUPTED
