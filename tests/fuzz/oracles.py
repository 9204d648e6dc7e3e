"""What two files hold by another route than the comparators', as far as there is one: it may only
say that they differ.

An oracle gives a value that is equal for files that mean the same. It raises where it cannot read a
file, and then has no opinion.
"""

import csv
import io
import json
import re
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

Oracle = Callable[[Path], Any]


def _json(path: Path) -> Any:
    return json.loads(
        path.read_text("utf-8-sig"),
        parse_int=_number,
        parse_float=_number,
        object_pairs_hook=_pairs,
    )


def _number(text: str) -> Any:
    return (
        ("whole", int(text), text.startswith("-"))
        if text.strip("-").isdigit()
        else ("real", repr(float(text)))
    )


def _pairs(pairs: list[tuple[str, Any]]) -> Any:
    return dict(pairs) if len({k for k, _ in pairs}) == len(pairs) else ("twice", pairs)


def _ndjson(path: Path) -> Any:
    lines = path.read_bytes().split(b"\n")
    return [
        json.loads(line.decode("utf-8-sig"), object_pairs_hook=_pairs)
        for line in lines
        if line.strip()
    ]


def _yaml(path: Path) -> Any:
    return [_ordered(value) for value in yaml.safe_load_all(path.read_bytes())]


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return sorted((repr(k), repr(_ordered(v))) for k, v in value.items())
    return (
        [_ordered(v) for v in value]
        if isinstance(value, list)
        else (type(value).__name__, repr(value))
    )


def _notebook(path: Path) -> Any:
    cells = json.loads(path.read_text("utf-8-sig"))["cells"]
    return [
        (
            c.get("cell_type"),
            "".join(c["source"]),
            [str(o.get("text")) for o in c.get("outputs", [])],
        )
        for c in cells
    ]


def _csv(path: Path) -> Any:
    text = path.read_bytes().decode("utf-8-sig")
    return [row for row in csv.reader(io.StringIO(text, newline="")) if row]


def _lines(path: Path) -> Any:
    """Lines of text, whatever the encoding its mark says."""
    raw = path.read_bytes()
    coding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    return [line.removesuffix("\r") for line in raw.decode(coding).removesuffix("\n").split("\n")]


def _records(path: Path) -> Any:
    return [line for line in _lines(path) if not re.match(r"[#@]|track|browser", line)]


def _fasta(path: Path) -> Any:
    text = path.read_bytes().decode("latin-1").replace("\r\n", "\n")
    parts = [record.partition("\n") for record in ("\n" + text).split("\n>")[1:]]
    return [(name, re.sub(r"[\r\n]", "", letters)) for name, _, letters in parts]


def _npy(path: Path) -> Any:
    import numpy as np

    array = np.lib.format.read_array(io.BytesIO(path.read_bytes()), allow_pickle=False)
    return array.shape, repr(array.tolist())


def _sqlite(path: Path) -> Any:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        return list(connection.iterdump())
    finally:
        connection.close()


def _columnar(path: Path) -> Any:
    import polars as pl

    raw = path.read_bytes()
    frame = pl.read_parquet(raw) if raw.startswith(b"PAR1") else pl.read_ipc(raw)
    return frame.schema, repr(frame.rows())


def _hdf5(path: Path) -> Any:
    import h5py

    found: list[Any] = []
    with h5py.File(path, "r") as file:

        def visit(name: str, item: Any) -> None:
            attributes = sorted(
                (k, repr(v)) for k, v in item.attrs.items() if not k.endswith("_LIST")
            )
            found.append(
                (name, attributes, repr(item[()].tolist()) if hasattr(item, "shape") else "")
            )

        file.visititems(visit)
    return found


def _image(path: Path) -> Any:
    from PIL import Image

    with Image.open(path, formats=("PNG", "JPEG", "TIFF", "GIF", "WEBP", "BMP")) as picture:
        wide = picture.mode if picture.mode.startswith(("I", "F")) else "RGBA"
        return picture.size, picture.convert(wide).tobytes()


def _html(path: Path) -> Any:
    text = path.read_bytes().decode("utf-8-sig")
    without = re.sub(r"<!--.*?(?:-->|$)", "", text, flags=re.S)  # attributes may stand in any order
    return sorted(re.findall(r"[\w.]+", without.lower())) if "&" not in text else None


def _pdf(path: Path) -> Any:
    import pypdfium2

    with pypdfium2.PdfDocument(path) as document:
        return [document[i].get_textpage().get_text_range() for i in range(len(document))]


def _zip(path: Path) -> Any:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        return [(name, len(archive.read(name)) > 0) for name in sorted(names)]


ORACLES: dict[str, Oracle] = {
    "json": _json,
    "ndjson": _ndjson,
    "yaml": _yaml,
    "notebook": _notebook,
    "table": _csv,
    "text": _lines,
    "fastq": _lines,
    "vcf": _records,
    "sam": _records,
    "bed": _records,
    "gff": _records,
    "fasta": _fasta,
    "npy": _npy,
    "sqlite": _sqlite,
    "columnar": _columnar,
    "hdf5": _hdf5,
    "image": _image,
    "html": _html,
    "pdf": _pdf,
    "archive": _zip,
}
"""By the name of a comparator. A new one needs none: then only the other invariants hold it."""


def disagrees(name: str, left: Path, right: Path) -> str:
    """What another route says of two files that were called the same, where it can tell them apart;
    else nothing.
    """
    oracle = ORACLES.get(name)
    if oracle is None:
        return ""
    try:
        a, b = oracle(left), oracle(right)
    except Exception:
        return ""
    return "" if a == b else f"by another route: {repr(a)[:150]} and {repr(b)[:150]}"
