"""An archive stays below its folder, under any Python that unpacks it."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from cleanroom.environment.inside import unpack
from cleanroom.environment.inside.python import Refused


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


@pytest.mark.parametrize(
    "info",
    [
        member("/etc/passwd"),
        member("../x"),
        member("a/../../x"),
        member("a", tarfile.SYMTYPE, "/etc/passwd"),
        member("a/b", tarfile.SYMTYPE, "../../x"),
        member("a", tarfile.LNKTYPE, "../x"),
        member("a", tarfile.CHRTYPE),
        member("a", tarfile.FIFOTYPE),
    ],
)
def test_what_leads_out_or_is_no_file_is_refused(info: tarfile.TarInfo) -> None:
    with pytest.raises(Refused):
        unpack.check(info)


@pytest.mark.parametrize("old", [False, True])
def test_what_stays_below_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: bool
) -> None:
    if old:
        monkeypatch.delattr(tarfile, "data_filter")
    archive = tmp_path / "archive"
    with tarfile.open(archive, "w:gz") as tar:
        info = member("deep/x")
        info.size, info.mode = 2, 0o600
        tar.addfile(info, io.BytesIO(b"1\n"))
        tar.addfile(member("deep/y", tarfile.SYMTYPE, "x"))
    monkeypatch.setattr(unpack, "ARCHIVE", str(archive))
    unpack.make({}, str(tmp_path / "out"))
    assert (tmp_path / "out" / "deep" / "y").read_text() == "1\n"
    assert (tmp_path / "out" / "deep" / "x").stat().st_mode & 0o777 == 0o644


def test_a_zip_and_what_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "archive"
    monkeypatch.setattr(unpack, "ARCHIVE", str(archive))
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("../../deep/x", "1\n")
    unpack.make({}, str(tmp_path / "out"))
    assert [p.name for p in (tmp_path / "out").rglob("*") if p.is_file()] == ["x"]
    assert not (tmp_path / "deep").exists()
    archive.write_bytes(b"no archive")
    with pytest.raises(Refused, match="no archive"):
        unpack.make({}, str(tmp_path / "other"))
