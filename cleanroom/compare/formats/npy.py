"""NumPy's npy: shape, type, byte order and elements.
Arrays of Python objects are pickles, and never loaded. An npz is a zip.
"""

from pathlib import Path
from tokenize import TokenError
from typing import Any

from cleanroom.compare.formats.arrays import compare_arrays, suggestion
from cleanroom.compare.formats.bound import same_tails
from cleanroom.compare.formats.interface import (
    FOR_CERTAIN,
    NO,
    Found,
    Inner,
    NotExamined,
    different,
)
from cleanroom.compare.formats.tally import Tally
from cleanroom.values.comparison import LEFT, RIGHT, Sameness
from cleanroom.values.declared import CompareOptions

_BLOCK = 2**22


class Npy:
    name, version, extra = "npy", "2", "tables"
    options = frozenset({"absolute", "relative"})

    def handles(self, head: bytes, name: str) -> int:
        return FOR_CERTAIN if head.startswith(b"\x93NUMPY") else NO

    def compare(
        self, left: Path, right: Path, name: str, rules: CompareOptions, inner: Inner
    ) -> Found:
        a, b = _load(left), _load(right)
        if a.shape != b.shape:
            return different(f"shape {a.shape} in {LEFT}, {b.shape} in {RIGHT}")
        native = a.dtype.newbyteorder("="), b.dtype.newbyteorder("=")
        if native[0] != native[1]:
            return different(f"type {a.dtype} in {LEFT}, {b.dtype} in {RIGHT}")
        if a.itemsize == 0 and a.size > _BLOCK:
            raise NotExamined("it declares elements without bytes")
        tally = Tally("element", "elements")
        if not same_tails(left, right, (_end(a), _end(b))):
            return different("other bytes after the end of the array")
        bent = 0
        order = "F" if a.flags.f_contiguous and b.flags.f_contiguous else "C"
        x, y = a.ravel(order), b.ravel(order)
        for start in range(0, max(x.size, 1), _BLOCK):
            bent += compare_arrays(
                x[start : start + _BLOCK].astype(native[0]),
                y[start : start + _BLOCK].astype(native[0]),
                f"from {start}" if start else "",
                tally,
                rules,
            )
        if tally.total:
            return tally.different(
                f"{tally.total} of {a.size} elements differ",
                None,
                suggestion(tally, a.dtype.itemsize < 8),
            )
        if bent:
            return tally.same(Sameness.TOLERANCE, "the same within the declared tolerance")
        return tally.same(
            Sameness.CANONICAL,
            "the same elements; header, byte order, memory order or NaN bits differ",
        )


def _load(path: Path) -> Any:
    import numpy as np

    try:
        return np.load(path, mmap_mode="r", allow_pickle=False, max_header_size=100_000)
    except (
        ValueError,
        OSError,
        EOFError,
        SyntaxError,
        TypeError,
        OverflowError,
        TokenError,
    ) as error:
        raise NotExamined(
            f"it cannot be read as an array ({str(error).partition(chr(10))[0]})"
        ) from None


def _end(array: Any) -> int:
    return int(getattr(array, "offset", 0)) + int(array.nbytes)


COMPARATOR = Npy()
