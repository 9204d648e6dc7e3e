"""What a compressed file or archive holds, without what its container says of time, owner and
compression.

Two files of the same payload are accepted as the same by themselves, so that nothing is left out
that a reader of the format could heed: see docs/adr/0015. Reading is bounded, and strict to the
last byte; a file that cannot be read so has no payload.
Not here: what the content means.
"""

import contextlib
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from cleanroom.compare.containers.bounds import BLOCK, BROKEN, Bounded, NoPayload, feed
from cleanroom.compare.containers.streams import STREAMS, Stream
from cleanroom.compare.containers.tarball import is_tar, tar_digest, tar_members
from cleanroom.compare.containers.zipped import zip_digest, zip_members

__all__ = [
    "BROKEN",
    "VERSION",
    "Bounded",
    "NoPayload",
    "container_in",
    "container_of",
    "opened",
    "payload_digest",
    "shells",
    "unwrapped",
]
VERSION = "3"
_MAGIC = STREAMS | {b"PK\x03\x04": "zip", b"PK\x05\x06": "zip"}


def container_of(head: bytes) -> str:
    """`gzip`, `bzip2`, `xz`, `zstd`, `zip`, `tar` or nothing, by the first 512 bytes."""
    found = next((name for magic, name in _MAGIC.items() if head.startswith(magic)), "")
    return found or ("tar" if is_tar(head) else "")


def container_in(path: Path) -> str:
    """`container_of` a file. Its first bytes decide: a tar may end with a zip."""
    with path.open("rb") as stream:
        return container_of(stream.read(512))


class _Unwrapped(io.RawIOBase):
    """Blocks as a stream that stops at a bomb."""

    def __init__(self, blocks: Iterator[bytes], bound: Bounded) -> None:
        self._blocks, self._bound, self._rest = blocks, bound, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        while not self._rest:
            block = next(self._blocks, b"")
            if not block:
                return 0
            self._bound.spend(len(block))
            self._rest = memoryview(block)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


@contextlib.contextmanager
def unwrapped(path: Path) -> Iterator[IO[bytes]]:
    """The decompressed stream of a compressed file, bounded.

    Raises: NoPayload where it is none, broken, too large, or followed by something else;
    ImportError without zstandard.
    """
    with opened(path) as (stream, _):
        yield stream


@contextlib.contextmanager
def opened(path: Path) -> Iterator[tuple[IO[bytes], Stream]]:
    """The same, and the stream that knows at its end what lay beside it.
    Raises: NoPayload, ImportError.
    """
    container = container_in(path)
    try:
        with path.open("rb") as file:
            stream = Stream(file, container)
            raw = _Unwrapped(stream.blocks(), Bounded(path.stat().st_size))
            yield cast(IO[bytes], io.BufferedReader(raw, BLOCK)), stream
    except BROKEN as error:
        raise NoPayload(f"the {container} file cannot be read ({error})") from None


def shells(path: Path) -> list[bytes]:
    """What the members of a tar or zip file carry beside their contents, each as a digest, in an
    order that theirs does not change.

    Raises: NoPayload.
    """
    bound = Bounded(path.stat().st_size)
    try:
        with path.open("rb") as plain:
            members = (
                tar_members(plain, bound)
                if container_in(path) == "tar"
                else zip_members(path, bound)
            )
            return sorted(shell for shell, _ in members)
    except BROKEN as error:
        raise NoPayload(f"the archive cannot be read ({error})") from None


def payload_digest(path: Path) -> str:
    """The SHA-256 of what a compressed stream, zip or tar file holds.

    Raises: NoPayload where it is none of them, broken, too large, or holds more than its format
    says.
    """
    container = container_in(path)
    bound = Bounded(path.stat().st_size)
    try:
        if container == "tar":
            with path.open("rb") as plain:
                return tar_digest(plain, bound)
        if container == "zip":
            return zip_digest(path, bound)
    except BROKEN as error:
        raise NoPayload(f"the {container} file cannot be read ({error})") from None
    with opened(path) as (content, stream):
        found = _content_digest(content, bound)
        if not stream.beside:
            return found
        whole = hashlib.sha256(b"beside\0")
        feed(whole, found.encode(), stream.beside)
        return whole.hexdigest()


def _content_digest(content: IO[bytes], bound: Bounded) -> str:
    head = cast(io.BufferedReader, content).peek(512)[:512]
    if is_tar(head):
        return tar_digest(content, bound)
    digest = hashlib.sha256(b"stream\0")
    for block in bound.blocks(content):
        digest.update(block)
    return digest.hexdigest()
