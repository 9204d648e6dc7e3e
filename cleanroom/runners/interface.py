"""What a runner promises: it makes many runs, wherever. Not here: where."""

from collections.abc import Sequence
from typing import Protocol

from cleanroom.evidence.request import RunSpec
from cleanroom.evidence.supervise import Watch
from cleanroom.values.run import Evidence


class Runner(Protocol):
    """Makes runs of one repository, each in a fresh room."""

    def run_all(self, specs: Sequence[RunSpec], watch: Watch) -> list[Evidence]:
        """The evidence of each, in order; it is in the store when this returns.

        A run that breaks is evidence too. Raises: Interrupted, once all of them have ended.
        """
        ...
