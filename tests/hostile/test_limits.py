"""Files made to exhaust memory or time, and files that point out of themselves: an answer comes
soon, and no door is opened.
"""

import contextlib
import ctypes
import json
import os
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from benchmarks.pairs import makers as m
from cleanroom.compare.examiner import MEMORY
from cleanroom.compare.formats.interface import Found
from cleanroom.compare.formats.registry import Question, answer
from cleanroom.values.comparison import Sameness
from cleanroom.values.declared import CompareOptions
from tests.hostile import makers as h

SECONDS = 20.0
"""What an answer may take on a slow machine; each of these needs a few at most, and hours or all
memory without its remedy.
"""
Make = Callable[[Path], Any]
SVG = b'<svg xmlns="http://www.w3.org/2000/svg">%s</svg>'
LAUGHS = b'<!DOCTYPE svg [<!ENTITY a "ha">%s]>' % b"".join(
    b'<!ENTITY %c "%s">' % (b + 1, b"&%c;" % b * 10) for b in range(97, 110)
)


class Worker:
    """The process of comparators of this very code, under the limits of memory that it has in
    use.
    """

    def __init__(self, scratch: Path) -> None:
        env = {"PATH": os.environ["PATH"], "HOME": str(scratch), "TMPDIR": str(scratch)}
        env |= {"LANG": "C.UTF-8", "PYTHONPATH": str(Path(__file__).parents[2])}
        command = [sys.executable, "-m", "cleanroom.compare.worker", str(MEMORY)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, cwd=scratch
        )
        self._timer: Any = None

    def ask(self, question: Question) -> Found:
        import select

        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(msgspec.json.encode(question) + b"\n")
        self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], SECONDS)[0]:
            self.process.kill()
            pytest.fail(f"no answer within {SECONDS:.0f} s")
        line = self.process.stdout.readline()
        assert line, f"the worker died ({self.process.wait()})"
        return msgspec.json.decode(line, type=Found)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Worker]]:
    """The one worker of all cases; a case that kills it leaves another one."""
    scratch = tmp_path_factory.mktemp("worker")
    held = [Worker(scratch)]
    yield held
    held[0].close()


def _sparse(shape: tuple[int, ...]) -> Make:
    return lambda _: h.hdf5(lambda f: f.create_dataset("x", shape, "f8", chunks=(1,) * len(shape)))


def _many_names(file: Any) -> None:
    file.create_dataset("x", (2**20,), "f8", chunks=(2**20,), compression="gzip")
    for i in range(2000):
        file[f"x{i}"] = file["x"]


def _circle(file: Any) -> None:
    import h5py

    group = file.create_group("g")
    group["again"] = file["/"]
    group["loop"] = h5py.SoftLink("/g/loop")
    deep = file
    for _ in range(300):
        deep = deep.create_group("d")


def _npy(header: bytes) -> bytes:
    whole = header.ljust(118) + b"\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(whole)) + whole


def _tall_png(width: int, height: int) -> bytes:
    content = m.picture("PNG")
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return content[:8] + h.chunk(b"IHDR", header) + content[33:]


def _frames(count: int) -> bytes:
    """A GIF of a large canvas and many tiny frames."""
    content = m.picture("GIF", mode="L")
    start = 13 + 3 * 2 ** ((content[10] & 7) + 1)
    frame = content[content.index(b"\x2c", start) : -1]
    return (
        content[:6] + struct.pack("<HH", 12_000, 12_000) + content[10:start] + frame * count + b";"
    )


def _bomb_pdf(_: Path) -> bytes:
    import zlib

    def change(pikepdf: Any, file: Any) -> None:
        packed = zlib.compress(zlib.compress(bytes(2**30), 9), 9)
        stream = pikepdf.Stream(file, packed)
        stream.Filter = pikepdf.Array([pikepdf.Name.FlateDecode, pikepdf.Name.FlateDecode])
        file.Root.Notes = file.make_indirect(stream)

    return h.pdf(change)


def _deep_pdf(_: Path) -> bytes:
    def change(pikepdf: Any, file: Any) -> None:
        top = file.make_indirect(pikepdf.Dictionary())
        inner = top
        for _ in range(20_000):
            new = file.make_indirect(pikepdf.Dictionary(Up=inner))
            inner = new
        top.Down = inner
        file.Root.Notes = top

    return h.pdf(change)


def _wide_pages(p: Path) -> bytes:
    """A database whose inner pages all point to one page below, each many times."""
    filler = "INSERT INTO t SELECT hex(randomblob(300)) FROM " + (
        "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000) SELECT "
        "i FROM n)"
    )
    content = bytearray(h.database(p, "CREATE TABLE t (a)", filler))
    size = struct.unpack(">H", content[16:18])[0]
    for page in range(1, len(content) // size):
        if content[page * size] == 5:  # an inner page of a table
            (cells,) = struct.unpack(">H", content[page * size + 3 : page * size + 5])
            for cell in range(cells):
                at = page * size + 12 + 2 * cell
                place = page * size + struct.unpack(">H", content[at : at + 2])[0]
                content[place : place + 4] = struct.pack(">I", page + 1)
    return bytes(content)


GROWING = "CREATE TABLE t (a, g AS (hex(zeroblob(a * 400000000))) VIRTUAL)"
HOSTS = "".join(f"node{i:03} v1.2.{i} seed {i} " for i in range(150))[:3900]
BOMBS: dict[str, tuple[str, Make | bytes, Make | bytes]] = {
    "white space": ("a.txt", b" " * 5000 + b"1", b" " * 5000 + b"2"),
    "comments": ("a.txt", b"<!---->" * 600 + b"1", b"<!---->" * 600 + b"2"),
    "comments with lines": ("a.html", b"<!-- -->\n" * 400 + b"1", b"<!-- -->\n" * 400 + b"2"),
    "laughs": ("a.svg", LAUGHS + SVG % b"&m;", LAUGHS + SVG % b"&n;"),
    "deep SVG": (
        "a.svg",
        SVG % (b"<g>" * 50_000 + b"</g>" * 50_000),
        SVG % (b"<g>" * 49_999 + b"</g>" * 49_999),
    ),
    "open references": (
        "a.svg",
        SVG % b'<path d="%s"/>' % (b"url(#a" * 50_000),
        SVG % b'<path d="%s"/>' % (b"url(#b" * 50_000),
    ),
    "deep HTML": ("a.html", b"<html>" + b"<b>" * 50_000, b"<html>" + b"<i>" * 50_000),
    "open tags": ("a.html", b"<html>" + b"<a " * 20_000, b"<html>" + b"<b " * 20_000),
    "like lines": ("a.txt", b"a\nb\n" * 1400, b"b\na\na\n" * 990),
    "like elements": ("a.svg", SVG % (b"<a/><b/>" * 2000), SVG % (b"<b/><a/><a/>" * 1300)),
    "like tags": ("a.html", b"<html>" + b"<a><b>" * 2400, b"<html>" + b"<b><a><a>" * 1600),
    "lines of names": ("a.txt", (HOSTS + "x\n").encode() * 2500, (HOSTS + "y\n").encode() * 2500),
    "deep JSON": ("a.json", b"[" * 200_000, b"[" * 200_001),
    "deep notebook": ("a.ipynb", b'{"cells":' * 50_000, b'{"cells":' * 50_001),
    "an exponent": ("a.json", b"[1e999999999]", b"[10e999999998]"),
    "an exponent beyond": (
        "a.csv",
        b"a\n0e99999999999999999999\n",
        b"a\n0.0e99999999999999999999\n",
    ),
    "many digits": ("a.json", b"[%s]" % (b"9" * 10**6), b"[%s]" % (b"8" * 10**6)),
    "many digits in a line": ("a.txt", b"1" * 3000 + b"\n", b"2" * 3000 + b"\n"),
    "laughs in YAML": (
        "a.yaml",
        _laughs := b"".join(
            b"%c: &%c [%s]\n" % (c, c, b",".join([b"*%c" % (c - 1) if c > 97 else b"x"] * 10))
            for c in range(97, 110)
        ),
        _laughs + b"z: 1\n",
    ),
    "a circle in YAML": ("a.yaml", b"&a [*a]\n", b"&a [*a, 1]\n"),
    "deep YAML": ("a.yaml", b"- " * 100_000, b"- " * 100_001),
    "columns": ("a.csv", b"," * 1_000_000 + b"\n", b"," * 1_000_000 + b"\r\n"),
    "declared data": ("a.h5", _sparse((2**40,)), _sparse((2**40,))),
    "declared rows": ("a.h5", _sparse((2**30, 2**30)), _sparse((2**30, 2**30))),
    "many names of one": (
        "a.h5",
        lambda _: h.hdf5(_many_names),
        lambda _: h.hdf5(_many_names, userblock_size=0, libver="latest"),
    ),
    "circles of groups": (
        "a.h5",
        lambda _: h.hdf5(_circle),
        lambda _: h.hdf5(_circle, libver="latest"),
    ),
    "a declared shape": (
        "a.npy",
        _npy(b"{'descr':'<f8','fortran_order':False,'shape':(9999999999999,)}"),
        m.npy([1.0]),
    ),
    "no bytes each": (
        "a.npy",
        _npy(b"{'descr':'|S0','fortran_order':False,'shape':(999999999999,)}"),
        _npy(b"{'descr':'|S0','fortran_order':True,'shape':(999999999999,)}"),
    ),
    "brackets": ("a.npy", _npy(b"(" * 20_000), _npy(b"[" * 20_000)),
    "a declared picture": (
        "a.png",
        _tall_png(2**31 - 1, 2**31 - 1),
        _tall_png(2**31 - 2, 2**31 - 1),
    ),
    "a large picture": ("a.png", _tall_png(12_000, 12_000), m.picture("PNG")),
    "frames": (
        "a.gif",
        lambda _: _frames(300),
        lambda _: _frames(300).replace(b"\x2c", b"\x21\xfe\1a\0\x2c", 1),
    ),
    "a stream in a stream": ("a.pdf", _bomb_pdf, lambda _: h.pdf(lambda *_: None)),
    "a circle of objects": ("a.pdf", _deep_pdf, lambda _: h.pdf(lambda *_: None)),
    "a computed column": (
        "a.db",
        lambda p: h.database(p, GROWING, "INSERT INTO t VALUES (1)"),
        lambda p: h.database(p, GROWING, "INSERT INTO t VALUES (1.1)"),
    ),
    "pages many times": ("a.db", _wide_pages, lambda p: h.database(p, "CREATE TABLE t (a)")),
    "a virtual table": (
        "a.db",
        lambda p: h.database(
            p,
            "CREATE /*                             */ VIRTUAL TABLE t USING fts5(a)",
            "PRAGMA user_version=1",
        ),
        lambda p: h.database(
            p,
            "CREATE /*                             */ VIRTUAL TABLE t USING fts5(a)",
            "PRAGMA application_id=1",
        ),
    ),
    "not UTF-8": ("a.txt", b"\xff\n", b"\xfe\n"),
    "half of a pair": ("a.json", b'{"\\ud800": 1}', b'{"\\ud800": 2}'),
    "half of a pair as text": ("a.json", b'["\\ud800"]', b'["\\udc00"]'),
}


@pytest.mark.parametrize("about", BOMBS)
def test_an_answer_comes_soon_within_the_memory(
    tmp_path: Path, worker: list[Worker], about: str
) -> None:
    name, left, right = BOMBS[about]
    files = []
    for side, content in (("l", left), ("r", right)):
        files.append(tmp_path / side)
        files[-1].write_bytes(content if isinstance(content, bytes) else content(tmp_path))
    if worker[0].process.poll() is not None:
        worker[0].close()
        worker[0] = Worker(tmp_path)
    start = time.monotonic()
    found = worker[0].ask(Question(left=str(files[0]), right=str(files[1]), name=name))
    assert time.monotonic() - start < SECONDS
    assert found.sameness is Sameness.DIFFERENT or about in ("many names of one", "an exponent")
    assert "the comparator failed" not in found.note, found


def test_a_store_that_declares_more_than_it_holds(tmp_path: Path, worker: list[Worker]) -> None:
    import zarr

    for side in "lr":
        zarr.create_array(tmp_path / side, shape=(2**44,), chunks=(2**20,), dtype="f8")
    paths = str(tmp_path / "l"), str(tmp_path / "r")
    found = worker[0].ask(Question(left=paths[0], right=paths[1], name="a", comparator="zarr"))
    assert "unfolds to too much" in found.note


# --- doors
# ------------------------------------------------------------------------------------------------


@contextmanager
def watched(folder: Path) -> Iterator[list[bytes]]:
    """What was opened or read in a folder, as the kernel saw it."""
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.inotify_init1(os.O_NONBLOCK)
    if fd < 0 or libc.inotify_add_watch(fd, os.fsencode(folder), 0x1 | 0x20) < 0:
        pytest.skip("the kernel does not tell what was opened")
    seen: list[bytes] = []
    try:
        yield seen
        with contextlib.suppress(BlockingIOError):
            seen.append(os.read(fd, 65_536))
    finally:
        os.close(fd)


def test_the_watch_sees_what_is_opened(tmp_path: Path) -> None:
    (tmp_path / "canary").write_text("x")
    with watched(tmp_path) as seen:
        (tmp_path / "canary").read_text()
    assert seen


def _h5_door(kind: str, canary: Path) -> bytes:
    import h5py

    def write(file: Any) -> None:
        file["own"] = [1.0, 2.0, 3.0]
        if kind == "link":
            file["away"] = h5py.ExternalLink(str(canary / "c.h5"), "/x")
            file["by"] = h5py.SoftLink("/away")
        elif kind == "storage":
            file.create_dataset("x", (3,), "f8", external=[(str(canary / "raw"), 0, 24)])
        else:
            name = "c.h5" if kind == "virtual" else "c%b.h5"
            layout = h5py.VirtualLayout((3,), "f8", maxshape=(None,) if "%" in name else None)
            source = h5py.VirtualSource(str(canary / name), "x", (3,))
            if "%" not in name:
                layout[:] = source
                file.create_virtual_dataset("x", layout)
                return
            space = h5py.h5s.create_simple((3,), (h5py.h5s.UNLIMITED,))
            space.select_hyperslab((0,), (h5py.h5s.UNLIMITED,), block=(3,), stride=(3,))
            plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            inner = h5py.h5s.create_simple((3,))
            plist.set_virtual(space, os.fsencode(canary / name), b"x", inner)
            whole = h5py.h5s.create_simple((3,), (h5py.h5s.UNLIMITED,))
            h5py.h5d.create(file.id, b"x", h5py.h5t.IEEE_F64LE, whole, plist)

    return h.hdf5(write, libver="latest")


def _pdf_door(canary: Path) -> bytes:
    def change(pikepdf: Any, file: Any) -> None:
        stream = pikepdf.Stream(file, b"x")
        stream.F = pikepdf.String(str(canary / "raw"))
        file.Root.Notes = file.make_indirect(stream)
        file.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.Launch, F=str(canary / "raw"))

    return h.pdf(change)


def _svg_door(canary: Path) -> bytes:
    place = f"file://{canary}/raw".encode()
    head = b'<?xml-stylesheet href="%s"?><!DOCTYPE svg SYSTEM "%s">' % (place, place)
    return head + SVG % b'<use href="%s"/><image href="%s"/>' % (place, place)


def _entity_door(canary: Path) -> bytes:
    return b'<!DOCTYPE svg [<!ENTITY x SYSTEM "%s/raw">]>' % bytes(canary) + SVG % b"&x;"


def _pickle_door(canary: Path) -> bytes:
    import pickle

    class Evil:
        def __reduce__(self) -> Any:
            return open, (str(canary / "raw"),)

    return pickle.dumps([Evil()])


def _object_door(canary: Path) -> bytes:
    whole = _npy(b"{'descr':'|O','fortran_order':False,'shape':(1,)}")
    return whole + _pickle_door(canary)


def _sql_door(canary: Path) -> bytes:
    view = f"CREATE VIEW v AS SELECT load_extension('{canary}/raw'), readfile('{canary}/raw')"
    trigger = f"CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT load_extension('{canary}/raw'); END"
    return h.database(canary.parent, "CREATE TABLE t (a)", view, trigger)


def _cram_door(canary: Path) -> bytes:
    import pysam

    reference = canary / "c.fa"
    reference.write_text(">chr1\nACGTACGT\n")
    pysam.faidx(str(reference))
    return h.cram(canary.parent, reference)


def _page_door(canary: Path) -> bytes:
    place = f"file://{canary}/raw".encode()
    return b'<html><img src="%s"><link rel="stylesheet" href="%s"></html>' % (place, place)


def _redirect_door(canary: Path) -> bytes:
    place = f"file://{canary}/raw"
    return json.dumps({"htsget": {"format": "BAM", "urls": [{"url": place}]}}).encode()


DOORS: dict[str, tuple[str, str, Callable[[Path], bytes]]] = {
    "a link of HDF5": ("a.h5", "", lambda c: _h5_door("link", c)),
    "data of HDF5 in another file": ("a.h5", "", lambda c: _h5_door("storage", c)),
    "virtual data of HDF5": ("a.h5", "", lambda c: _h5_door("virtual", c)),
    "virtual data without an end": ("a.h5", "", lambda c: _h5_door("endless", c)),
    "HDF5 that is asked as NetCDF": ("a.nc", "netcdf3", lambda c: _h5_door("virtual", c)),
    "a file of a PDF": ("a.pdf", "", _pdf_door),
    "references of an SVG": ("a.svg", "", _svg_door),
    "an entity of an SVG": ("a.svg", "", _entity_door),
    "references of a page": ("a.html", "", _page_door),
    "a pickle": ("a.pkl", "", _pickle_door),
    "objects in an array": ("a.npy", "", _object_door),
    "an object of Python in YAML": (
        "a.yaml",
        "",
        lambda c: b"a: !!python/object/apply:open ['%s/raw']" % bytes(c),
    ),
    "code in a database": ("a.db", "", _sql_door),
    "a reference of a CRAM": ("a.cram", "", _cram_door),
    "a redirection": ("a.bam", "alignments", _redirect_door),
    "a script for a printer": (
        "a.eps",
        "image",
        lambda c: b"%%!PS-Adobe-3.0 EPSF-3.0\n%%%%BoundingBox: 0 0 9 9\n(%s/raw) run\n" % bytes(c),
    ),
}


@pytest.mark.parametrize("about", DOORS)
def test_nothing_but_the_two_files_is_opened(tmp_path: Path, about: str) -> None:
    import h5py

    name, comparator, make = DOORS[about]
    canary = tmp_path / "canary"
    canary.mkdir()
    (canary / "raw").write_bytes(b"secret")
    for number in ("", "0", "1"):
        with h5py.File(canary / f"c{number}.h5", "w") as file:
            file["x"] = [1.0, 2.0, 3.0]
    left = make(canary)
    files = tmp_path / "l", tmp_path / "r"
    for file_, content in zip(files, (left, left + b"\n"), strict=True):
        file_.write_bytes(content)
    rules = (
        CompareOptions(ignore=("nothing",))
        if comparator == "" and name != "a.svg"
        else CompareOptions()
    )
    questions = [
        Question(
            left=str(files[0]), right=str(files[1]), name=name, rules=rules, comparator=comparator
        )
    ]
    if name == "a.h5":  # two files whose ends are the same
        files[1].write_bytes(make(canary).replace(b"own", b"OWN"))
    with watched(canary) as seen:
        for question in questions:
            answer(question)
    assert seen == []
