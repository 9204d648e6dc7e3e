"""Formats that are lines of text: read as a stream, header lines apart, compared in order or as a
multiset.

A line ends with LF or CRLF. Bytes that are not UTF-8 are kept as they are. Not here: which lines
are a header.
"""

import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from operator import itemgetter
from pathlib import Path

from cleanroom.compare.difference_kinds import TIMESTAMP, VERSION, aligned, kind_of, mask_for
from cleanroom.compare.formats.interface import BY_NAME, NO, Found, Inner, NotExamined
from cleanroom.compare.formats.multiset import multiset
from cleanroom.compare.formats.plain import Text, looks_like_text, opened_text
from cleanroom.compare.formats.tally import Tally
from cleanroom.compare.formats.tolerance import near
from cleanroom.values.comparison import LEFT, RIGHT, Sameness
from cleanroom.values.declared import CompareOptions

_ALIGNED_BYTES = 8 * 2**20
"""Files up to this size are aligned as a person would; larger ones are compared line by line."""
_ALIGNED_LINES = 3000
_ORDER_BYTES = 256 * 2**20
"""Up to this size it is looked whether only the order of lines differs, where nothing else is
asked.
"""
OF_DATA = re.compile(
    r"genom|assembl|build|reference|dbsnp|ensembl|gencode|refseq|schema|release|annotation|species|hg\d|grch",
    re.I,
)
"""Words of header lines whose version is that of the data, and not that of a program."""
ORDER = "order of lines"
_REPLACED, _NUL = "\0m", "\0n"
"""What a mask leaves, and what stands for a zero byte meanwhile, which could else pass for it."""


@dataclass(frozen=True)
class Dialect:
    """What is special about a format of lines.
    `header` finds header lines, which stand before all others; `apart` those that carry
    dates, versions or command lines; `dated` those in which a date or a version may differ, all of
    them where it is None.
    A record is `unit` lines; where a `binding` line stands among them, records depend on what is
    before, and their order counts.
    """

    header: re.Pattern[str] | None = None
    apart: re.Pattern[str] | None = None
    dated: re.Pattern[str] | None = None
    thing: str = "line"
    things: str = "lines"
    unit: int = 1
    binding: re.Pattern[str] | None = None


class LineFormat:
    """A comparator of lines."""

    version = "2"
    extra = ""
    options = frozenset({"mask", "order", "absolute", "relative"})

    def __init__(
        self,
        name: str,
        dialect: Dialect,
        suffixes: tuple[str, ...],
        recognise: Callable[[bytes], int] | None = None,
    ) -> None:
        self.name = name
        self._dialect, self._suffixes, self._recognise = dialect, suffixes, recognise

    def handles(self, head: bytes, name: str) -> int:
        sure = self._recognise(head) if self._recognise else NO
        if sure:
            return sure
        return (
            BY_NAME
            if self._suffixes and name.endswith(self._suffixes) and looks_like_text(head)
            else NO
        )

    def compare(
        self, left: Path, right: Path, name: str, rules: CompareOptions, inner: Inner
    ) -> Found:
        return compare_lines(left, right, rules, self._dialect)


def compare_lines(left: Path, right: Path, rules: CompareOptions, dialect: Dialect) -> Found:
    """Two files of lines."""
    sides = opened_text(left), opened_text(right)
    try:
        return _Comparison(sides[0], sides[1], rules, dialect).found()
    except UnicodeError as error:
        raise NotExamined(
            "it is not the text that its byte order mark says "
            f"({error.reason if hasattr(error, 'reason') else error})"
        ) from None


class _Comparison:
    def __init__(self, left: Text, right: Text, rules: CompareOptions, dialect: Dialect) -> None:
        self._left, self._right, self._rules, self._dialect = left, right, rules, dialect
        self._masks = [re.compile(m) for m in rules.mask]
        self._tolerant = rules.absolute > 0 or rules.relative > 0
        self._tally = Tally(dialect.thing, dialect.things)
        self._apart: list[tuple[str, str]] = []
        self._aside: dict[int, list[str]] = {id(left): [], id(right): []}
        self._bent = 0
        self._masks_needed: set[str] | None = set()

    def found(self) -> Found:
        if self._rules.order == "any":
            return self._as_multiset()
        small = (
            max(self._left.path.stat().st_size, self._right.path.stat().st_size) <= _ALIGNED_BYTES
        )
        count = self._whole() if small else self._streamed()
        if not self._tally.total:
            return self._same()
        if self._permuted():
            note = f"the same {self._dialect.things} in another order"
            rules = CompareOptions(order="any")
            found = self._tally.different(note, count, rules)
            return Found(
                sameness=found.sameness,
                note=note,
                excerpts=found.excerpts,
                kinds=(ORDER,),
                suggestion=rules,
                compared=count,
            )
        masks = self._masks_needed
        suggestion = CompareOptions(mask=tuple(sorted(masks))) if masks else None
        note = (
            f"{self._tally.total} of {count} {self._dialect.things} differ"
            if count > 1
            else "its only line differs"
        )
        return self._tally.different(note, None, suggestion, self._facts())

    # --- in order ---

    def _whole(self) -> int:
        """Both files in memory, aligned between their common beginning and end."""
        heads: list[list[tuple[int, str]]] = []
        bodies: list[list[tuple[int, str]]] = []
        for side in (self._left, self._right):
            head: list[tuple[int, str]] = []
            body: list[tuple[int, str]] = []
            for number, line, of_head in self._kept(side):
                (head if of_head else body).append((number, line))
            heads.append(head)
            bodies.append(body)
        for part in (heads, bodies):
            self._align(part[0], part[1], part is heads)
        return max(len(heads[i]) + len(bodies[i]) for i in (0, 1))

    def _kept(self, side: Text) -> Iterator[tuple[int, str, bool]]:
        """(number, line, whether it is of the header) of every line but those of the header that
        are left apart.
        """
        dialect, of_head = self._dialect, True
        for number, line in enumerate(side.lines(), 1):
            of_head = of_head and dialect.header is not None and bool(dialect.header.match(line))
            if of_head and dialect.apart is not None and dialect.apart.match(line):
                self._aside[id(side)].append(line)
            else:
                yield number, line, of_head

    def _align(
        self, left: list[tuple[int, str]], right: list[tuple[int, str]], header: bool
    ) -> None:
        start = 0
        while start < min(len(left), len(right)) and self._equal(
            left[start][1], right[start][1], header
        ):
            start += 1
        end = 0
        while end < min(len(left), len(right)) - start and self._equal(
            left[-1 - end][1], right[-1 - end][1], header
        ):
            end += 1
        middle = left[start : len(left) - end], right[start : len(right) - end]
        if max(len(middle[0]), len(middle[1])) > _ALIGNED_LINES or len(middle[0]) == len(middle[1]):
            pairs: list[tuple[tuple[int, str] | None, tuple[int, str] | None]] = list(
                zip_longest(*middle)
            )
        else:
            reduced = [[self._reduce(line) for _, line in side] for side in middle]
            pairs = []
            for i, a, j, b in aligned(reduced[0], reduced[1]):
                pairs.append(
                    (
                        middle[0][i] if a is not None else None,
                        middle[1][j] if b is not None else None,
                    )
                )
        for one, other in pairs:
            self._pair(one, other, header)

    def _streamed(self) -> int:
        count = 0
        for number, (a, b) in enumerate(
            zip_longest(
                *(map(itemgetter(1), self._kept(side)) for side in (self._left, self._right))
            ),
            1,
        ):
            count = number
            if a is None or b is None or a != b:
                self._pair(
                    (number, a) if a is not None else None,
                    (number, b) if b is not None else None,
                    False,
                )
            elif self._masks:
                self._equal(a, b, False)
            else:
                self._tally.compared += 1
        return count

    def _pair(self, a: tuple[int, str] | None, b: tuple[int, str] | None, header: bool) -> None:
        if a is not None and b is not None and self._equal(a[1], b[1], header):
            return
        number = (a or b or (0, ""))[0]
        kind = self._tally.differs(f"line {number}", a[1] if a else None, b[1] if b else None)
        if self._masks_needed is not None:
            mask = (
                mask_for(a[1], b[1], kind) if a and b and kind and self._tally.total < 200 else ""
            )
            if mask and a and b and re.sub(mask, "", a[1]) == re.sub(mask, "", b[1]):
                self._masks_needed.add(mask)
            else:
                self._masks_needed = None

    def _equal(self, a: str, b: str, header: bool) -> bool:
        if self._masks:
            reduced = self._reduce(a), self._reduce(b)
            self._tally.compared += bool(
                reduced[0].replace(_REPLACED, "").strip()
                or reduced[1].replace(_REPLACED, "").strip()
            )
            self._bent += a != b and reduced[0] == reduced[1]
            a, b = reduced
        else:
            self._tally.compared += 1
        if a == b:
            return True
        dated = self._dialect.dated
        if header and (dated is None or (dated.match(a) and dated.match(b))):
            kind = kind_of(a, b)
            if kind == TIMESTAMP or (kind == VERSION and not OF_DATA.search(a)):
                self._apart.append((a, b))
                return True
        if self._tolerant and near(a, b, self._rules):
            self._bent += 1
            return True
        return False

    def _reduce(self, line: str) -> str:
        line = line.replace("\0", _NUL) if self._masks else line
        for mask in self._masks:
            line = mask.sub(_REPLACED, line)
        return line

    # --- as a multiset ---

    def _as_multiset(self) -> Found:
        key = secrets.token_bytes(64)
        here, there = (multiset(self._records(side), key) for side in (self._left, self._right))
        if here == there:
            self._bent += 1
            return self._same()
        counts = f"{here.things} {self._dialect.things} in {LEFT}, {there.things} in {RIGHT}"
        return self._tally.different(f"not the same {self._dialect.things} in any order; {counts}")

    def _records(self, side: Text) -> Iterator[str]:
        """Under the masks, what may stand in any order: header lines with their places, and records
        of the body.

        Raises: NotExamined where the order of records counts.
        """
        record: list[str] = []
        place = 0
        for _, line, of_head in self._kept(side):
            if self._dialect.binding is not None and self._dialect.binding.match(line):
                raise NotExamined(
                    "its records depend on lines before them, so that their order counts"
                )
            reduced = self._reduce(line)
            self._tally.compared += bool(reduced.replace(_REPLACED, "").strip())
            place += of_head
            record.append(f"{place}{_REPLACED}{reduced}" if of_head else reduced)
            if of_head or len(record) == self._dialect.unit:
                yield "\n".join(record)
                record = []
        if record:
            yield "\n".join(record)

    def _permuted(self) -> bool:
        sizes = [side.path.stat().st_size for side in (self._left, self._right)]
        if self._masks or self._tolerant or max(sizes) > _ORDER_BYTES:
            return False
        key = secrets.token_bytes(64)
        try:
            return multiset(self._records(self._left), key) == multiset(
                self._records(self._right), key
            )
        except NotExamined:
            return False

    # --- answers ---

    def _same(self) -> Found:
        facts = self._facts()
        if self._bent:
            return self._tally.same(
                Sameness.TOLERANCE, "the same under the declared options", facts
            )
        return self._tally.same(Sameness.CANONICAL, "; ".join(facts) or "the same lines", facts)

    def _facts(self) -> tuple[str, ...]:
        found = []
        if self._left.form != self._right.form:
            found.append(f"{self._left.form} in {LEFT}, {self._right.form} in {RIGHT}")
        if self._apart or self._aside[id(self._left)] != self._aside[id(self._right)]:
            found.append("header lines with dates, versions or command lines are apart")
        return tuple(found)
