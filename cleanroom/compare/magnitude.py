"""Whether a tolerance leaves anything to compare: one that is larger than every number of a text
would take any for any other.

Not here: binary formats, where only a bound on the tolerance itself holds (see `equivalences.py`).
"""

import re
from pathlib import Path

_NUMBER = re.compile(rb"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_BLOCK = 2**20
_LONGEST = 64
"""Bytes that a number may have, so that none is cut where two blocks meet."""


def exceeds(path: Path, bound: float) -> bool:
    """Whether a text holds a number beyond `bound` in size; true of a file that is no text.
    Stops at the first.
    """
    rest = b""
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            if b"\0" in block:
                return True
            text = rest + block
            if any(abs(float(match[0])) > bound for match in _NUMBER.finditer(text)):
                return True
            rest = text[-_LONGEST:]
    return False
