"""Small files of every format, made by the libraries that users have.
Shared by the labelled pairs and the tests of comparators.
"""

import io
import json
import sqlite3
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import Any


def npy(values: Any, **options: Any) -> bytes:
    import numpy as np

    out = io.BytesIO()
    np.save(out, np.array(values, **options), allow_pickle=True)
    return out.getvalue()


def parquet(columns: dict[str, Any], **options: Any) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, **options)
    return out.getvalue()


def feather(columns: dict[str, Any], compression: str) -> bytes:
    import pyarrow as pa
    from pyarrow import feather as format

    out = io.BytesIO()
    format.write_feather(pa.table(columns), out, compression=compression)
    return out.getvalue()


def hdf5(
    values: Any, *, external: str = "", attributes: "dict[str, Any] | None" = None, **options: Any
) -> bytes:
    import h5py

    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        data = file.create_dataset("g/data", data=values, **options)
        data.attrs.update(attributes or {})
        if external:
            file["away"] = h5py.ExternalLink(external, "/x")
    return out.getvalue()


def netcdf3(tmp_path: Path, values: list[float], units: str) -> bytes:
    import netCDF4

    path = tmp_path / "make.nc"
    with netCDF4.Dataset(path, "w", format="NETCDF3_CLASSIC") as file:
        file.createDimension("x", len(values))
        variable = file.createVariable("t", "f8", ("x",))
        variable[:] = values
        variable.units = units
    return path.read_bytes()


def database(tmp_path: Path, rows: list[tuple[Any, ...]], *, waste: int = 0) -> bytes:
    path = tmp_path / "make.db"
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (a, b)")
        connection.executemany("INSERT INTO t VALUES (?, ?)", rows)
        for _ in range(waste):
            connection.execute("INSERT INTO t VALUES ('x', 'y')")
        connection.execute("DELETE FROM t WHERE a = 'x'")
    connection.close()
    return path.read_bytes()


def picture(form: str, *, dot: int = 0, mode: str = "RGB", **options: Any) -> bytes:
    from PIL import Image

    image = Image.new(mode, (40, 30), 0)
    image.putpixel((7, 9), (dot, 0, 0) if mode == "RGB" else dot)
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def png_with(text: str) -> bytes:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("date", text)
    return picture("PNG", pnginfo=info)


def deep_png(value: int) -> bytes:
    """A PNG of one pixel with 16 bits a channel, whose low byte is the value."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    pixel = zlib.compress(struct.pack(">BHHH", 0, 256 + value, 256, 256))
    header = struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixel) + chunk(b"IEND", b"")
    )


def enum(*names: str) -> Any:
    import h5py

    return h5py.enum_dtype({name: number for number, name in enumerate(names)}, basetype="i1")


def fixed(value: float) -> Any:
    import pyarrow as pa

    return pa.array([[value, 1.0]], pa.list_(pa.float64(), 2))


def pdf(text: str, date: str, shared: tuple[str, ...] = (), direct: tuple[str, ...] = ()) -> bytes:
    """One page; dictionaries with a note each hang from its catalogue, as one indirect object or as
    direct ones.
    """
    import pikepdf

    out = io.BytesIO()
    with pikepdf.new() as file:
        file.add_blank_page(page_size=(200, 100))
        page = file.pages[0]
        font = pikepdf.Dictionary(
            Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
        )
        page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
        page.Contents = file.make_stream(f"BT /F1 18 Tf 20 40 Td ({text}) Tj ET".encode())
        file.docinfo["/CreationDate"] = date
        if shared:
            one = file.make_indirect(pikepdf.Dictionary(Creator=pikepdf.String(shared[0])))
            file.Root.Notes = pikepdf.Array([one for _ in shared])
        if direct:
            file.Root.Notes = pikepdf.Array(
                [pikepdf.Dictionary(Creator=pikepdf.String(note)) for note in direct]
            )
        file.save(out)
    return out.getvalue()


def bam(tmp_path: Path, quality: int, threads: int, mode: str = "wb") -> bytes:
    """One read, as BAM or (`wc`) as CRAM without a reference."""
    import pysam

    path = tmp_path / "make.bam"
    header = {
        "HD": {"VN": "1.6"},
        "SQ": [{"SN": "chr1", "LN": 1000}],
        "PG": [{"ID": "bwa", "CL": f"bwa mem -t {threads}"}],
    }
    options = {"format_options": [b"no_ref=1"]} if mode == "wc" else {}
    with pysam.AlignmentFile(str(path), mode, header=header, **options) as out:
        read = pysam.AlignedSegment(out.header)
        read.query_name, read.query_sequence, read.flag, read.reference_id = "r1", "ACGT", 0, 0
        read.reference_start, read.mapping_quality, read.cigarstring = 5, quality, "4M"
        out.write(read)
    return path.read_bytes()


def bcf(tmp_path: Path, date: str, allele: str) -> bytes:
    import pysam

    path = tmp_path / "make.bcf"
    header = pysam.VariantHeader()
    header.add_line(f"##fileDate={date}")
    header.add_line("##contig=<ID=1,length=1000>")
    with pysam.VariantFile(str(path), "wb", header=header) as out:
        out.write(out.new_record(contig="1", start=10, alleles=("A", allele)))
    return path.read_bytes()


def tar(members: dict[str, bytes], time: int = 0) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(content), time
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def zipped(members: dict[str, bytes], year: int = 2000, comment: bytes = b"") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.comment = comment
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, (year, 1, 1, 0, 0, 0)), content)
    return out.getvalue()


def notebook(output: str, count: int) -> bytes:
    cell = {
        "cell_type": "code",
        "source": ["1 + 1\n"],
        "execution_count": count,
        "metadata": {},
        "id": str(count),
        "outputs": [{"output_type": "stream", "name": "stdout", "text": [output]}],
    }
    return json.dumps(
        {
            "cells": [cell],
            "metadata": {"kernelspec": {"name": f"k{count}"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
    ).encode()
