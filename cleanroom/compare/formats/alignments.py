"""BAM, CRAM and BCF: records in order, read by pysam as the text of SAM and VCF.
`@PG` and `@CO` lines, and header lines of a BCF with dates, versions or command lines, are apart. A
CRAM's reference is never fetched: without it, the file is not examined.
"""

import gzip
import os
import re
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cleanroom.compare.formats import sam, vcf
from cleanroom.compare.formats.interface import FOR_CERTAIN, HEAD, NO, Found, Inner, NotExamined
from cleanroom.compare.formats.lines import compare_lines
from cleanroom.values.declared import CompareOptions

_REAL = re.compile(r"\t[A-Za-z][A-Za-z0-9]:(?:[fd]|B:f)")
"""A tag that holds real numbers, of which the text shows six digits."""


class Alignments:
    name, version, extra = "alignments", "2", "genomics"
    options = frozenset({"mask", "order"})

    def handles(self, head: bytes, name: str) -> int:
        if head.startswith((b"CRAM", b"BCF\2")):
            return FOR_CERTAIN
        return FOR_CERTAIN if _bgzf_begins(head, (b"BAM\1", b"BCF\2")) else NO

    def compare(
        self, left: Path, right: Path, name: str, rules: CompareOptions, inner: Inner
    ) -> Found:
        import pysam

        for path in (left, right):
            with path.open("rb") as stream:
                if (
                    self.handles(stream.read(HEAD), "") == NO
                ):  # the library would open whatever it is, addresses of the network too
                    raise NotExamined("it is no BAM, CRAM or BCF")
        os.environ["REF_PATH"] = os.environ["REF_CACHE"] = "/nonexistent"
        pysam.set_verbosity(0)
        variants = [_is_bcf(path) for path in (left, right)]
        if variants[0] != variants[1]:
            raise NotExamined("one is a BCF, the other is not")
        with tempfile.TemporaryDirectory() as folder:
            texts = []
            for path, side in ((left, "left"), (right, "right")):
                try:
                    texts.append(_text(pysam, path, Path(folder) / side, variants[0]))
                except (OSError, ValueError, RuntimeError) as error:
                    raise NotExamined(
                        "it cannot be read "
                        f"({str(error).splitlines()[0] if str(error) else 'truncated'})"
                    ) from None
            return compare_lines(
                texts[0], texts[1], rules, vcf.DIALECT if variants[0] else sam.DIALECT
            )


def _bgzf_begins(head: bytes, magics: tuple[bytes, ...]) -> bool:
    if head[:4] != b"\x1f\x8b\x08\x04" or head[12:14] != b"BC":
        return False
    try:
        return zlib.decompressobj(31).decompress(head, 4).startswith(magics)
    except zlib.error:
        return False


def _is_bcf(path: Path) -> bool:
    with path.open("rb") as stream:
        head = stream.read(4)
    if head.startswith(b"BCF"):
        return True
    if not head.startswith(b"\x1f\x8b"):
        return False
    try:
        with gzip.open(path) as unpacked:
            return unpacked.read(4) == b"BCF\2"
    except (OSError, EOFError, zlib.error) as error:
        raise NotExamined(f"it cannot be unpacked ({error})") from None


def _text(pysam: Any, path: Path, to: Path, variants: bool) -> Path:
    lines = _variants(pysam, path) if variants else _reads(pysam, path)
    with to.open("w", encoding="utf-8", errors="surrogateescape", newline="") as out:
        out.write(next(lines).rstrip("\n") + "\n")
        for line in lines:
            text = line.rstrip("\n")
            if "\n" in text or "\r" in text or text.startswith(("@", "#")):
                raise NotExamined(
                    "a record would not be one line of text, or read as a header line"
                )
            out.write(text + "\n")
    return to


def _variants(pysam: Any, path: Path) -> Iterator[str]:
    """The header, then each record, with its real numbers as exact as they are kept."""
    with pysam.VariantFile(str(path)) as file:
        yield str(file.header)
        info = [name for name, field in file.header.info.items() if field.type == "Float"]
        formats = [name for name, field in file.header.formats.items() if field.type == "Float"]
        for record in file:
            exact = [record.qual, [(n, record.info[n]) for n in info if n in record.info]]
            exact += [
                (n, [sample.get(n) for sample in record.samples.values()])
                for n in formats
                if n in record.format
            ]
            yield f"{str(record).rstrip(chr(10))}\t{exact!r}"


def _reads(pysam: Any, path: Path) -> Iterator[str]:
    """The header, then each record, with its real numbers as exact as they are kept."""
    with pysam.AlignmentFile(str(path), check_sq=False) as file:
        if file.is_cram and any("UR" in square for square in file.header.to_dict().get("SQ", ())):
            raise NotExamined(
                "its header names a reference in another file (UR), which is never opened"
            )
        yield str(file.header)
        for record in file:
            text = record.to_string()
            yield f"{text}\t{_real_tags(record)!r}" if _REAL.search(text) else text


def _real_tags(record: Any) -> list[Any]:
    tags = [(name, value) for name, value in record.get_tags() if not isinstance(value, str)]
    return [(name, value.tolist() if hasattr(value, "tolist") else value) for name, value in tags]


COMPARATOR = Alignments()
