"""zarr: a folder of files that is one store.
Groups, arrays and attributes; chunks, codecs and layout are apart.

A codec that could run code (pickle) or that is not known is never opened. Not here: which files of
a run make up a store.
"""

import json
import math
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cleanroom.compare.formats.arrays import compare_arrays, suggestion
from cleanroom.compare.formats.bound import Budget, same_tails
from cleanroom.compare.formats.interface import NO, Found, Inner, NotExamined, different
from cleanroom.compare.formats.tally import Tally
from cleanroom.compare.formats.zarr_files import summary, unread
from cleanroom.values.comparison import Sameness
from cleanroom.values.declared import CompareOptions

ROOTS = (".zgroup", ".zarray", "zarr.json")
"""A folder that holds one of these is a store, or a part of one."""
_METADATA = {*ROOTS, ".zmetadata"}
_CODECS = {
    "adler32",
    "astype",
    "bitround",
    "blosc",
    "bytes",
    "bz2",
    "crc32",
    "crc32c",
    "delta",
    "endian",
    "fixedscaleoffset",
    "fletcher32",
    "gzip",
    "lz4",
    "lzma",
    "packbits",
    "quantize",
    "sharding_indexed",
    "shuffle",
    "transpose",
    "vlen-array",
    "vlen-bytes",
    "vlen-utf8",
    "zlib",
    "zstd",
}
_BLOCK = 2**22
_MOST = 2**24


class Zarr:
    name, version, extra = "zarr", "2", "zarr"
    options = frozenset({"ignore", "absolute", "relative"})

    def handles(self, head: bytes, name: str) -> int:
        return NO  # no single file is a store

    def compare(
        self, left: Path, right: Path, name: str, rules: CompareOptions, inner: Inner
    ) -> Found:
        import zarr

        for folder in (left, right):
            _check(folder)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter(
                    "ignore"
                )  # of files that are no part of a store: they are compared here
                return self._stores(zarr, left, right, rules)
        except (OSError, ValueError, TypeError, KeyError, RuntimeError) as error:
            raise NotExamined(
                "it cannot be read as zarr "
                f"({str(error).splitlines()[0] if str(error) else type(error).__name__})"
            ) from None

    def _stores(self, zarr: Any, left: Path, right: Path, rules: CompareOptions) -> Found:
        sides = [
            _walk(zarr, zarr.open(str(folder), mode="r", **_unconsolidated(folder)), "")
            for folder in (left, right)
        ]
        nodes = dict(sides[0]), dict(sides[1])
        return _unseen((left, right), nodes) or _compare(*nodes, rules, Budget(left, right))


def _unconsolidated(folder: Path) -> dict[str, Any]:
    """What the parts themselves say counts, and no summary of it; an array at the root has no
    summary.
    """
    return {} if (folder / ".zarray").exists() else {"use_consolidated": False}


def _check(folder: Path) -> None:
    """Refuse what is too large to be metadata, and every codec that is not known to only decode."""
    for file in folder.rglob("*"):
        if file.name in _METADATA and file.is_file():
            if file.stat().st_size > _MOST:
                raise NotExamined(f"its metadata has more than {_MOST} bytes")
            try:
                stack = [json.loads(file.read_bytes())]
            except (ValueError, RecursionError):
                raise NotExamined("its metadata is no JSON") from None
            while stack:
                value = stack.pop()
                if isinstance(value, list):
                    stack += value
                elif isinstance(value, dict):
                    stack += value.values()
                    for codec in _codecs(value):
                        if codec not in _CODECS:
                            raise NotExamined(f"the codec {codec!r} is not opened")


def _unseen(
    folders: tuple[Path, Path], nodes: tuple[dict[str, Any], dict[str, Any]]
) -> Found | None:
    """The answer where the stores differ in a file that zarr does not read, or in a summary that
    does not say what its parts say.
    """
    said = [summary(folder) for folder in folders]
    if said[0] != said[1]:
        return different("a summary of the metadata differs, and does not say what its parts say")
    here, there = (dict(unread(folder, side)) for folder, side in zip(folders, nodes, strict=True))
    for name in sorted(here.keys() | there.keys()):
        if name not in here or name not in there or not same_tails(here[name], there[name], (0, 0)):
            return different(f"{name}, which is no part of an array or a group, differs")
    return None


def _codecs(value: dict[str, Any]) -> Iterator[Any]:
    for key in ("compressor", "filters", "codecs", "index_codecs", "compressors", "serializer"):
        entries = value.get(key)
        for entry in entries if isinstance(entries, list) else [entries]:
            if isinstance(entry, dict):
                yield from (str(entry[name]) for name in ("id", "name") if name in entry)
            elif entry is not None:
                yield str(entry)


def _walk(zarr: Any, node: Any, place: str) -> Iterator[tuple[str, Any]]:
    """(place, group or array), the node first."""
    yield place or "/", node
    if isinstance(node, zarr.Group):
        for name, child in node.members(max_depth=None):
            yield f"{place}/{name}", child


def _compare(
    left: dict[str, Any], right: dict[str, Any], rules: CompareOptions, budget: Budget
) -> Found:
    tally = Tally("value", "values")
    ignored = {name.strip("/") for name in rules.ignore}
    places: dict[str, None] = {}
    bent = 0
    single = False
    for place in sorted(left.keys() | right.keys()):
        if place.strip("/") in ignored:
            bent += 1
            continue
        before = tally.total
        a, b = left.get(place), right.get(place)
        if a is None or b is None or type(a) is not type(b):
            tally.differs(
                place, *(None if side is None else type(side).__name__ for side in (a, b))
            )
        else:
            bent += _attributes(a, b, place, ignored, tally)
            if hasattr(a, "shape"):
                budget.spend(math.prod(a.shape) * a.dtype.itemsize)
                bent += _arrays(a, b, place, tally, rules)
                single |= a.dtype.itemsize < 8
        if tally.total > before:
            places[place] = None
    if tally.total:
        narrow = suggestion(tally, single) or (
            CompareOptions(ignore=tuple(places)) if "/" not in places else None
        )
        return tally.different(
            f"{tally.total} values differ, in {', '.join(list(places)[:6])}", None, narrow
        )
    if bent:
        return tally.same(Sameness.TOLERANCE, "the same under the declared options")
    return tally.same(
        Sameness.CANONICAL,
        "the same groups, arrays and attributes; chunks, codecs or layout differ",
    )


def _attributes(a: Any, b: Any, place: str, ignored: set[str], tally: Tally) -> int:
    sides = [
        {k: json.dumps(v, sort_keys=True, default=repr) for k, v in dict(side.attrs).items()}
        for side in (a, b)
    ]
    names = sides[0].keys() | sides[1].keys()
    skipped = {name for name in names if name in ignored}
    for name in sorted(names - skipped):
        tally.compared += 1
        if sides[0].get(name) != sides[1].get(name):
            tally.differs(f"{place}@{name}", sides[0].get(name), sides[1].get(name))
    return len(skipped)


def _arrays(a: Any, b: Any, place: str, tally: Tally, rules: CompareOptions) -> int:
    """How many elements only the tolerance made the same."""
    import numpy as np

    said = [
        f"{side.shape} {side.dtype}, empty is {side.fill_value!r}{_names(side)}" for side in (a, b)
    ]
    if said[0] != said[1]:
        tally.differs(place, said[0], said[1])
        return 0
    if not a.shape:
        return compare_arrays(np.asarray(a[()]), np.asarray(b[()]), place, tally, rules)
    per_row = max(1, a.size // max(1, a.shape[0]))
    if per_row * a.dtype.itemsize > 2**31:
        raise NotExamined(f"{place} has rows that are too large")
    step = max(1, _BLOCK // per_row)
    bent = 0
    for start in range(0, a.shape[0], step):
        where = f"{place}{f' from row {start}' if start else ''}"
        bent += compare_arrays(
            np.asarray(a[start : start + step]),
            np.asarray(b[start : start + step]),
            where,
            tally,
            rules,
        )
    return bent


def _names(array: Any) -> str:
    names = getattr(array.metadata, "dimension_names", None)
    return f", dimensions {names!r}" if names else ""


COMPARATOR = Zarr()
