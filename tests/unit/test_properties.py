"""Properties of every format: two files are the same exactly if what they hold is, whoever wrote
them, from either side; and no damaged file breaks anything.
"""

import gzip
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.pairs import makers as m
from cleanroom.compare.formats.interface import Found
from cleanroom.compare.formats.registry import Question, answer
from cleanroom.values.comparison import Sameness

Write = Callable[[Path, Any, int], bytes]
"""(a folder to work in, a meaning, style 0 or 1) to the bytes of a file."""

WORD = st.text("abcxyz019 .-", min_size=1, max_size=6).map(lambda s: s.strip() or "a")
NAME = st.text("abcxyz019", min_size=1, max_size=5)
LINES = st.lists(WORD, min_size=1, max_size=6)
FLOATS = st.lists(st.floats(width=64), min_size=1, max_size=6)
NUMBERS = st.lists(st.integers(-9, 9), min_size=1, max_size=5)
LETTERS = st.text("ACGT", min_size=1, max_size=12)
RECORDS = st.lists(st.tuples(NAME, LETTERS), min_size=1, max_size=4, unique_by=lambda r: r[0])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | WORD,
    lambda v: st.lists(v, max_size=3) | st.dictionaries(NAME, v, max_size=3),
)
MEMBERS = st.dictionaries(NAME, st.binary(max_size=8), min_size=1, max_size=3)


def text(_: Path, lines: list[str], style: int) -> bytes:
    return (b"", b"\xef\xbb\xbf")[style] + (("\n", "\r\n")[style].join(lines) + "\n").encode()


def as_yaml(_: Path, value: Any, style: int) -> bytes:
    return yaml.safe_dump(
        {"v": value}, default_flow_style=bool(style), sort_keys=not style
    ).encode()


def ndjson(_: Path, values: list[Any], style: int) -> bytes:
    return "".join(
        json.dumps(
            {"v": v, "w": 1}, sort_keys=True, indent=None, separators=((",", ":"), None)[style]
        )
        + "\n"
        for v in values
    ).encode()


def fasta(_: Path, records: list[tuple[str, str]], style: int) -> bytes:
    width = (3, 60)[style]
    return "".join(
        f">{n}\n" + "".join(f"{s[i : i + width]}\n" for i in range(0, len(s), width))
        for n, s in records
    ).encode()


def fastq(_: Path, records: list[tuple[str, str]], style: int) -> bytes:
    end = ("\n", "\r\n")[style]
    return "".join(end.join((f"@{n}", s, "+", "I" * len(s), "")) for n, s in records).encode()


def vcf(_: Path, records: list[tuple[str, str]], style: int) -> bytes:
    head = (
        f"##fileformat=VCFv4.2\n##fileDate=2026010{style}\n##contig=<ID=1>\n"
        "#CHROM\tPOS\tID\tREF\tALT\n"
    )
    return (head + "".join(f"1\t{i}\t{n}\tA\t{s}\n" for i, (n, s) in enumerate(records))).encode()


def sam(_: Path, records: list[tuple[str, str]], style: int) -> bytes:
    head = f"@HD\tVN:1.6\n@SQ\tSN:c\tLN:99\n@PG\tID:x\tCL:x -t {style}\n"
    return (
        head + "".join(f"{n}\t0\tc\t5\t60\t{len(s)}M\t*\t0\t0\t{s}\t*\n" for n, s in records)
    ).encode()


def bed(_: Path, records: list[tuple[str, str]], style: int) -> bytes:
    return (
        f"# made 2026-01-0{style + 1}\n"
        + "".join(f"c\t{i}\t{i + len(s)}\t{n}\n" for i, (n, s) in enumerate(records))
    ).encode()


def gff(_: Path, records: list[tuple[str, str]], style: int) -> bytes:
    head = f"##gff-version 3\n#!date 2026-01-0{style + 1}\n"
    return (
        head
        + "".join(
            f"c\tx\tgene\t{i + 1}\t{i + len(s)}\t.\t+\t.\tID={n}\n"
            for i, (n, s) in enumerate(records)
        )
    ).encode()


def html(_: Path, lines: list[str], style: int) -> bytes:
    note = ("", "<!-- 2026 -->")[style]
    return f"<html><body>{note}{''.join(f'<p>{line}</p>{chr(10) * style}' for line in lines)}</body></html>".encode()


def svg(_: Path, lines: list[str], style: int) -> bytes:
    ids = [f"{('m', 'q')[style]}{i}" for i in range(len(lines))]
    body = "".join(
        f'<text id="{i}">{line}</text><use href="#{i}"/>'
        for i, line in zip(ids, lines, strict=True)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg"><metadata>{style}</metadata>{body}</svg>'.encode()
    )


def arrow(values: list[Any]) -> dict[str, Any]:
    return {"v": values, "n": list(range(len(values)))}


FORMATS: dict[str, tuple[st.SearchStrategy[Any], Write]] = {
    "a.txt": (LINES, text),
    "a.yaml": (VALUES, as_yaml),
    "a.ndjson": (st.lists(VALUES, min_size=1, max_size=3), ndjson),
    "a.fa": (RECORDS, fasta),
    "a.fastq": (RECORDS, fastq),
    "a.vcf": (RECORDS, vcf),
    "a.sam": (RECORDS, sam),
    "a.bed": (RECORDS, bed),
    "a.gff": (RECORDS, gff),
    "a.html": (LINES, html),
    "a.svg": (LINES, svg),
    "a.ipynb": (WORD, lambda _, v, style: m.notebook(v, style + 1)),
    "a.txt.gz": (
        LINES,
        lambda _, v, style: gzip.compress("\n".join(v).encode(), (1, 9)[style], mtime=style),
    ),
    "a.tar": (MEMBERS, lambda _, v, style: m.tar(dict(sorted(v.items())), style)),
    "a.zip": (MEMBERS, lambda _, v, style: m.zipped(dict(sorted(v.items())), 2000 + style)),
    "a.npy": (FLOATS, lambda _, v, style: m.npy(v, dtype=("<f8", ">f8")[style])),
    "a.parquet": (
        FLOATS,
        lambda _, v, style: m.parquet(
            arrow(v), compression=("zstd", "gzip")[style], row_group_size=(9, 1)[style]
        ),
    ),
    "a.feather": (FLOATS, lambda _, v, style: m.feather(arrow(v), ("zstd", "lz4")[style])),
    "a.h5": (FLOATS, lambda _, v, style: m.hdf5(v, compression=(None, "gzip")[style])),
    "a.db": (
        st.lists(
            st.tuples(st.integers(-9, 9) | WORD | st.none(), WORD.filter(lambda w: w != "x")),
            min_size=1,
            max_size=4,
        ),
        lambda p, v, style: m.database(p, v, waste=(0, 900)[style]),
    ),
    "a.png": (
        st.integers(0, 255),
        lambda _, v, style: m.picture(
            "PNG", dot=v, compress_level=(1, 9)[style], dpi=(72 + style, 72)
        ),
    ),
    "a.tif": (
        st.integers(0, 255),
        lambda _, v, style: m.picture("TIFF", dot=v, compression=("raw", "tiff_lzw")[style]),
    ),
    "a.pdf": (NAME, lambda _, v, style: m.pdf(v, f"D:202{style}0101000000Z")),
    "a.bam": (st.integers(0, 60), lambda p, v, style: m.bam(p, v, style + 1)),
}
PROPERTY = settings(
    max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), database=None
)


def ask(folder: Path, name: str, left: bytes, right: bytes) -> Found:
    files = [
        folder / f"{side}-{hashlib.sha256(content).hexdigest()}"
        for side, content in (("l", left), ("r", right))
    ]
    for file, content in zip(files, (left, right), strict=True):
        file.write_bytes(content)
    return answer(Question(left=str(files[0]), right=str(files[1]), name=name))


@pytest.mark.parametrize("name", FORMATS)
@PROPERTY
@given(data=st.data())
def test_the_same_exactly_if_the_meaning_is(tmp_path: Path, name: str, data: st.DataObject) -> None:
    meanings, write = FORMATS[name]
    a = data.draw(meanings)
    b = data.draw(st.just(a) | meanings)
    left, right = write(tmp_path, a, 0), write(tmp_path, b, 1)
    if left == right:
        return
    found, back = ask(tmp_path, name, left, right), ask(tmp_path, name, right, left)
    assert found.sameness is back.sameness, (found, back)
    # NaN and -0.0 are compared as their representation, which tells 0.0 from -0.0 and not NaN from
    # NaN.
    same = repr(a) == repr(b)
    assert (found.sameness in (Sameness.CANONICAL, Sameness.PAYLOAD)) is same, (a, b, found)


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # a library that closes a damaged file of its own
@pytest.mark.parametrize("name", FORMATS)
@PROPERTY
@given(data=st.data())
def test_a_damaged_file_is_answered_from_both_sides(
    tmp_path: Path, name: str, data: st.DataObject
) -> None:
    """Bytes changed, cut off or doubled at random places: an answer comes, the same from either
    side, and nothing is raised.
    """
    meanings, write = FORMATS[name]
    whole = write(tmp_path, data.draw(meanings), 0)
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, max(0, len(damaged) - 1)))
        match data.draw(st.sampled_from(["change", "cut", "double"])):
            case "change" if damaged:
                damaged[place] = data.draw(st.integers(0, 255))
            case "cut":
                del damaged[place:]
            case _:
                damaged[place:place] = damaged[place : place + 9]
    if bytes(damaged) == whole:
        return
    found, back = (
        ask(tmp_path, name, whole, bytes(damaged)),
        ask(tmp_path, name, bytes(damaged), whole),
    )
    assert found.sameness is back.sameness, (found, back)
    assert found.note
