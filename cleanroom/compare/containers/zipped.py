"""zip: its members in order, by its directory and by the header beside each (PKWARE's APPNOTE
6.3.10), with no byte besides.

The container's own are: times, owners, compression, and the sizes that follow from it. All else
counts: names, comments, the system and the attributes (links and the right to run), other extra
fields. Not here: formats that are made of a zip.
"""

import hashlib
import itertools
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from cleanroom.compare.containers.bounds import Bounded, NoPayload, check_members, feed

_OWN_FIELDS = {0x0001, 0x000A, 0x5455, 0x5855, 0x7855, 0x7875}
"""Extra fields: zip64 sizes; times of NTFS and Unix; owners of Unix."""
_ENCRYPTED, _DESCRIPTOR, _UTF8 = 0x1, 0x8, 0x800
_LEVEL = 0x6
"""Flags that only tell how hard was compressed."""
_LONG = 0xFFFFFFFF


def zip_digest(path: Path, bound: Bounded) -> str:
    """The SHA-256 of what a zip file holds. Raises: NoPayload, or one of BROKEN."""
    digest = hashlib.sha256(b"zip\0")
    for shell, content in zip_members(path, bound):
        feed(digest, shell, content)
    return digest.hexdigest()


def zip_members(path: Path, bound: Bounded) -> Iterator[tuple[bytes, bytes]]:
    """(digest of all that a member carries beside its content, digest of its content), in order;
    the comment of the whole first.

    Raises: NoPayload, or one of BROKEN.
    """
    with path.open("rb") as raw, zipfile.ZipFile(path) as archive:
        yield hashlib.sha256(archive.comment).digest(), b""
        spans = []
        directory = archive.start_dir
        after = directory
        for count, member in enumerate(archive.infolist()):
            check_members(count)
            end, name, local = _local(raw, member)
            spans.append((member.header_offset, end))
            shell = hashlib.sha256()
            feed(
                shell,
                name,
                member.comment,
                *_meaning(member),
                other_fields(member.extra),
                other_fields(local),
            )
            inner = hashlib.sha256()
            with archive.open(member) as content:
                for block in bound.blocks(content):
                    inner.update(block)
            yield shell.digest(), inner.digest()
            after += 46 + len(name) + len(member.extra) + len(member.comment)
        for (_, end), (start, _) in itertools.pairwise(
            [(0, 0), *sorted(spans), (directory, directory)]
        ):
            if start != end:
                raise NoPayload(
                    "two members lie in one place"
                    if start < end
                    else "something lies outside of its members"
                )
        _check_end(raw, after, path.stat().st_size, len(archive.comment))


def leftover(member: zipfile.ZipInfo) -> str:
    """What a member carries beside name and content, and is neither time nor owner; as a text."""
    other = other_fields(member.extra)
    comment = f" comment {member.comment.hex()}" if member.comment else ""
    return (
        f"system {member.create_system} attributes "
        f"{member.external_attr:x}{comment}{' fields ' + other.hex() if other else ''}"
    )


def other_fields(extra: bytes) -> bytes:
    """The extra fields that are not the container's own; a malformed rest counts as it is."""
    kept = b""
    while len(extra) >= 4:
        name, size = struct.unpack("<HH", extra[:4])
        if 4 + size > len(extra):
            break
        kept += b"" if name in _OWN_FIELDS else extra[: 4 + size]
        extra = extra[4 + size :]
    return kept + extra


def _meaning(member: zipfile.ZipInfo) -> tuple[bytes, ...]:
    flags = member.flag_bits & ~(_DESCRIPTOR | _LEVEL)
    values = (
        member.create_system,
        member.external_attr,
        member.internal_attr,
        flags,
        member.volume,
        member.reserved,
    )
    return tuple(str(value).encode() for value in values)


def _local(raw: IO[bytes], member: zipfile.ZipInfo) -> tuple[int, bytes, bytes]:
    """(where a member ends, its name, the extra fields beside it).
    Raises: NoPayload where the directory says otherwise.
    """
    if member.flag_bits & _ENCRYPTED:
        raise NoPayload("a member is encrypted")
    raw.seek(member.header_offset)
    magic, _, flags, method, _, _, crc, packed, size, name_length, extra_length = struct.unpack(
        "<4s5H3I2H", raw.read(30)
    )
    name, extra = raw.read(name_length), raw.read(extra_length)
    said = member.orig_filename.encode("utf-8" if member.flag_bits & _UTF8 else "cp437")
    if (
        magic != b"PK\x03\x04"
        or name != said
        or method != member.compress_type
        or flags != member.flag_bits
    ):
        raise NoPayload("the directory and the header of a member do not agree")
    end = member.header_offset + 30 + name_length + extra_length + member.compress_size
    if flags & _DESCRIPTOR:
        return end + _descriptor(raw, end, member), name, extra
    told = ((crc, member.CRC), (packed, member.compress_size), (size, member.file_size))
    if any(here not in (there, _LONG) for here, there in told):
        raise NoPayload("the directory and the header of a member do not agree")
    return end, name, extra


def _descriptor(raw: IO[bytes], start: int, member: zipfile.ZipInfo) -> int:
    """The length of the record behind a member that was written in one go."""
    raw.seek(start)
    found = raw.read(24)
    for form in ("<I2I", "<I2Q"):
        told = struct.pack(
            form,
            member.CRC,
            member.compress_size & (2**32 - 1 if form == "<I2I" else 2**64 - 1),
            member.file_size & (2**32 - 1 if form == "<I2I" else 2**64 - 1),
        )
        for mark in (b"PK\x07\x08", b""):
            if found.startswith(mark + told):
                return len(mark + told)
    raise NoPayload("the record behind a member is none")


def _check_end(raw: IO[bytes], start: int, size: int, comment: int) -> None:
    """From the end of the directory to that of the file there are only its closing records.
    Raises: NoPayload.
    """
    raw.seek(start)
    tail = raw.read(76 + 22)
    if tail.startswith(b"PK\x06\x06"):
        if struct.unpack("<Q", tail[4:12])[0] != 44 or tail[56:60] != b"PK\x06\x07":
            raise NoPayload("a record behind the directory is none")
        start, tail = start + 76, tail[76:]
    if not tail.startswith(b"PK\x05\x06") or start + 22 + comment != size:
        raise NoPayload("something lies between the directory and its end, or after it")
