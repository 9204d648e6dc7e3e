"""Two files of delimited cells beside what their cells say: how wide they are, what quoting hides,
and batches of both in step. Not here: cells.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cleanroom.compare.formats.interface import NotExamined

_COLUMNS = 200_000


def check_width(path: Path, delimiter: str) -> None:
    """Refuse more columns than a table has.
    The first row ends at the first line end that is not in quotes.
    """
    with path.open("rb") as stream:
        quotes = columns = 0
        for line in stream:
            quotes += line.count(b'"')
            columns += line.count(delimiter.encode())
            if columns > _COLUMNS:
                raise NotExamined(f"it has more than {_COLUMNS} columns")
            if quotes % 2 == 0:
                return


def bare(left: Path, right: Path) -> bool:
    """Whether two files are the same without quotes, carriage returns and a byte order mark: what
    Polars fills in would show here.
    """
    pending = [b"", b""]
    with left.open("rb") as a, right.open("rb") as b:
        first = True
        while True:
            blocks = [stream.read(2**20) for stream in (a, b)]
            for i, block in enumerate(blocks):
                pending[i] += (block.removeprefix(b"\xef\xbb\xbf") if first else block).translate(
                    None, b'"\r'
                )
            first = False
            if not any(blocks):
                return pending[0].rstrip(b"\n") == pending[1].rstrip(b"\n")
            common = min(map(len, pending))
            common -= common % 2**20 if common > 2**21 else common
            if pending[0][:common] != pending[1][:common]:
                return False
            pending = [text[common:] for text in pending]


def in_step(left: Iterator[Any], right: Iterator[Any]) -> Iterator[tuple[Any, Any]]:
    """Batches of two tables, cut to the same number of rows; (None, x) or (x, None) where one ends
    first.
    """
    a, b = next(left, None), next(right, None)
    while a is not None and b is not None:
        height = min(a.height, b.height)
        yield a[:height], b[:height]
        a = a[height:] if a.height > height else next(left, None)
        b = b[height:] if b.height > height else next(right, None)
    if a is not None or b is not None:
        yield a, b
