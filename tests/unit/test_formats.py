"""Every format: pairs that mean the same and pairs that do not, each by the comparator that a
confirmation would ask.
"""

import bz2
import gzip
import hashlib
import lzma
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks.pairs.makers import (
    bam,
    database,
    deep_png,
    enum,
    feather,
    fixed,
    hdf5,
    netcdf3,
    notebook,
    npy,
    parquet,
    pdf,
    picture,
    png_with,
    tar,
    zipped,
)
from cleanroom.compare.formats.interface import Found
from cleanroom.compare.formats.registry import Question, answer, comparators
from cleanroom.values.comparison import Sameness
from cleanroom.values.declared import CompareOptions

SAME, NEAR, OTHER, PAYLOAD = (
    Sameness.CANONICAL,
    Sameness.TOLERANCE,
    Sameness.DIFFERENT,
    Sameness.PAYLOAD,
)


def ask(
    tmp_path: Path, name: str, left: bytes, right: bytes, comparator: str = "", **rules: Any
) -> Found:
    files = [
        tmp_path / hashlib.sha256(side + content).hexdigest()
        for side, content in ((b"l", left), (b"r", right))
    ]
    for file, content in zip(files, (left, right), strict=True):
        file.write_bytes(content)
    return answer(
        Question(
            left=str(files[0]),
            right=str(files[1]),
            name=name,
            comparator=comparator,
            rules=CompareOptions(**rules),
        )
    )


VCF = (
    b"##fileformat=VCFv4.2\n##fileDate=%s\n##contig=<ID=1>\n#CHROM\tPOS\tID\tREF\tALT\n"
    b"1\t10\t.\tA\t%s\n"
)
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg"><metadata>%s</metadata><defs><path id="%s" d="M0 '
    '0"/></defs><use href="#%s" x="%s"/></svg>'
)
SAM = (
    b"@HD\tVN:1.6\n@SQ\tSN:chr1\tLN:%s\n@PG\tID:bwa\tCL:bwa -t %s\n"
    b"r1\t0\tchr1\t5\t60\t4M\t*\t0\t0\tACGT\t*\n"
)

# name, left, right, rules, sameness
PLAIN: list[tuple[str, bytes, bytes, dict[str, Any], Sameness]] = [
    ("a.txt", b"a\nb\n", b"a\r\nb\r\n", {}, SAME),
    ("a.txt", b"a\nb\n", b"\xef\xbb\xbfa\nb\n", {}, SAME),
    ("a.txt", b"a\nb\n", "a\nb\n".encode("utf-16"), {}, SAME),
    ("a.txt", b"a\nb", b"a\nb\n", {}, SAME),
    ("a.txt", b"a\nb\n", b"a\nb \n", {}, OTHER),
    ("a.txt", b"a\nb\n", b"b\na\n", {}, OTHER),
    ("a.txt", b"a\nb\n", b"b\na\n", {"order": "any"}, NEAR),
    (
        "a.fastq",
        b"@a\nAC\n+\nII\n@b\nGT\n+\nJJ\n",
        b"@b\nGT\n+\nJJ\n@a\nAC\n+\nII\n",
        {"order": "any"},
        NEAR,
    ),
    (
        "a.fastq",
        b"@a\nAC\n+\nII\n@b\nGT\n+\nJJ\n",
        b"@a\nGT\n+\nJJ\n@b\nAC\n+\nII\n",
        {"order": "any"},
        OTHER,
    ),
    (
        "a.fastq",
        b"@a\nAC\n+\nII\n@b\nGT\n+\nJJ\n",
        b"@a\nAC\n+\nJJ\n@b\nGT\n+\nII\n",
        {"order": "any"},
        OTHER,
    ),
    ("a.bed", b"chr1\t1\t2\nchr2\t3\t4\n", b"chr2\t3\t4\nchr1\t1\t2\n", {"order": "any"}, NEAR),
    (
        "a.wig",
        b"fixedStep chrom=1\n1\nfixedStep chrom=2\n2\n",
        b"fixedStep chrom=1\n2\nfixedStep chrom=2\n1\n",
        {"order": "any"},
        OTHER,
    ),
    ("a.wig", b"fixedStep chrom=1\n1\n2\n", b"fixedStep chrom=1\n2\n1\n", {"order": "any"}, OTHER),
    (
        "a.gff",
        b"##gff-version 3\na\t1\n##FASTA\n>a\nAC\n>b\nGT\n",
        b"##gff-version 3\na\t1\n##FASTA\n>a\nGT\n>b\nAC\n",
        {"order": "any"},
        OTHER,
    ),
    (
        "a.sam",
        b"@SQ\tSN:a\tLN:1\n@SQ\tSN:b\tLN:2\nr\t0\n",
        b"@SQ\tSN:b\tLN:2\n@SQ\tSN:a\tLN:1\nr\t0\n",
        {"order": "any"},
        OTHER,
    ),
    (
        "a.sam",
        b"@SQ\tSN:a\tLN:1\nr\t0\nq\t0\n",
        b"@SQ\tSN:a\tLN:1\nq\t0\nr\t0\n",
        {"order": "any"},
        NEAR,
    ),
    ("a.txt", b"p 1e-400\n", b"p 1e-900\n", {"relative": 1e-6}, OTHER),
    ("a.txt", b"p 1e400\n", b"p 1e900\n", {"relative": 1e-6}, OTHER),
    ("a.txt", b"p 1e-400\n", b"p 1.0000000001e-400\n", {"relative": 1e-6}, NEAR),
    ("a.txt", b"12345678901234567.5\n", b"12345678901234568.0\n", {"relative": 1e-30}, OTHER),
    ("a.txt", b"1e999999999999\n", b"2e999999999999\n", {"relative": 1e-6}, OTHER),
    ("a.csv", b"p\n1e-400\n", b"p\n1e-900\n", {"relative": 1e-6}, OTHER),
    ("a.csv", b"p\ninf\n", b"p\n1e999\n", {"relative": 1e-6}, OTHER),
    ("a.json", b"[1e-400]", b"[1e-900]", {"relative": 1e-6}, OTHER),
    ("a.gff", b"#!genome-version 4.0\na\t1\n", b"#!genome-version 5.0\na\t1\n", {}, OTHER),
    ("a.gff", b"# maker version 4.0\na\t1\n", b"# maker version 5.0\na\t1\n", {}, SAME),
    (
        "a.bed",
        b"# genome version 4.0\nchr1\t1\t2\n",
        b"# genome version 5.0\nchr1\t1\t2\n",
        {},
        OTHER,
    ),
    (
        "a.vcf",
        b"##fileformat=VCFv4.2\n##genomeVersion=GRCh37\n",
        b"##fileformat=VCFv4.2\n##genomeVersion=GRCh38\n",
        {},
        OTHER,
    ),
    (
        "a.vcf",
        b"##fileformat=VCFv4.2\n##dbSNP_version=150\n",
        b"##fileformat=VCFv4.2\n##dbSNP_version=151\n",
        {},
        OTHER,
    ),
    (
        "a.vcf",
        b"##fileformat=VCFv4.2\n##bcftools_callVersion=1.9\n",
        b"##fileformat=VCFv4.2\n##bcftools_callVersion=1.10\n",
        {},
        SAME,
    ),
    ("a.txt", b"a\nb\n", b"b\nb\n", {"order": "any"}, OTHER),
    ("a.txt", b"\xe9\n", b"\xc3\xa9\n", {}, OTHER),
    ("a.txt", b"# date 2026-01-01\nx\n", b"# date 2027-01-01\nx\n", {}, OTHER),
    (
        "a.txt",
        b"# date 2026-01-01\nx\n",
        b"# date 2027-01-01\nx\n",
        {"mask": (r"^# date .*",)},
        NEAR,
    ),
    (
        "a.txt",
        b"# date 2026-01-01\nx\n",
        b"# date 2027-01-01\ny\n",
        {"mask": (r"^# date .*",)},
        OTHER,
    ),
    ("a.txt", b"mean 0.10000001\n", b"mean 0.10000002\n", {"absolute": 1e-6}, NEAR),
    ("a.txt", b"sample12 1.0\n", b"sample13 1.0\n", {"absolute": 5}, OTHER),
    ("a.csv", b"a,b\n1,2\n", b'a,b\r\n"1",2\r\n', {}, SAME),
    ("a.csv", b"a,b\n1,2\n", b"a,b\n1,2.0\n", {}, OTHER),
    ("a.csv", b"a,b\n1\n", b"a,b\n1,\n", {}, OTHER),
    ("a.csv", b"a,b\n1,2\n3,4\n", b"a,b\n3,4\n1,2\n", {}, OTHER),
    ("a.csv", b"a,b\n1,2\n3,4\n", b"a,b\n3,4\n1,2\n", {"order": "any"}, NEAR),
    ("a.csv", b"a,b\n1,2\n3,4\n", b"a,b\n3,2\n1,4\n", {"order": "any"}, OTHER),
    ("a.csv", b"a,b\n1,2\n", b"b,a\n2,1\n", {}, OTHER),
    ("a.csv", b"id,seconds\n1,2\n", b"id,seconds\n1,3\n", {"ignore": ("seconds",)}, NEAR),
    ("a.csv", b"id,seconds\n1,2\n", b"id,seconds\n2,2\n", {"ignore": ("seconds",)}, OTHER),
    ("a.csv", b"a\n0.1234567\n", b"a\n0.1234568\n", {"relative": 1e-5}, NEAR),
    ("a.csv", b"a\n0.1234567\n", b"a\n0.1334568\n", {"relative": 1e-5}, OTHER),
    ("a.csv", b"a\nNaN\n", b"a\n1\n", {"absolute": 9}, OTHER),
    ("a.csv", b"a\ninf\n", b"a\n-inf\n", {"absolute": 9}, OTHER),
    (
        "a.csv",
        b"a\n12345678901234567890\n",
        b"a\n12345678901234567891\n",
        {"relative": 1e-30},
        OTHER,
    ),
    ("a.json", b'{"a": 1, "b": [1, 2]}', b'{"b":[1,2],"a":1}', {}, SAME),
    ("a.json", b'{"a": 1.50}', b'{"a": 1.5}', {}, SAME),
    ("a.json", b'{"a": 1}', b'{"a": 1.0}', {}, OTHER),
    ("a.json", b'{"a": 1}', b'{"a": true}', {}, OTHER),
    ("a.json", b"[0.0]", b"[-0.0]", {}, OTHER),
    ("a.json", b'{"a": 1, "a": 2}', b'{"a": 2, "a": 1}', {}, OTHER),
    ("a.json", b"[1, 2]", b"[2, 1]", {}, OTHER),
    ("a.json", b"[1, 2]", b"[2, 1]", {"order": "any"}, NEAR),
    (
        "a.json",
        b'{"t": "2026-01-01", "v": 1}',
        b'{"t": "2027-01-01", "v": 1}',
        {"ignore": ("/t",)},
        NEAR,
    ),
    (
        "a.json",
        b'{"runs": [{"t": 1, "v": 1}]}',
        b'{"runs": [{"t": 2, "v": 1}]}',
        {"ignore": ("/runs/*/t",)},
        NEAR,
    ),
    (
        "a.json",
        b'{"runs": [{"t": 1, "v": 1}]}',
        b'{"runs": [{"t": 2, "v": 2}]}',
        {"ignore": ("/runs/*/t",)},
        OTHER,
    ),
    ("a.ndjson", b'{"a":1,"b":2}\n{"a":2}\n', b'{"b":2,"a":1}\n{"a":2}\n', {}, SAME),
    ("a.ndjson", b'{"a":1}\n{"a":2}\n', b'{"a":1}\n', {}, OTHER),
    ("a.yaml", b"a: 1\nb: [1, 2]\n", b"b:\n- 1\n- 2\na: 1\n", {}, SAME),
    ("a.yaml", b"a: no\n", b"a: 'no'\n", {}, OTHER),
    ("a.yaml", b"a: &x [1]\nb: *x\n", b"a: [1]\nb: [1]\n", {}, SAME),
    ("a.vcf", VCF % (b"20260101", b"G"), VCF % (b"20260102", b"G"), {}, SAME),
    ("a.vcf", VCF % (b"20260101", b"G"), VCF % (b"20260102", b"T"), {}, OTHER),
    ("a.sam", SAM % (b"1000", b"1"), SAM % (b"1000", b"8"), {}, SAME),
    ("a.sam", SAM % (b"1000", b"1"), SAM % (b"1001", b"1"), {}, OTHER),
    ("a.fa", b">s\nACGT\n", b">s\nAC\nGT\n", {}, SAME),
    ("a.fa", b">s\nACGT\n", b">s\nACGA\n", {}, OTHER),
    ("a.fa", b">s\nACGT\n", b">t\nACGT\n", {}, OTHER),
    ("a.fa", b">s\nACGT\n", b">s\nacgt\n", {}, OTHER),
    ("a.fastq", b"@r\nAC\n+\nII\n", b"@r\r\nAC\r\n+\r\nII\r\n", {}, SAME),
    ("a.fastq", b"@r\nAC\n+\nII\n", b"@r\nAC\n+\nIJ\n", {}, OTHER),
    ("a.bed", b"# made 2026-01-01\nchr1\t1\t2\n", b"# made 2026-01-02\nchr1\t1\t2\n", {}, SAME),
    ("a.bed", b"# made 2026-01-01\nchr1\t1\t2\n", b"# made 2026-01-01\nchr1\t1\t3\n", {}, OTHER),
    ("a.bed", b"# of sample A\nchr1\t1\t2\n", b"# of sample B\nchr1\t1\t2\n", {}, OTHER),
    (
        "a.gff",
        b"##gff-version 3\n#!date 2026-01-01\nc\t.\tgene\t1\t2\n",
        b"##gff-version 3\n#!date 2026-01-02\nc\t.\tgene\t1\t2\n",
        {},
        SAME,
    ),
    (
        "a.gff",
        b"##gff-version 3\nc\t.\tgene\t1\t2\n",
        b"##gff-version 3\nc\t.\tgene\t1\t3\n",
        {},
        OTHER,
    ),
    (
        "a.html",
        b'<html><!-- 1 --><p class="a" id="b">x  y</p></html>',
        b'<html>\n<p id="b" class="a">x y</p></html>',
        {},
        SAME,
    ),
    ("a.html", b"<html><p>x</p></html>", b"<html><p>y</p></html>", {}, OTHER),
    ("a.html", b"<html><pre>x  y</pre></html>", b"<html><pre>x y</pre></html>", {}, OTHER),
    (
        "a.svg",
        (SVG % ("2026", "m1", "m1", "1")).encode(),
        (SVG % ("2027", "q9", "q9", "1")).encode(),
        {},
        SAME,
    ),
    (
        "a.svg",
        (SVG % ("2026", "m1", "m1", "1")).encode(),
        (SVG % ("2026", "m1", "m1", "2")).encode(),
        {},
        OTHER,
    ),
    ("a.ipynb", notebook("2\n", 1), notebook("2\n", 9), {}, SAME),
    ("a.ipynb", notebook("2\n", 1), notebook("3\n", 1), {}, OTHER),
    ("a.gz", gzip.compress(b"abc", mtime=1), gzip.compress(b"abc", mtime=2), {}, PAYLOAD),
    ("a.bz2", bz2.compress(b"abc" * 500000, 1), bz2.compress(b"abc" * 500000, 9), {}, PAYLOAD),
    ("a.xz", lzma.compress(b"abc", preset=0), lzma.compress(b"abc", preset=9), {}, PAYLOAD),
    (
        "a.json.gz",
        gzip.compress(b'{"a":1,"b":2}', mtime=0),
        gzip.compress(b'{"b":2,"a":1}', mtime=0),
        {},
        SAME,
    ),
    ("a.csv.xz", lzma.compress(b"a\n1\n"), lzma.compress(b"a\n2\n"), {}, OTHER),
    ("a.txt.gz", gzip.compress(b"abc", mtime=0), bz2.compress(b"abc"), {}, SAME),
    ("a.tar", tar({"a": b"1"}, 1), tar({"a": b"1"}, 2), {}, PAYLOAD),
    ("a.tar", tar({"a": b"1"}), tar({"a": b"2"}), {}, OTHER),
    ("a.tar", tar({"a": b"1", "b": b"2"}), tar({"b": b"2", "a": b"1"}), {}, SAME),
    ("a.zip", zipped({"a.json": b'{"a":1,"b":2}'}), zipped({"a.json": b'{"b":2,"a":1}'}), {}, SAME),
    ("a.zip", zipped({"a": b"1"}, 2000), zipped({"a": b"1"}, 2001), {}, PAYLOAD),
    ("a.zip", zipped({"a": b"1"}), zipped({"b": b"1"}), {}, OTHER),
    (
        "a.tar.gz",
        gzip.compress(tar({"a.json": b'{"a":1,"b":2}'}), mtime=0),
        gzip.compress(tar({"a.json": b'{"b":2,"a":1}'}), mtime=0),
        {},
        SAME,
    ),
    (
        "a.tar",
        tar({"a": b"1", "z.zip": zipped({"i": b"1"})}),
        tar({"a": b"2", "z.zip": zipped({"i": b"1"})}),
        {},
        OTHER,
    ),
    ("a.zip", zipped({"a": b"1"}, comment=b"v1"), zipped({"a": b"1"}, comment=b"v2"), {}, OTHER),
    ("a.html", b"<html>&lt;b []&gt;</html>", b"<html><b></html>", {}, OTHER),
    ("a.html", b"<html><?x 1?></html>", b"<html><?x 2?></html>", {}, OTHER),
    ("a.svg", b"<svg><g>a | b</g>c</svg>", b"<svg><g>a</g>b | c</svg>", {}, OTHER),
    (
        "a.svg",
        b'<svg><path id="r"/><use x="url(#r)"/></svg>',
        b'<svg><path id="q"/><use x="url(#q)"/></svg>',
        {},
        SAME,
    ),
    (
        "a.svg",
        b'<svg><path id="a"/><use href="#id0"/></svg>',
        b'<svg><path id="a"/><use href="#a"/></svg>',
        {},
        OTHER,
    ),
    ("a.yaml", b"a\n---\nb\n", b"- a\n- b\n", {}, OTHER),
    ("a.yaml", b"a: !x [1]\n", b"a: [1]\n", {}, OTHER),
    ("a.yaml", b"a: 0x10\n", b"a: '!int 0x10'\n", {}, OTHER),
    ("a.yaml", b"1: a\n", b"'!int 1': a\n", {}, OTHER),
    ("a.json", b"[100]", b"[110]", {"relative": 0.095}, NEAR),
    ("a.csv", b"a\n100\n", b"a\n110\n", {"relative": 0.095}, NEAR),
    ("a.bin", b"\0\1\2", b"\0\1\3", {}, OTHER),
    ("a.rds", gzip.compress(b"X\n1", mtime=1), gzip.compress(b"X\n1", mtime=2), {}, OTHER),
    ("a.pkl", b"\x80\x04K\x01.", b"\x80\x05K\x01.", {}, OTHER),
    ("a", b"text\n", b"\x89PNG\r\n\x1a\n", {}, OTHER),
]

Make = Callable[[Path], bytes]
MADE: list[tuple[str, Make, Make, dict[str, Any], Sameness]] = [
    ("a.npy", lambda _: npy([1.5, 2.0]), lambda _: npy([1.5, 2.0], dtype=">f8"), {}, SAME),
    ("a.npy", lambda _: npy([1.5, 2.0]), lambda _: npy([1.5, 2.5]), {}, OTHER),
    ("a.npy", lambda _: npy([1.5, 2.0]), lambda _: npy([1.5, 2.0], dtype="f4"), {}, OTHER),
    ("a.npy", lambda _: npy([0.0]), lambda _: npy([-0.0]), {}, OTHER),
    (
        "a.npy",
        lambda _: npy([1.0, float("nan")]),
        lambda _: npy([1.0 + 1e-12, float("nan")]),
        {"relative": 1e-9},
        NEAR,
    ),
    ("a.npy", lambda _: npy([object()], dtype=object), lambda _: npy([1], dtype=object), {}, OTHER),
    (
        "a.npz",
        lambda _: zipped({"x.npy": npy([1.5])}),
        lambda _: zipped({"x.npy": npy([1.5], dtype=">f8")}),
        {},
        SAME,
    ),
    (
        "a.parquet",
        lambda _: parquet({"a": [1, 2], "s": ["x", None]}),
        lambda _: parquet({"a": [1, 2], "s": ["x", None]}, compression="gzip", row_group_size=1),
        {},
        SAME,
    ),
    ("a.parquet", lambda _: parquet({"a": [1, 2]}), lambda _: parquet({"a": [1, 3]}), {}, OTHER),
    (
        "a.parquet",
        lambda _: parquet({"a": [1, 2]}),
        lambda _: parquet({"a": [1.0, 2.0]}),
        {},
        OTHER,
    ),
    (
        "a.parquet",
        lambda _: parquet({"a": [[1, 2], []]}),
        lambda _: parquet({"a": [[1], [2]]}),
        {},
        OTHER,
    ),
    (
        "a.parquet",
        lambda _: parquet({"a": [1.0], "t": [1]}),
        lambda _: parquet({"a": [1.0], "t": [2]}),
        {"ignore": ("t",)},
        NEAR,
    ),
    (
        "a.feather",
        lambda _: feather({"a": [1, 2]}, "zstd"),
        lambda _: feather({"a": [1, 2]}, "lz4"),
        {},
        SAME,
    ),
    (
        "a.feather",
        lambda _: feather({"a": [1, 2]}, "zstd"),
        lambda _: feather({"a": [2, 1]}, "zstd"),
        {},
        OTHER,
    ),
    ("a.h5", lambda _: hdf5([1.0, 2.0]), lambda _: hdf5([1.0, 2.0], compression="gzip"), {}, SAME),
    ("a.h5ad", lambda _: hdf5([1.0, 2.0]), lambda _: hdf5([1.0, 2.5]), {}, OTHER),
    (
        "a.h5",
        lambda _: hdf5([1.0], attributes={"unit": "m"}),
        lambda _: hdf5([1.0], attributes={"unit": "s"}),
        {},
        OTHER,
    ),
    (
        "a.h5",
        lambda _: hdf5([1.0], attributes={"made": "1"}),
        lambda _: hdf5([1.0], attributes={"made": "2"}),
        {"ignore": ("made",)},
        NEAR,
    ),
    ("a.h5", lambda _: hdf5([1.0]), lambda _: hdf5([2.0]), {"ignore": ("data",)}, NEAR),
    ("a.h5", lambda _: hdf5([1.0]), lambda _: hdf5([2.0]), {"ignore": ("/g",)}, NEAR),
    ("a.h5", lambda _: hdf5([1.0]), lambda _: hdf5([2.0]), {"ignore": ("g",)}, OTHER),
    (
        "a.h5",
        lambda _: hdf5([1.0], external="/etc/passwd"),
        lambda _: hdf5([1.0], external="/etc/passwd", compression="gzip"),
        {},
        OTHER,
    ),
    ("a.nc", lambda p: netcdf3(p, [1.0], "m"), lambda p: netcdf3(p, [2.0], "m"), {}, OTHER),
    ("a.nc", lambda p: netcdf3(p, [1.0], "m"), lambda p: netcdf3(p, [1.0], "s"), {}, OTHER),
    (
        "a.db",
        lambda p: database(p, [(1, "x2")]),
        lambda p: database(p, [(1, "x2")], waste=3000),
        {},
        SAME,
    ),
    ("a.db", lambda p: database(p, [(1, "y")]), lambda p: database(p, [(1.0, "y")]), {}, OTHER),
    (
        "a.db",
        lambda p: database(p, [(1, "y"), (2, "z")]),
        lambda p: database(p, [(2, "z"), (1, "y")]),
        {},
        OTHER,
    ),
    ("a.png", lambda _: png_with("2026"), lambda _: png_with("2027"), {}, SAME),
    ("a.png", lambda _: picture("PNG"), lambda _: picture("PNG", dot=1), {}, OTHER),
    ("a.png", lambda _: picture("PNG"), lambda _: picture("PNG", dot=1), {"absolute": 1}, NEAR),
    ("a.png", lambda _: picture("PNG"), lambda _: picture("PNG", mode="L"), {}, OTHER),
    (
        "a.png",
        lambda _: picture("PNG"),
        lambda _: picture("PNG", icc_profile=b"x" * 200),
        {},
        OTHER,
    ),
    ("a.png", lambda _: deep_png(1), lambda _: deep_png(2), {}, OTHER),
    ("a.npy", lambda _: npy([100.0]), lambda _: npy([110.0]), {"relative": 0.095}, NEAR),
    (
        "a.npy",
        lambda _: npy([float("inf")]),
        lambda _: npy([float("-inf")]),
        {"absolute": 9},
        OTHER,
    ),
    (
        "a.h5",
        lambda _: hdf5([0, 1], dtype=enum("no", "yes")),
        lambda _: hdf5([0, 1], dtype=enum("yes", "no")),
        {},
        OTHER,
    ),
    ("a.db", lambda p: database(p, [(0.0, 1)]), lambda p: database(p, [(-0.0, 1)]), {}, OTHER),
    (
        "a.parquet",
        lambda _: parquet({"a": fixed(0.0)}),
        lambda _: parquet({"a": fixed(-0.0)}),
        {},
        OTHER,
    ),
    (
        "a.pdf",
        lambda _: pdf("x", "D:2026", shared=("A", "A")),
        lambda _: pdf("x", "D:2026", direct=("A", "B")),
        {},
        OTHER,
    ),
    (
        "a.pdf",
        lambda _: pdf("x", "D:2026", direct=("A",)),
        lambda _: pdf("x", "D:2026", direct=("B",)),
        {},
        OTHER,
    ),
    (
        "a.tif",
        lambda _: picture("TIFF"),
        lambda _: picture("TIFF", compression="tiff_lzw"),
        {},
        SAME,
    ),
    (
        "a.tif",
        lambda _: picture("TIFF", mode="I;16", dot=3),
        lambda _: picture("TIFF", mode="I;16", dot=4),
        {},
        OTHER,
    ),
    (
        "a.jpg",
        lambda _: picture("JPEG", quality=90),
        lambda _: picture("JPEG", quality=90, comment=b"c"),
        {},
        SAME,
    ),
    ("a.jpg", lambda _: picture("JPEG"), lambda _: picture("JPEG", dot=255), {}, OTHER),
    (
        "a.pdf",
        lambda _: pdf("hello", "D:20260101000000Z"),
        lambda _: pdf("hello", "D:20270101000000Z"),
        {},
        SAME,
    ),
    (
        "a.pdf",
        lambda _: pdf("hello", "D:20260101000000Z"),
        lambda _: pdf("hallo", "D:20260101000000Z"),
        {},
        OTHER,
    ),
    ("a.bam", lambda p: bam(p, 60, 1), lambda p: bam(p, 60, 8), {}, SAME),
    ("a.bam", lambda p: bam(p, 60, 1), lambda p: bam(p, 59, 1), {}, OTHER),
]


def numbered(cases: Sequence[tuple[Any, ...]]) -> list[str]:
    """Names of cases that are the same in every process, whatever their bytes are."""
    return [f"{case[0]}-{number}" for number, case in enumerate(cases)]


@pytest.mark.parametrize(("name", "left", "right", "rules", "sameness"), PLAIN, ids=numbered(PLAIN))
def test_formats(
    tmp_path: Path, name: str, left: bytes, right: bytes, rules: dict[str, Any], sameness: Sameness
) -> None:
    for pair in ((left, right), (right, left)):
        found = ask(tmp_path, name, *pair, **rules)
        assert found.sameness is sameness, found
        assert found.note
        assert found.comparator


@pytest.mark.parametrize(("name", "left", "right", "rules", "sameness"), MADE, ids=numbered(MADE))
def test_formats_of_libraries(
    tmp_path: Path, name: str, left: Make, right: Make, rules: dict[str, Any], sameness: Sameness
) -> None:
    a, b = left(tmp_path), right(tmp_path)
    assert a != b
    for pair in ((a, b), (b, a)):
        found = ask(tmp_path, name, *pair, **rules)
        assert found.sameness is sameness, found
        assert "failed" not in found.note


@pytest.mark.parametrize(
    ("name", "left", "right", "asked", "rules", "sameness"),
    [
        (
            "a.npz",
            zipped({"x.npy": npy([1.0])}),
            zipped({"x.npy": npy([1.0 + 1e-12])}),
            "npy",
            {"relative": 1e-9},
            NEAR,
        ),
        (
            "a.npz",
            zipped({"x.npy": npy([1.0])}),
            zipped({"x.npy": npy([1.1])}),
            "npy",
            {"relative": 1e-9},
            OTHER,
        ),
        (
            "a.zip",
            zipped({"a.json": b'{"a":1,"b":2}'}),
            zipped({"a.json": b'{"b":2,"a":1}'}),
            "archive",
            {},
            SAME,
        ),
        (
            "a.zip",
            zipped({"a.json": b'{"a":1}'}),
            zipped({"a.json": b'{"a":2}'}),
            "archive",
            {},
            OTHER,
        ),
        (
            "a.json.gz",
            gzip.compress(b'{"a":1,"b":2}'),
            gzip.compress(b'{"b":2,"a":1}'),
            "compressed",
            {},
            SAME,
        ),
        (
            "a.csv.gz",
            gzip.compress(b"a,t\n1,2\n"),
            gzip.compress(b"a,t\n1,3\n"),
            "table",
            {"ignore": ("t",)},
            NEAR,
        ),
        ("a.csv", b"a,t\n1,2\n", b"a,t\n1,3\n", "json", {}, OTHER),
    ],
    ids=[
        "npz near",
        "npz other",
        "zip same",
        "zip other",
        "gzip same",
        "gzip near",
        "not that format",
    ],
)
def test_what_is_asked_of_a_wrapping_is_asked_of_what_it_holds(
    tmp_path: Path,
    name: str,
    left: bytes,
    right: bytes,
    asked: str,
    rules: dict[str, Any],
    sameness: Sameness,
) -> None:
    assert ask(tmp_path, name, left, right, asked, **rules).sameness is sameness


def test_every_comparator_is_installed_and_tried() -> None:
    """A format without a pair that means the same and one that does not is not tested."""
    assert {
        "text",
        "table",
        "json",
        "ndjson",
        "yaml",
        "compressed",
        "archive",
        "npy",
        "columnar",
        "hdf5",
        "netcdf3",
        "sqlite",
        "image",
        "svg",
        "pdf",
        "html",
        "notebook",
        "vcf",
        "sam",
        "alignments",
        "fasta",
        "fastq",
        "bed",
        "gff",
        "serialized",
        "binary",
        "zarr",
    } == set(comparators())


@pytest.mark.parametrize(
    ("name", "left", "right", "rules", "kind"),
    [
        ("a.txt", b"made 2026-01-01T10:00:00Z\n", b"made 2026-01-02T11:00:00Z\n", {}, "timestamp"),
        ("a.txt", b"read /tmp/a/b.txt\n", b"read /home/x/b.txt\n", {}, "absolute path"),
        ("a.txt", b"a\nb\n", b"b\na\n", {}, "order of lines"),
        ("a.csv", b"a\n1\n2\n", b"a\n2\n1\n", {}, "order of rows"),
        ("a.json", b'{"a":1,"b":2}', b'{"b":2,"a":1}', {}, "order of keys"),
        ("a.csv", b"a\n0.123456789012345\n", b"a\n0.123456789012346\n", {}, "floating-point noise"),
        ("a.txt", b"samtools version 1.19\n", b"samtools version 1.20\n", {}, "tool version"),
        ("a.txt", b"seed: 17\n", b"seed: 42\n", {}, "random seed"),
        ("a.csv", b'a\n"1,5"\n', b"a\n1.5\n", {}, "locale"),
        ("a.txt", b"hostname: node17\n", b"hostname: login1\n", {}, "host or user name"),
        (
            "a.gz",
            gzip.compress(b"x", mtime=1),
            gzip.compress(b"x", mtime=2),
            {},
            "compression level or time",
        ),
    ],
)
def test_kinds(
    tmp_path: Path, name: str, left: bytes, right: bytes, rules: dict[str, Any], kind: str
) -> None:
    assert ask(tmp_path, name, left, right, **rules).kinds == (kind,)


@pytest.mark.parametrize(
    ("name", "left", "right"),
    [
        ("a.csv", b"a,b\n1,2026-01-01\n", b"a,b\n2,2026-01-02\n"),
        ("a.txt", b"count 10\n", b"count 11\n"),
        ("a.txt", b"v 0.5\n", b"v 0.6\n"),
    ],
)
def test_no_kind_is_guessed(tmp_path: Path, name: str, left: bytes, right: bytes) -> None:
    assert ask(tmp_path, name, left, right).kinds == ()


def suggested() -> Iterator[tuple[str, bytes, bytes]]:
    for name, left, right, rules, _ in PLAIN:
        if not rules:
            yield name, left, right


@pytest.mark.parametrize(
    ("name", "left", "right"), list(suggested()), ids=numbered(list(suggested()))
)
def test_a_suggestion_covers_what_it_was_made_for(
    tmp_path: Path, name: str, left: bytes, right: bytes
) -> None:
    found = ask(tmp_path, name, left, right)
    if found.suggestion is not None:
        options = {
            field: getattr(found.suggestion, field) for field in CompareOptions.__struct_fields__
        }
        again = ask(tmp_path, name, left, right, **options)
        assert again.sameness is NEAR or again.compared == 0, (found, again)


def test_pictures_of_pictures(tmp_path: Path) -> None:
    found = ask(tmp_path, "a.png", picture("PNG"), picture("PNG", dot=200))
    assert len(found.pictures) == 3
    assert all(p.startswith("data:image/") for p in found.pictures)
    assert "column 7, row 9" in found.excerpts[0].where


def test_a_missing_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "polars", None)
    found = ask(tmp_path, "a.csv", b"a\n1\n", b'a\n"1"\n')
    assert found.sameness is OTHER
    assert "install cleanroom-confirm[tables]" in found.note


@pytest.mark.parametrize("form", ["zip", "tar"])
def test_members_of_one_size_are_told_apart_on_a_file_system_with_a_coarse_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """They are laid out under one name, one after the other, within one tick."""
    stat = os.stat

    def coarse(path: Any, **how: Any) -> os.stat_result:
        seen = stat(path, **how)
        return os.stat_result((*seen[:7], 0, 0, 0))

    members = {f"m{i}.bin": bytes([0, 1, i]) for i in range(5)}
    other = members | {"m4.bin": bytes([0, 1, 200])}
    pack = zipped if form == "zip" else tar
    for side, content in (("left", members), ("right", other)):
        (tmp_path / side).write_bytes(pack(content))
    monkeypatch.setattr(os, "stat", coarse)
    found = answer(
        Question(left=str(tmp_path / "left"), right=str(tmp_path / "right"), name=f"x.{form}")
    )
    assert found.sameness is Sameness.DIFFERENT
