"""Payload: the wrapping may differ, the content may not; what cannot be read is never the same."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cleanroom.compare.formats.registry import Question, answer
from cleanroom.compare.payload import NoPayload, container_of, payload_digest
from cleanroom.values.comparison import Sameness


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


def zipped(
    members: dict[str, bytes], *, year: int = 2020, method: int = zipfile.ZIP_DEFLATED
) -> bytes:
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
    monkeypatch.setattr("cleanroom.compare.containers.bounds.MAX_BYTES", 10**6)
    file = tmp_path / "bomb.gz"
    file.write_bytes(gz(b"\0" * 20_000_000))
    with pytest.raises(NoPayload, match="unfolds"):
        payload_digest(file)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: gz(b"x"), "gzip"),
        (lambda: tar({"a": b"1"}), "tar"),
        (lambda: zipped({"a": b""}), "zip"),
    ],
)
def test_containers_are_known_by_content(
    tmp_path: Path, make: Callable[[], bytes], name: str
) -> None:
    file = tmp_path / "without.extension"
    file.write_bytes(make())
    assert container_of(file.read_bytes()[:512]) == name


# --- what a container carries beside its content
# ---------------------------------------------------------------------------


def bz(content: bytes) -> bytes:
    return bz2.compress(content)


def xz(content: bytes) -> bytes:
    return lzma.compress(content)


def zst(content: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(content)


def header(flags: int, fields: bytes) -> bytes:
    """gzip with fields in its header."""
    plain = gz(BLOCKS)
    return plain[:3] + bytes([flags]) + plain[4:10] + fields + plain[10:]


def field(name: bytes, content: bytes) -> bytes:
    inner = name + len(content).to_bytes(2, "little") + content
    return len(inner).to_bytes(2, "little") + inner


def bgzf(*blocks: bytes) -> bytes:
    """Blocks as bgzip writes them, each with its own length, and the empty one at the end."""
    out = b""
    for block in (*blocks, b""):
        plain = gz(block)
        length = len(plain) + len(field(b"BC", b"..")) - 1
        out += (
            plain[:3]
            + b"\x04"
            + plain[4:10]
            + field(b"BC", length.to_bytes(2, "little"))
            + plain[10:]
        )
    return out


def tarred(**changes: object) -> bytes:
    """One member with other fields of its header; `pax` are extended ones, `content` its
    content.
    """
    out = io.BytesIO()
    member = tarfile.TarInfo("a")
    content = changes.pop("content", b"12345")
    assert isinstance(content, bytes)
    pax = changes.pop("pax", {})
    assert isinstance(pax, dict)
    for name, value in changes.items():
        setattr(member, name, value)
    member.pax_headers = pax
    member.size = len(content) if member.isreg() else 0
    with tarfile.open(
        fileobj=out, mode="w", format=tarfile.PAX_FORMAT if pax else tarfile.USTAR_FORMAT
    ) as archive:
        archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def entry(**changes: object) -> bytes:
    """A zip of one member with other fields."""
    out = io.BytesIO()
    member = zipfile.ZipInfo("a", (2020, 1, 1, 0, 0, 0))
    content = changes.pop("content", b"12345")
    assert isinstance(content, bytes)
    for name, value in changes.items():
        setattr(member, name, value)
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(member, content)
    return out.getvalue()


def patched(content: bytes, place: int, new: bytes) -> bytes:
    return content[:place] + new + content[place + len(new) :]


def corrected(content: bytes) -> bytes:
    """A tar whose first header has the right checksum."""
    head = patched(content[:512], 148, b" " * 8)
    return patched(content, 148, b"%06o\0 " % sum(head))


TAR, ZIP = tarred(), entry()
DIRECTORY = ZIP.index(b"PK\x01\x02")


def test_what_is_the_containers_own_does_not_count(tmp_path: Path) -> None:
    for left, right in (
        (gz(BLOCKS), header(8, b"a name\0")),
        (gz(BLOCKS), bgzf(BLOCKS)),
        (bgzf(BLOCKS), bgzf(BLOCKS[:50], BLOCKS[50:])),
        (gz(BLOCKS), gz(BLOCKS) + b"\0" * 7),
        (xz(BLOCKS), xz(BLOCKS) + b"\0" * 8),
        (xz(BLOCKS), xz(BLOCKS[:10]) + b"\0" * 4 + xz(BLOCKS[10:])),
        (bz(BLOCKS), bz(BLOCKS[:10]) + bz(BLOCKS[10:])),
        (zst(BLOCKS), zst(BLOCKS[:10]) + zst(BLOCKS[10:])),
        (TAR, tarred(mtime=5, uid=7, gid=8, uname="u", gname="g")),
        (tarred(pax={"x": "1"}), tarred(pax={"x": "1", "mtime": "5.5", "uname": "é"})),
        (TAR, TAR + bytes(10240)),
        (ZIP, entry(date_time=(2030, 1, 1, 0, 0, 0))),
        (ZIP, entry(extra=b"UT\x05\0\x01abcd")),
    ):
        assert same(tmp_path, left, right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (gz(BLOCKS), header(16, b"a comment\0")),
        (gz(BLOCKS), header(4, field(b"XX", b"data"))),
        (gz(BLOCKS), header(4, field(b"BC", b"\x10\0"))),
        (header(4, field(b"BC", b"answer=1")), header(4, field(b"BC", b"answer=2"))),
        (bgzf(BLOCKS), bgzf(BLOCKS)[: -len(bgzf())]),
        (bgzf(BLOCKS), gz(BLOCKS[:50]) + bgzf(BLOCKS[50:])),
        (header(4, field(b"XX", b"data")), header(4, field(b"XX", b"DATA"))),
        (zst(BLOCKS), zst(BLOCKS) + b"\x50\x2a\x4d\x18\x04\0\0\0data"),
        (TAR, tarred(mode=0o4644)),
        (TAR, tarred(mode=0o600)),
        (TAR, tarred(type=tarfile.CHRTYPE, devmajor=1)),
        (tarred(type=tarfile.CHRTYPE, devmajor=1), tarred(type=tarfile.CHRTYPE, devmajor=2)),
        (tarred(type=tarfile.CHRTYPE, devminor=1), tarred(type=tarfile.BLKTYPE, devminor=1)),
        (tarred(type=tarfile.SYMTYPE, linkname="x"), tarred(type=tarfile.LNKTYPE, linkname="x")),
        (tarred(pax={"SCHILY.xattr.user.x": "1"}), tarred(pax={"SCHILY.xattr.user.x": "2"})),
        (tarred(pax={"comment": "1"}), tarred(pax={"comment": "2"})),
        (TAR, patched(TAR, 512 + 100, b"x")),  # what fills the last block of a content
        (TAR, corrected(patched(TAR, 500, b"x"))),  # what fills a header
        (ZIP, entry(external_attr=0o120777 << 16)),
        (ZIP, entry(external_attr=0o100755 << 16)),
        (ZIP, entry(create_system=0)),
        (ZIP, entry(internal_attr=1)),
        (ZIP, entry(comment=b"x")),
        (ZIP, entry(extra=b"XX\x04\0data")),
    ],
)
@pytest.mark.parametrize("wrapped", [False, True])
def test_what_a_reader_could_heed_counts(
    tmp_path: Path, left: bytes, right: bytes, wrapped: bool
) -> None:
    """By the digest, and by the comparator, which looks at members one by one where the digests
    differ.
    """
    if wrapped:
        left, right = gz(left), gz(right)
    assert not same(tmp_path, left, right)
    asked = Question(left=str(tmp_path / "left"), right=str(tmp_path / "right"), name="file")
    assert answer(asked).sameness is Sameness.DIFFERENT


def test_a_member_that_is_the_same_in_another_wrapping_covers_nothing_else(tmp_path: Path) -> None:
    """Two archives with a gzip that differs by its time alone are the same; with a right more
    beside it they are not.
    """
    inner = gz(b"x", time=1), gz(b"x", time=2)
    for made, code in ((tarred, {"mode": 0o755}), (entry, {"internal_attr": 1})):
        plain = [made(content=content) for content in inner]
        for right, expected in (
            (plain[1], Sameness.PAYLOAD),
            (made(content=inner[1], **code), Sameness.DIFFERENT),
        ):
            (tmp_path / "left").write_bytes(plain[0])
            (tmp_path / "right").write_bytes(right)
            asked = Question(
                left=str(tmp_path / "left"), right=str(tmp_path / "right"), name="file"
            )
            assert answer(asked).sameness is expected


@pytest.mark.parametrize(
    "content",
    [
        *(
            made + more
            for made in (gz(BLOCKS), bz(BLOCKS), xz(BLOCKS), zst(BLOCKS))
            for more in (b"x", b"garbage" * 100)
        ),
        bz(BLOCKS) + b"\0",
        xz(BLOCKS) + b"\0\0",
        zst(BLOCKS) + b"\0",
        gz(BLOCKS) + b"\0\0x",
        xz(BLOCKS) + b"\0\0\0\0x",
        gz(BLOCKS)[:-9],
        bz(BLOCKS)[:-3],
        xz(BLOCKS)[:-3],
        zst(BLOCKS)[:-3],
        header(0x20, b""),
        header(16, b"no end" * 20000),
        header(4, b"\xff\xff"),
        TAR + TAR,
        TAR + b"x",
        TAR[:-10240] or TAR[:1024],
        TAR[:512] + b"\1" * 512,
        TAR[:1024] + patched(tarred(name="b"), 0, b"X"),
        tarred(pax={"x": "1"})[:512] + b"garbage".ljust(512, b"\0") + TAR,
        gz(TAR + TAR),
        gz(TAR + b"x"),
        ZIP + b"x",
        b"PK\x03\x04 more" + ZIP,
        ZIP[:DIRECTORY] + b"between" + ZIP[DIRECTORY:],
        patched(ZIP, 30, b"b"),
        patched(ZIP, 8, b"\x08"),
        patched(ZIP, 6, b"\1"),
        patched(ZIP, DIRECTORY + 8, b"\1"),
        ZIP[:30] + ZIP[40:],
    ],
)
def test_what_says_more_than_its_format_has_no_payload(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.raises(NoPayload):
        payload_digest(file)


def test_what_only_begins_like_a_tar_is_none() -> None:
    assert container_of(TAR[:512]) == "tar"
    assert container_of(patched(TAR[:512], 0, b"b")) == ""
    assert container_of(b" " * 257 + b"ustar" + b" " * 250) == ""
    assert container_of(TAR[:300]) == ""


@given(
    place=st.integers(0, 10**6),
    bit=st.integers(0, 7),
    which=st.sampled_from(["gz", "bz2", "xz", "zst", "tar", "zip"]),
)
@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_one_bit_more_or_less_is_another_payload_or_the_containers_own(
    tmp_path: Path, place: int, bit: int, which: str
) -> None:
    """A changed bit is seen, unless Python's own reader gives the same content, names, modes and
    kinds.
    """
    whole = {
        "gz": gz(BLOCKS[:999]),
        "bz2": bz(BLOCKS[:999]),
        "xz": xz(BLOCKS[:999]),
        "zst": zst(BLOCKS[:999]),
        "tar": TAR,
        "zip": ZIP,
    }[which]
    place %= len(whole)
    changed = patched(whole, place, bytes([whole[place] ^ 1 << bit]))
    try:
        agree = same(tmp_path, whole, changed)
    except NoPayload:
        return
    if agree:
        assert read_by_python(which, changed) == read_by_python(which, whole)


def read_by_python(which: str, content: bytes) -> object:
    if which == "tar":
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            return [
                (m.name, m.mode, m.type, m.linkname, m.size, m.devmajor, m.pax_headers)
                for m in archive
            ]
    if which == "zip":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return [
                (m.filename, m.external_attr, m.create_system, archive.read(m))
                for m in archive.infolist()
            ]
    if which == "zst":
        return zstandard.ZstdDecompressor().decompressobj().decompress(content)
    return {"gz": gzip.decompress, "bz2": bz2.decompress, "xz": lzma.decompress}[which](content)


def same(folder: Path, left: bytes, right: bytes) -> bool:
    files = folder / "left", folder / "right"
    for file, content in zip(files, (left, right), strict=True):
        file.write_bytes(content)
    return payload_digest(files[0]) == payload_digest(files[1])
