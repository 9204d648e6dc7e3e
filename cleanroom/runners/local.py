"""Many runs, as many at once as there are processors; a stop ends them all.
Not here: what a run is.
"""

import concurrent.futures
import os
from collections.abc import Sequence

from cleanroom.errors import Interrupted
from cleanroom.evidence.request import RunRequest
from cleanroom.evidence.run import run
from cleanroom.evidence.supervise import Watch
from cleanroom.values.run import Evidence


def run_all(requests: Sequence[RunRequest], watch: Watch) -> list[Evidence]:
    """The evidence of each request, in order. Raises: Interrupted."""
    with concurrent.futures.ThreadPoolExecutor(
        min(len(requests), os.cpu_count() or 1) or 1
    ) as pool:
        futures = [pool.submit(run, request, watch) for request in requests]
        try:
            return [future.result() for future in futures]
        except BaseException as error:
            watch.cancelled.set()
            for future in futures:
                future.cancel()
            if isinstance(error, KeyboardInterrupt):
                raise Interrupted("Stopped.") from None
            raise
