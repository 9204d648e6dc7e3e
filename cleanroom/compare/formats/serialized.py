"""R's rds and RData and Python's pickle: never loaded, since loading one runs what it says.
Bytes only, and the report says why.
"""

import re
from pathlib import Path

from cleanroom.compare.formats.binary import first_difference
from cleanroom.compare.formats.interface import BY_NAME, FOR_CERTAIN, NO, Found, Inner
from cleanroom.values.declared import CompareOptions

_PICKLE = re.compile(rb"\x80[\x02-\x05]")
_NAMES = (".rds", ".rda", ".rdata", ".pkl", ".pickle", ".joblib", ".pt", ".pth")


class Serialized:
    name, version, extra = "serialized", "1", ""
    options: frozenset[str] = frozenset()

    def handles(self, head: bytes, name: str) -> int:
        if name.endswith(_NAMES):
            return FOR_CERTAIN + 1  # before gzip or zip, in which R and PyTorch wrap it
        return BY_NAME if _PICKLE.match(head) else NO

    def compare(
        self, left: Path, right: Path, name: str, rules: CompareOptions, inner: Inner
    ) -> Found:
        return first_difference(
            left,
            right,
            "not examined: a serialized R or Python object is never loaded, because loading "
            "runs code",
        )


COMPARATOR = Serialized()
