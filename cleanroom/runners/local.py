"""Runs on this machine, as many at once as there are processors; a stop ends them all.
Not here: what a run is.
"""

import concurrent.futures
import os
from collections.abc import Sequence
from dataclasses import dataclass

from cleanroom.errors import Interrupted
from cleanroom.evidence.request import HostContext, RunSpec
from cleanroom.evidence.run import run
from cleanroom.evidence.supervise import Watch
from cleanroom.values.run import Evidence


@dataclass(frozen=True)
class LocalRunner:
    """Threads of this process, each of which looks after one room."""

    host: HostContext

    def run_all(self, specs: Sequence[RunSpec], watch: Watch) -> list[Evidence]:
        """The evidence of each, in order. Raises: Interrupted."""
        at_once = min(len(specs), os.cpu_count() or 1) or 1
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            futures = [pool.submit(run, spec, self.host, watch) for spec in specs]
            try:
                return [future.result() for future in futures]
            except BaseException as error:
                watch.cancelled.set()
                for future in futures:
                    future.cancel()
                if isinstance(error, KeyboardInterrupt):
                    raise Interrupted("Stopped.") from None
                raise
