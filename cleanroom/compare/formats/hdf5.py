"""HDF5, and what is HDF5 within: NetCDF-4, AnnData's h5ad, Keras models.
Groups, data sets, attributes; layout and filters are apart.

Nothing outside the file is opened: external links are compared by what they say, and data kept
outside is not examined.
"""

import math
import posixpath
from pathlib import Path
from typing import Any

from cleanroom.compare.formats.arrays import compare_arrays, suggestion
from cleanroom.compare.formats.bound import Budget, same_tails
from cleanroom.compare.formats.hdf5_types import described, references
from cleanroom.compare.formats.interface import (
    FOR_CERTAIN,
    NO,
    Found,
    Inner,
    NotExamined,
    different,
)
from cleanroom.compare.formats.tally import Tally
from cleanroom.values.comparison import Sameness
from cleanroom.values.declared import CompareOptions

_BLOCK = 2**22
"""Elements that are read at once."""
_MOST = 100_000
"""The most objects in one file."""


class Hdf5:
    name, version, extra = "hdf5", "2", "hdf"
    options = frozenset({"ignore", "absolute", "relative"})

    def handles(self, head: bytes, name: str) -> int:
        return FOR_CERTAIN if head.startswith(b"\x89HDF\r\n\x1a\n") else NO

    def compare(
        self, left: Path, right: Path, name: str, rules: CompareOptions, inner: Inner
    ) -> Found:
        import h5py

        try:
            with h5py.File(left, "r") as a, h5py.File(right, "r") as b:
                if not _same_around(left, right, (a, b)):
                    return different("other bytes before or after what HDF5 reads")
                return _Walk(h5py, rules, Budget(left, right)).found(a, b)
        except (OSError, RuntimeError, KeyError, ValueError, TypeError, OverflowError) as error:
            raise NotExamined(
                "it cannot be read as HDF5 "
                f"({str(error).splitlines()[0] if str(error) else type(error).__name__})"
            ) from None


class _Walk:
    def __init__(self, h5py: Any, rules: CompareOptions, budget: Budget) -> None:
        self._h5py, self._rules, self._budget = h5py, rules, budget
        self._objects_met = 0
        self._tally = Tally("value", "values")
        self._bent = 0
        self._ignored = {name.strip("/") for name in rules.ignore}
        self._whole = {name.strip("/") for name in rules.ignore if name.startswith("/")}
        """Groups are left out only by their whole place: a bare name is that of a data set or an
        attribute.
        """
        self._places: dict[str, None] = {}
        self._met: set[tuple[Any, Any]] = set()
        self._single = False

    def found(self, a: Any, b: Any) -> Found:
        self._groups(a, b, "")
        tally = self._tally
        if tally.total:
            rules = suggestion(tally, self._single) or CompareOptions(
                ignore=tuple(sorted(self._places))
            )
            return tally.different(
                f"{tally.total} values differ, in {', '.join(list(self._places)[:6])}", None, rules
            )
        if self._bent:
            return tally.same(Sameness.TOLERANCE, "the same under the declared options")
        return tally.same(
            Sameness.CANONICAL,
            "the same groups, data sets and attributes; layout, filters or times differ",
        )

    def _skip(self, place: str, *, group: bool = False) -> bool:
        names = {place.strip("/"), posixpath.basename(place), place.rpartition("@")[2]}
        skip = place.strip("/") in self._whole if group else bool(names & self._ignored)
        self._bent += skip
        return skip

    def _differs(self, place: str, left: str | None, right: str | None) -> None:
        self._places[place] = None
        self._tally.differs(place, left, right)

    def _groups(self, a: Any, b: Any, place: str) -> None:
        key = tuple(self._h5py.h5o.get_info(side.id).addr for side in (a, b))
        if key in self._met:
            return
        self._met.add(key)
        if place.count("/") > 200:
            raise NotExamined("it has too many objects")
        self._attributes(a, b, place)
        for name in sorted(set(a) | set(b)):
            at = f"{place}/{name}"
            if self._skip(
                at, group=any(side.get(name, getclass=True) is self._h5py.Group for side in (a, b))
            ):
                continue
            if name not in a or name not in b:
                self._differs(at, "there" if name in a else None, "there" if name in b else None)
                continue
            links = [side.get(name, getlink=True) for side in (a, b)]
            if not all(isinstance(link, self._h5py.HardLink) for link in links):
                self._tally.compared += 1
                said = [_link(link) for link in links]
                if said[0] != said[1]:
                    self._differs(at, said[0], said[1])
                elif "external" in said[0]:
                    raise NotExamined(f"{at} is a link out of the file, which is never followed")
                continue
            self._objects(a[name], b[name], at)

    def _objects(self, a: Any, b: Any, place: str) -> None:
        self._objects_met += 1
        if self._objects_met > _MOST:
            raise NotExamined("it has too many objects")
        if type(a) is not type(b):
            self._differs(place, type(a).__name__, type(b).__name__)
        elif isinstance(a, self._h5py.Group):
            self._groups(a, b, place)
        elif isinstance(a, self._h5py.Dataset):
            self._attributes(a, b, place)
            self._datasets(a, b, place)
        elif not self._same_type(a.dtype, b.dtype):
            self._differs(place, self._said(a.dtype), self._said(b.dtype))

    def _attributes(self, a: Any, b: Any, place: str) -> None:
        for name in sorted(set(a.attrs) | set(b.attrs)):
            at = f"{place}@{name}"
            if self._skip(at):
                continue
            if name not in a.attrs or name not in b.attrs:
                self._differs(
                    at, "there" if name in a.attrs else None, "there" if name in b.attrs else None
                )
                continue
            kinds = [described(side.attrs.get_id(name).get_type()) for side in (a, b)]
            if all(
                map(references, kinds)
            ):  # such as scales of a dimension: addresses in a file, so what they lead to counts
                self._tally.compared += 1
                said = [repr(_led_to(self._h5py, side.attrs[name], side.file)) for side in (a, b)]
                if said[0] != said[1]:
                    self._differs(at, *said)
            elif kinds[0] != kinds[1]:
                self._differs(at, "another type", "another type")
            else:
                self._values(_array(a.attrs[name]), _array(b.attrs[name]), at)

    def _datasets(self, a: Any, b: Any, place: str) -> None:
        for side in (a, b):
            if side.external or side.is_virtual:
                raise NotExamined(f"{place} keeps its data outside the file")
        if a.shape != b.shape or not self._same_type(a.dtype, b.dtype):
            self._differs(
                place, f"{a.shape} {self._said(a.dtype)}", f"{b.shape} {self._said(b.dtype)}"
            )
            return
        kinds = [described(side.id.get_type()) for side in (a, b)]
        if any(map(references, kinds)):
            raise NotExamined(f"{place} holds references")
        if kinds[0] != kinds[1]:
            self._differs(place, "another type", "another type")
            return
        if a.shape is None:
            return
        self._fill_values(a, b, place)
        self._budget.spend(math.prod(a.shape) * a.dtype.itemsize)
        if not a.shape:
            self._values(_array(a[()]), _array(b[()]), place)
            return
        per_row = max(1, a.size // max(1, a.shape[0]))
        if per_row * a.dtype.itemsize > 2**31:
            raise NotExamined(f"{place} has rows that are too large")
        step = max(1, _BLOCK // per_row)
        for start in range(0, a.shape[0], step):
            self._values(
                _array(a[start : start + step]),
                _array(b[start : start + step]),
                f"{place}{f' from row {start}' if start else ''}",
                place,
            )

    def _fill_values(self, a: Any, b: Any, place: str) -> None:
        """What a place holds that nobody wrote to."""
        if a.dtype.hasobject:
            said = [str(side.id.get_create_plist().fill_value_defined()) for side in (a, b)]
            if said[0] != said[1]:
                self._differs(f"{place} (fill value)", *said)
        else:
            self._values(_array(a.fillvalue), _array(b.fillvalue), f"{place} (fill value)", place)

    def _same_type(self, a: Any, b: Any) -> bool:
        """NumPy's equality overlooks what h5py says of names of an enumeration, of texts and of
        lists of any length.
        """
        if a != b or self._said(a) != self._said(b):
            return False
        return not a.names or all(self._same_type(a[name], b[name]) for name in a.names)

    def _said(self, dtype: Any) -> str:
        h5py = self._h5py
        base = dtype.subdtype[0] if dtype.subdtype else dtype
        special = (
            h5py.check_enum_dtype(base),
            h5py.check_string_dtype(base),
            h5py.check_vlen_dtype(base),
        )
        return " ".join([str(dtype), *(str(s) for s in special if s is not None)])

    def _values(self, a: Any, b: Any, where: str, place: str = "") -> None:
        if a.shape != b.shape or not self._same_type(a.dtype, b.dtype):
            self._differs(
                where, f"{a.shape} {self._said(a.dtype)}", f"{b.shape} {self._said(b.dtype)}"
            )
            return
        before = self._tally.total
        if a.dtype == object:
            a, b = _texts(a), _texts(b)
        self._bent += compare_arrays(a, b, where, self._tally, self._rules)
        if self._tally.total > before:
            self._places[place or where] = None
            self._single |= a.dtype.itemsize < 8


def _array(value: Any) -> Any:
    import numpy as np

    return np.asarray(value)


def _texts(array: Any) -> Any:
    import numpy as np

    flat = [
        x.tobytes() if isinstance(x, np.ndarray) and not x.dtype.hasobject else x
        for x in array.ravel()
    ]
    if any(not isinstance(x, (bytes, str, int, float)) for x in flat):
        raise NotExamined("it holds objects of an unknown type")
    out: Any = np.empty(len(flat), object)
    out[:] = flat
    return out.reshape(array.shape)


def _led_to(h5py: Any, value: Any, file: Any) -> Any:
    """A value with references, as the paths that they lead to."""
    import numpy as np

    if isinstance(value, h5py.RegionReference):
        raise NotExamined("it refers to a part of an array")
    if isinstance(value, h5py.Reference):
        return h5py.h5r.get_name(value, file.id) if value else None
    if isinstance(value, np.ndarray):
        return [list(value.shape), [_led_to(h5py, one, file) for one in value.ravel()]]
    if getattr(value, "dtype", None) is not None and value.dtype.names:
        return [(name, _led_to(h5py, value[name], file)) for name in value.dtype.names]
    return value


def _same_around(left: Path, right: Path, files: tuple[Any, Any]) -> bool:
    """Whether the same bytes stand before the beginning and after the end of what HDF5 calls the
    file.
    """
    starts, ends = zip(
        *(
            _extent(path, file.userblock_size)
            for path, file in zip((left, right), files, strict=True)
        ),
        strict=True,
    )
    if starts[0] != starts[1] or not same_tails(left, right, (ends[0], ends[1])):
        return False
    with left.open("rb") as a, right.open("rb") as b:
        return a.read(starts[0]) == b.read(starts[1])


def _extent(path: Path, start: int) -> tuple[int, int]:
    """Where the superblock begins, and the address that it calls the end of the file."""
    with path.open("rb") as stream:
        stream.seek(start)
        head = stream.read(128)
    version = head[8]
    width = head[13] if version < 2 else head[9]
    at = {0: 24, 1: 28}.get(version, 12) + 2 * width
    return start, min(int.from_bytes(head[at : at + width], "little"), path.stat().st_size)


def _link(link: Any) -> str:
    if hasattr(link, "filename"):
        return f"external link to {link.filename}:{link.path}"
    return f"link to {link.path}" if hasattr(link, "path") else "hard link"


COMPARATOR = Hdf5()
