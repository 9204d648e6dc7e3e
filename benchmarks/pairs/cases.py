"""The labelled pairs: for each format, what is declared of it, pairs that mean the same, and pairs
that do not.

Every pair says in a few words what happens in real life. Both kinds are compared under the same
declaration, so that a declaration which covers noise is shown to cover nothing else.
"""

import bz2
import gzip
import io
import json
import lzma
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.pairs import makers as m


class Pair(NamedTuple):
    """Two contents of a file, the comparator and options that are declared for it, and whether they
    mean the same.
    """

    format: str
    about: str
    name: str
    left: bytes
    right: bytes
    comparator: str
    options: dict[str, Any]
    same: bool


class Family(NamedTuple):
    """Pairs that differ from one base: (about, content) of each."""

    format: str
    name: str
    comparator: str
    options: dict[str, Any]
    base: bytes
    same: list[tuple[str, bytes]]
    other: list[tuple[str, bytes]]


def pairs(scratch: Path) -> Iterator[Pair]:
    """All of them; `scratch` is a folder for libraries that write only to files."""
    for make in (
        _text,
        _tables,
        _trees,
        _compressed,
        _archives,
        _arrays,
        _columns,
        _hdf,
        _databases,
        _pictures,
        _documents,
        _genomes,
    ):
        for f in make(scratch):
            for same, members in ((True, f.same), (False, f.other)):
                for about, content in members:
                    yield Pair(
                        f.format, about, f.name, f.base, content, f.comparator, f.options, same
                    )


def _swapped(lines: list[str], i: int, j: int) -> list[str]:
    found = list(lines)
    found[i], found[j] = found[j], found[i]
    return found


def _joined(lines: list[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode()


# --- text
# ------------------------------------------------------------------------------------------------

LOG = [
    "# made 2026-01-01T10:00:00Z",
    "sample12 mean 0.12345678",
    *(f"bin {i} count {i * i}" for i in range(40)),
    "done",
]


def _text(_: Path) -> Iterator[Family]:
    base = _joined(LOG)
    later = _joined(["# made 2027-02-03T11:12:13Z", *LOG[1:]])
    yield Family(
        "text",
        "report.txt",
        "text",
        {"mask": ("^# made .*",)},
        base,
        [
            ("the clock in the header", later),
            ("the clock, and line ends of Windows", later.replace(b"\n", b"\r\n")),
            ("line ends of Windows", base.replace(b"\n", b"\r\n")),
            ("a byte order mark", b"\xef\xbb\xbf" + base),
            ("UTF-16 with its mark", base.decode().encode("utf-16")),
            ("the last line is not ended", base[:-1]),
        ],
        [
            ("a date inside a value line", base.replace(b"done", b"done 2027-02-03")),
            ("the clock, and one count", later.replace(b"bin 7 count 49", b"bin 7 count 48")),
            ("two lines swapped", _joined(_swapped(LOG, 5, 6))),
            ("a space at the end of a line", base.replace(b"done", b"done ")),
            ("a line twice", base.replace(b"done", b"done\ndone")),
            ("a line is gone", base.replace(b"bin 9 count 81\n", b"")),
            ("upper case", base.replace(b"done", b"Done")),
        ],
    )
    yield Family(
        "text",
        "means.txt",
        "text",
        {"relative": 1e-6},
        base,
        [
            ("rounding in the 8th digit", base.replace(b"0.12345678", b"0.12345679")),
            ("a number written with an exponent", base.replace(b"0.12345678", b"1.2345678e-1")),
        ],
        [
            ("one digit more than the tolerance", base.replace(b"0.12345678", b"0.12345778")),
            ("the number in a name", base.replace(b"sample12", b"sample13")),
            ("not a number", base.replace(b"0.12345678", b"nan")),
            ("another date", later),
        ],
    )
    names = [f"gene{i}" for i in range(200)]
    shuffled = random.Random(1).sample(names, len(names))
    yield Family(
        "text",
        "genes.list",
        "text",
        {"order": "any"},
        _joined(names),
        [
            ("a set that was written in another order", _joined(shuffled)),
            ("sorted as text", _joined(sorted(names))),
        ],
        [
            ("a set with one member twice instead of another", _joined([*names[:-1], names[0]])),
            ("one member is gone", _joined(shuffled[:-1])),
        ],
    )
    yield Family(
        "binary",
        "index.bin",
        "binary",
        {},
        bytes(range(256)) * 64,
        [],
        [
            ("one bit", b"\x01" + bytes(range(1, 256)) + bytes(range(256)) * 63),
            ("one byte more", bytes(range(256)) * 64 + b"\0"),
            ("zeros instead of the tail", bytes(range(256)) * 63 + bytes(256)),
        ],
    )


# --- tables
# ------------------------------------------------------------------------------------------------


def _rows(
    change: dict[tuple[int, int], str] | None = None, header: str = "id,group,value,seconds"
) -> list[str]:
    rows = [[str(i), "ab"[i % 2], f"{i / 7:.9f}", "1.0"] for i in range(200)]
    for (row, column), text in (change or {}).items():
        rows[row][column] = text
    return [header, *(",".join(row) for row in rows)]


def _tables(_: Path) -> Iterator[Family]:
    base = _joined(_rows())
    slower = {(i, 3): f"{i}.5" for i in range(200)}
    yield Family(
        "csv",
        "calls.csv",
        "table",
        {"ignore": ("seconds",)},
        base,
        [
            ("elapsed seconds in a column", _joined(_rows(slower))),
            (
                "quotes around every text",
                _joined(
                    [
                        base_line.replace("a", '"a"') if base_line[0].isdigit() else base_line
                        for base_line in _rows()
                    ]
                ),
            ),
            ("line ends of Windows", base.replace(b"\n", b"\r\n")),
            ("elapsed seconds and line ends", _joined(_rows(slower)).replace(b"\n", b"\r\n")),
        ],
        [
            (
                "elapsed seconds, and one value in its 7th digit",
                _joined(_rows(slower | {(100, 2): f"{100 / 7 + 1e-6:.9f}"})),
            ),
            ("a date inside a value column", _joined(_rows({(3, 1): "2026-01-01"}))),
            ("two rows swapped in an ordered table", _joined(_swapped(_rows(), 10, 11))),
            ("an empty cell", _joined(_rows({(5, 2): ""}))),
            ("an integer became a real number", _joined(_rows({(5, 0): "5.0"}))),
            ("a leading zero is lost", _joined(_rows({(5, 0): "05"}))),
            ("one row is gone", _joined(_rows()[:-1])),
            ("a column has another name", _joined(_rows(header="id,group,score,seconds"))),
            ("decimal commas", _joined(_rows({(5, 2): '"0,714285714"'}))),
        ],
    )
    lines = _rows()
    shuffled = [lines[0], *random.Random(2).sample(lines[1:], len(lines) - 1)]
    tabs = [line.replace(",", "\t") for line in lines]
    yield Family(
        "csv",
        "pool.csv",
        "table",
        {"order": "any"},
        base,
        [("rows in the order of threads", _joined(shuffled))],
        [
            (
                "rows in another order, and a value in another row",
                _joined([shuffled[0], *_swapped_cells(shuffled[1:])]),
            ),
            ("one row twice instead of another", _joined([*lines[:-1], lines[1]])),
            (
                "columns in another order",
                _joined([",".join([*line.split(",")[1:], line.split(",")[0]]) for line in lines]),
            ),
        ],
    )
    yield Family(
        "tsv",
        "norm.tsv",
        "table",
        {"relative": 1e-6},
        _joined(tabs),
        [
            (
                "rounding of another processor",
                _joined([t.replace("28.428571429", "28.428571428") for t in tabs]),
            ),
            ("more digits", _joined([t.replace("28.428571429", "28.4285714285714") for t in tabs])),
            ("an exponent", _joined([t.replace("28.428571429", "2.8428571429e1") for t in tabs])),
        ],
        [
            (
                "a value beyond the tolerance",
                _joined([t.replace("28.428571429", "28.428671429") for t in tabs]),
            ),
            ("a sign", _joined([t.replace("28.428571429", "-28.428571429") for t in tabs])),
            ("infinite", _joined([t.replace("28.428571429", "inf") for t in tabs])),
            ("not available", _joined([t.replace("28.428571429", "NA") for t in tabs])),
            ("another group", _joined([tabs[0], tabs[1].replace("\ta\t", "\tb\t"), *tabs[2:]])),
        ],
    )


def _swapped_cells(rows: list[str]) -> list[str]:
    """The first two rows with each other's value."""
    a, b = rows[0].split(","), rows[1].split(",")
    a[2], b[2] = b[2], a[2]
    return [",".join(a), ",".join(b), *rows[2:]]


# --- trees
# ------------------------------------------------------------------------------------------------

TREE: dict[str, Any] = {
    "version": "1.0",
    "made": "2026-01-01T00:00:00Z",
    "runs": [{"n": i, "time": i * 0.1, "score": i / 3} for i in range(20)],
    "ok": True,
}


def _changed(**values: Any) -> dict[str, Any]:
    tree: dict[str, Any] = json.loads(json.dumps(TREE))
    return tree | values


def _runs(index: int, **values: Any) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = json.loads(json.dumps(TREE["runs"]))
    runs[index] |= values
    return runs


def _trees(_: Path) -> Iterator[Family]:
    import yaml

    later = _changed(made="2027-01-01T00:00:00Z", runs=[run | {"time": 9.9} for run in _runs(0)])
    same = [
        ("the clock and elapsed times", later),
        ("keys in another order", dict(reversed(list(TREE.items())))),
    ]
    other = [
        ("one score in its 7th digit", _changed(runs=_runs(7, score=7 / 3 + 1e-6))),
        ("true became 1", _changed(ok=1)),
        ("a number became a text", _changed(runs=_runs(3, n="3"))),
        ("two runs swapped", _changed(runs=[TREE["runs"][1], TREE["runs"][0], *TREE["runs"][2:]])),
        ("a key is gone", {k: v for k, v in TREE.items() if k != "ok"}),
        ("null instead of a value", _changed(version=None)),
        ("the clock, and a version", later | {"version": "1.1"}),
    ]
    options = {"ignore": ("/made", "/runs/*/time")}
    base = json.dumps(TREE).encode()
    yield Family(
        "json",
        "summary.json",
        "json",
        options,
        base,
        [
            *((about, json.dumps(value).encode()) for about, value in same),
            ("indented", json.dumps(TREE, indent=2).encode()),
            (
                "sorted keys, indented, another clock",
                json.dumps(later, indent=1, sort_keys=True).encode(),
            ),
        ],
        [
            *((about, json.dumps(value).encode()) for about, value in other),
            ("a key twice", base.replace(b'"ok": true', b'"ok": true, "ok": false')),
            ("cut off", base[:-1]),
        ],
    )
    yield Family(
        "yaml",
        "summary.yaml",
        "yaml",
        options,
        yaml.safe_dump(TREE).encode(),
        [
            *((about, yaml.safe_dump(value, sort_keys=False).encode()) for about, value in same),
            ("in one line", yaml.safe_dump(TREE, default_flow_style=True).encode()),
            ("as JSON", base),
        ],
        [(about, yaml.safe_dump(value).encode()) for about, value in other]
        + [
            ("no became a text", yaml.safe_dump(TREE).replace("ok: true", "ok: 'true'").encode()),
        ],
    )
    lines = [json.dumps(run) for run in TREE["runs"]]
    yield Family(
        "ndjson",
        "runs.ndjson",
        "ndjson",
        {"ignore": ("/*/time",)},
        _joined(lines),
        [
            ("elapsed times", _joined([json.dumps(run | {"time": 7}) for run in TREE["runs"]])),
            (
                "keys in another order",
                _joined([json.dumps(dict(reversed(run.items()))) for run in TREE["runs"]]),
            ),
            ("an empty line", _joined([*lines, ""])),
        ],
        [
            ("two records swapped", _joined(_swapped(lines, 3, 4))),
            ("one record is gone", _joined(lines[:-1])),
            ("one score", _joined([*lines[:5], json.dumps(_runs(5, score=0)[5]), *lines[6:]])),
        ],
    )


# --- wrappings
# ------------------------------------------------------------------------------------------------


def _zstd(content: bytes, level: int) -> bytes:
    import zstandard

    return zstandard.ZstdCompressor(level=level).compress(content)


def _bgzf(content: bytes, size: int) -> bytes:
    """Blocks as bgzip writes them, of a size."""
    out = b""
    for start in [*range(0, len(content), size), None]:
        block = b"" if start is None else content[start : start + size]
        packed = gzip.compress(block, mtime=0)
        whole = (
            packed[:3]
            + b"\x04"
            + packed[4:8]
            + b"\0\xff"
            + b"\x06\0BC\x02\0"
            + (len(packed) + 8 - 1).to_bytes(2, "little")
            + packed[10:]
        )
        out += whole
    return out


def _compressed(_: Path) -> Iterator[Family]:
    text = _joined([f"read {i} quality {i % 41}" for i in range(2000)])
    other = text.replace(b"read 777 quality 39", b"read 777 quality 38")
    assert other != text
    for name, pack in (
        ("gz", lambda c, level: gzip.compress(c, level, mtime=level)),
        ("bz2", lambda c, level: bz2.compress(c * 40, level)),
        ("xz", lambda c, level: lzma.compress(c, preset=level)),
        ("zst", _zstd),
    ):
        same = [("another level or time", pack(text, 9))]
        if name == "gz":
            same += [
                (
                    "written in two members",
                    gzip.compress(text[:500], mtime=3) + gzip.compress(text[500:], mtime=4),
                )
            ]
            same += [("the header keeps a name", _named_gzip(text))]
            same += [("blocks of bgzip", _bgzf(text, 4000))]
        base = pack(text, 1)
        yield Family(
            f"{name}",
            f"reads.txt.{name}",
            "compressed",
            {},
            base,
            same,
            [
                ("one value within", pack(other, 1)),
                ("the last line is gone", pack(text[: text.rindex(b"read")], 1)),
                ("cut off", base[:-3]),
            ],
        )
    table = _joined(_rows())
    slower = _joined(_rows({(i, 3): "2.0" for i in range(200)}))
    yield Family(
        "csv.gz",
        "calls.csv.gz",
        "table",
        {"ignore": ("seconds",)},
        gzip.compress(table, mtime=1),
        [
            ("elapsed seconds within", gzip.compress(slower, mtime=2)),
            ("only the header's time", gzip.compress(table, mtime=2)),
        ],
        [("one value within", gzip.compress(_joined(_rows({(7, 2): "1.5"})), mtime=1))],
    )


def _named_gzip(content: bytes) -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile("reads.txt", "wb", fileobj=out, mtime=5) as stream:
        stream.write(content)
    return out.getvalue()


def _archives(_: Path) -> Iterator[Family]:
    members = {"a.txt": b"1\n" * 50, "b.json": b'{"x":1,"y":2}', "c.txt": b"z"}
    reordered = dict(reversed(members.items()))
    spaced = members | {"b.json": b'{"y": 2, "x": 1}'}
    for name, make in (
        ("zip", lambda c, t: m.zipped(c, 1990 + t)),
        ("tar", m.tar),
        ("tar.gz", lambda c, t: gzip.compress(m.tar(c, t), mtime=t)),
    ):
        yield Family(
            name,
            f"all.{name}",
            "archive" if name != "tar.gz" else "compressed",
            {},
            make(members, 1),
            [
                ("times of the members", make(members, 2)),
                ("members in another order", make(reordered, 1)),
                ("spacing of a JSON member", make(spaced, 1)),
            ],
            [
                ("one member's content", make(members | {"c.txt": b"y"}, 1)),
                (
                    "a member has another name",
                    make(
                        {"a.txt": members["a.txt"], "b.json": members["b.json"], "d.txt": b"z"}, 1
                    ),
                ),
                ("a member is gone", make({k: v for k, v in members.items() if k != "c.txt"}, 1)),
                ("an empty member more", make(members | {"empty": b""}, 1)),
            ],
        )


# --- arrays and tables in binary
# --------------------------------------------------------------------------------------

VALUES = [i / 7 for i in range(1, 200)]


def _nudged(by: float, index: int = 100) -> list[float]:
    return [v * (1 + by) if i == index else v for i, v in enumerate(VALUES)]


def _arrays(_: Path) -> Iterator[Family]:
    for name, wrap in (
        ("npy", lambda content: content),
        ("npz", lambda content: m.zipped({"x.npy": content})),
    ):
        yield Family(
            name,
            f"matrix.{name}",
            "npy",
            {"relative": 1e-9},
            wrap(m.npy(VALUES)),
            [
                ("another byte order", wrap(m.npy(VALUES, dtype=">f8"))),
                ("rounding of another library", wrap(m.npy(_nudged(1e-15)))),
                ("rounding the other way", wrap(m.npy(_nudged(-1e-14)))),
            ],
            [
                ("one value in its 7th digit", wrap(m.npy(_nudged(1e-7)))),
                ("single precision", wrap(m.npy(VALUES, dtype="f4"))),
                ("another shape", wrap(m.npy([VALUES]))),
                ("not a number", wrap(m.npy([*VALUES[:-1], float("nan")]))),
                ("two values swapped", wrap(m.npy([VALUES[1], VALUES[0], *VALUES[2:]]))),
            ],
        )


def _columns(_: Path) -> Iterator[Family]:
    base: dict[str, list[Any]] = {
        "id": list(range(199)),
        "value": VALUES,
        "name": [f"g{i}" if i % 5 else None for i in range(199)],
    }
    parquet, feather = m.parquet, m.feather
    other = [
        ("one value in its 7th digit", base | {"value": _nudged(1e-7)}),
        ("a missing value became an empty text", base | {"name": [n or "" for n in base["name"]]}),
        ("integers became real numbers", base | {"id": [float(i) for i in base["id"]]}),
        ("one row is gone", {k: v[:-1] for k, v in base.items()}),
        ("two rows swapped", {k: [v[1], v[0], *v[2:]] for k, v in base.items()}),
    ]
    yield Family(
        "parquet",
        "t.parquet",
        "columnar",
        {"relative": 1e-9},
        parquet(base),
        [
            ("another compression", parquet(base, compression="gzip")),
            ("row groups of ten", parquet(base, row_group_size=10)),
            ("no dictionaries", parquet(base, use_dictionary=False)),
            ("rounding", parquet(base | {"value": _nudged(1e-15)})),
        ],
        [(about, parquet(content)) for about, content in other],
    )
    yield Family(
        "feather",
        "t.feather",
        "columnar",
        {"relative": 1e-9},
        feather(base, "zstd"),
        [
            ("another compression", feather(base, "lz4")),
            ("not compressed", feather(base, "uncompressed")),
        ],
        [(about, feather(content, "zstd")) for about, content in other],
    )


def _hdf(scratch: Path) -> Iterator[Family]:
    unit: dict[str, Any] = {"attributes": {"unit": "m", "made": "2026"}}
    later: dict[str, Any] = {"attributes": {"unit": "m", "made": "2027"}}
    for name in ("data.h5", "cells.h5ad", "grid.nc"):
        yield Family(
            name.partition(".")[2],
            name,
            "hdf5",
            {"ignore": ("made",)},
            m.hdf5(VALUES, **unit),
            [
                ("compressed in chunks", m.hdf5(VALUES, compression="gzip", **unit)),
                ("the clock in an attribute", m.hdf5(VALUES, **later)),
            ],
            [
                ("one value in its 7th digit", m.hdf5(_nudged(1e-7), **unit)),
                ("single precision", m.hdf5(VALUES, dtype="f4", **unit)),
                ("another unit", m.hdf5(VALUES, attributes={"unit": "cm", "made": "2026"})),
                ("the last value is gone", m.hdf5(VALUES[:-1], **unit)),
            ],
        )
    yield Family(
        "nc3",
        "classic.nc",
        "netcdf3",
        {},
        m.netcdf3(scratch, VALUES, "m"),
        [],
        [
            ("one value in its 7th digit", m.netcdf3(scratch, _nudged(1e-7), "m")),
            ("another unit", m.netcdf3(scratch, VALUES, "s")),
        ],
    )


def _databases(scratch: Path) -> Iterator[Family]:
    rows: list[tuple[Any, ...]] = [(i, f"g{i}") for i in range(50)]
    yield Family(
        "sqlite",
        "hits.db",
        "sqlite",
        {},
        m.database(scratch, rows),
        [
            ("pages that were freed", m.database(scratch, rows, waste=3000)),
            ("a few more freed pages", m.database(scratch, rows, waste=300)),
        ],
        [
            ("one value", m.database(scratch, [(0, "gX"), *rows[1:]])),
            ("an integer became a real number", m.database(scratch, [(0.0, "g0"), *rows[1:]])),
            ("two rows swapped", m.database(scratch, [rows[1], rows[0], *rows[2:]])),
            ("one row is gone", m.database(scratch, rows[:-1])),
            ("null instead of a text", m.database(scratch, [(0, None), *rows[1:]])),
            ("a text became bytes", m.database(scratch, [(0, b"g0"), *rows[1:]])),
        ],
    )


# --- pictures and documents
# ------------------------------------------------------------------------------------------------


def _pictures(_: Path) -> Iterator[Family]:
    picture = m.picture
    yield Family(
        "png",
        "plot.png",
        "image",
        {},
        m.png_with("2026"),
        [
            ("the clock in a text chunk", m.png_with("2027")),
            ("no text chunk", picture("PNG")),
            ("another compression", picture("PNG", compress_level=1)),
        ],
        [
            ("one pixel", picture("PNG", dot=1)),
            ("another width in the header", picture("PNG").replace(b"\0\0\0\x28", b"\0\0\0\x29")),
            ("a colour profile", picture("PNG", icc_profile=b"x" * 200)),
            ("grey instead of colours", picture("PNG", mode="L")),
            ("grey, and one pixel", picture("PNG", mode="L", dot=1)),
            ("bytes after the end", m.png_with("2026") + b"PK"),
        ],
    )
    yield Family(
        "png",
        "render.png",
        "image",
        {"absolute": 2},
        picture("PNG", dot=10),
        [
            ("anti-aliasing one step off", picture("PNG", dot=11)),
            ("two steps off", picture("PNG", dot=12)),
        ],
        [("five steps off", picture("PNG", dot=15))],
    )
    yield Family(
        "jpeg",
        "photo.jpg",
        "image",
        {},
        picture("JPEG", quality=90),
        [
            ("a comment", picture("JPEG", quality=90, comment=b"made 2026")),
            ("density", picture("JPEG", quality=90, dpi=(72, 72))),
        ],
        [
            ("one dot", picture("JPEG", quality=90, dot=255)),
            ("another quality", picture("JPEG", quality=20, dot=255)),
        ],
    )
    yield Family(
        "tiff",
        "scan.tif",
        "image",
        {},
        picture("TIFF"),
        [
            ("another compression", picture("TIFF", compression="tiff_lzw")),
            ("software in a tag", picture("TIFF", software="x 1.2")),
        ],
        [
            ("one pixel", picture("TIFF", dot=1)),
            ("grey instead of colours", picture("TIFF", mode="L")),
        ],
    )
    yield Family(
        "tiff",
        "deep.tif",
        "image",
        {},
        picture("TIFF", mode="I;16", dot=300),
        [
            ("software in a tag", picture("TIFF", mode="I;16", dot=300, software="y")),
        ],
        [("the low byte of one pixel", picture("TIFF", mode="I;16", dot=301))],
    )
    yield Family(
        "bmp",
        "icon.bmp",
        "image",
        {},
        picture("BMP"),
        [("density", picture("BMP", dpi=(300, 300)))],
        [
            ("one pixel", picture("BMP", dot=1)),
        ],
    )


SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg"><metadata>%(date)s</metadata><defs><path '
    'id="%(id)s" d="M0 0L%(to)s"/></defs>'
    '<use href="#%(id)s" x="1"/><text>%(text)s</text></svg>'
)
HTML = (
    '<html><head><title>Run</title></head><body><p id="a" class="b">mean %s</p><pre>a  '
    "b</pre><!-- %s --></body></html>"
)


def _svg(**change: str) -> bytes:
    return (SVG % ({"date": "2026", "id": "m1", "to": "9 9", "text": "n = 3"} | change)).encode()


def _documents(_: Path) -> Iterator[Family]:
    yield Family(
        "svg",
        "plot.svg",
        "svg",
        {},
        _svg(),
        [
            ("the clock in the metadata", _svg(date="2027")),
            ("another random id", _svg(id="p6bd1f")),
            (
                "both, and a comment",
                _svg(date="2027", id="q").replace(b"<defs>", b"<!-- x --><defs>"),
            ),
        ],
        [
            ("one point of a path", _svg(to="9 8")),
            ("a label", _svg(text="n = 4")),
            ("an id that names nothing", _svg().replace(b"#m1", b"#m2")),
        ],
    )
    yield Family(
        "svg",
        "axis.svg",
        "svg",
        {},
        _svg(text="1 <tspan>0</tspan>"),
        [("the clock in the metadata", _svg(date="2027", text="1 <tspan>0</tspan>"))],
        [
            ("two numbers became one", _svg(text="1<tspan>0</tspan>")),
            ("a letter after metadata", _svg(text="1 <tspan>0</tspan><metadata/>0")),
        ],
    )
    pdf = m.pdf
    yield Family(
        "pdf",
        "figure.pdf",
        "pdf",
        {},
        pdf("n = 3", "D:20260101000000Z"),
        [
            ("the date of creation", pdf("n = 3", "D:20270101000000Z")),
            ("the date, in another zone", pdf("n = 3", "D:20270101000000+02'00'")),
        ],
        [
            ("one letter", pdf("n = 4", "D:20260101000000Z")),
            ("a date inside the page", pdf("2027", "D:20260101000000Z")),
            (
                "a note that hangs from the catalogue",
                pdf("n = 3", "D:20260101000000Z", direct=("x",)),
            ),
        ],
    )
    base = HTML % ("0.5", "2026")
    yield Family(
        "html",
        "report.html",
        "html",
        {"mask": (r"^Run.*",)},
        base.encode(),
        [
            ("the clock in a comment", (HTML % ("0.5", "2027")).encode()),
            (
                "attributes in another order",
                base.replace('id="a" class="b"', 'class="b" id="a"').encode(),
            ),
            ("a title with the clock", base.replace("Run", "Run of 2027-01-01").encode()),
            ("spaces between tags", base.replace("><p", ">\n  <p").encode()),
        ],
        [
            ("one value", (HTML % ("0.6", "2026")).encode()),
            ("spaces where they count", base.replace("a  b", "a b").encode()),
            ("a tag is gone", base.replace("<pre>a  b</pre>", "").encode()),
            ("a class", base.replace('class="b"', 'class="c"').encode()),
        ],
    )
    inline = b"<html><body><p><b>1</b> <i>0</i></p></body></html>"
    yield Family(
        "html",
        "row.html",
        "html",
        {},
        inline,
        [("spaces between blocks", inline.replace(b"<p>", b"\n <p> "))],
        [
            ("two numbers became one", inline.replace(b"> <", b"><")),
            (
                "a script in a comment that has ended",
                inline.replace(b"<p>", b"<!--> <script>a()</script> --><p>"),
            ),
        ],
    )
    yield Family(
        "ipynb",
        "analysis.ipynb",
        "notebook",
        {},
        m.notebook("0.5\n", 1),
        [
            ("executed again", m.notebook("0.5\n", 7)),
            ("indented", json.dumps(json.loads(m.notebook("0.5\n", 1)), indent=1).encode()),
        ],
        [("another output", m.notebook("0.6\n", 1)), ("no output", m.notebook("", 1))],
    )


# --- genomes
# ------------------------------------------------------------------------------------------------


def _vcf(
    records: list[list[str]], date: str = "20260101", command: str = "call -t 1", contig: str = "1"
) -> bytes:
    head = [
        "##fileformat=VCFv4.2",
        f"##fileDate={date}",
        f"##bcftools_callCommand={command}",
        f"##contig=<ID={contig}>",
    ]
    return _joined(
        [
            *head,
            "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts1",
            *("\t".join(r) for r in records),
        ]
    )


def _genomes(scratch: Path) -> Iterator[Family]:
    records = [
        ["1", str(100 + i), ".", "A", "G", "50", "PASS", f"DP={i}", "GT", "0/1"] for i in range(50)
    ]

    def flipped(column: int, text: str) -> list[list[str]]:
        return [
            *records[:20],
            [*records[20][:column], text, *records[20][column + 1 :]],
            *records[21:],
        ]

    subtle = [
        ("one flipped allele", flipped(4, "T")),
        ("one genotype", flipped(9, "1/1")),
        ("a filter", flipped(6, "LowQual")),
        ("two records swapped", [records[1], records[0], *records[2:]]),
        ("one position", flipped(1, "121")),
    ]
    same = [
        ("the date of the file", {"date": "20270101"}),
        ("the command line with its threads", {"command": "call -t 8"}),
    ]
    for name, wrap in (
        ("vcf", lambda content, t: content),
        ("vcf.gz", lambda content, t: gzip.compress(content, mtime=t)),
    ):
        yield Family(
            name,
            f"calls.{name}",
            "vcf",
            {},
            wrap(_vcf(records), 1),
            [
                *((about, wrap(_vcf(records, **change), 2)) for about, change in same),
            ],
            [
                *((about, wrap(_vcf(rows), 1)) for about, rows in subtle),
                ("another contig in the header", wrap(_vcf(records, contig="2"), 1)),
            ],
        )

    def sam(
        threads: int = 1,
        quality: int = 60,
        sequence: str = "ACGT",
        length: int = 1000,
        order: tuple[str, str] = ("r1", "r2"),
    ) -> bytes:
        reads = [f"{name}\t0\tchr1\t5\t{quality}\t4M\t*\t0\t0\t{sequence}\t*" for name in order]
        return _joined(
            [
                "@HD\tVN:1.6",
                f"@SQ\tSN:chr1\tLN:{length}",
                f"@PG\tID:bwa\tCL:bwa mem -t {threads}",
                *reads,
            ]
        )

    yield Family(
        "sam",
        "reads.sam",
        "sam",
        {},
        sam(),
        [
            ("the program line with its threads", sam(threads=8)),
            ("a comment line", sam().replace(b"@PG", b"@CO\tmade 2026\n@PG")),
        ],
        [
            ("a mapping quality", sam(quality=59)),
            ("one base", sam(sequence="ACGA")),
            ("the length of a reference", sam(length=1001)),
            ("two reads swapped", sam(order=("r2", "r1"))),
        ],
    )
    yield Family(
        "sam",
        "long.sam",
        "sam",
        {},
        sam(length=20260101),
        [("the program line with its threads", sam(threads=8, length=20260101))],
        [
            ("a length that reads as a date", sam(length=20260102)),
        ],
    )
    long = "1,length=20260101"
    yield Family(
        "vcf",
        "long.vcf",
        "vcf",
        {},
        _vcf(records, contig=long),
        [("the date of the file", _vcf(records, "20270101", contig=long))],
        [
            ("a length that reads as a date", _vcf(records, contig="1,length=20260102")),
        ],
    )
    yield Family(
        "bam",
        "reads.bam",
        "alignments",
        {},
        m.bam(scratch, 60, 1),
        [
            ("the program line with two threads", m.bam(scratch, 60, 2)),
            ("the program line with eight threads", m.bam(scratch, 60, 8)),
        ],
        [
            ("a mapping quality", m.bam(scratch, 59, 1)),
            ("a mapping quality, and threads", m.bam(scratch, 58, 8)),
        ],
    )
    yield Family(
        "cram",
        "reads.cram",
        "alignments",
        {},
        m.bam(scratch, 60, 1, "wc"),
        [
            ("the program line with eight threads", m.bam(scratch, 60, 8, "wc")),
        ],
        [("a mapping quality", m.bam(scratch, 59, 1, "wc"))],
    )
    yield Family(
        "bcf",
        "calls.bcf",
        "alignments",
        {},
        m.bcf(scratch, "20260101", "G"),
        [
            ("the date of the file", m.bcf(scratch, "20270101", "G")),
        ],
        [("one flipped allele", m.bcf(scratch, "20260101", "T"))],
    )
    sequence = "".join(random.Random(3).choices("ACGT", k=400))

    def fasta(width: int, text: str = sequence, name: str = "chr1") -> bytes:
        return _joined(
            [
                f">{name}",
                *(text[i : i + width] for i in range(0, len(text), width)),
                ">chr2",
                "ACGT",
            ]
        )

    yield Family(
        "fasta",
        "genome.fa",
        "fasta",
        {},
        fasta(60),
        [
            ("lines break elsewhere", fasta(80)),
            ("in one line", fasta(1000)),
            ("line ends of Windows", fasta(60).replace(b"\n", b"\r\n")),
        ],
        [
            (
                "one base",
                fasta(60, sequence[:99] + ("A" if sequence[99] != "A" else "C") + sequence[100:]),
            ),
            (
                "masked in lower case",
                fasta(60, sequence[:50] + sequence[50:60].lower() + sequence[60:]),
            ),
            ("another name", fasta(60, name="1")),
            ("the last record is gone", fasta(60).partition(b">chr2")[0]),
        ],
    )
    reads = [f"@r{i}\nACGT\n+\nIIII" for i in range(30)]
    for name, wrap in (
        ("fastq", lambda content, t: content),
        ("fastq.gz", lambda content, t: gzip.compress(content, mtime=t)),
    ):
        yield Family(
            name,
            f"trimmed.{name}",
            "fastq",
            {},
            wrap(_joined(reads), 1),
            [
                (
                    "line ends of Windows" if name == "fastq" else "the time in the header",
                    wrap(
                        _joined(reads).replace(b"\n", b"\r\n")
                        if name == "fastq"
                        else _joined(reads),
                        2,
                    ),
                ),
            ],
            [
                ("one quality", wrap(_joined([*reads[:-1], "@r29\nACGT\n+\nIIIJ"]), 1)),
                ("two reads swapped", wrap(_joined(_swapped(reads, 0, 1)), 1)),
                ("a read is gone", wrap(_joined(reads[:-1]), 1)),
            ],
        )
    spans = [f"chr1\t{i * 10}\t{i * 10 + 5}\tp{i}" for i in range(40)]
    yield Family(
        "bed",
        "peaks.bed",
        "bed",
        {},
        _joined(["# made 2026-01-01", *spans]),
        [
            ("the clock in a comment", _joined(["# made 2027-01-01", *spans])),
        ],
        [
            ("one end", _joined(["# made 2026-01-01", *spans[:-1], "chr1\t390\t396\tp39"])),
            ("two spans swapped", _joined(["# made 2026-01-01", *_swapped(spans, 2, 3)])),
            ("another sample in a comment", _joined(["# of sample B", *spans])),
        ],
    )
    tracks = ["track name=A", *spans[:20], "track name=B", *spans[20:]]
    yield Family(
        "bed",
        "tracks.bed",
        "bed",
        {},
        _joined(tracks),
        [("line ends of Windows", _joined(tracks).replace(b"\n", b"\r\n"))],
        [
            ("a span moved to another track", _joined(_swapped(tracks, 20, 21))),
            ("a track has another name", _joined(["track name=C", *tracks[1:]])),
        ],
    )
    genes = [f"c\tx\tgene\t{i * 10 + 1}\t{i * 10 + 5}\t.\t+\t.\tID=g{i}" for i in range(20)]
    yield Family(
        "gff",
        "genes.gff3",
        "gff",
        {},
        _joined(["##gff-version 3", "#!date 2026-01-01", *genes]),
        [
            ("the clock in a comment", _joined(["##gff-version 3", "#!date 2027-05-05", *genes])),
        ],
        [
            (
                "a strand",
                _joined(
                    ["##gff-version 3", "#!date 2026-01-01", genes[0].replace("+", "-"), *genes[1:]]
                ),
            ),
            (
                "an attribute",
                _joined(["##gff-version 3", "#!date 2026-01-01", *genes[:-1], genes[-1] + ";x=1"]),
            ),
        ],
    )
