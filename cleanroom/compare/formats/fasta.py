"""FASTA: names and sequences in order; where the lines of a sequence break is apart.
Letters keep their case.
"""

import hashlib
import secrets
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from cleanroom.compare.formats.interface import BY_CONTENT, NO, Found, Inner, NotExamined
from cleanroom.compare.formats.multiset import multiset
from cleanroom.compare.formats.tally import Tally
from cleanroom.values.comparison import Sameness
from cleanroom.values.declared import CompareOptions

_SUFFIXES = (".fa", ".fasta", ".fna", ".faa", ".ffn")


class Fasta:
    name, version, extra = "fasta", "2", ""
    options = frozenset({"order"})

    def handles(self, head: bytes, name: str) -> int:
        if not head.startswith((b">", b";")):
            return NO
        return BY_CONTENT if name.endswith(_SUFFIXES) else NO

    def compare(
        self, left: Path, right: Path, name: str, rules: CompareOptions, inner: Inner
    ) -> Found:
        tally = Tally("record", "records")
        if rules.order == "any":
            key = secrets.token_bytes(64)
            here, there = (multiset(map(repr, _records(path)), key) for path in (left, right))
            tally.compared = here.things
            if here == there:
                return tally.same(Sameness.TOLERANCE, "the same records in any order")
            return tally.different("not the same records in any order")
        count = 0
        for number, (a, b) in enumerate(zip_longest(_records(left), _records(right)), 1):
            count = number
            tally.compared += 1
            if a != b:
                _differs(tally, number, a, b)
        if not tally.total:
            return tally.same(Sameness.CANONICAL, "the same records; lines break elsewhere")
        return tally.different(f"{tally.total} of {count} records differ")


def _differs(
    tally: Tally, number: int, a: "tuple[str, str, int] | None", b: "tuple[str, str, int] | None"
) -> None:
    where = f"record {number}"
    if a is None or b is None:
        tally.differs(where, a[0] if a else None, b[0] if b else None, "")
    elif a[0] != b[0]:
        tally.differs(f"{where}, name", a[0], b[0])
    else:
        tally.differs(
            f"{where} ({a[0][:60]})",
            f"{a[2]} letters, digest {a[1][:12]}",
            f"{b[2]} letters, digest {b[1][:12]}",
            "",
        )


def _records(path: Path) -> Iterator[tuple[str, str, int]]:
    """(name, digest of the sequence, its length) of each record."""
    name, digest, length = None, hashlib.sha256(), 0
    with path.open("rb") as stream:
        for line in stream:
            text = line.rstrip(b"\r\n")
            if text.startswith(b">"):
                if name is not None:
                    yield name, digest.hexdigest(), length
                name, digest, length = (
                    text[1:].decode("utf-8", "surrogateescape"),
                    hashlib.sha256(),
                    0,
                )
            elif text:
                if name is None:
                    raise NotExamined("it does not begin with a record")
                digest.update(text)
                length += len(text)
    if name is None:
        raise NotExamined("it has no record")
    yield name, digest.hexdigest(), length


COMPARATOR = Fasta()
