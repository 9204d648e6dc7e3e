"""Workers under limits: bombs, crashes and slow comparisons end as different, with a sentence, and
take nothing else with them.
"""

import gzip
import io
import struct
import tarfile
import time
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cleanroom.compare.examiner import Examiner
from cleanroom.compare.formats.interface import Found
from cleanroom.compare.formats.registry import Question, answer
from cleanroom.values.comparison import Sameness
from cleanroom.values.declared import CompareOptions


def question(folder: Path, name: str, left: bytes, right: bytes, **rules: Any) -> Question:
    files = [folder / f"{name}.{side}" for side in ("left", "right")]
    for file, content in zip(files, (left, right), strict=True):
        file.write_bytes(content)
    return Question(
        left=str(files[0]), right=str(files[1]), name=name, rules=CompareOptions(**rules)
    )


def huge_png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 65535, 65535, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(b"\0" * 9))
        + chunk(b"IEND", b"")
    )


def tar_without_end() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo("a")
        info.size = 100_000
        archive.addfile(info, io.BytesIO(b"x" * 100_000))
    return out.getvalue()[:50_000]


YAML_BOMB = b"a: &a [x, x, x, x, x, x, x, x, x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (i + 1, i + 1, b", ".join([b"*%c" % i] * 9)) for i in range(97, 110)
)

BAD = {
    "deep.json": (b"[" * 200_000 + b"]" * 200_000, b"[" * 200_001 + b"]" * 200_001, "nested"),
    "bomb.yaml": (YAML_BOMB, YAML_BOMB + b"z: 1\n", "unfolds"),
    "huge.png": (huge_png(), huge_png() + b"x", "not examined"),
    "cut.tar": (tar_without_end(), tar_without_end() + b"x", "not examined"),
    "cut.gz": (gzip.compress(b"x" * 9999)[:-9], gzip.compress(b"y" * 9999)[:-9], "not examined"),
    "not.parquet": (b"PAR1abc", b"PAR1abd", "not examined"),
    "not.h5": (b"\x89HDF\r\n\x1a\n123", b"\x89HDF\r\n\x1a\n124", "not examined"),
    "not.db": (b"SQLite format 3\0" + b"1" * 99, b"SQLite format 3\0" + b"1" * 98, "not examined"),
    "not.pdf": (b"%PDF-1.4\n1", b"%PDF-1.4\n2", "not examined"),
    "not.bam": (b"BCF\2\2xx", b"BCF\2\2xy", "not examined"),
    "not.npy": (b"\x93NUMPY\1\0", b"\x93NUMPY\1\1", "not examined"),
    "entity.svg": (
        b'<!DOCTYPE svg [<!ENTITY a "b">]><svg>&a;</svg>',
        b'<!DOCTYPE svg [<!ENTITY a "c">]><svg>&a;</svg>',
        "line",
    ),
    "regex.csv": (b'a,b\n"1,2\n', b"a,b\n1,2\n", "not examined"),
    "empty.json": (b"", b"{}", "not examined"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_different_and_say_why(tmp_path: Path, name: str) -> None:
    left, right, said = BAD[name]
    with Examiner(1) as examiner:
        for pair in ((left, right), (right, left)):
            (found,) = examiner.examine([question(tmp_path, name, *pair)])
            assert found.sameness is Sameness.DIFFERENT, found
            assert said in found.note, found


def test_a_worker_that_runs_out_of_memory_takes_only_its_question_with_it(tmp_path: Path) -> None:
    line = b"x" * 300_000_000
    questions = [question(tmp_path, f"{i}.txt", b"a\n", b"b\n") for i in range(20)]
    questions.insert(7, question(tmp_path, "big.txt", line + b"a", line + b"b"))
    with Examiner(1, memory=400 * 2**20) as examiner:
        found = examiner.examine(questions)
    assert {f.sameness for f in found} == {Sameness.DIFFERENT}
    assert "memory" in found[7].note
    assert all("line" in f.note for i, f in enumerate(found) if i != 7)


def test_what_takes_too_long_is_ended(tmp_path: Path) -> None:
    slow = question(
        tmp_path, "slow.txt", b"a" * 40 + b"!\n", b"a" * 41 + b"!\n", mask=("(a|aa)+$",)
    )
    quick = [question(tmp_path, f"{i}.txt", b"a\n", b"b\n") for i in range(3)]
    begin = time.monotonic()
    with Examiner(1, seconds=3) as examiner:
        found = examiner.examine([slow, *quick])
    assert time.monotonic() - begin < 20
    assert "longer than 3 s" in found[0].note
    assert all("line" in f.note for f in found[1:])


def test_a_file_larger_than_memory_is_read_as_a_stream(tmp_path: Path) -> None:
    files = [tmp_path / "a.bin", tmp_path / "b.bin"]
    for file in files:
        with file.open("wb") as stream:
            stream.write(b"\0\1")
            stream.truncate(6 * 2**30)
    with files[1].open("r+b") as stream:
        stream.seek(-1, 2)
        stream.write(b"x")
    with Examiner(1, memory=300 * 2**20) as examiner:
        (found,) = examiner.examine(
            [Question(left=str(files[0]), right=str(files[1]), name="a.bin")]
        )
    assert found.facts == (f"the first byte that differs is at offset {6 * 2**30 - 1}",)


def test_the_same_question_is_answered_once(tmp_path: Path) -> None:
    asked = question(tmp_path, "a.txt", b"a\n", b"b\n")
    with Examiner(1) as examiner:
        first = examiner.examine([asked, asked])
        Path(asked.left).unlink()
        assert examiner.examine([asked]) == first[:1]


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


def found_for(folder: Path, name: str, left: bytes, right: bytes) -> tuple[Found, Found]:
    there, back = (answer(question(folder, name, *pair)) for pair in ((left, right), (right, left)))
    return there, back


PROPERTY = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@PROPERTY
@given(a=JSON_VALUES, b=JSON_VALUES)
def test_json_is_the_same_only_if_its_values_are(tmp_path: Path, a: object, b: object) -> None:
    import json

    left, right = json.dumps(a).encode(), json.dumps(b, indent=1, sort_keys=True).encode()
    if left == right:
        return
    found, back = found_for(tmp_path, "a.json", left, right)
    assert found.sameness is back.sameness
    assert (found.sameness is Sameness.CANONICAL) == (
        json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)
    )


CELLS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from('",\n'), max_size=4
)
TABLES = st.integers(1, 3).flatmap(
    lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=4)
)


def written(table: list[list[str]], quoting: int, end: str) -> bytes:
    import csv

    out = io.StringIO(newline="")
    csv.writer(out, quoting=quoting, lineterminator=end).writerows(table)  # type: ignore[arg-type]
    return out.getvalue().encode()


@PROPERTY
@given(a=TABLES, b=TABLES)
def test_tables_are_the_same_only_if_their_cells_are(
    tmp_path: Path, a: list[list[str]], b: list[list[str]]
) -> None:
    import csv

    for one, other in ((a, b), (a, a)):
        left, right = written(one, csv.QUOTE_MINIMAL, "\n"), written(other, csv.QUOTE_ALL, "\r\n")
        if left == right:
            continue
        found, back = found_for(tmp_path, "a.csv", left, right)
        assert found.sameness is back.sameness
        if found.sameness is not Sameness.DIFFERENT:
            assert one == other


@PROPERTY
@given(
    name=st.sampled_from([*BAD, "a.txt", "a.vcf", "a.html", "a.fa"]),
    a=st.binary(max_size=60),
    b=st.binary(max_size=60),
)
def test_no_comparator_calls_garbage_the_same(
    tmp_path: Path, name: str, a: bytes, b: bytes
) -> None:
    """Real beginnings with random ends: whatever a parser does, different content is not the same,
    and it never raises.
    """
    head = BAD[name][0][:24] if name in BAD else b""
    if a == b:
        return
    found, back = found_for(tmp_path, name, head + a, head + b)
    assert found.sameness is back.sameness
    if found.sameness is not Sameness.DIFFERENT:
        plain = [bytes(c for c in side if c not in b"\r\n\t ") for side in (a, b)]
        assert plain[0] == plain[1] or found.comparator.startswith(("html", "svg", "vcf")), (
            found,
            a,
            b,
        )
