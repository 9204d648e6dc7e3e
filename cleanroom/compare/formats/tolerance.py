"""Numbers that are near enough: as values, as they are written, and within lines.
Not here: which tolerance is declared.
"""

import decimal
import math
import re
import sys

from cleanroom.values.declared import CompareOptions

_NUMBER = re.compile(r"(?<![\w.+-])[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.])")
_EXACT, _LONGEST = 15, 4000
"""Digits that a 64-bit float holds of any number, and those beyond which nothing is converted in
full.
"""


def near(a: str, b: str, rules: CompareOptions) -> bool:
    """Whether two lines are the same but for numbers within the tolerance."""
    if "\0" in a or "\0" in b or _NUMBER.sub("\0m", a) != _NUMBER.sub("\0m", b):
        return False
    return all(
        close_texts(x[0], y[0], rules)
        for x, y in zip(_NUMBER.finditer(a), _NUMBER.finditer(b), strict=True)
        if x[0] != y[0]
    )


def close_texts(a: str, b: str, rules: CompareOptions) -> bool:
    """`close` of two numbers as they are written; in full where a 64-bit float does not hold them:
    too long, too large, too small.
    """
    x, y = a.strip(), b.strip()
    if all(map(_held, (x, y))):
        return close(float(x), float(y), rules)
    if max(len(x), len(y)) > _LONGEST:
        return False
    with decimal.localcontext(
        decimal.Context(prec=2 * _LONGEST, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN, traps=[])
    ):
        p, q = decimal.Decimal(x), decimal.Decimal(y)
        if not (p.is_finite() and q.is_finite()):
            return False
        if p and q and abs(p.adjusted() - q.adjusted()) > _LONGEST:
            return max(abs(p), abs(q)) <= decimal.Decimal(
                rules.absolute
            )  # no digit of one reaches to the other
        bound = decimal.Decimal(rules.absolute) + decimal.Decimal(rules.relative) * max(
            abs(p), abs(q)
        )
        return bool(abs(p - q) <= bound)


def _held(text: str) -> bool:
    """Whether a 64-bit float holds a number as it is written, but for rounding of its last
    digits.
    """
    value = float(text)
    digits = re.sub(r"[eE].*|\D", "", text).strip("0")
    if math.isnan(value) or (math.isinf(value) and not digits):
        return True
    return (
        len(digits) <= _EXACT
        and not math.isinf(value)
        and (abs(value) >= sys.float_info.min or not digits)
    )


def close(a: float, b: float, rules: CompareOptions) -> bool:
    """|a - b| <= absolute + relative * max(|a|, |b|), the same from either side; infinities and NaN
    only as themselves.
    """
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    if math.isinf(a) or math.isinf(b):
        return a == b
    return abs(a - b) <= rules.absolute + rules.relative * max(abs(a), abs(b))
