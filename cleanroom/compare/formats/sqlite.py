"""SQLite: schema and rows in the order of their row ids, each value with its type.
Pages, free space and counters are apart.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

from cleanroom.compare.formats.interface import FOR_CERTAIN, NO, Found, Inner, NotExamined
from cleanroom.compare.formats.tally import Tally
from cleanroom.values.comparison import Sameness
from cleanroom.values.declared import CompareOptions

_WAL = 2
_VALUE = 2**28
"""Bytes of the largest text or blob, so that no computed column makes one that fills the memory."""


class _Text(bytes):
    """A text, which SQLite tells from a blob of the same bytes."""


class Sqlite:
    name, version, extra = "sqlite", "2", ""
    options = frozenset({"ignore"})

    def handles(self, head: bytes, name: str) -> int:
        return FOR_CERTAIN if head.startswith(b"SQLite format 3\0") else NO

    def compare(
        self, left: Path, right: Path, name: str, rules: CompareOptions, inner: Inner
    ) -> Found:
        try:
            with _open(left) as a, _open(right) as b:
                return _compare(a, b, rules)
        except sqlite3.Error as error:
            raise NotExamined(f"it cannot be read as SQLite ({error})") from None


@contextlib.contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    with path.open("rb") as stream:
        if max(stream.read(20)[18:20], default=0) >= _WAL:
            raise NotExamined("it is in write-ahead mode: a part of it may lie in another file")
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        connection.text_factory = _Text
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _VALUE)
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        for pragma in (
            "trusted_schema=OFF",
            "query_only=ON",
            "cell_size_check=ON",
            "ignore_check_constraints=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")
        _check(connection)
        yield connection
    finally:
        connection.close()


def _check(connection: sqlite3.Connection) -> None:
    """No virtual table, which is code that reads what it likes; and pages and indexes that hold
    what the tables do, each once.
    """
    for _, name, kind, *_ in connection.execute("PRAGMA table_list"):
        if kind == b"virtual":
            raise NotExamined(f"{_name(name)} is a virtual table")
    fault = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if fault != b"ok":
        raise NotExamined(f"it is damaged ({_text(fault)[:200]})")


def _schema(connection: sqlite3.Connection) -> dict[tuple[Any, ...], Any]:
    rows = connection.execute(
        "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name != 'sqlite_sequence'"
    ).fetchall()
    found = {(kind, name): sql for kind, name, _, sql in rows}
    if len(found) < len(rows):
        raise NotExamined("its schema has a name twice")
    return found


def _compare(a: sqlite3.Connection, b: sqlite3.Connection, rules: CompareOptions) -> Found:
    tally = Tally("value", "values")
    places: dict[str, None] = {}
    bent = 0
    schemas = _schema(a), _schema(b)
    for key in sorted(schemas[0].keys() | schemas[1].keys()):
        said = [_text(s.get(key)) if key in s else None for s in schemas]
        if said[0] != said[1]:
            tally.differs(f"schema of {_name(key[0])} {_name(key[1])}", said[0], said[1])
            places[_name(key[1])] = None
    for pragma in ("user_version", "application_id", "encoding"):
        values = [str(side.execute(f"PRAGMA {pragma}").fetchone()[0]) for side in (a, b)]
        if values[0] != values[1]:
            tally.differs(pragma, values[0], values[1])
            places[pragma] = None
    for kind, name in sorted(schemas[0].keys() & schemas[1].keys()):
        table = _name(name)
        if kind != b"table":
            continue
        if table in rules.ignore:
            bent += 1
            continue
        if schemas[0][kind, name] == schemas[1][kind, name]:
            bent += _rows(a, b, table, rules, tally, places)
    if tally.total:
        suggestion = CompareOptions(ignore=tuple(sorted(places)))
        return tally.different(
            f"{tally.total} values differ, in {', '.join(list(places)[:6])}", None, suggestion
        )
    if bent:
        return tally.same(Sameness.TOLERANCE, "the same under the declared options")
    return tally.same(Sameness.CANONICAL, "the same schema and rows; pages or counters differ")


def _rows(
    a: sqlite3.Connection,
    b: sqlite3.Connection,
    table: str,
    rules: CompareOptions,
    tally: Tally,
    places: dict[str, None],
) -> int:
    quoted = '"' + table.replace('"', '""') + '"'
    cursors = [side.execute(f"SELECT * FROM {quoted} NOT INDEXED") for side in (a, b)]  # noqa: S608 - the name is quoted
    columns = [_name(column[0]) for column in cursors[0].description]
    kept = [i for i, column in enumerate(columns) if f"{table}.{column}" not in rules.ignore]
    for number, (x, y) in enumerate(zip_longest(*cursors), 1):
        if x is None or y is None:
            tally.differs(
                f"{table}, row {number}",
                None if x is None else _text(x),
                None if y is None else _text(y),
                "",
            )
            places[table] = None
            continue
        tally.compared += len(kept)
        for i in kept:
            if (
                type(x[i]) is not type(y[i]) or x[i] != y[i] or repr(x[i]) != repr(y[i])
            ):  # 1 is not 1.0, and 0.0 not -0.0
                tally.differs(
                    f"{table}, row {number}, column {columns[i]}", _text(x[i]), _text(y[i])
                )
                places[f"{table}.{columns[i]}"] = None
    return int(len(kept) < len(columns))


def _name(raw: Any) -> str:
    return raw.decode("utf-8", "backslashreplace") if isinstance(raw, bytes) else str(raw)


def _text(value: Any) -> str:
    return (
        value.decode("utf-8", "backslashreplace")[:500]
        if isinstance(value, bytes)
        else repr(value)[:500]
    )


COMPARATOR = Sqlite()
