"""A column or field is offered to be ignored only where what stands there tells of a run."""

import datetime
import hashlib
import sqlite3
from pathlib import Path

import msgspec
import pytest

from cleanroom.compare.artifacts import ComparisonContext, compare_artifacts
from cleanroom.compare.examiner import Examiner
from cleanroom.compare.suggest import Suggestion, Uncovered, suggest
from cleanroom.values.comparison import Comparison, Relation
from cleanroom.values.declared import Declared
from tests.unit.values import artifact, attempt, evidence, job

TODAY = datetime.date(2030, 1, 1)


def suggested(
    tmp_path: Path, name: str, left: bytes, right: bytes
) -> tuple[tuple[Suggestion, ...], tuple[Uncovered, ...]]:
    sides = []
    for label, content in (("l", left), ("r", right)):
        sha256 = hashlib.sha256(content).hexdigest()
        (tmp_path / sha256).write_bytes(content)
        kept = msgspec.structs.replace(artifact(name), sha256=sha256, size=len(content))
        sides.append(evidence(label, artifacts=(kept,), attempts=(attempt(job("make", name)),)))
    with Examiner(1) as examiner:
        ground = ComparisonContext(
            lambda sha256: tmp_path / sha256, examiner, Declared(), today=TODAY
        )
        found, *_ = compare_artifacts(sides[0], sides[1], ground)
        compared = Comparison(
            left="l", right="r", relation=Relation.CONTROL, artifacts=tuple(found)
        )
        return suggest([compared], ground, sides[0])


def database(tmp_path: Path, column: str, value: str) -> bytes:
    file = tmp_path / "made.sqlite"
    file.unlink(missing_ok=True)
    with sqlite3.connect(file) as connection:
        connection.execute(f"create table t (id integer primary key, {column} text)")
        connection.execute("insert into t values (1, ?)", (value,))
    connection.close()
    return file.read_bytes()


@pytest.mark.parametrize(
    ("name", "left", "right"),
    [
        ("a.csv", b"id,score\n1,0.8312\n2,0.11\n", b"id,score\n1,0.2745\n2,0.98\n"),
        ("a.tsv", b"id\tcount\n1\t17\n", b"id\tcount\n1\t23\n"),
        ("a.csv", b"id,call\n1,A/T\n", b"id,call\n1,G/C\n"),
        # a stamp beside a value does not hide it
        ("a.csv", b"id,day,score\n1,2026-01-01,5\n", b"id,day,score\n1,2026-01-02,7\n"),
        ("a.json", b'{"n": 1, "mean": 0.31}', b'{"n": 1, "mean": 0.77}'),
        ("a.json", b'{"runs": [{"auc": 1}, {"auc": 2}]}', b'{"runs": [{"auc": 3}, {"auc": 4}]}'),
    ],
)
def test_values_are_not_offered_to_be_ignored(
    tmp_path: Path, name: str, left: bytes, right: bytes
) -> None:
    covered, (uncovered,) = suggested(tmp_path, name, left, right)
    assert covered == ()
    assert "values, not stamps" in uncovered.why
    assert "seed" in uncovered.why


@pytest.mark.parametrize(
    ("name", "left", "right", "ignored"),
    [
        # told by what stands there
        ("a.csv", b"id,x\n1,2026-01-01\n", b"id,x\n1,2026-01-02\n", "x"),
        ("a.csv", b"id,x\n1,/tmp/a/b\n", b"id,x\n1,/scratch/b\n", "x"),
        ("a.json", b'{"n": 1, "x": "2026-01-01T10:00:00Z"}', b'{"n": 1, "x": "2026-01-02"}', "/x"),
        # told by its name
        ("a.csv", b"id,seconds\n1,2.5\n", b"id,seconds\n1,9.5\n", "seconds"),
        ("a.csv", b"id,wall_time\n1,2\n", b"id,wall_time\n1,9\n", "wall_time"),
        ("a.json", b'{"n": 1, "pid": 7}', b'{"n": 1, "pid": 8}', "/pid"),
    ],
)
def test_what_tells_of_a_run_is_offered(
    tmp_path: Path, name: str, left: bytes, right: bytes, ignored: str
) -> None:
    (covered,), uncovered = suggested(tmp_path, name, left, right)
    assert (covered.options.ignore, uncovered) == ((ignored,), ())


@pytest.mark.parametrize(
    ("column", "left", "right", "is_offered"),
    [
        ("score", "0.25", "0.75", False),
        ("made_at", "2026-01-01", "2026-01-02", True),
        ("candidate", "a", "b", False),
        ("estimate", "1", "2", False),
    ],
)
def test_a_column_of_a_database(
    tmp_path: Path, column: str, left: str, right: str, is_offered: bool
) -> None:
    sides = database(tmp_path, column, left), database(tmp_path, column, right)
    covered, uncovered = suggested(tmp_path, "a.sqlite", *sides)
    assert (len(covered), len(uncovered)) == ((1, 0) if is_offered else (0, 1))
