"""Parquet, Feather and Arrow streams: schema and values.
How rows are grouped, encoded and compressed, and who wrote it, are apart.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cleanroom.compare.formats.arrays import compare_arrays, suggestion
from cleanroom.compare.formats.bound import Budget
from cleanroom.compare.formats.interface import (
    FOR_CERTAIN,
    NO,
    Found,
    Inner,
    NotExamined,
    different,
)
from cleanroom.compare.formats.lines import OF_DATA
from cleanroom.compare.formats.tally import Tally
from cleanroom.values.comparison import Sameness
from cleanroom.values.declared import CompareOptions

_ROWS = 65_536


class Columnar:
    name, version, extra = "columnar", "2", "tables"
    options = frozenset({"ignore", "absolute", "relative"})

    def handles(self, head: bytes, name: str) -> int:
        if head.startswith((b"PAR1", b"ARROW1", b"FEA1")):
            return FOR_CERTAIN
        return (
            FOR_CERTAIN
            if head.startswith(b"\xff\xff\xff\xff") and name.endswith((".arrow", ".arrows", ".ipc"))
            else NO
        )

    def compare(
        self, left: Path, right: Path, name: str, rules: CompareOptions, inner: Inner
    ) -> Found:
        import pyarrow as pa

        try:
            return _compare(_Source(left), _Source(right), rules, Budget(left, right))
        except (pa.ArrowException, OSError) as error:
            raise NotExamined(
                "it cannot be read "
                f"({str(error).splitlines()[0] if str(error) else type(error).__name__})"
            ) from None


class _Source:
    """One file: its schema, its number of rows where known, and slices of it."""

    def __init__(self, path: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        with path.open("rb") as stream:
            head = stream.read(6)
        if head.startswith(b"PAR1"):
            file = pq.ParquetFile(path)
            self.schema = file.schema_arrow
            self._batches = file.iter_batches(batch_size=_ROWS)
        elif head.startswith(b"FEA1"):
            raise NotExamined("Feather version 1 is no longer read")
        elif head.startswith(b"ARROW1"):
            reader = pa.ipc.open_file(pa.memory_map(str(path)))
            self.schema = reader.schema
            self._batches = (reader.get_batch(i) for i in range(reader.num_record_batches))
        else:
            stream_reader = pa.ipc.open_stream(pa.memory_map(str(path)))
            self.schema = stream_reader.schema
            self._batches = iter(stream_reader)

    def slices(self) -> Iterator[Any]:
        for batch in self._batches:
            batch.validate(full=True)
            for start in range(0, batch.num_rows, _ROWS):
                yield batch.slice(start, _ROWS)


def _compare(left: _Source, right: _Source, rules: CompareOptions, budget: Budget) -> Found:
    plain = [
        [(f.name, _said(f)) for f in s.schema if f.name not in rules.ignore] for s in (left, right)
    ]
    if plain[0] != plain[1]:
        here, there = (
            [f"{n}: {t}" for n, t in plain[i] if (n, t) not in plain[1 - i]] for i in (0, 1)
        )
        return different(
            f"another schema: {', '.join(here) or 'no more columns'} here, "
            f"{', '.join(there) or 'no more columns'} there"
        )
    if not plain[0]:
        return Found(sameness=Sameness.DIFFERENT, note="no column is left to compare", compared=0)
    tally = Tally("value", "values")
    if notes := list(_notes(left.schema, right.schema, rules)):
        for name, texts in notes:
            tally.differs(f"metadata {name}", *texts)
        return tally.different("what is said of the table differs")
    positions = [
        [i for i, f in enumerate(s.schema) if f.name not in rules.ignore] for s in (left, right)
    ]
    bent = int(len(positions[0]) < len(left.schema))
    row = 0
    columns: dict[str, None] = {}
    for a, b in _in_step(left.slices(), right.slices()):
        if a is None or b is None:
            tally.differs(
                "rows",
                f"{row} rows or more" if b is None else f"{row} rows",
                f"{row} rows or more" if a is None else f"{row} rows",
                "",
            )
            return tally.different("another number of rows")
        budget.spend(a.num_rows + a.nbytes)
        for (name, _), i, j in zip(plain[0], *positions, strict=True):
            before = tally.total
            bent += _columns(a.column(i), b.column(j), f"{name}, from row {row}", tally, rules)
            if tally.total > before:
                columns[name] = None
        row += a.num_rows
    if tally.total:
        only_noise = suggestion(tally)
        found = only_noise or CompareOptions(ignore=tuple(sorted(columns)))
        return tally.different(
            f"{tally.total} values differ, in columns {', '.join(list(columns)[:6])}", None, found
        )
    if bent:
        return tally.same(Sameness.TOLERANCE, "the same under the declared options")
    return tally.same(
        Sameness.CANONICAL,
        f"the same schema and the same {row} rows; encoding, grouping or metadata differ",
    )


def _said(field: Any) -> str:
    """The type of a column, and whether values may be missing."""
    notes = {k: v for k, v in (field.metadata or {}).items() if k != b"PARQUET:field_id"}
    return (
        f"{field.type}{'' if field.nullable else ', never missing'}{f', {notes}' if notes else ''}"
    )


def _notes(
    left: Any, right: Any, rules: CompareOptions
) -> Iterator[tuple[str, tuple[str | None, str | None]]]:
    """What is said of the whole table and differs; which version of pandas or of another program
    wrote it is apart.
    """
    sides = [
        {k.decode("utf-8", "backslashreplace"): v for k, v in (s.metadata or {}).items()}
        for s in (left, right)
    ]
    for name in sorted(sides[0].keys() | sides[1].keys()):
        texts = [_plain(name, side[name]) if name in side else None for side in sides]
        if (
            texts[0] != texts[1]
            and not (name.endswith("version") and not OF_DATA.search(name))
            and f"@{name}" not in rules.ignore
        ):
            yield name, (texts[0], texts[1])


def _plain(name: str, note: bytes) -> str:
    text = note.decode("utf-8", "backslashreplace")
    if name == "pandas":
        try:
            return json.dumps(
                {
                    k: v
                    for k, v in json.loads(text).items()
                    if k not in ("creator", "pandas_version")
                }
            )
        except (ValueError, AttributeError, RecursionError):
            return text
    return text


def _in_step(left: Iterator[Any], right: Iterator[Any]) -> Iterator[tuple[Any, Any]]:
    a, b = next(left, None), next(right, None)
    while a is not None and b is not None:
        rows = min(a.num_rows, b.num_rows)
        yield a.slice(0, rows), b.slice(0, rows)
        a = a.slice(rows) if a.num_rows > rows else next(left, None)
        b = b.slice(rows) if b.num_rows > rows else next(right, None)
    if a is not None or b is not None:
        yield a, b


def _columns(a: Any, b: Any, where: str, tally: Tally, rules: CompareOptions) -> int:
    """Two Arrow arrays of one type and length."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = a.type
    if pa.types.is_dictionary(kind):
        if kind.ordered and not a.dictionary.equals(b.dictionary):
            tally.differs(
                f"{where}, order of categories",
                str(a.dictionary)[:200],
                str(b.dictionary)[:200],
                "",
            )
        return _columns(a.dictionary_decode(), b.dictionary_decode(), where, tally, rules)
    valid = a.is_valid(), b.is_valid()
    if not valid[0].equals(valid[1]):
        index = next(i for i in range(len(a)) if a[i].is_valid != b[i].is_valid)
        tally.differs(
            f"{where}[{index}]", repr(a[index].as_py())[:200], repr(b[index].as_py())[:200], ""
        )
        return 0
    if pa.types.is_floating(kind) or pa.types.is_integer(kind):
        both = valid[0]
        x, y = (pc.filter(side, both).to_numpy(zero_copy_only=False) for side in (a, b))
        return compare_arrays(x, y, where, tally, rules)
    if pa.types.is_struct(kind):
        return sum(
            _columns(a.field(i), b.field(i), f"{where}.{kind.field(i).name}", tally, rules)
            for i in range(kind.num_fields)
        )
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        if pc.list_value_length(a).equals(pc.list_value_length(b)):
            return _columns(a.flatten(), b.flatten(), f"{where}[]", tally, rules)
        tally.differs(where, "lists of other lengths", "lists of other lengths", "")
        return 0
    if pa.types.is_map(kind):
        entries = pa.list_(pa.struct([("key", kind.key_type), ("value", kind.item_type)]))
        return _columns(a.cast(entries), b.cast(entries), where, tally, rules)
    if kind.num_fields or pa.types.is_run_end_encoded(kind):
        raise NotExamined(
            f"{where.partition(',')[0]} is of a type that is not compared in full ({kind})"
        )
    tally.compared += len(a)
    if not a.equals(b):
        index = next((i for i in range(len(a)) if not a[i].equals(b[i])), 0)
        tally.differs(
            f"{where}[{index}]", repr(a[index].as_py())[:200], repr(b[index].as_py())[:200]
        )
    return 0


COMPARATOR = Columnar()
