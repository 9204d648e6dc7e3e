"""One file from another: bytes, numbers and lines changed at random places, the same for the same
random numbers.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from random import Random

from tests.fuzz.targets import FOLDER, Seed

_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 2**63 - 1, 2**64 - 1)
_TOKENS = (
    b"-0",
    b"1e999",
    b"NaN",
    b"\0",
    b"\r\n",
    b"\n",
    b'"',
    b"<!--",
    b"-->",
    b"&a;",
    b"*a",
    b"[" * 99,
    b"\xff",
    b"\xef\xbb\xbf",
    b" ",
    b"\t",
    b",",
    b"#",
    b"@",
    b"2026-01-01",
    b"../../x",
    b"99999999999",
)
_LARGEST = 60_000


def mutated(seed: Seed, others: Sequence[Seed], random: Random) -> bytes:
    """The seed after one to four changes; of a folder, one file is changed."""
    if seed.name.endswith(FOLDER):
        return _in_folder(seed, random)
    content = seed.content
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        content = random.choice(_CHANGES)(content, random)
        if random.random() < 0.05:
            content = _spliced(content, random.choice(others).content, random)
    if content.startswith(b"\x89PNG") and random.random() < 0.8:
        content = _with_sums(content)
    return content[:_LARGEST]


def _at(content: bytes, random: Random) -> int:
    return random.randrange(len(content) + 1)


def _byte(content: bytes, random: Random) -> bytes:
    at = _at(content, random)
    return content[:at] + bytes([random.randrange(256)]) + content[at + 1 :]


def _bit(content: bytes, random: Random) -> bytes:
    if not content:
        return b"\1"
    at = random.randrange(len(content))
    return content[:at] + bytes([content[at] ^ (1 << random.randrange(8))]) + content[at + 1 :]


def _cut(content: bytes, random: Random) -> bytes:
    at = _at(content, random)
    return (
        content[:at]
        if random.random() < 0.3
        else content[:at] + content[at + random.choice((1, 1, 4, 16)) :]
    )


def _doubled(content: bytes, random: Random) -> bytes:
    at, length = _at(content, random), random.choice((1, 4, 16, 64))
    return content[:at] + content[at : at + length] + content[at:]


def _number(content: bytes, random: Random) -> bytes:
    at, width = _at(content, random), random.choice("BHIQ")
    mask = 2 ** (8 * struct.calcsize(width)) - 1
    raw = struct.pack(random.choice("<>") + width, random.choice(_NUMBERS) & mask)
    return content[:at] + raw + content[at + len(raw) :]


def _token(content: bytes, random: Random) -> bytes:
    at = _at(content, random)
    return content[:at] + random.choice(_TOKENS) + content[at:]


def _digit(content: bytes, random: Random) -> bytes:
    places = [i for i, byte in enumerate(content) if 48 <= byte <= 57]
    if not places:
        return _byte(content, random)
    at = random.choice(places)
    return content[:at] + b"%d" % random.randrange(10) + content[at + 1 :]


def _lines(content: bytes, random: Random) -> bytes:
    lines = content.split(b"\n")
    i, j = random.randrange(len(lines)), random.randrange(len(lines))
    lines[i], lines[j] = lines[j], lines[i]
    return b"\n".join(lines)


def _line_twice(content: bytes, random: Random) -> bytes:
    """A line once more at another place, or taken away."""
    lines = content.split(b"\n")
    i = random.randrange(len(lines))
    return b"\n".join(
        [*lines[:i], *lines[i + 1 :]] if random.random() < 0.5 else [*lines, lines[i], b""]
    )


def _appended(content: bytes, random: Random) -> bytes:
    return content + random.choice(_TOKENS)


def _spliced(content: bytes, other: bytes, random: Random) -> bytes:
    return content[: _at(content, random)] + other[_at(other, random) :]


_CHANGES: tuple[Callable[[bytes, Random], bytes], ...] = (
    _byte,
    _bit,
    _bit,
    _cut,
    _doubled,
    _number,
    _token,
    _digit,
    _digit,
    _lines,
    _line_twice,
    _appended,
)


def _with_sums(content: bytes) -> bytes:
    """A PNG with the checksums that its chunks would have, so that more than the first check is
    reached.
    """
    out, at = bytearray(content[:8]), 8
    while at + 12 <= len(content):
        length = min(int.from_bytes(content[at : at + 4], "big"), len(content) - at - 12)
        body = content[at + 4 : at + 8 + length]
        out += content[at : at + 4] + body + struct.pack(">I", zlib.crc32(body))
        at += 12 + length
    return bytes(out) + content[at:]


def _in_folder(seed: Seed, random: Random) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(seed.content)) as old, zipfile.ZipFile(out, "w") as new:
        names = old.namelist()
        chosen = random.choice(names)
        for name in names:
            content = old.read(name)
            if name == chosen:
                content = random.choice(_CHANGES)(content, random)
                name = name + "x" if random.random() < 0.05 else name
            new.writestr(zipfile.ZipInfo(name), content)
    return out.getvalue()
