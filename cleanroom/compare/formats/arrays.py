"""Arrays of numbers side by side, as NumPy holds them: exact bits, or within a tolerance.
Shared by formats that hold arrays.

NaN is the same as NaN whatever its payload; 0.0 and -0.0 differ unless a tolerance is declared. Not
here: reading any file.
"""

from typing import Any

from cleanroom.compare.difference_kinds import FLOAT, NOISE, NOISE_32
from cleanroom.compare.formats.tally import Tally
from cleanroom.values.declared import CompareOptions


def compare_arrays(a: Any, b: Any, where: str, tally: Tally, rules: CompareOptions) -> int:
    """Record what differs in two arrays of the same shape and type; returns how many elements only
    the tolerance made the same.
    """
    import numpy as np

    tally.compared += int(a.size)
    if a.dtype.names:
        return sum(
            compare_arrays(a[name], b[name], f"{where}.{name}", tally, rules)
            for name in a.dtype.names
        )
    number = np.issubdtype(a.dtype, np.number)
    if a.dtype == bool:
        a, b = (
            a.view(np.uint8),
            b.view(np.uint8),
        )  # a byte that is neither 0 nor 1 is not hidden by what it counts as
    floating = np.issubdtype(a.dtype, np.floating) or np.issubdtype(a.dtype, np.complexfloating)
    if a.dtype == object:
        unequal = np.array(
            [
                x is not y and not (type(x) is type(y) and x == y)
                for x, y in zip(a.ravel(), b.ravel(), strict=True)
            ],
            bool,
        )
    elif floating:
        unequal = ~_bits_equal(np, a, b)
    else:
        unequal = (a != b).ravel()
    bent = 0
    if (rules.absolute or rules.relative) and unequal.any() and number:
        wide = np.longdouble if np.issubdtype(a.dtype, np.integer) else a.dtype
        with np.errstate(all="ignore"):
            x, y = a.astype(wide).ravel(), b.astype(wide).ravel()
            bound = rules.absolute + rules.relative * np.maximum(np.abs(x), np.abs(y))
            near = np.isfinite(x) & np.isfinite(y) & (np.abs(x - y) <= bound)
            tally.size = max(tally.size, float(np.abs(x[np.isfinite(x)]).max(initial=0.0)))
        bent = int((unequal & near).sum())
        unequal &= ~near
    if unequal.any():
        _record(np, a, b, unequal, where, tally, floating)
    return bent


def _bits_equal(np: Any, a: Any, b: Any) -> Any:
    if np.issubdtype(a.dtype, np.complexfloating):
        return _bits_equal(np, a.real, b.real) & _bits_equal(np, a.imag, b.imag)
    with np.errstate(all="ignore"):
        same = (a == b) & (np.signbit(a) == np.signbit(b))
        return (same | (np.isnan(a) & np.isnan(b))).ravel()


def _record(
    np: Any, a: Any, b: Any, unequal: Any, where: str, tally: Tally, floating: bool
) -> None:
    places = np.flatnonzero(unequal)
    x, y = a.ravel(), b.ravel()
    kind = ""
    if floating and not np.issubdtype(a.dtype, np.complexfloating):
        p, q = x[places].astype(float), y[places].astype(float)
        with np.errstate(all="ignore"):
            scale = np.maximum(np.abs(p), np.abs(q))
            relative = np.where(scale > 0, np.abs(p - q) / scale, 0.0)
        finite = np.isfinite(p) & np.isfinite(q)
        if finite.all() and relative.max(initial=0.0) <= (
            NOISE if a.dtype.itemsize >= 8 else NOISE_32
        ):
            kind = FLOAT
        if finite.any():
            worst = int(np.argmax(np.where(finite, relative, -1)))
            tally.number(f"{where}{_index(np, a, places[worst])}", float(p[worst]), float(q[worst]))
    for place in places[:8]:
        tally.differs(f"{where}{_index(np, a, place)}", _said(x[place]), _said(y[place]), kind)
    tally.total += max(0, len(places) - 8)


def _index(np: Any, a: Any, flat: int) -> str:
    return (
        "[" + ", ".join(str(int(i)) for i in np.unravel_index(int(flat), a.shape)) + "]"
        if a.shape
        else ""
    )


def _said(value: Any) -> str:
    return repr(value.item()) if hasattr(value, "item") else repr(value)[:200]


def suggestion(tally: Tally, single: bool = False) -> CompareOptions | None:
    """A tolerance, where all that differs is noise of rounding."""
    return (
        CompareOptions(relative=NOISE_32 if single else NOISE)
        if tally.total and not tally.unknown and set(tally.kinds) == {FLOAT}
        else None
    )
