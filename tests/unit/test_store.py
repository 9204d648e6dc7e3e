"""The store: whole or not there, and never believed without a look."""

import hashlib
import os
from pathlib import Path

import msgspec
import pytest

from cleanroom.errors import StoreError, UsageError
from cleanroom.evidence.store import Store
from cleanroom.model import digest
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
    """A field that came later has its default; what is no evidence at all is said to be of another version."""
    store = Store(tmp_path)
    older = {k: v for k, v in msgspec.to_builtins(evidence()).items() if k != "called"}
    for content, known in ((older, True), ({"attempt_id": "x"}, False)):
        raw = msgspec.json.encode(content)
        name = hashlib.sha256(raw).hexdigest()
        (tmp_path / "evidence" / f"{name}.json").write_bytes(raw)
        if known:
            assert store.get(name) == (name, evidence())
        else:
            with pytest.raises(StoreError, match="another version"):
                store.get(name)


@pytest.mark.parametrize("name", ["", "0" * 64, "short", "../../etc", "*" * 10])
def test_a_name_that_is_none(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        Store(tmp_path).get(name)


def test_content_is_kept_without_a_copy_and_read_only(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    file = tmp_path / "result"
    file.write_bytes(b"content")
    sha256 = hashlib.sha256(b"content").hexdigest()
    store.keep(os.fsencode(file), sha256)
    kept = store.object(sha256)
    assert kept.stat().st_ino == file.stat().st_ino
    assert kept.stat().st_mode & 0o777 == 0o444
    file.unlink()
    store.keep(os.fsencode(kept), sha256)
    assert kept.read_bytes() == b"content"


def test_nothing_half_written_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="No space left"):
        store.put(evidence())
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
