"""What a compressed file or archive holds, without what its container says of time, owner and compression.

gzip (and bgzf, which is gzip): the decompressed stream. tar: names, types, link targets and contents of the members in order.
zip: names and contents of the members in order. A stream that is itself a tar is read as one. Reading is bounded; a file that
cannot be read to its end has no payload. Not here: what the content means.
"""

import gzip
import hashlib
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

VERSION = "1"
_BLOCK = 2**20
MAX_BYTES = 2**40
"""The most that is decompressed of one file."""
MAX_MEMBERS = 1_000_000
MAX_RATIO = 10_000
"""A file that unfolds to more than this many times its size (and more than 1 GiB) is taken for a bomb."""


class NoPayload(Exception):  # noqa: N818 - an answer, not a fault of ours
    """Why the payload could not be read."""


class _Bounded:
    """Counts what is read of one file, and stops at a bomb."""

    def __init__(self, size: int) -> None:
        self._left = min(MAX_BYTES, max(2**30, size * MAX_RATIO))

    def spend(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise NoPayload("it unfolds to too much")

    def blocks(self, stream: IO[bytes]) -> Iterator[bytes]:
        while block := stream.read(_BLOCK):
            self.spend(len(block))
            yield block


def container_of(path: Path) -> str:
    """`gzip`, `zip`, `tar` or nothing, by content."""
    with path.open("rb") as stream:
        head = stream.read(512)
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    return "tar" if head[257:262] == b"ustar" else ""


def payload_digest(path: Path) -> str:
    """The SHA-256 of what a gzip, zip or tar file holds.

    Raises: NoPayload where it is none of them, broken, or too large.
    """
    container = container_of(path)
    bound = _Bounded(path.stat().st_size)
    try:
        if container == "gzip":
            with gzip.open(path) as stream:
                return _stream_digest(cast(IO[bytes], stream), bound)
        if container == "tar":
            with path.open("rb") as plain:
                return _tar_digest(plain, bound)
        if container == "zip":
            return _zip_digest(path, bound)
    except (
        OSError,
        EOFError,
        zlib.error,
        tarfile.TarError,
        zipfile.BadZipFile,
        RuntimeError,
        NotImplementedError,
        ValueError,
    ) as error:
        raise NoPayload(f"the {container} file cannot be read ({error})") from None
    raise NoPayload("it is no gzip, zip or tar file")


def _stream_digest(stream: IO[bytes], bound: _Bounded) -> str:
    head = stream.read(512)
    stream.seek(0)
    if head[257:262] == b"ustar":
        return _tar_digest(stream, bound)
    digest = hashlib.sha256(b"stream\0")
    for block in bound.blocks(stream):
        digest.update(block)
    return digest.hexdigest()


def _tar_digest(stream: IO[bytes], bound: _Bounded) -> str:
    digest = hashlib.sha256(b"tar\0")
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for count, member in enumerate(archive):
            _check_members(count)
            _feed(
                digest,
                member.type,
                member.name.encode("utf-8", "surrogateescape"),
                member.linkname.encode("utf-8", "surrogateescape"),
            )
            _feed(digest, b"x" if member.mode & 0o100 else b"-")
            if member.isfile():
                content = archive.extractfile(member)
                assert content is not None
                _feed(digest, _content_digest(content, bound))
    for _ in bound.blocks(stream):
        pass  # to the end: a truncated or corrupt tail must show
    return digest.hexdigest()


def _zip_digest(path: Path, bound: _Bounded) -> str:
    digest = hashlib.sha256(b"zip\0")
    with zipfile.ZipFile(path) as archive:
        _feed(digest, archive.comment)
        for count, member in enumerate(archive.infolist()):
            _check_members(count)
            _feed(digest, member.filename.encode("utf-8", "surrogateescape"), member.comment)
            with archive.open(member) as content:
                _feed(digest, _content_digest(content, bound))
    return digest.hexdigest()


def _content_digest(content: IO[bytes], bound: _Bounded) -> bytes:
    inner = hashlib.sha256()
    for block in bound.blocks(content):
        inner.update(block)
    return inner.digest()


def _feed(digest: "hashlib._Hash", *parts: bytes) -> None:
    """Each part with its length, so that no two sequences of parts are the same bytes."""
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)


def _check_members(count: int) -> None:
    if count >= MAX_MEMBERS:
        raise NoPayload(f"it has more than {MAX_MEMBERS} members")
