"""Files written to deceive or to exhaust: what a comparator overlooks would be called the same, and
what it follows would leak.

Lies: two files that differ in what they hold are `different`, from either side. Truth: what a
format's own terms do not mean stays `canonical`. Bombs: an answer comes within seconds and a bound
of memory. Doors: nothing but the two files is opened.
"""

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.pairs import makers as m
from cleanroom.compare.formats.interface import Found
from cleanroom.compare.formats.registry import Question, answer
from cleanroom.values.comparison import Sameness
from cleanroom.values.declared import CompareOptions
from tests.hostile import makers as h

Make = Callable[[Path], Any]
Case = tuple[str, str, Make | bytes, Make | bytes]
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:x="urn:x">%s</svg>'
HTML = b"<html><body>%s</body></html>"
SAM = (
    b"@HD\tVN:1.6\n@SQ\tSN:chr1\tLN:%s\n@RG\tID:a\tSM:%s\n"
    b"r1\t0\tchr1\t5\t60\t4M\t*\t0\t0\tACGT\t*\n"
)
VCF = (
    b"##fileformat=VCFv4.2\n##contig=<ID=1,length=%s>\n"
    b"#CHROM\tPOS\tID\tREF\tALT\tQ\tF\tI\tF\t%s\n1\t1\t.\tA\tG\n"
)


def asked(
    tmp_path: Path, name: str, left: bytes, right: bytes, comparator: str = "", **rules: Any
) -> Found:
    files = []
    for side, content in (("l", left), ("r", right)):
        files.append(tmp_path / hashlib.sha256(side.encode() + content).hexdigest())
        files[-1].write_bytes(content)
    return answer(
        Question(
            left=str(files[0]),
            right=str(files[1]),
            name=name,
            comparator=comparator,
            rules=CompareOptions(**rules),
        )
    )


def made(content: Make | bytes, tmp_path: Path) -> bytes:
    return content if isinstance(content, bytes) else bytes(content(tmp_path))


def _h5(**attributes: Any) -> Make:
    def write(file: Any) -> None:
        file["x"] = [1.0]
        for name, value in attributes.items():
            file.attrs[name] = value

    return lambda _: h.hdf5(write)


def _linked(to: str) -> Make:
    def write(file: Any) -> None:
        import h5py

        file["x"] = file["y"] = [1.0]
        file["l"] = h5py.SoftLink(to)

    return lambda _: h.hdf5(write)


def _typed(make: Callable[[Any], Any], value: Any = b"ab") -> Make:
    """A data set of one value, whose HDF5 type a function makes."""

    def write(file: Any) -> None:
        import h5py
        import numpy as np

        space = h5py.h5s.create_simple((1,))
        data = h5py.h5d.create(file.id, b"x", make(h5py), space)
        data.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array([value], h5py.Dataset(data).dtype))

    return lambda _: h.hdf5(write)


def _text_type(padding: str) -> Callable[[Any], Any]:
    def make(h5py: Any) -> Any:
        kind = h5py.h5t.C_S1.copy()
        kind.set_size(2)
        kind.set_strpad(getattr(h5py.h5t, padding))
        return kind

    return make


def _field(kind: str, **options: Any) -> Any:
    import pyarrow as pa

    kinds = {
        "map": lambda: pa.map_(pa.string(), pa.float64()),
        "zone": lambda: pa.timestamp("s", "UTC"),
        "no zone": lambda: pa.timestamp("s"),
        "int": pa.int64,
    }
    return pa.field("a", kinds[kind](), **options)


def _noted(notes: dict[str, str]) -> Any:
    return __import__("pyarrow").schema([_field("int")], metadata=notes)


def _ranked(*ranks: str) -> Make:
    def make(_: Path) -> bytes:
        import pyarrow as pa

        codes = pa.array([ranks.index("low"), ranks.index("high")], pa.int8())
        column = pa.DictionaryArray.from_arrays(codes, list(ranks), ordered=True)
        return h.table(pa.field("a", column.type), column, form="feather")

    return make


def _marked(note: str) -> Callable[[Any, Any], None]:
    def change(pikepdf: Any, file: Any) -> None:
        file.Root.Notes = pikepdf.Dictionary(LastModified=pikepdf.String(note))

    return change


def _enclosed(content: bytes) -> Callable[[Any, Any], None]:
    def change(pikepdf: Any, file: Any) -> None:
        file.attachments["a.txt"] = pikepdf.AttachedFileSpec(file, content, mime_type="text/plain")

    return change


def _layer(state: str) -> Callable[[Any, Any], None]:
    def change(pikepdf: Any, file: Any) -> None:
        group = file.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.OCG, Name="layer"))
        how = pikepdf.Dictionary(BaseState=pikepdf.Name(state))
        file.Root.OCProperties = pikepdf.Dictionary(OCGs=pikepdf.Array([group]), D=how)

    return change


def _script(text: str) -> Callable[[Any, Any], None]:
    def change(pikepdf: Any, file: Any) -> None:
        file.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=text)

    return change


def _nothing(_: Any, __: Any) -> None:
    pass


def _appended(content: bytes) -> Make:
    return lambda _: h.pdf(_nothing) + content


def _locked(pikepdf: Any) -> Any:
    return pikepdf.Encryption(owner="o", user="", allow=pikepdf.Permissions(extract=False))


def _npy(raw: bytes, kind: str, **options: Any) -> bytes:
    np = __import__("numpy")
    out = io.BytesIO()
    np.save(out, np.frombuffer(raw, kind), **options)
    return out.getvalue()


GENERATED = "CREATE TABLE t (a, g AS (1) VIRTUAL, b)"
TYPED = "CREATE TABLE t (a)"
LIES: list[Case] = [
    ("a.h5", "bytes after the end", lambda p: _h5()(p) + b"1", lambda p: _h5()(p) + b"2"),
    (
        "a.h5",
        "an attribute named like a list of scales",
        _h5(REFERENCE_LIST=1),
        _h5(REFERENCE_LIST=2),
    ),
    (
        "a.h5",
        "another scale belongs to the data",
        lambda _: h.hdf5(h.scales(0)),
        lambda _: h.hdf5(h.scales(1)),
    ),
    (
        "a.h5",
        "what an empty place holds",
        lambda _: h.hdf5(lambda f: f.create_dataset("x", (2,), data=[1.0, 2.0], fillvalue=7.0)),
        lambda _: h.hdf5(lambda f: f.create_dataset("x", (2,), data=[1.0, 2.0], fillvalue=8.0)),
    ),
    (
        "a.h5",
        "how a text is padded",
        _typed(_text_type("STR_NULLPAD")),
        _typed(_text_type("STR_SPACEPAD")),
    ),
    ("a.h5", "where a link leads", _linked("/x"), _linked("/y")),
    (
        "a.h5",
        "opaque bytes",
        lambda _: h.hdf5(
            lambda f: f.create_dataset("x", data=__import__("numpy").array([b"ab"], "V2"))
        ),
        lambda _: h.hdf5(
            lambda f: f.create_dataset("x", data=__import__("numpy").array([b"ac"], "V2"))
        ),
    ),
    (
        "a.nc",
        "one of many numbers in an attribute",
        lambda p: h.netcdf3(p, a=[float(i) for i in range(2000)]),
        lambda p: h.netcdf3(p, a=[float(i + (i == 1000)) for i in range(2000)]),
    ),
    (
        "a.nc",
        "the tenth digit of numbers in an attribute",
        lambda p: h.netcdf3(p, a=[1.0, 0.12345678901]),
        lambda p: h.netcdf3(p, a=[1.0, 0.12345678902]),
    ),
    ("a.png", "bytes after the end", h.png(after=b"PK1"), h.png(after=b"PK2")),
    ("a.png", "a private chunk", h.png(h.chunk(b"prVt", b"1")), h.png(h.chunk(b"prVt", b"2"))),
    (
        "a.png",
        "the background",
        h.png(h.chunk(b"bKGD", bytes(6))),
        h.png(h.chunk(b"bKGD", bytes(5) + b"\1")),
    ),
    ("a.png", "a wrong checksum", h.png(), h.png().replace(h.PNG_END, h.PNG_END[:-1] + b"\0")),
    ("a.jpg", "bytes after the end", m.picture("JPEG") + b"1", m.picture("JPEG") + b"2"),
    (
        "a.gif",
        "bytes after the end",
        m.picture("GIF", mode="L") + b"1",
        m.picture("GIF", mode="L") + b"2",
    ),
    ("a.bmp", "bytes after the end", m.picture("BMP") + b"1", m.picture("BMP") + b"2"),
    (
        "a.webp",
        "a chunk nobody knows",
        lambda _: h.webp(b"prVt", b"12"),
        lambda _: h.webp(b"prVt", b"34"),
    ),
    ("a.tif", "the size of the second page", h.pages((2, 2), (2, 8)), h.pages((2, 2), (4, 4))),
    (
        "a.tif",
        "the mode of the second page",
        h.pages((4, 4), (4, 4), modes="LL"),
        h.pages((4, 4), (4, 4), modes="LP"),
    ),
    (
        "a.tif",
        "where on earth it lies",
        h.pages((2, 2), tags={33550: (1.0, 1.0, 0.0)}),
        h.pages((2, 2), tags={33550: (2.0, 1.0, 0.0)}),
    ),
    (
        "a.tif",
        "the size of a voxel",
        h.pages((2, 2), tags={270: "ImageJ=1.5\nspacing=1"}),
        h.pages((2, 2), tags={270: "ImageJ=1.5\nspacing=2"}),
    ),
    ("a.pdf", "bytes after the end", _appended(b"hidden 1"), _appended(b"hidden 2")),
    (
        "a.pdf",
        "a text called date",
        lambda _: h.pdf(_marked("one")),
        lambda _: h.pdf(_marked("two")),
    ),
    ("a.pdf", "an attachment", lambda _: h.pdf(_enclosed(b"1")), lambda _: h.pdf(_enclosed(b"2"))),
    ("a.pdf", "a layer is hidden", lambda _: h.pdf(_layer("/ON")), lambda _: h.pdf(_layer("/OFF"))),
    ("a.pdf", "a script", lambda _: h.pdf(_script("a()")), lambda _: h.pdf(_script("b()"))),
    (
        "a.pdf",
        "what is allowed",
        lambda _: h.pdf(_nothing),
        lambda _: h.pdf(_nothing, encryption=_locked(__import__("pikepdf"))),
    ),
    (
        "a.svg",
        "a letter after metadata",
        SVG % b"<text>1<metadata/>5</text>",
        SVG % b"<text>1<metadata/>6</text>",
    ),
    (
        "a.svg",
        "what metadata hold is drawn",
        SVG % b'<metadata><path id="p" d="M0 1"/></metadata><use href="#p"/>',
        SVG % b'<metadata><path id="p" d="M0 2"/></metadata><use href="#p"/>',
    ),
    (
        "a.svg",
        "a space within a text",
        SVG % b"<text>1 <tspan>0</tspan></text>",
        SVG % b"<text>1<tspan>0</tspan></text>",
    ),
    (
        "a.svg",
        "spaces that are kept",
        SVG % b'<text xml:space="preserve"><tspan>a  b</tspan></text>',
        SVG % b'<text xml:space="preserve"><tspan>a b</tspan></text>',
    ),
    (
        "a.svg",
        "a space within a line of HTML",
        SVG % b'<p xmlns="http://www.w3.org/1999/xhtml">1 <b>0</b></p>',
        SVG % b'<p xmlns="http://www.w3.org/1999/xhtml">1<b>0</b></p>',
    ),
    (
        "a.svg",
        "a space that does not break",
        SVG % "<text>1\u00a00</text>".encode(),
        SVG % b"<text>1 0</text>",
    ),
    (
        "a.svg",
        "a style sheet beside it",
        b'<?xml-stylesheet href="a.css"?>' + SVG % b"",
        b'<?xml-stylesheet href="b.css"?>' + SVG % b"",
    ),
    (
        "a.svg",
        "an id that a script names",
        SVG % b'<path id="a"/><path id="b"/><script>document.getElementById("a").remove()</script>',
        SVG % b'<path id="b"/><path id="a"/><script>document.getElementById("a").remove()</script>',
    ),
    (
        "a.svg",
        "an id that a style names",
        SVG % b'<style>#a{fill:red}</style><path id="a"/><path id="b"/>',
        SVG % b'<style>#a{fill:red}</style><path id="b"/><path id="a"/>',
    ),
    (
        "a.svg",
        "a text that reads as a reference",
        SVG % b'<path id="a"/><text>#a</text>',
        SVG % b'<path id="b"/><text>#b</text>',
    ),
    (
        "a.svg",
        "a name space that reads as attributes",
        b"""<svg><g xmlns:p="a}b='1' {c" p:d="2"/></svg>""",
        b"""<svg><g xmlns:p="a" xmlns:q="c" p:b="1" q:d="2"/></svg>""",
    ),
    (
        "a.html",
        "the first of two attributes",
        HTML % b'<a href="1" href="2">x</a>',
        HTML % b'<a href="2" href="1">x</a>',
    ),
    ("a.html", "a space within a line", HTML % b"<p>1 <b>0</b></p>", HTML % b"<p>1<b>0</b></p>"),
    (
        "a.html",
        "a space between two words",
        HTML % b"<p><b>1</b> <b>0</b></p>",
        HTML % b"<p><b>1</b><b>0</b></p>",
    ),
    ("a.html", "a space that does not break", HTML % b"<p>1&nbsp;0</p>", HTML % b"<p>1 0</p>"),
    (
        "a.html",
        "spaces that a style keeps",
        HTML % b'<p style="white-space: pre">a  b</p>',
        HTML % b'<p style="white-space: pre">a b</p>',
    ),
    ("a.html", "a tag that does not close itself", HTML % b"<div/>x", HTML % b"<div></div>x"),
    (
        "a.html",
        "a comment that ended before",
        HTML % b"<!--> <script>a()</script> -->",
        HTML % b"<!--> <script>b()</script> -->",
    ),
    ("a.html", "a text within the end of an element", HTML % b"<b>x</b 1>", HTML % b"<b>x</b 2>"),
    ("a.html", "a style that does not end", HTML % b"<style>a{}", HTML % b"<style>b{}"),
    ("a.html", "a script that does not end", b"<html><script></</>", b"<html><script></</x>"),
    (
        "a.html",
        "no comment within a title",
        HTML % b"<title><!-- 1 --></title>",
        HTML % b"<title><!-- 2 --></title>",
    ),
    ("a.ipynb", "a part beside the cells", h.book(worksheets=[1]), h.book(worksheets=[2])),
    (
        "a.ipynb",
        "a list is no text in lines",
        h.book(data={"application/json": ["a", "b"]}),
        h.book(data={"application/json": ["ab"]}),
    ),
    ("a.yaml", "a real number without a point", b"a: !!float 1\n", b"a: 1\n"),
    ("a.yaml", "no truth value", b"a: !!bool x\n", b"a: no\n"),
    ("a.yaml", "no null", b"a: !!null x\n", b"a: null\n"),
    ("a.yaml", "one key in two spellings", b"{1: a, 0x1: b}\n", b"{0x1: b, 1: a}\n"),
    ("a.yaml", "an anchor on another node", b"a: &x 1\nb: 2\nc: *x\n", b"a: 1\nb: &x 2\nc: *x\n"),
    ("a.json", "a large whole number", b"[12345678901234567890]", b"[12345678901234567891]"),
    ("a.json", "minus zero", b"[0]", b"[-0]"),
    ("a.json", "a key twice", b'{"a":1,"a":2}', b'{"a":2,"a":1}'),
    ("a.fa", "a name that is no text", b">\xff\nAC\n", b">\\xff\nAC\n"),
    (
        "a.sam",
        "a length that reads as a date",
        SAM % (b"20260101", b"s"),
        SAM % (b"20260102", b"s"),
    ),
    (
        "a.sam",
        "a sample that reads as a date",
        SAM % (b"9", b"20260101"),
        SAM % (b"9", b"20260102"),
    ),
    (
        "a.vcf",
        "a length that reads as a date",
        VCF % (b"20260101", b"s"),
        VCF % (b"20260102", b"s"),
    ),
    (
        "a.vcf",
        "a sample that reads as a date",
        VCF % (b"9", b"2026-01-01"),
        VCF % (b"9", b"2026-01-02"),
    ),
    (
        "a.gff",
        "a region that reads as a date",
        b"##gff-version 3\n##sequence-region c 1 20260101\nc\tx\tgene\t1\t2\n",
        b"##gff-version 3\n##sequence-region c 1 20260102\nc\tx\tgene\t1\t2\n",
    ),
    (
        "a.bed",
        "a span moves to another track",
        b"track name=A\nc\t1\t2\nc\t3\t4\ntrack name=B\nc\t5\t6\n",
        b"track name=A\nc\t1\t2\ntrack name=B\nc\t3\t4\nc\t5\t6\n",
    ),
    (
        "a.bed",
        "a track named by a date",
        b"track name=2026-01-01\nc\t1\t2\n",
        b"track name=2026-01-02\nc\t1\t2\n",
    ),
    (
        "a.bam",
        "the eighth digit of a tag",
        lambda p: h.bam(p, [("XF", 0.12345678, "f")]),
        lambda p: h.bam(p, [("XF", 0.12345682, "f")]),
    ),
    (
        "a.bam",
        "the end of a line in a tag",
        lambda p: h.bam(p, [("XZ", "x\r", "Z")]),
        lambda p: h.bam(p, [("XZ", "x", "Z")]),
    ),
    (
        "a.bam",
        "a read that is called like a header line",
        lambda p: h.bam(p, [("XZ", "1", "Z")], name="@CO"),
        lambda p: h.bam(p, [("XZ", "2", "Z")], name="@CO"),
    ),
    (
        "a.bcf",
        "the eighth digit of a quality",
        lambda p: h.bcf(p, 50.00001),
        lambda p: h.bcf(p, 50.00002),
    ),
    (
        "a.db",
        "a text and bytes",
        lambda p: h.database(p, TYPED, "INSERT INTO t VALUES ('a')"),
        lambda p: h.database(p, TYPED, "INSERT INTO t VALUES (x'61')"),
    ),
    (
        "a.db",
        "a column behind a computed one",
        lambda p: h.database(p, GENERATED, "INSERT INTO t VALUES (1, 2)"),
        lambda p: h.database(p, GENERATED, "INSERT INTO t VALUES (1, 3)"),
    ),
    (
        "a.db",
        "a trigger",
        lambda p: h.database(
            p, TYPED, "CREATE TRIGGER r AFTER INSERT ON t BEGIN DELETE FROM t; END"
        ),
        lambda p: h.database(p, TYPED, "SELECT 1"),
    ),
    (
        "a.db",
        "an index that holds something else",
        lambda p: _index(p, b"gold"),
        lambda p: _index(p, b"lead"),
    ),
    (
        "a.db",
        "the version of its user",
        lambda p: h.database(p, TYPED, "PRAGMA user_version=1"),
        lambda p: h.database(p, TYPED, "PRAGMA user_version=2"),
    ),
    (
        "a.parquet",
        "what is said of the table",
        lambda _: h.table(_noted({"crs": "1"}), [1]),
        lambda _: h.table(_noted({"crs": "2"}), [1]),
    ),
    (
        "a.parquet",
        "whether values may be missing",
        lambda _: h.table(_field("int", nullable=True), [1]),
        lambda _: h.table(_field("int", nullable=False), [1]),
    ),
    (
        "a.parquet",
        "minus zero in a map",
        lambda _: h.table(_field("map"), [[("a", 0.0)]]),
        lambda _: h.table(_field("map"), [[("a", -0.0)]]),
    ),
    (
        "a.parquet",
        "the zone of a time",
        lambda _: h.table(_field("zone"), [1]),
        lambda _: h.table(_field("no zone"), [1]),
    ),
    ("a.feather", "the order of ranks", _ranked("low", "high"), _ranked("high", "low")),
    ("a.npy", "bytes after the end", m.npy([1.0]) + b"1", m.npy([1.0]) + b"2"),
    ("a.npy", "bytes that are no truth values", _npy(b"\1", "?"), _npy(b"\2", "?")),
    ("a.csv", "bytes that are no text", b"a\n\xff\n", b"a\r\n\xfe\r\n"),
    ("a.csv", "a line end within a cell", b'a,b\n"x\ny",1\n', b'a,b\n"x\r\ny",1\n'),
]


def _index(folder: Path, entry: bytes) -> bytes:
    """A table whose index says something else than its row."""
    whole = bytearray(
        h.database(folder, TYPED, "CREATE INDEX i ON t (a)", "INSERT INTO t VALUES ('tiny')")
    )
    whole[whole.rindex(b"tiny") :][:4] = entry
    place = whole.rindex(b"tiny")
    whole[place : place + 4] = entry
    return bytes(whole)


@pytest.mark.parametrize(
    ("name", "about", "left", "right"),
    LIES,
    ids=[f"{name[2:]}-{about}" for name, about, *_ in LIES],
)
def test_what_differs_is_never_called_the_same(
    tmp_path: Path, name: str, about: str, left: Make | bytes, right: Make | bytes
) -> None:
    a, b = made(left, tmp_path), made(right, tmp_path)
    assert a != b
    for pair in ((a, b), (b, a)):
        found = asked(tmp_path, name, *pair)
        assert found.sameness is Sameness.DIFFERENT, found
        assert "the comparator failed" not in found.note


def _store(folder: Path, version: int = 3, **options: Any) -> Path:
    import zarr

    group = zarr.open_group(folder, mode="w", zarr_format=version)
    array = group.create_array("x", shape=(4,), chunks=(2,), dtype="f8", **options)
    array[:] = [1.0, 2.0, 3.0, 4.0]
    return folder


def _edited(file: Path, **change: Any) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | change))


def _summary(folder: Path, note: str) -> None:
    held = {"zarr_consolidated_format": 1, "metadata": {".zattrs": {"unit": note}}}
    (folder / ".zmetadata").write_text(json.dumps(held))


STORES: dict[str, tuple[int, Callable[[Path, str], object]]] = {
    "a file that is no part": (3, lambda f, s: (f / "notes.txt").write_text(s)),
    "a chunk beyond the end": (3, lambda f, s: (f / "x" / "c" / "9").write_text(s)),
    "the names of dimensions": (
        3,
        lambda f, s: _edited(f / "x" / "zarr.json", dimension_names=[s]),
    ),
    "a summary that lies": (2, lambda f, s: _summary(f, s)),
    "the metadata of another version": (
        3,
        lambda f, s: (f / "x" / ".zattrs").write_text(f'{{"a":"{s}"}}'),
    ),
    "what is said of an array": (
        3,
        lambda f, s: _edited(f / "x" / "zarr.json", attributes={"u": s}),
    ),
}


@pytest.mark.parametrize("about", STORES)
def test_what_differs_in_a_store_is_never_called_the_same(tmp_path: Path, about: str) -> None:
    version, change = STORES[about]
    sides = [_store(tmp_path / side, version) for side in "lr"]
    for folder, text in zip(sides, "ab", strict=True):
        change(folder, text)
    for pair in (sides, sides[::-1]):
        found = answer(
            Question(left=str(pair[0]), right=str(pair[1]), name="a.zarr", comparator="zarr")
        )
        assert found.sameness is Sameness.DIFFERENT, found
        assert "the comparator failed" not in found.note


@pytest.mark.parametrize("version", [2, 3])
def test_the_layout_of_a_store_is_apart(tmp_path: Path, version: int) -> None:
    import warnings

    import zarr

    left = _store(tmp_path / "l", version)
    right = _store(tmp_path / "r", version, compressors=None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        zarr.consolidate_metadata(right)
    question = Question(left=str(left), right=str(right), name="a.zarr", comparator="zarr")
    assert answer(question).sameness is Sameness.CANONICAL


@pytest.mark.parametrize(
    "codec", [{"name": "numcodecs.pickle", "id": "zlib"}, "pickle", {"name": ["pickle"]}]
)
def test_a_codec_is_not_hidden_behind_another_name(tmp_path: Path, codec: Any) -> None:
    sides = [_store(tmp_path / side) for side in "lr"]
    file = sides[0] / "x" / "zarr.json"
    _edited(file, codecs=[*json.loads(file.read_text())["codecs"], codec])
    question = Question(left=str(sides[0]), right=str(sides[1]), name="a", comparator="zarr")
    assert "is not opened" in answer(question).note


def _chunked(**options: Any) -> Make:
    """Data, scales and a reference, in another layout."""

    def write(file: Any) -> None:
        h.scales(0)(file)
        file.create_dataset("y", data=[[1.0, 2.0]], fillvalue=3.0, **options)
        file["y"].attrs["of"] = file["data"].ref
        file["t"] = ["a", "bc"]

    return lambda _: h.hdf5(write)


def _pandas(version: str) -> Make:
    return lambda _: h.table(_noted({"pandas": json.dumps({"pandas_version": version})}), [1])


TRUTHS: list[Case] = [
    (
        "a.h5",
        "layout of a file with scales and references",
        _chunked(),
        _chunked(chunks=(1, 1), compression="gzip"),
    ),
    ("a.png", "a text", h.png(h.chunk(b"tEXt", b"a\0 1")), h.png(h.chunk(b"tEXt", b"a\0 2"))),
    ("a.jpg", "a comment", m.picture("JPEG", comment=b"1"), m.picture("JPEG", comment=b"2")),
    (
        "a.gif",
        "a comment",
        m.picture("GIF", mode="L", comment=b"1"),
        m.picture("GIF", mode="L", comment=b"2"),
    ),
    (
        "a.tif",
        "who made it",
        h.pages((2, 2), tags={305: "1", 306: "2026:01:01 00:00:00"}),
        h.pages((2, 2), tags={305: "2", 306: "2027:01:01 00:00:00"}),
    ),
    (
        "a.pdf",
        "a date of a change",
        lambda _: h.pdf(_marked("D:20260101")),
        lambda _: h.pdf(_marked("D:20270101")),
    ),
    (
        "a.svg",
        "metadata of a program",
        SVG % b"<metadata><x:made>1</x:made></metadata>",
        SVG % b"<metadata><x:made>2</x:made></metadata>",
    ),
    (
        "a.svg",
        "lines between elements",
        SVG % b'<g><path id="p1"/></g><use href="#p1"/>',
        SVG % b'\n<g>\n  <path id="zz"/>\n</g>\n<use href="#zz"/>\n',
    ),
    (
        "a.html",
        "lines between blocks",
        HTML % b"<div><p>a <b>b</b></p></div>",
        HTML % b"\n<div>\n <p>\n a <b>b</b>\n</p>\n</div>\n",
    ),
    ("a.yaml", "keys that are numbers", b"{1: a, 2: b}\n", b"{2: b, 1: a}\n"),
    (
        "a.sam",
        "the program",
        SAM % (b"9", b"s"),
        (SAM % (b"9", b"s")).replace(b"@RG", b"@PG\tID:x\n@RG"),
    ),
    (
        "a.vcf",
        "the date of a reference's dictionary",
        VCF % (b"9", b"s"),
        (VCF % (b"9", b"s")).replace(b"##contig", b"##fileDate=20260101\n##contig"),
    ),
    (
        "a.db",
        "free pages behind a view",
        lambda p: h.database(p, TYPED, "CREATE VIEW v AS SELECT * FROM t"),
        lambda p: h.database(
            p, TYPED, "CREATE VIEW v AS SELECT * FROM t", "CREATE TABLE u (a)", "DROP TABLE u"
        ),
    ),
    (
        "a.bam",
        "how it is packed",
        lambda p: h.bam(p, [("XF", 0.5, "f")]),
        lambda p: h.bam(p, [("XF", 0.5, "f")], level="wb0"),
    ),
    (
        "a.parquet",
        "compression of a map",
        lambda _: h.table(_field("map"), [[("a", 0.0)]]),
        lambda _: h.table(_field("map"), [[("a", 0.0)]], "zstd"),
    ),
    ("a.parquet", "the version of pandas", _pandas("1"), _pandas("2")),
]


@pytest.mark.parametrize(
    ("name", "about", "left", "right"), TRUTHS, ids=[f"{n[2:]}-{about}" for n, about, *_ in TRUTHS]
)
def test_what_a_format_does_not_mean_is_apart(
    tmp_path: Path, name: str, about: str, left: Make | bytes, right: Make | bytes
) -> None:
    a, b = made(left, tmp_path), made(right, tmp_path)
    assert a != b
    for pair in ((a, b), (b, a)):
        assert asked(tmp_path, name, *pair).sameness is Sameness.CANONICAL
