"""The store: whole or not there, and never believed without a look."""

import hashlib
import os
from pathlib import Path

import msgspec
import pytest

from cleanroom.beneath import Beneath
from cleanroom.errors import StoreError, UsageError
from cleanroom.evidence.store import Store
from cleanroom.evidence.tree import Hashed, signature
from cleanroom.values.base import digest
from tests.unit.values import evidence


def test_evidence_is_found_by_its_digest(tmp_path: Path) -> None:
    store, whole = Store(tmp_path), evidence()
    name = store.put(whole)
    assert name == digest(whole)
    assert store.get(name) == store.get(name[:12]) == (name, whole)
    assert store.digests(name[:8]) == [name]
    assert store.digests(name[:7]) == []


def test_an_attempt_id_happens_once(tmp_path: Path) -> None:
    store, whole = Store(tmp_path), evidence()
    store.put(whole)
    with pytest.raises(StoreError, match="in the store already"):
        store.put(msgspec.structs.replace(whole, why="another"))


def test_what_was_changed_is_not_believed(tmp_path: Path) -> None:
    store = Store(tmp_path)
    name = store.put(evidence())
    file = tmp_path / "evidence" / f"{name}.json"
    file.chmod(0o644)
    file.write_bytes(file.read_bytes().replace(b"local", b"loca1"))
    with pytest.raises(StoreError, match="not what its name says"):
        store.get(name)


def test_evidence_of_an_older_version_is_believed_as_it_was_written(tmp_path: Path) -> None:
    """A field that came later has its default; what is no evidence at all is said to be none."""
    store = Store(tmp_path)
    older = {k: v for k, v in msgspec.to_builtins(evidence()).items() if k != "called"}
    for content, known in ((older, True), ({"attempt_id": "x"}, False)):
        raw = msgspec.json.encode(content)
        name = hashlib.sha256(raw).hexdigest()
        (tmp_path / "evidence" / f"{name}.json").write_bytes(raw)
        if known:
            assert store.get(name) == (name, evidence())
        else:
            with pytest.raises(StoreError, match="no evidence"):
                store.get(name)


@pytest.mark.parametrize("name", ["", "0" * 64, "short", "../../etc", "*" * 10])
def test_a_name_that_is_none(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        Store(tmp_path).get(name)


def kept(
    store: Store, folder: Path, name: str, content: bytes, *, claimed: bytes | None = None
) -> Path:
    """A file of `folder` in the store, under the digest of what it is `claimed` to hold."""
    (folder / name).write_bytes(content)
    sha256 = hashlib.sha256(content if claimed is None else claimed).hexdigest()
    seen = signature((folder / name).stat()) if claimed is None else None
    with Beneath(folder) as here:
        store.keep(here, name.encode(), Hashed(sha256, seen=seen))
    return store.object(sha256)


def test_content_is_kept_without_a_copy_and_read_only(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    first = kept(store, tmp_path, "result", b"content")
    assert first.stat().st_ino == (tmp_path / "result").stat().st_ino
    assert first.stat().st_mode & 0o777 == 0o444
    (tmp_path / "result").unlink()
    assert kept(store, tmp_path, "again", b"content").read_bytes() == b"content"
    assert store.content(hashlib.sha256(b"content").hexdigest()) == first
    assert not list(tmp_path.glob("store/objects/*/.part-*"))


def test_content_that_is_not_what_was_hashed_is_not_kept(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    with pytest.raises(StoreError, match="changed while it was kept"):
        kept(store, tmp_path, "result", b"other", claimed=b"content")
    file = tmp_path / "late"
    file.write_bytes(b"content")
    seen = signature(file.stat())
    file.write_bytes(b"CONTENT")
    with Beneath(tmp_path) as here, pytest.raises(StoreError, match="changed while it was kept"):
        store.keep(here, b"late", Hashed(hashlib.sha256(b"content").hexdigest(), seen=seen))
    assert not list(tmp_path.glob("store/objects/*/*"))


@pytest.mark.parametrize("damage", [b"CONTENT", b"", b"content and more"])
def test_damaged_content_is_refused_and_replaced_by_the_good_one(
    tmp_path: Path, damage: bytes
) -> None:
    store = Store(tmp_path / "store")
    place = kept(store, tmp_path, "result", b"content")
    sha256 = hashlib.sha256(b"content").hexdigest()
    assert store.content(sha256) == place
    place.chmod(0o644)
    place.write_bytes(damage)
    with pytest.raises(StoreError, match="not what its name says"):
        Store(tmp_path / "store").content(sha256)
    assert kept(store, tmp_path, "again", b"content") == place
    assert store.content(sha256).read_bytes() == b"content"


def test_content_that_is_not_there_is_no_error(tmp_path: Path) -> None:
    assert not Store(tmp_path).content("0" * 64).exists()


def test_nothing_half_written_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="No space left"):
        store.put(evidence())
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
