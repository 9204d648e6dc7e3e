"""Whether a mask would accept any line.
A commit chooses the mask, so that it is tried in a process that can be ended.

Not here: masks at work, which is what comparators do in their workers.
"""

import functools
import json
import subprocess
import sys

_SECONDS = 2.0
_PROBES = (
    "chr1\t100\tA\tC",
    "the quick brown fox: 3.14, /path/file",
    "é ü 漢字",
    '{"key": [true, null]}',
    "x-" * 150,
)
"""Lines that have nothing in common; a mask of which nothing is left of two of them leaves nothing
of most.
"""
_TRY = """
import json, re, sys
mask, probes = json.load(sys.stdin)
print(int(sum(not re.sub(mask, "", probe) for probe in probes) > 1))
"""


@functools.lru_cache(maxsize=1024)
def too_wide(mask: str) -> str:
    """Why a mask is not to be used, or nothing.
    It costs a process of Python's, once for each mask.
    """
    command = [sys.executable, "-I", "-S", "-c", _TRY]
    try:
        ended = subprocess.run(
            command,
            input=json.dumps([mask, _PROBES]).encode(),
            capture_output=True,
            timeout=_SECONDS,
            env={},
        )
    except subprocess.TimeoutExpired:
        return f"a mask takes more than {_SECONDS:.0f} s for a few short lines"
    if ended.returncode:
        return "a mask cannot be used"
    return "a mask matches every line" if ended.stdout.strip() == b"1" else ""
