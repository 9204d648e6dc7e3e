"""Limits of what one container may unfold to, and how parts become a digest.
Not here: any format.
"""

import hashlib
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

BLOCK = 2**20
MAX_BYTES = 2**40
"""The most that is decompressed of one file."""
MAX_MEMBERS = 1_000_000
MAX_RATIO = 10_000
"""A file that unfolds to more than this many times its size (and more than 1 GiB) is taken for a
bomb.
"""
BROKEN = (
    OSError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    tarfile.TarError,
    zipfile.BadZipFile,
    RuntimeError,
    NotImplementedError,
    ValueError,
    OverflowError,
    struct.error,
)
"""What reading a broken file can raise."""


class NoPayload(Exception):  # noqa: N818 - an answer, not a fault of ours
    """Why the payload could not be read."""


class Bounded:
    """Counts what is read of one file of `size` bytes, and stops at a bomb."""

    def __init__(self, size: int) -> None:
        self._left = min(MAX_BYTES, max(2**30, size * MAX_RATIO))

    def spend(self, count: int) -> None:
        """Raises: NoPayload."""
        self._left -= count
        if self._left < 0:
            raise NoPayload("it unfolds to too much")

    def blocks(self, stream: IO[bytes]) -> Iterator[bytes]:
        """What is left of a stream. Raises: NoPayload."""
        while block := stream.read(BLOCK):
            self.spend(len(block))
            yield block


def feed(digest: "hashlib._Hash", *parts: bytes) -> None:
    """Each part with its length, so that no two sequences of parts are the same bytes."""
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)


def check_members(count: int) -> None:
    """Raises: NoPayload for the member of that number, from 0 on, where it is one too many."""
    if count >= MAX_MEMBERS:
        raise NoPayload(f"it has more than {MAX_MEMBERS} members")
