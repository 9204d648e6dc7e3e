"""What an image file holds besides the pixels that are decoded and the metadata that are apart:
chunks that nobody knows, and the end.

A part that no decoder reads is compared as bytes, so that nothing hides in it. Not here: pixels.
"""

import hashlib
import mmap
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cleanroom.compare.formats.interface import NotExamined

_PNG = {
    b"IHDR",
    b"PLTE",
    b"IDAT",
    b"IEND",
    b"tRNS",
    b"gAMA",
    b"cHRM",
    b"sRGB",
    b"iCCP",
    b"acTL",
    b"fcTL",
    b"fdAT",
}
_PNG_APART = {b"tEXt", b"zTXt", b"iTXt", b"tIME", b"pHYs", b"eXIf"}
_WEBP = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP", b"EXIF", b"XMP "}
_GIF_APART = (b"NETSCAPE2.0", b"ANIMEXTS1.0", b"XMP DataXMP", b"ICCRGBG1012")
_JPEG_APART = {
    0xE0: (b"JFIF\0", b"JFXX\0"),
    0xE1: (b"Exif\0", b"http://ns.adobe.com/xap/", b"http://ns.adobe.com/xmp/"),
    0xE2: (b"ICC_PROFILE\0",),
    0xED: (b"Photoshop 3.0\0",),
    0xEE: (b"Adobe",),
}
_TIFF_APART = {
    *(
        256,
        257,
        258,
        259,
        262,
        266,
        269,
        271,
        272,
        273,
        274,
        277,
        278,
        279,
        282,
        283,
        284,
        285,
        296,
        305,
        306,
        315,
        316,
        317,
        320,
    ),
    *(
        322,
        323,
        324,
        325,
        339,
        347,
        *range(512, 522),
        529,
        530,
        531,
        532,
        700,
        33432,
        33723,
        34377,
        34665,
        34675,
        34853,
    ),
}
"""Layout, what decoding uses, density, and texts about the making.
The rest counts: where on earth a picture lies, for one.
"""
_DESCRIPTION, _SUB_PAGES = 270, 330
_STRUCTURED = ("ImageJ", "<", "{", "\ufeff")

Parts = tuple[list[tuple[str, str]], int]
"""(kind and digest of each part that counts, where the format ends)."""


def parts(path: Path, form: str) -> Parts:
    """Raises: NotExamined where the file is not whole."""
    reader = {
        "PNG": _png,
        "JPEG": _jpeg,
        "MPO": _jpeg,
        "GIF": _gif,
        "WEBP": _webp,
        "BMP": _bmp,
    }.get(form)
    size = path.stat().st_size
    if reader is None:
        return [], size
    with (
        path.open("rb") as stream,
        mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        try:
            found, end = [], size
            for kind, part, after in reader(content):
                end = after
                if kind:
                    found.append((repr(kind), hashlib.sha256(part).hexdigest()))
        except IndexError:
            raise NotExamined("it is cut off") from None
    return found, min(end, size)


def tags(picture: Any) -> dict[int, str]:
    """The tags of one page of a TIFF that count."""
    found = {}
    for tag, value in getattr(picture, "tag_v2", {}).items():
        if tag == _SUB_PAGES:
            raise NotExamined("it has pages within pages, which are not decoded")
        if tag not in _TIFF_APART and (
            tag != _DESCRIPTION or str(value).lstrip().startswith(_STRUCTURED)
        ):
            found[tag] = repr(value)
    return found


Found = Iterator[tuple[bytes, bytes, int]]
"""(kind, empty where it is apart; the part; where it ends)."""


def _number(content: Any, at: int, width: int, order: Any = "big") -> int:
    raw = content[at : at + width]
    if len(raw) < width:
        raise IndexError
    return int.from_bytes(raw, order)


def _png(content: Any) -> Found:
    at = 8
    while True:
        length, kind = _number(content, at, 4), content[at + 4 : at + 8]
        data = content[at + 8 : at + 8 + length]
        if zlib.crc32(data, zlib.crc32(kind)) != _number(content, at + 8 + length, 4):
            raise NotExamined(f"the checksum of a chunk {kind!r} is wrong")
        at += 12 + length
        yield (b"" if kind in _PNG | _PNG_APART else kind), data, at
        if kind == b"IEND":
            return


def _jpeg(content: Any) -> Found:
    at = 2
    while True:
        if content[at] != 0xFF:
            raise NotExamined("it is no sequence of segments")
        while content[at] == 0xFF:
            at += 1
        marker = content[at]
        at += 1
        if marker == 0xD9:
            yield b"", b"", at
            return
        if marker == 1 or 0xD0 <= marker <= 0xD7:
            continue
        length = _number(content, at, 2)
        data = content[at + 2 : at + length]
        apart = marker < 0xE0 or marker > 0xEF or data.startswith(_JPEG_APART.get(marker, ()))
        at += length
        yield (b"" if apart else bytes([marker])), data, at
        if marker == 0xDA:
            at = _after_scan(content, at)


def _after_scan(content: Any, at: int) -> int:
    while True:
        at = content.find(b"\xff", at)
        if at < 0:
            raise IndexError
        if content[at + 1] not in (0, 0xFF, *range(0xD0, 0xD8)):
            return at
        at += 1 if content[at + 1] == 0xFF else 2


def _gif(content: Any) -> Found:
    flags = content[10]
    at = 13 + (3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0)
    while True:
        kind = content[at]
        if kind == 0x3B:
            yield b"", b"", at + 1
            return
        if kind == 0x21:
            label, start = content[at + 1], at + 2
            at = _after_blocks(content, start)
            data = content[start:at]
            counts = label == 1 or (label == 0xFF and not data[1:].startswith(_GIF_APART))
            yield (bytes([label]) if counts else b""), data, at
        elif kind == 0x2C:
            flags = content[at + 9]
            at = _after_blocks(
                content, at + 11 + (3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0)
            )
        else:
            raise NotExamined("it is no sequence of blocks")


def _after_blocks(content: Any, at: int) -> int:
    while content[at]:
        at += 1 + content[at]
    return at + 1


def _webp(content: Any) -> Found:
    end = 8 + _number(content, 4, 4, "little")
    at = 12
    while at + 8 <= end:
        kind, length = content[at : at + 4], _number(content, at + 4, 4, "little")
        data = content[at + 8 : at + 8 + length]
        at += 8 + length + length % 2
        yield (b"" if kind in _WEBP else kind), data, at
    yield b"", b"", end


def _bmp(content: Any) -> Found:
    start, header = _number(content, 10, 4, "little"), _number(content, 14, 4, "little")
    if header == 12:
        width, height, bits, packing, size = (
            _number(content, 18, 2, "little"),
            _number(content, 20, 2, "little"),
            content[24],
            0,
            0,
        )
    else:
        width, height = _number(content, 18, 4, "little"), _number(content, 22, 4, "little")
        height = min(height, 2**32 - height)  # from top to bottom, it is negative
        bits, packing, size = (
            content[28],
            _number(content, 30, 4, "little"),
            _number(content, 34, 4, "little"),
        )
    if packing not in (1, 2):
        size = (width * bits + 31) // 32 * 4 * height
    yield b"", b"", start + size
