"""zip and tar: their members.
The same members in order, whatever their times and owners, are `payload`; else member by member.
"""

import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from cleanroom.compare.containers import tarball, zipped
from cleanroom.compare.formats.interface import BY_CONTENT, NO, Found, Inner, NotExamined, different
from cleanroom.compare.formats.tally import Tally
from cleanroom.compare.payload import (
    BROKEN,
    Bounded,
    NoPayload,
    container_in,
    container_of,
    payload_digest,
    shells,
)
from cleanroom.values.comparison import Sameness
from cleanroom.values.declared import CompareOptions

_MOST = 10_000
"""More members than this are compared by payload only."""
_ORDER = [Sameness.BYTES, Sameness.PAYLOAD, Sameness.CANONICAL, Sameness.TOLERANCE]


class _Member(NamedTuple):
    kind: str
    detail: str
    size: int


class Archive:
    name, version, extra = "archive", "3", ""
    options: frozenset[str] = frozenset()

    def handles(self, head: bytes, name: str) -> int:
        return BY_CONTENT if container_of(head) in ("zip", "tar") else NO

    def compare(
        self, left: Path, right: Path, name: str, rules: CompareOptions, inner: Inner
    ) -> Found:
        try:
            digests = [payload_digest(path) for path in (left, right)]
            if digests[0] == digests[1]:
                return Found(
                    sameness=Sameness.PAYLOAD,
                    note=f"the same content in another {container_in(left)} wrapping",
                )
            with _opened(left) as a, _opened(right) as b:
                found = _members(a, b, inner)
            if found.sameness is not Sameness.DIFFERENT and shells(left) != shells(right):
                return different(
                    "the members agree, but what the archive carries beside their contents differs"
                )
            return found
        except NoPayload as error:
            raise NotExamined(str(error)) from None
        except BROKEN as error:
            raise NotExamined(f"the archive cannot be read ({error})") from None


class _Open:
    """One open archive: its members by name, and their content."""

    def __init__(self, archive: "zipfile.ZipFile | tarfile.TarFile", size: int) -> None:
        self._archive = archive
        self.comment = archive.comment if isinstance(archive, zipfile.ZipFile) else b""
        self._bound = Bounded(size)
        self.members: dict[str, _Member] = {}
        self.names: list[str] = []
        for name, member in _listed(archive):
            self.names.append(name)
            if len(self.names) > _MOST:
                raise NotExamined(f"the content differs, and it has more than {_MOST} members")
            if name in self.members:
                raise NotExamined(f"the content differs, and it has two members '{name}'")
            self.members[name] = member

    def extract(self, name: str, to: Path) -> Path:
        stream: IO[bytes] | None
        stream = (
            self._archive.open(name)
            if isinstance(self._archive, zipfile.ZipFile)
            else self._archive.extractfile(name)
        )
        assert stream is not None
        with stream, to.open("wb") as out:
            for block in self._bound.blocks(stream):
                out.write(block)
        return to


def _listed(archive: "zipfile.ZipFile | tarfile.TarFile") -> Iterator[tuple[str, _Member]]:
    if isinstance(archive, zipfile.ZipFile):
        for info in archive.infolist():
            yield (
                info.filename,
                _Member(
                    "folder" if info.is_dir() else "file", zipped.leftover(info), info.file_size
                ),
            )
    else:
        for member in archive:
            kind = (
                "file"
                if member.isfile()
                else "folder"
                if member.isdir()
                else f"type {member.type!r}"
            )
            yield member.name, _Member(kind, tarball.leftover(member), member.size)


@contextmanager
def _opened(path: Path) -> Iterator[_Open]:
    size = path.stat().st_size
    if container_in(path) == "zip":
        with zipfile.ZipFile(path) as archive:
            yield _Open(archive, size)
    else:
        with tarfile.open(path, "r:") as tar:
            yield _Open(tar, size)


def _members(left: _Open, right: _Open, inner: Inner) -> Found:
    tally = Tally("member", "members")
    worst = Sameness.PAYLOAD
    kinds: dict[str, None] = {}
    notes: list[str] = []
    if left.comment != right.comment:
        tally.differs(
            "comment", *(side.comment.decode("utf-8", "backslashreplace") for side in (left, right))
        )
    with tempfile.TemporaryDirectory() as folder:
        for name in sorted(left.members.keys() | right.members.keys()):
            a, b = left.members.get(name), right.members.get(name)
            tally.compared += 1
            if a is None or b is None or a[:2] != b[:2] or a.kind != "file":
                if a is None or b is None or a[:2] != b[:2]:
                    tally.differs(name, _said(a), _said(b), "")
                continue
            files = [
                side.extract(name, Path(folder) / str(i)) for i, side in enumerate((left, right))
            ]
            found = inner(files[0], files[1], name)
            if found.sameness in _ORDER:
                worst = max(worst, found.sameness, key=_ORDER.index)
                kinds |= dict.fromkeys(found.kinds)
                if found.sameness is not Sameness.BYTES:
                    notes.append(f"{name}: {found.note}")
                continue
            first = found.excerpts[0] if found.excerpts else None
            kind = found.kinds[0] if len(found.kinds) == 1 else ""
            where = f"{name}: {first.where}" if first else name
            tally.differs(
                where,
                first.left if first else found.note,
                first.right if first else found.note,
                kind,
            )
    if tally.total:
        return tally.different(
            f"{tally.total} of {len(left.members.keys() | right.members.keys())} members differ"
        )
    if left.names != right.names:
        worst = max(worst, Sameness.CANONICAL, key=_ORDER.index)
        notes.insert(0, "members in another order")
    return Found(
        sameness=worst,
        note="; ".join(notes[:4]) or "the same members",
        kinds=tuple(kinds),
        compared=tally.compared,
    )


def _said(member: _Member | None) -> str | None:
    return (
        None
        if member is None
        else f"{member.kind}, {member.size} bytes{', ' + member.detail if member.detail else ''}"
    )


COMPARATOR = Archive()
