"""gzip (and bgzf, which is gzip), bzip2, xz and zstandard: the decompressed stream, and what beside
it is not the wrapping's own.

The wrapping's own are: level, blocks and frames, checksums, and of a gzip header (RFC 1952) time,
system, name, and the field by which bgzf finds its blocks. A comment, any other field and a
skippable frame (RFC 8878) are content that a reader may heed; what follows the last stream is none
of them. Not here: what the stream holds.
"""

import bz2
import hashlib
import lzma
import struct
import zlib
from collections.abc import Iterator
from typing import IO, Any, Protocol

from cleanroom.compare.containers.bounds import BLOCK, NoPayload, feed

STREAMS = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}
_SKIPPABLE = range(0x184D2A50, 0x184D2A60)
_FTEXT, _FHCRC, _FEXTRA, _FNAME, _FCOMMENT = 1, 2, 4, 8, 16
_MAX_FIELD = 2**16
_MAX_SKIPPED = 2**24


class _Decompressor(Protocol):
    """What bz2 and lzma have in common."""

    eof: bool
    needs_input: bool
    unused_data: bytes

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _Input:
    """A file read in blocks, with what a decompressor did not use put back."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._back = file, b""
        self.taken = 0
        """How many bytes were used so far."""

    def block(self, most: int = BLOCK) -> bytes:
        """At most so many bytes; none at the end."""
        found, self._back = (
            (self._back[:most], self._back[most:]) if self._back else (self._file.read(most), b"")
        )
        self.taken += len(found)
        return found

    def back(self, data: bytes) -> None:
        self._back = data + self._back
        self.taken -= len(data)

    def exactly(self, count: int) -> bytes:
        """Raises: EOFError."""
        found = b""
        while len(found) < count:
            block = self.block(count - len(found))
            if not block:
                raise EOFError("it ends in the middle")
            found += block
        return found

    def text(self) -> bytes:
        """Up to the next zero byte. Raises: EOFError, NoPayload."""
        found = b""
        while True:
            block = self.block(4096)
            if not block:
                raise EOFError("it ends in the middle")
            part, end, rest = block.partition(b"\0")
            found += part
            if len(found) > _MAX_FIELD:
                raise NoPayload("a field of its header is too long")
            if end:
                self.back(rest)
                return found

    def peek(self, count: int) -> bytes:
        found = b""
        while len(found) < count and (block := self.block(count - len(found))):
            found += block
        self.back(found)
        return found


class Stream:
    """The decompressed stream of a file.
    `beside` is the digest of what else counts, known once all was read.
    """

    def __init__(self, file: IO[bytes], container: str) -> None:
        self._input, self._container = _Input(file), container
        self._beside = hashlib.sha256()
        self._any = False

    @property
    def beside(self) -> bytes:
        """Empty where there is nothing but the stream."""
        return self._beside.digest() if self._any else b""

    def _keep(self, kind: bytes, content: bytes) -> None:
        self._any = True
        feed(self._beside, kind, content)

    def blocks(self) -> Iterator[bytes]:
        """All of it. Raises: NoPayload, or one of BROKEN."""
        if self._container == "gzip":
            return self._gzip()
        if self._container == "bzip2":
            return self._joined(bz2.BZ2Decompressor, b"BZh", 1)
        if self._container == "xz":
            return self._joined(lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ), b"\xfd7zXZ\0", 4)
        if self._container == "zstd":
            return self._zstd()
        raise NoPayload("it is no compressed stream")

    def _gzip(self) -> Iterator[bytes]:
        blocks = []  # of each member: whether it says where it ends, as those of bgzf do
        while True:
            begin = self._input.taken
            said = self._gzip_header()
            inflate, crc, size = zlib.decompressobj(-zlib.MAX_WBITS), 0, 0
            while not inflate.eof:
                data = inflate.unconsumed_tail or self._input.block()
                if not data:
                    raise EOFError("it ends in the middle")
                out = inflate.decompress(data, BLOCK)
                crc, size = zlib.crc32(out, crc), size + len(out)
                if out:
                    yield out
            self._input.back(inflate.unused_data)
            if struct.unpack("<II", self._input.exactly(8)) != (crc, size & 0xFFFFFFFF):
                raise NoPayload("a checksum is wrong")
            blocks.append(bool(said))
            if said and said != struct.pack("<H", min(self._input.taken - begin - 1, 0xFFFF)):
                self._keep(b"field BC", said)  # a reader that goes by it goes astray
            if self._ends(b"\x1f\x8b", zeros=1):
                break
        if any(blocks) and not all(blocks):
            self._keep(b"bgzf", b"in part")
        if any(blocks) and size:
            self._keep(b"bgzf", b"without the empty block at its end")

    def _gzip_header(self) -> bytes:
        """Read it; returns what a block of bgzf says of its own length, or nothing."""
        said = b""
        magic, method, flags = struct.unpack("<2sBB6x", self._input.exactly(10))
        if magic != b"\x1f\x8b" or method != 8 or flags & 0xE0:
            raise NoPayload("a header of gzip is none")
        if flags & _FEXTRA:
            (length,) = struct.unpack("<H", self._input.exactly(2))
            extra = self._input.exactly(length)
            while len(extra) >= 4:
                name, size = struct.unpack("<2sH", extra[:4])
                if name == b"BC" and size == 2 and not said:
                    said = extra[4:6]
                else:
                    self._keep(b"field " + name, extra[4 : 4 + size])
                extra = extra[4 + size :]
            if extra:
                self._keep(b"field", extra)
        if flags & _FNAME:
            self._input.text()
        if flags & _FCOMMENT:
            self._keep(b"comment", self._input.text())
        if flags & _FHCRC:
            self._input.exactly(2)
        return said

    def _ends(self, magic: bytes, zeros: int) -> bool:
        """Whether the file ends here, but for zeros in steps of so many; false where one more
        stream begins. Raises: NoPayload.
        """
        if self._input.peek(len(magic)) == magic:
            return False
        count = 0
        while block := self._input.block():
            if block.strip(b"\0"):
                raise NoPayload(f"something that is no {self._container} follows its end")
            count += len(block)
        if count and (self._container == "bzip2" or count % zeros):
            raise NoPayload(f"something that is no {self._container} follows its end")
        return True

    def _joined(self, make: Any, magic: bytes, zeros: int) -> Iterator[bytes]:
        while True:
            one: _Decompressor = make()
            while not one.eof:
                data = b""
                if one.needs_input and not (data := self._input.block()):
                    raise EOFError("it ends in the middle")
                if out := one.decompress(data, BLOCK):
                    yield out
            self._input.back(one.unused_data)
            # Padding of xz may come between streams too.
            while zeros == 4 and self._input.peek(4) == b"\0\0\0\0":
                self._input.exactly(4)
            if self._ends(magic, zeros):
                return

    def _zstd(self) -> Iterator[bytes]:
        import zstandard

        while head := self._input.peek(4):
            number = int.from_bytes(head, "little")
            if len(head) == 4 and number in _SKIPPABLE:
                self._input.exactly(4)
                (size,) = struct.unpack("<I", self._input.exactly(4))
                if size > _MAX_SKIPPED:
                    raise NoPayload("a skippable frame is too long")
                self._keep(b"frame " + head, self._input.exactly(size))
                continue
            if head != b"\x28\xb5\x2f\xfd":
                raise NoPayload("something that is no zstd follows its end")
            one = zstandard.ZstdDecompressor().decompressobj()
            try:
                while not one.eof:
                    # A short piece, because one call gives all that it unfolds to.
                    if not (data := self._input.block(4096)):
                        raise EOFError("it ends in the middle")
                    if out := one.decompress(data):
                        yield out
            except zstandard.ZstdError as error:
                raise NoPayload(f"the zstd file cannot be read ({error})") from None
            self._input.back(one.unused_data)
