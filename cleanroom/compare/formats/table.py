"""CSV and TSV: header, rows in order (in any order where declared), cells as texts; numbers within
a tolerance where declared.

Read in batches by Polars, every cell as text, so that nothing is converted before it is compared.
What differs only in quoting or line endings is `canonical`. Rows in any order are compared by two
64-bit hashes each under seeds drawn for the occasion.
"""

import secrets
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from cleanroom.compare.difference_kinds import FLOAT, FORMAT, is_noise
from cleanroom.compare.formats.delimited import bare, check_width, in_step
from cleanroom.compare.formats.interface import BY_NAME, NO, Found, Inner, NotExamined
from cleanroom.compare.formats.plain import looks_like_text
from cleanroom.compare.formats.tally import Tally
from cleanroom.compare.formats.tolerance import close_texts
from cleanroom.values.comparison import LEFT, RIGHT, Sameness
from cleanroom.values.declared import CompareOptions

_BATCH = 100_000
_SMALL = 2 * 2**20
"""Files of up to so many bytes are read once and kept."""
_EXPLAINED = 500
"""How many differing cells of one column in one batch are asked for their kind."""
_NAMES = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
ORDER = "order of rows"
ORDER_OF_COLUMNS = "order of columns"


class Table:
    name, version, extra = "table", "2", "tables"
    options = frozenset({"ignore", "order", "absolute", "relative", "delimiter"})

    def handles(self, head: bytes, name: str) -> int:
        return BY_NAME if name.endswith(tuple(_NAMES)) and looks_like_text(head) else NO

    def compare(
        self, left: Path, right: Path, name: str, rules: CompareOptions, inner: Inner
    ) -> Found:
        import polars as pl

        delimiter = rules.delimiter or next(
            (d for suffix, d in _NAMES.items() if name.endswith(suffix)), "\t"
        )
        try:
            return _Comparison(pl, (left, right), delimiter, rules).found()
        except pl.exceptions.PolarsError as error:
            raise NotExamined(f"it is not a table ({str(error).splitlines()[0]})") from None


class _Comparison:
    def __init__(
        self, pl: Any, paths: tuple[Path, Path], delimiter: str, rules: CompareOptions
    ) -> None:
        self._pl, self._paths, self._delimiter, self._rules = pl, paths, delimiter, rules
        self._tally = Tally("cell", "cells")
        self._bent = 0
        self._rows_differ = 0
        self._columns: dict[str, set[str]] = {}
        self._frames: dict[Path, Any] = {}

    def found(self) -> Found:
        for path in self._paths:
            check_width(path, self._delimiter)
        headers = [self._header(path) for path in self._paths]
        kept = [self._kept(header) for header in headers]
        names = [[name for _, name in columns] for columns in kept]
        if names[0] != names[1]:
            return self._other_columns(names)
        self._bent += len(kept[0]) < len(headers[0]) or len(kept[1]) < len(headers[1])
        if not kept[0]:
            return Found(
                sameness=Sameness.DIFFERENT, note="no column is left to compare", compared=0
            )
        self._tally.compared = len(names[0]) if not self._rules.ignore else 0
        if self._rules.order == "any":
            return self._unordered(kept)
        rows = self._ordered(kept)
        if self._tally.total:
            return self._different(rows, kept)
        if self._bent:
            return self._tally.same(Sameness.TOLERANCE, "the same under the declared options")
        if not bare(*self._paths):
            return self._tally.different(
                "the same cells, but rows with missing cells or empty lines differ"
            )
        return self._tally.same(
            Sameness.CANONICAL, "the same cells; quoting or line endings differ"
        )

    def _header(self, path: Path) -> list[str]:
        if path.stat().st_size == 0:
            return []
        frame = self._small(path)
        first = self._scan(path).head(1).collect() if frame is None else frame
        return list(first.row(0)) if first.height else []

    def _small(self, path: Path) -> Any:
        """A small file as it is read once; None for a large one, which is read in batches."""
        if path not in self._frames:
            self._frames[path] = (
                self._scan(path).collect() if path.stat().st_size <= _SMALL else None
            )
        return self._frames[path]

    def _scan(self, path: Path) -> Any:
        """Every cell as a text. A row with more or fewer cells than the first one is an error."""
        return self._pl.scan_csv(
            path,
            separator=self._delimiter,
            has_header=False,
            infer_schema=False,
            empty_string_is_null=False,
            low_memory=True,
            glob=False,
            extra_columns="raise",
            missing_columns="raise",
        )

    def _kept(self, header: list[str]) -> list[tuple[int, str]]:
        """The columns that count, by position; a repeated name gets its number, so that none hides
        another.
        """
        seen: Counter[str] = Counter()
        found = []
        for index, name in enumerate(header):
            seen[name] += 1
            if name not in self._rules.ignore:
                found.append((index, name if seen[name] == 1 else f"{name} (column {index + 1})"))
        return found

    def _batches(self, path: Path, columns: list[tuple[int, str]]) -> Iterator[Any]:
        pl = self._pl
        if path.stat().st_size == 0:
            return
        if (frame := self._small(path)) is not None:
            yield pl.DataFrame([frame.to_series(index).alias(name) for index, name in columns])
        else:
            chosen = self._scan(path).select([pl.nth(index).alias(name) for index, name in columns])
            yield from chosen.collect_batches(chunk_size=_BATCH, maintain_order=True)

    # --- rows in order ---

    def _ordered(self, kept: list[list[tuple[int, str]]]) -> int:
        rows = 0
        for a, b in in_step(
            self._batches(self._paths[0], kept[0]), self._batches(self._paths[1], kept[1])
        ):
            if a is None or b is None:
                self._lengths(kept)
                break
            self._tally.compared += (a.height - (rows == 0)) * a.width
            if not a.equals(b):
                self._cells(a, b, rows)
            rows += a.height
        return rows

    def _lengths(self, kept: list[list[tuple[int, str]]]) -> None:
        counts = [
            sum(batch.height for batch in self._batches(p, k)) - 1
            for p, k in zip(self._paths, kept, strict=True)
        ]
        self._tally.differs("rows", f"{counts[0]} rows", f"{counts[1]} rows", "")
        self._rows_differ += abs(counts[0] - counts[1])
        self._columns["(rows)"] = {""}

    def _cells(self, a: Any, b: Any, offset: int) -> None:
        """Two batches of the same height, column by column; `offset` counts rows before them, the
        header among them.
        """
        rows: set[int] = set()
        for name in a.columns:
            one, other = a[name], b[name]
            unequal = (
                one.ne_missing(other) if one.null_count() or other.null_count() else one != other
            )
            if unequal.any():
                rows.update(
                    self._column(
                        name, unequal.arg_true(), one.filter(unequal), other.filter(unequal), offset
                    )
                )
        self._rows_differ += len(rows)

    def _column(self, name: str, at: Any, left: Any, right: Any, offset: int) -> list[int]:
        """The rows in which the differing cells of a column count, after the tolerance; the first
        ones are kept.
        """
        x, y = (side.cast(self._pl.Float64, strict=False) for side in (left, right))
        if self._rules.absolute or self._rules.relative:
            far = self._pl.Series(
                [not self._near(*cells) for cells in zip(left, right, x, y, strict=True)]
            )
            self._bent += len(far) - far.sum()
            at, left, right, x, y = (side.filter(far) for side in (at, left, right, x, y))
        if not len(at):
            return []
        kinds = self._columns.setdefault(name, set())
        for row, p, q in zip(at[:_EXPLAINED], left[:_EXPLAINED], right[:_EXPLAINED], strict=True):
            kinds.add(self._tally.differs(f"row {offset + row}, column {name}", p, q))
        self._tally.total += max(0, len(at) - _EXPLAINED)
        self._largest(name, x.to_numpy(), y.to_numpy())
        return list(at)

    def _largest(self, name: str, x: Any, y: Any) -> None:
        """The largest deviation of two columns of numbers; NaN where a cell is none."""
        import numpy as np

        with np.errstate(all="ignore"):
            size = np.abs(x - y) / np.maximum(np.abs(x), np.abs(y))
        size[~np.isfinite(size)] = -1.0
        worst = int(np.argmax(size))
        if size[worst] >= 0:
            self._tally.number(f"column {name}", float(x[worst]), float(y[worst]))

    def _near(self, left: str, right: str, x: float | None, y: float | None) -> bool:
        return x is not None and y is not None and close_texts(left, right, self._rules)

    # --- rows in any order ---

    def _unordered(self, kept: list[list[tuple[int, str]]]) -> Found:
        if self._rules.absolute or self._rules.relative:
            raise NotExamined(
                "rows in any order and a tolerance of numbers cannot be asked for together"
            )
        seeds = secrets.randbits(63), secrets.randbits(63)
        hashes = [
            self._hashes(path, columns, seeds)
            for path, columns in zip(self._paths, kept, strict=True)
        ]
        self._tally.compared += hashes[0].height * len(kept[0])
        if hashes[0].equals(hashes[1]):
            self._bent += 1
            return self._tally.same(Sameness.TOLERANCE, "the same rows in any order")
        counts = [h.height for h in hashes]
        only = (
            hashes[0].join(hashes[1], on=["a", "b"], how="anti").height,
            hashes[1].join(hashes[0], on=["a", "b"], how="anti").height,
        )
        note = f"not the same rows in any order; {counts[0]} in {LEFT}, {counts[1]} in {RIGHT}"
        return self._tally.different(
            note, facts=(f"{only[0]} rows are only in {LEFT}, {only[1]} only in {RIGHT}",)
        )

    def _hashes(self, path: Path, columns: list[tuple[int, str]], seeds: tuple[int, int]) -> Any:
        pl = self._pl
        parts = []
        header = True
        for batch in self._batches(path, columns):
            rows = batch[1:] if header else batch
            header = False
            parts.append(
                pl.DataFrame(
                    {"a": rows.hash_rows(seed=seeds[0]), "b": rows.hash_rows(seed=seeds[1])}
                )
            )
        whole = (
            pl.concat(parts)
            if parts
            else pl.DataFrame({"a": [], "b": []}, schema={"a": pl.UInt64, "b": pl.UInt64})
        )
        return whole.sort("a", "b")

    # --- answers ---

    def _other_columns(self, names: list[list[str]]) -> Found:
        if sorted(names[0]) == sorted(names[1]):
            self._tally.differs(
                "header", ", ".join(names[0]), ", ".join(names[1]), ORDER_OF_COLUMNS
            )
            return self._tally.different("the columns have another order, or other names")
        only = [[n for n in names[i] if n not in names[1 - i]] for i in (0, 1)]
        self._tally.differs("header", ", ".join(only[0]) or None, ", ".join(only[1]) or None, "")
        return self._tally.different("the columns are not the same")

    def _different(self, rows: int, kept: list[list[tuple[int, str]]]) -> Found:
        names = [n for n in self._columns if n != "(rows)"]
        facts = (
            (f"{self._rows_differ} of {max(rows - 1, 1)} rows differ, in {_listed(names)}",)
            if names
            else ()
        )
        if "(rows)" not in self._columns and self._rows_differ > 1 and self._is_permutation(kept):
            found = self._tally.different(
                "the same rows in another order",
                facts=facts,
                suggestion=CompareOptions(order="any"),
            )
            return msgspec.structs.replace(found, facts=facts, kinds=(ORDER,))
        return self._tally.different(
            "cells differ" if names else "another number of rows",
            None,
            self._suggestion(names),
            facts,
        )

    def _is_permutation(self, kept: list[list[tuple[int, str]]]) -> bool:
        seeds = secrets.randbits(63), secrets.randbits(63)
        left, right = (self._hashes(p, k, seeds) for p, k in zip(self._paths, kept, strict=True))
        return bool(left.equals(right))

    def _suggestion(self, names: list[str]) -> CompareOptions | None:
        if "(rows)" in self._columns or not names:
            return None
        if all(kinds <= {FLOAT, FORMAT} for kinds in self._columns.values()):
            return CompareOptions(
                relative=1e-9
                if all(is_noise(e.left, e.right) and len(e.left) > 12 for e in self._tally.excerpts)
                else 1e-5
            )
        return CompareOptions(ignore=tuple(sorted(names)))


def _listed(names: list[str]) -> str:
    return (
        f"column {names[0]}"
        if len(names) == 1
        else "columns "
        f"{', '.join(names[:6])}{f' and {len(names) - 6} more' if len(names) > 6 else ''}"
    )


COMPARATOR = Table()
