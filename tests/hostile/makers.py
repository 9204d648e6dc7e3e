"""Files that a hostile author would write: those of honest libraries, with what libraries
overlook.
"""

import io
import json
import sqlite3
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.pairs import makers as m

PNG_END = b"\0\0\0\0IEND\xaeB\x60\x82"


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(*chunks: bytes, after: bytes = b"") -> bytes:
    """A small PNG with more chunks before its end, and bytes after it."""
    return m.picture("PNG").replace(PNG_END, b"".join(chunks) + PNG_END) + after


def webp(kind: bytes, data: bytes) -> bytes:
    """A WebP with one chunk that no decoder knows."""
    whole = m.picture("WEBP", lossless=True) + kind + struct.pack("<I", len(data)) + data
    return whole[:4] + struct.pack("<I", len(whole) - 8) + whole[8:]


def pages(*sizes: tuple[int, int], modes: str = "LL", tags: dict[int, Any] | None = None) -> bytes:
    """A TIFF of black pages."""
    from PIL import Image, TiffImagePlugin

    info = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in (tags or {}).items():
        info[tag] = value
        info.tagtype[tag] = 2 if isinstance(value, str) else 12
    made = [Image.new(mode, size, 0) for mode, size in zip(modes, sizes, strict=False)]
    out = io.BytesIO()
    made[0].save(out, "TIFF", save_all=True, append_images=made[1:], tiffinfo=info)
    return out.getvalue()


def hdf5(write: Callable[[Any], None], **options: Any) -> bytes:
    """An HDF5 file as a function writes it."""
    import h5py

    out = io.BytesIO()
    with h5py.File(out, "w", **options) as file:
        write(file)
    return out.getvalue()


def scales(attached: int) -> Callable[[Any], None]:
    """Two scales of one length, one of which belongs to the data."""

    def write(file: Any) -> None:
        for name in ("s0", "s1"):
            file[name] = [1.0, 2.0]
            file[name].make_scale(name)
        file["data"] = [5.0, 6.0]
        file["data"].dims[0].attach_scale(file[f"s{attached}"])

    return write


def netcdf3(tmp_path: Path, **attributes: Any) -> bytes:
    """A classic NetCDF file with attributes of its own."""
    import netCDF4

    path = tmp_path / "hostile.nc"
    with netCDF4.Dataset(path, "w", format="NETCDF3_CLASSIC") as file:
        file.createDimension("x", 1)
        file.createVariable("t", "f8", ("x",))[:] = [1.0]
        for name, value in attributes.items():
            file.setncattr(name, value)
    return path.read_bytes()


def database(tmp_path: Path, *statements: str) -> bytes:
    """A database as SQL makes it."""
    path = tmp_path / "hostile.db"
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()
    return path.read_bytes()


def table(
    schema: Any, values: list[Any], compression: str = "none", form: str = "parquet"
) -> bytes:
    """One column `a` as Parquet or Feather, of an Arrow field or a whole schema."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from pyarrow import feather

    whole = schema if isinstance(schema, pa.Schema) else pa.schema([schema])
    column = values if isinstance(values, pa.Array) else pa.array(values, whole.field(0).type)
    made, out = pa.Table.from_arrays([column], schema=whole), io.BytesIO()
    if form == "parquet":
        pq.write_table(made, out, compression=compression)
    else:
        feather.write_feather(
            made, out, compression="lz4" if compression == "lz4" else "uncompressed"
        )
    return out.getvalue()


def bam(
    tmp_path: Path, tags: list[tuple[str, Any, str]], name: str = "r1", level: str = "wb"
) -> bytes:
    """One read with tags of its own."""
    import pysam

    path = tmp_path / "hostile.bam"
    header = {"HD": {"VN": "1.6"}, "SQ": [{"SN": "chr1", "LN": 1000}]}
    with pysam.AlignmentFile(str(path), level, header=header) as out:
        read = pysam.AlignedSegment(out.header)
        read.query_name, read.query_sequence, read.flag, read.reference_id = name, "ACGT", 0, 0
        read.reference_start, read.mapping_quality, read.cigarstring = 5, 60, "4M"
        read.set_tags(tags)
        out.write(read)
    return path.read_bytes()


def cram(tmp_path: Path, reference: Path) -> bytes:
    """A CRAM that names a reference of this machine, and needs it."""
    import pysam

    path = tmp_path / "hostile.cram"
    square = {"SN": "chr1", "LN": 8, "UR": str(reference)}
    header = {"HD": {"VN": "1.6"}, "SQ": [square]}
    options = {"reference_filename": str(reference)}
    with pysam.AlignmentFile(str(path), "wc", header=header, **options) as out:
        read = pysam.AlignedSegment(out.header)
        read.query_name, read.query_sequence, read.flag, read.reference_id = "r1", "ACGT", 0, 0
        read.reference_start, read.mapping_quality, read.cigarstring = 0, 60, "4M"
        out.write(read)
    return path.read_bytes()


def bcf(tmp_path: Path, quality: float) -> bytes:
    """One variant of a quality."""
    import pysam

    path = tmp_path / "hostile.bcf"
    header = pysam.VariantHeader()
    header.add_line("##contig=<ID=1,length=1000>")
    with pysam.VariantFile(str(path), "wb", header=header) as out:
        out.write(out.new_record(contig="1", start=10, alleles=("A", "G"), qual=quality))
    return path.read_bytes()


def pdf(change: Callable[[Any, Any], None], **options: Any) -> bytes:
    """One page, and what a function does to (pikepdf, the file) before it is saved."""
    import pikepdf

    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(m.pdf("x", "D:20260101000000Z"))) as file:
        change(pikepdf, file)
        file.save(out, static_id=True, **options)
    return out.getvalue()


def book(**parts: Any) -> bytes:
    """A notebook of one cell, with other parts beside it or in its place."""
    data = parts.pop("data", {"text/plain": ["1"]})
    cell = {
        "cell_type": "code",
        "source": ["1"],
        "execution_count": 1,
        "metadata": {},
        "id": "a",
        "outputs": [{"output_type": "display_data", "data": data, "metadata": {}}],
    }
    whole = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5} | parts
    return json.dumps(whole).encode()
