"""NetCDF in its classic formats (CDF-1, -2 and -5): dimensions, variables, attributes.
NetCDF-4 is HDF5 and is read by `hdf5.py`.
"""

import math
from pathlib import Path
from typing import Any

from cleanroom.compare.formats.arrays import compare_arrays, suggestion
from cleanroom.compare.formats.interface import FOR_CERTAIN, NO, Found, Inner, NotExamined
from cleanroom.compare.formats.tally import Tally
from cleanroom.values.comparison import Sameness
from cleanroom.values.declared import CompareOptions

_SLACK = 2**20


class NetCdf3:
    name, version, extra = "netcdf3", "2", "hdf"
    options = frozenset({"ignore", "absolute", "relative"})

    def handles(self, head: bytes, name: str) -> int:
        return (
            FOR_CERTAIN if head[:3] == b"CDF" and head[3:4] in (b"\x01", b"\x02", b"\x05") else NO
        )

    def compare(
        self, left: Path, right: Path, name: str, rules: CompareOptions, inner: Inner
    ) -> Found:
        import netCDF4

        for path in (left, right):
            with path.open("rb") as stream:
                if (
                    self.handles(stream.read(4), "") == NO
                ):  # the library would open it as whatever it is
                    raise NotExamined("it is no NetCDF in a classic format")
        most = max(left.stat().st_size, right.stat().st_size) + _SLACK
        try:
            with netCDF4.Dataset(left, "r") as a, netCDF4.Dataset(right, "r") as b:
                return _compare(a, b, rules, most)
        except (OSError, RuntimeError, ValueError, IndexError) as error:
            raise NotExamined(
                f"it cannot be read as NetCDF ({str(error).splitlines()[0]})"
            ) from None


def _compare(a: Any, b: Any, rules: CompareOptions, most: int) -> Found:
    tally = Tally("value", "values")
    places: dict[str, None] = {}
    bent = 0

    def put(place: str, left: object, right: object) -> None:
        if left != right:
            places[place] = None
            tally.differs(
                place, None if left is None else str(left), None if right is None else str(right)
            )

    put(
        "dimensions",
        {n: (len(d), d.isunlimited()) for n, d in a.dimensions.items()},
        {n: (len(d), d.isunlimited()) for n, d in b.dimensions.items()},
    )
    bent += _attributes(a, b, "", put, rules, tally)
    for name in sorted(a.variables.keys() | b.variables.keys()):
        if name in rules.ignore:
            bent += 1
            continue
        sides = a.variables.get(name), b.variables.get(name)
        if None in sides:
            put(
                name,
                "there" if sides[0] is not None else None,
                "there" if sides[1] is not None else None,
            )
            continue
        for side in sides:
            side.set_auto_maskandscale(False)
            side.set_auto_chartostring(False)
            if math.prod(side.shape) * side.dtype.itemsize > most:
                raise NotExamined(f"{name} is larger than its file, which is not compressed")
        put(
            f"{name}, form",
            (sides[0].dimensions, str(sides[0].dtype)),
            (sides[1].dimensions, str(sides[1].dtype)),
        )
        bent += _attributes(*sides, name, put, rules, tally)
        if sides[0].shape == sides[1].shape and sides[0].dtype == sides[1].dtype:
            before = tally.total
            bent += compare_arrays(sides[0][...], sides[1][...], name, tally, rules)
            if tally.total > before:
                places[name] = None
    if tally.total:
        return tally.different(
            f"{tally.total} values differ, in {', '.join(list(places)[:6])}",
            None,
            suggestion(tally) or CompareOptions(ignore=tuple(sorted(places))),
        )
    if bent:
        return tally.same(Sameness.TOLERANCE, "the same under the declared options")
    return tally.same(Sameness.CANONICAL, "the same dimensions, variables and attributes")


def _attributes(a: Any, b: Any, place: str, put: Any, rules: CompareOptions, tally: Tally) -> int:
    bent = 0
    for name in sorted(set(a.ncattrs()) | set(b.ncattrs())):
        if f"{place}@{name}" in rules.ignore or f"@{name}" in rules.ignore:
            bent += 1
            continue
        values = [
            _exact(side.getncattr(name)) if name in side.ncattrs() else None for side in (a, b)
        ]
        tally.compared += 1
        put(f"{place}@{name}", values[0], values[1])
    return bent


def _exact(value: Any) -> str:
    """An attribute in full, which NumPy's own text of many numbers is not."""
    if not hasattr(value, "dtype"):
        return repr(value)
    return f"{value.dtype} {value.tolist()!r}"


COMPARATOR = NetCdf3()
