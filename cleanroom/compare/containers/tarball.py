"""tar: its members in order, header by header (POSIX.1-2017, pax), to the zeros at its very end.

Of a header only times and owners are the container's own. All else counts as it is: names, links,
full modes, devices, kinds, extended attributes, comments, and what fills a block. Not here:
compression around it.
"""

import hashlib
import tarfile
from collections.abc import Iterator
from typing import IO

from cleanroom.compare.containers.bounds import Bounded, NoPayload, check_members, feed

_RECORD = 512
_OWN = ((108, 124), (136, 156), (265, 329))
"""Places in a header: numbers of owner and group; time and checksum; names of owner and group."""
_GNU_OWN = ((345, 369),)
"""Times of access and change, where GNU's format keeps them."""
_PAX_OWN = {b"mtime", b"atime", b"ctime", b"uid", b"gid", b"uname", b"gname"}
_MAX_PAX = 2**20
_WITHOUT_CONTENT = b"123456"
"""Kinds of members that have none: links, devices, folders, pipes."""


def is_tar(head: bytes) -> bool:
    """Whether the first 512 bytes are a header of tar, by its checksum too."""
    if head[257:262] != b"ustar" or len(head) < _RECORD:
        return False
    try:
        tarfile.TarInfo.frombuf(head[:_RECORD], "utf-8", "surrogateescape")
    except (tarfile.TarError, ValueError, OverflowError):
        return False
    return True


def tar_digest(stream: IO[bytes], bound: Bounded) -> str:
    """The SHA-256 of what a tar holds. Raises: NoPayload, or one of BROKEN."""
    digest = hashlib.sha256(b"tar\0")
    for shell, content in tar_members(stream, bound):
        feed(digest, shell, content)
    return digest.hexdigest()


def tar_members(stream: IO[bytes], bound: Bounded) -> Iterator[tuple[bytes, bytes]]:
    """(digest of all that a member carries beside its content, digest of its content with the
    size), in order.

    Global headers are members too. Raises: NoPayload, or one of BROKEN.
    """
    size_of_next = -1
    count = 0
    shell = hashlib.sha256()
    while True:
        header = _exactly(stream, _RECORD, bound)
        if not any(header):
            break
        check_members(count)
        count += 1
        size = tarfile.TarInfo.frombuf(
            header, "utf-8", "surrogateescape"
        ).size  # also checks the checksum
        kind = header[156:157]
        if kind in (b"x", b"g", b"X"):
            size_of_next = _pax(shell, kind, _content(stream, size, bound), size_of_next)
            if kind == b"g":
                yield shell.digest(), b""
                shell = hashlib.sha256()
            continue
        if kind in (b"L", b"K"):
            feed(shell, kind, _content(stream, size, bound))
            continue
        if kind == b"S":
            raise NoPayload("it has a sparse member, whose map is not read")
        if size_of_next >= 0:
            size, size_of_next = size_of_next, -1
        if kind in _WITHOUT_CONTENT and size:
            raise NoPayload("a member without content has a size")
        feed(shell, _without_own(header))
        content, padding = _read(stream, size, bound)
        feed(
            shell, padding.rstrip(b"\0")
        )  # how much there is depends on the content, what it is does not
        yield shell.digest(), content
        shell = hashlib.sha256()
    for block in bound.blocks(stream):
        if block.strip(b"\0"):
            raise NoPayload("something follows the end of the tar")


def leftover(member: tarfile.TarInfo) -> str:
    """What a member carries beside name and content, and is neither time nor owner; as a text."""
    pax = {
        key: value
        for key, value in member.pax_headers.items()
        if key.encode() not in _PAX_OWN | {b"path", b"linkpath", b"size"}
    }
    device = (
        f" device {member.devmajor},{member.devminor}" if member.ischr() or member.isblk() else ""
    )
    return (
        f"{member.linkname} mode "
        f"{member.mode:o}{device}{' ' + repr(sorted(pax.items())) if pax else ''}"
    )


def _exactly(stream: IO[bytes], count: int, bound: Bounded) -> bytes:
    found = b""
    while len(found) < count and (block := stream.read(count - len(found))):
        found += block
    if len(found) < count:
        raise NoPayload("the tar has no end")
    bound.spend(count)
    return found


def _without_own(header: bytes) -> bytes:
    kept = bytearray(header)
    gnu = header[257:265] == b"ustar  \0"
    for start, end in (*_OWN, *(_GNU_OWN if gnu else ())):
        kept[start:end] = bytes(end - start)
    kept[124:136] = bytes(
        12
    )  # the size goes with the content, since an extended header may tell another
    return bytes(kept)


def _content(stream: IO[bytes], size: int, bound: Bounded) -> bytes:
    """A short content. Raises: NoPayload where something fills its last block."""
    if not 0 <= size <= _MAX_PAX:
        raise NoPayload("an extended header is too long")
    content = _exactly(stream, size, bound)
    if any(_exactly(stream, -size % _RECORD, bound)):
        raise NoPayload("something lies behind an extended header")
    return content


def _read(stream: IO[bytes], size: int, bound: Bounded) -> tuple[bytes, bytes]:
    """(digest of a content and its size, what fills its last block)."""
    inner = hashlib.sha256(size.to_bytes(16, "big"))
    left = size
    while left:
        block = stream.read(min(left, 2**20))
        if not block:
            raise NoPayload("the tar has no end")
        bound.spend(len(block))
        inner.update(block)
        left -= len(block)
    return inner.digest(), _exactly(stream, -size % _RECORD, bound)


def _pax(digest: "hashlib._Hash", kind: bytes, content: bytes, size: int) -> int:
    """Take an extended header into the digest; returns the size that it gives the next member, or
    what was known.
    """
    records: dict[bytes, bytes] = {}
    while content:
        length, space, _ = content.partition(b" ")
        if not space or not length.isdigit() or not len(length) + 1 < int(length) <= len(content):
            raise NoPayload("an extended header is none")
        record, content = content[len(length) + 1 : int(length)], content[int(length) :]
        key, equals, value = record.partition(b"=")
        if not equals or not value.endswith(b"\n") or key in records:
            raise NoPayload("an extended header is none")
        records[key] = value[:-1]
    if b"size" in records:
        if kind == b"g" or not records[b"size"].isdigit():
            raise NoPayload("an extended header gives every member a size")
        size = int(records[b"size"])
    for key in sorted(records.keys() - _PAX_OWN - {b"size"}):
        feed(digest, kind, key, records[key])
    return size
