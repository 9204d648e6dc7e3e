"""What a compressed file or archive holds, without what its container says of time, owner and compression.

gzip (and bgzf, which is gzip), bzip2, xz and zstandard: the decompressed stream. tar: names, types, link targets and contents of
the members in order. zip: names and contents of the members in order. A stream that is itself a tar is read as one. Reading is
bounded; a file that
cannot be read to its end has no payload. Not here: what the content means.
"""

import bz2
import contextlib
import gzip
import hashlib
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

VERSION = "2"
_BLOCK = 2**20
MAX_BYTES = 2**40
"""The most that is decompressed of one file."""
MAX_MEMBERS = 1_000_000
MAX_RATIO = 10_000
"""A file that unfolds to more than this many times its size (and more than 1 GiB) is taken for a bomb."""


class NoPayload(Exception):  # noqa: N818 - an answer, not a fault of ours
    """Why the payload could not be read."""


class Bounded:
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


BROKEN = (
    OSError, EOFError, zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile, RuntimeError, NotImplementedError, ValueError,
    OverflowError,
)  # fmt: skip
"""What reading a broken file can raise."""
_MAGIC = {
    b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip", b"PK\x05\x06": "zip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz", b"\x28\xb5\x2f\xfd": "zstd",
}  # fmt: skip


def container_of(head: bytes) -> str:
    """`gzip`, `bzip2`, `xz`, `zstd`, `zip`, `tar` or nothing, by the first 512 bytes."""
    found = next((name for magic, name in _MAGIC.items() if head.startswith(magic)), "")
    return found or ("tar" if head[257:262] == b"ustar" else "")


def container_in(path: Path) -> str:
    """`container_of` a file. Its first bytes decide: a tar may end with a zip."""
    with path.open("rb") as stream:
        return container_of(stream.read(512))


class _Limited(io.RawIOBase):
    """A stream that stops at a bomb."""

    def __init__(self, stream: IO[bytes], bound: Bounded) -> None:
        self._stream, self._bound = stream, bound

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        block = self._stream.read(len(buffer))
        self._bound.spend(len(block))
        buffer[: len(block)] = block
        return len(block)


@contextlib.contextmanager
def unwrapped(path: Path) -> Iterator[IO[bytes]]:
    """The decompressed stream of a compressed file, bounded.

    Raises: NoPayload where it is none, broken, or too large; ImportError where zstandard is not installed.
    """
    container = container_in(path)
    try:
        with contextlib.ExitStack() as stack:
            raw = stack.enter_context(_opened(path, container))
            yield cast(IO[bytes], io.BufferedReader(_Limited(raw, Bounded(path.stat().st_size)), _BLOCK))
    except BROKEN as error:
        raise NoPayload(f"the {container} file cannot be read ({error})") from None


def _opened(path: Path, container: str) -> "contextlib.AbstractContextManager[IO[bytes]]":
    if container == "gzip":
        return cast("contextlib.AbstractContextManager[IO[bytes]]", gzip.open(path))
    if container == "bzip2":
        return cast("contextlib.AbstractContextManager[IO[bytes]]", bz2.open(path))
    if container == "xz":
        return cast("contextlib.AbstractContextManager[IO[bytes]]", lzma.open(path))
    if container == "zstd":
        return _zstd(path)
    raise NoPayload("it is no compressed stream")


@contextlib.contextmanager
def _zstd(path: Path) -> Iterator[IO[bytes]]:
    import zstandard

    try:
        with path.open("rb") as plain, zstandard.ZstdDecompressor().stream_reader(plain, read_across_frames=True) as stream:
            yield cast(IO[bytes], stream)
    except zstandard.ZstdError as error:
        raise NoPayload(f"the zstd file cannot be read ({error})") from None


def payload_digest(path: Path) -> str:
    """The SHA-256 of what a compressed stream, zip or tar file holds.

    Raises: NoPayload where it is none of them, broken, or too large.
    """
    container = container_in(path)
    bound = Bounded(path.stat().st_size)
    try:
        if container == "tar":
            with path.open("rb") as plain:
                return _tar_digest(plain, bound)
        if container == "zip":
            return _zip_digest(path, bound)
    except BROKEN as error:
        raise NoPayload(f"the {container} file cannot be read ({error})") from None
    with unwrapped(path) as stream:
        return _stream_digest(stream, bound)


def _stream_digest(stream: IO[bytes], bound: Bounded) -> str:
    head = cast(io.BufferedReader, stream).peek(512)[:512]
    if head[257:262] == b"ustar":
        return _tar_digest(stream, bound)
    digest = hashlib.sha256(b"stream\0")
    for block in bound.blocks(stream):
        digest.update(block)
    return digest.hexdigest()


def _tar_digest(stream: IO[bytes], bound: Bounded) -> str:
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


def _zip_digest(path: Path, bound: Bounded) -> str:
    digest = hashlib.sha256(b"zip\0")
    with zipfile.ZipFile(path) as archive:
        _feed(digest, archive.comment)
        for count, member in enumerate(archive.infolist()):
            _check_members(count)
            _feed(digest, member.filename.encode("utf-8", "surrogateescape"), member.comment)
            with archive.open(member) as content:
                _feed(digest, _content_digest(content, bound))
    return digest.hexdigest()


def _content_digest(content: IO[bytes], bound: Bounded) -> bytes:
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
