"""JSON and lines of JSON: values, whatever the order of keys and the spacing.
Numbers are compared as they are written, in full.
"""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import zip_longest
from pathlib import Path
from typing import Any

from cleanroom.compare.difference_kinds import kind_of
from cleanroom.compare.formats.interface import BY_NAME, NO, Found, Inner, NotExamined
from cleanroom.compare.formats.plain import looks_like_text
from cleanroom.compare.formats.tally import Tally
from cleanroom.compare.formats.tolerance import close_texts
from cleanroom.values.comparison import Sameness
from cleanroom.values.declared import CompareOptions

_NAMES = (".json", ".geojson", ".ipynb.json", ".jsonld")
_LINE_NAMES = (".ndjson", ".jsonl", ".jsonlines")
ORDER = "order of keys"


class Json:
    version, extra = "2", ""
    options = frozenset({"ignore", "order", "absolute", "relative"})

    def __init__(self, name: str, names: tuple[str, ...], lines: bool) -> None:
        self.name, self._names, self._lines = name, names, lines

    def handles(self, head: bytes, name: str) -> int:
        if not looks_like_text(head):
            return NO
        if name.endswith(self._names):
            return BY_NAME
        return NO

    def compare(
        self, left: Path, right: Path, name: str, rules: CompareOptions, inner: Inner
    ) -> Found:
        walk = Walk(rules)
        if self._lines:
            sides = [_by_line(path) for path in (left, right)]
            if rules.order == "any":
                walk.values([v for _, v in sides[0]], [v for _, v in sides[1]], "")
            else:
                for a, b in zip_longest(*sides):
                    walk.values(a[1] if a else ABSENT, b[1] if b else ABSENT, f"/{(a or b)[0]}")
        else:
            walk.values(load(left.read_bytes()), load(right.read_bytes()), "")
        return walk.found()


def _by_line(path: Path) -> Iterator[tuple[int, Any]]:
    with path.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            if line.strip():
                yield number, load(line, f"line {number}: ")


class Object(dict[str, Any]):
    """An object whose keys are each there once."""


class Pairs(list[tuple[str, Any]]):
    """An object that has a key twice: what it means is not defined, so its pairs are compared in
    order.
    """


ABSENT = object()


class Number:
    """A number as it was written, and its exact value."""

    __slots__ = ("text", "value")

    def __init__(self, text: str) -> None:
        self.text, self.value = text, Decimal(text)


def _object(pairs: list[tuple[str, Any]]) -> Any:
    found = Object(pairs)
    return found if len(found) == len(pairs) else Pairs(pairs)


def load(raw: bytes, where: str = "") -> Any:
    """Parsed JSON. Raises: NotExamined."""
    try:
        return json.loads(
            raw.decode("utf-8-sig"),
            object_pairs_hook=_object,
            parse_float=Number,
            parse_int=Number,
            parse_constant=Number,
        )
    except RecursionError:
        raise NotExamined(f"{where}it is nested too deeply") from None
    except (ValueError, ArithmeticError) as error:
        raise NotExamined(f"{where}it is not JSON ({error})") from None


class Walk:
    """Two values side by side, with what the rules leave out.
    Places are JSON pointers; `*` in a rule is any one step, `**` any number.
    """

    def __init__(self, rules: CompareOptions) -> None:
        self._rules = rules
        self._ignored = [(re.compile(_pattern(p)), p) for p in rules.ignore]
        self.tally = Tally("value", "values")
        self._bent = 0
        self._reordered = False
        self._respelt = False
        self._places: set[str] | None = set()
        self._tolerable = True

    def values(self, a: Any, b: Any, place: str) -> None:
        if any(p.fullmatch(place) for p, _ in self._ignored):
            self._bent += 1
            return
        if isinstance(a, Object) and isinstance(b, Object):
            self._reordered |= list(a) != list(b) and a.keys() == b.keys()
            for key in sorted(a.keys() | b.keys()):
                self.values(
                    a.get(key, ABSENT),
                    b.get(key, ABSENT),
                    f"{place}/{key.replace('~', '~0').replace('/', '~1')}",
                )
        elif isinstance(a, list) and isinstance(b, list) and type(a) is type(b):
            self._lists(a, b, place)
        else:
            self.tally.compared += 1
            if not self._equal(a, b):
                self._differs(a, b, place)

    def _lists(self, a: list[Any], b: list[Any], place: str) -> None:
        if self._rules.order == "any" and type(a) is list and not self._ignored:
            keys = sorted(map(canonical, a)), sorted(map(canonical, b))
            self.tally.compared += len(a)
            if keys[0] == keys[1]:
                self._bent += [canonical(x) for x in a] != [canonical(x) for x in b]
                return
        for index, (x, y) in enumerate(zip_longest(a, b, fillvalue=ABSENT)):
            if isinstance(a, Pairs) and isinstance(x, tuple) and isinstance(y, tuple):
                self.values(x[0], y[0], f"{place}/{index} (key)")
                self.values(x[1], y[1], f"{place}/{x[0]}")
            else:
                self.values(x, y, f"{place}/{index}")

    def _equal(self, a: Any, b: Any) -> bool:
        if isinstance(a, Number) and isinstance(b, Number):
            if a.text == b.text:
                return True
            if (
                a.value == b.value
                and a.value.is_signed() == b.value.is_signed()
                and _whole(a) == _whole(b)
            ):
                self._respelt = True
                return True
            if (self._rules.absolute or self._rules.relative) and close_texts(
                a.text, b.text, self._rules
            ):
                self._bent += 1
                return True
            return False
        return type(a) is type(b) and bool(a == b)

    def _differs(self, a: Any, b: Any, place: str) -> None:
        if isinstance(a, Number) and isinstance(b, Number):
            self.tally.number(place, float(a.value), float(b.value))
        kind = kind_of(_text(a), _text(b)) if a is not ABSENT and b is not ABSENT else ""
        self.tally.differs(
            place or "/", None if a is ABSENT else _text(a), None if b is ABSENT else _text(b), kind
        )
        if self._places is not None and len(self._places) < 50:
            self._places.add(place)
        else:
            self._places = None

    def found(self) -> Found:
        """The answer."""
        tally = self.tally
        if tally.total:
            suggestion = (
                CompareOptions(ignore=tuple(sorted(self._places)))
                if self._places and "" not in self._places
                else None
            )
            return tally.different(
                f"{tally.total} of {tally.compared} values differ", None, suggestion
            )
        if self._bent:
            return tally.same(Sameness.TOLERANCE, "the same under the declared options")
        said = ["keys in another order"] * self._reordered + [
            "numbers written otherwise"
        ] * self._respelt
        found = tally.same(
            Sameness.CANONICAL,
            "the same values; " + (" and ".join(said) or "spacing or escapes differ"),
        )
        return Found(
            sameness=found.sameness,
            note=found.note,
            kinds=(ORDER,) if self._reordered else (),
            compared=tally.compared,
        )


def _whole(number: Number) -> bool:
    return not any(c in number.text for c in ".eE")


def canonical(value: Any) -> str:
    """A text that is the same for the same value."""
    if isinstance(value, Object):
        return "{" + ",".join(f"{json.dumps(k)}:{canonical(value[k])}" for k in sorted(value)) + "}"
    if isinstance(value, Pairs):
        return "<" + ",".join(f"{json.dumps(k)}:{canonical(v)}" for k, v in value) + ">"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    return value.text if isinstance(value, Number) else json.dumps(value)


def _text(value: Any) -> str:
    return canonical(value) if not isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _pattern(pointer: str) -> str:
    steps = pointer.lstrip("/").split("/")
    return "".join(
        "(?:/[^/]+)*" if s == "**" else "/[^/]+" if s == "*" else "/" + re.escape(s) for s in steps
    )


COMPARATOR = Json("json", _NAMES, False)
LINES = Json("ndjson", _LINE_NAMES, True)
