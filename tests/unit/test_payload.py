"""Payload: the wrapping may differ, the content may not; what cannot be read is never the same."""

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cleanroom.compare.payload import NoPayload, container_of, payload_digest


def gz(content: bytes, *, time: int = 0, level: int = 9, name: str = "") -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile(name, "wb", compresslevel=level, fileobj=out, mtime=time) as stream:
        stream.write(content)
    return out.getvalue()


def tar(members: dict[str, bytes], *, time: int = 0, owner: str = "a", mode: int = 0o644) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime, member.uname, member.mode = len(content), time, owner, mode
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def link(target: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        member = tarfile.TarInfo("l")
        member.type, member.linkname = tarfile.SYMTYPE, target
        archive.addfile(member)
    return out.getvalue()


def zipped(members: dict[str, bytes], *, year: int = 2020, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, (year, 1, 1, 0, 0, 0)), content, method)
    return out.getvalue()


BLOCKS = b"line\n" * 50_000


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (gz(BLOCKS), gz(BLOCKS, time=99, level=1, name="x"), True),
        (gz(BLOCKS), gz(BLOCKS[:1000]) + gz(BLOCKS[1000:]), True),  # bgzf is many members
        (gz(BLOCKS), gz(BLOCKS + b"x"), False),
        (gz(b""), gz(b"", time=1), True),
        (tar({"a": b"1", "b": b"2"}), tar({"a": b"1", "b": b"2"}, time=9, owner="z"), True),
        (tar({"a": b"1", "b": b"2"}), tar({"b": b"2", "a": b"1"}), False),
        (tar({"a": b"1"}), tar({"a": b"2"}), False),
        (tar({"a": b"12", "b": b""}), tar({"a": b"1", "b": b"2"}), False),
        (tar({"a": b"1"}), tar({"a": b"1"}, mode=0o755), False),
        (link("x"), link("y"), False),
        (gz(tar({"a": b"1"})), gz(tar({"a": b"1"}, time=5), time=5), True),
        (gz(tar({"a": b"1"})), gz(tar({"a": b"2"})), False),
        (zipped({"a": b"1"}), zipped({"a": b"1"}, year=2021, method=zipfile.ZIP_STORED), True),
        (zipped({"a": b"1"}), zipped({"a": b"2"}), False),
        (zipped({"a": b"1"}), zipped({"b": b"1"}), False),
    ],
)
def test_sameness(tmp_path: Path, left: bytes, right: bytes, same: bool) -> None:
    files = tmp_path / "left", tmp_path / "right"
    for file, content in zip(files, (left, right), strict=True):
        file.write_bytes(content)
    assert (payload_digest(files[0]) == payload_digest(files[1])) is same


@pytest.mark.parametrize(
    "content",
    [
        b"plain text",
        b"",
        gz(BLOCKS)[:-9],
        gz(BLOCKS)[:40],
        gz(BLOCKS)[:-8] + b"\0" * 8,
        gz(BLOCKS) + b"trailing garbage",
        tar({"a": BLOCKS})[:2000],
        zipped({"a": BLOCKS})[:60],
        zipped({"a": BLOCKS}).replace(b"PK\x01\x02", b"PK\x09\x09"),
    ],
)
def test_what_cannot_be_read_to_its_end_has_no_payload(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "broken"
    file.write_bytes(content)
    with pytest.raises(NoPayload):
        payload_digest(file)


def test_a_bomb_has_no_payload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cleanroom.compare.payload.MAX_BYTES", 10**6)
    file = tmp_path / "bomb.gz"
    file.write_bytes(gz(b"\0" * 20_000_000))
    with pytest.raises(NoPayload, match="unfolds"):
        payload_digest(file)


@pytest.mark.parametrize(
    ("make", "name"), [(lambda: gz(b"x"), "gzip"), (lambda: tar({"a": b"1"}), "tar"), (lambda: zipped({"a": b""}), "zip")]
)
def test_containers_are_known_by_content(tmp_path: Path, make: Callable[[], bytes], name: str) -> None:
    file = tmp_path / "without.extension"
    file.write_bytes(make())
    assert container_of(file.read_bytes()[:512]) == name
