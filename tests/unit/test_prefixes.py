"""Prefixes of a cache: listed, shown, and removed when nobody uses them."""

import json
import os
from pathlib import Path

import pytest

from cleanroom.environment.prefixes import KEPT, LOCK, folder_of, listed, lock_of, prune, use
from cleanroom.errors import UsageError
from cleanroom.room.rooms import Owner


def made(cache: Path, digest: str, size: int, used: float) -> Path:
    folder = folder_of(cache, digest)
    (folder / "tree").mkdir(parents=True)
    (folder / "tree" / "data").write_bytes(b"x" * size)
    (folder / LOCK).write_text(f"lock of {digest}\n")
    (folder / KEPT).write_text(json.dumps({"python": "3.12.1", "packages": []}))
    os.utime(folder / KEPT, (used, used))
    return folder


def test_the_one_used_last_comes_first_and_a_part_is_none(tmp_path: Path) -> None:
    assert listed(tmp_path) == []
    made(tmp_path, "aaaa1", 10, 100.0)
    made(tmp_path, "bbbb2", 200_000, 200.0)
    (tmp_path / "prefixes" / ".part-cccc3").mkdir()
    found = listed(tmp_path)
    assert [(one.digest, one.used, one.made.python) for one in found] == [
        ("bbbb2", 200.0, "3.12.1"),
        ("aaaa1", 100.0, "3.12.1"),
    ]
    assert found[0].size > 200_000 > found[1].size


def test_a_lock_by_the_beginning_of_its_digest(tmp_path: Path) -> None:
    made(tmp_path, "aaaa1", 10, 100.0)
    made(tmp_path, "aaaa2", 10, 100.0)
    assert lock_of(tmp_path, "aaaa1") == "lock of aaaa1\n"
    for name in ("aaaa", "aaa", "", "*", "../aaaa1", "zzzz"):
        with pytest.raises(UsageError):
            lock_of(tmp_path, name)


def test_what_is_in_use_stays(tmp_path: Path) -> None:
    folders = [made(tmp_path, name, 100_000, number) for number, name in enumerate("abcd")]
    living, gone = Owner(tmp_path), Owner(tmp_path)
    use(tmp_path, "a", living)
    use(tmp_path, "b", gone)
    os.utime(folders[0] / KEPT, (0, 0))
    os.utime(folders[1] / KEPT, (1, 1))
    gone.close()
    remover = Owner(tmp_path)
    removed = [one.digest for one in prune(tmp_path, 250_000, remover)]
    assert removed == ["b", "c"]
    assert [folder.exists() for folder in folders] == [True, False, False, True]
    living.close()
    assert {one.digest for one in prune(tmp_path, 0, remover)} == {"a", "d"}
    remover.close()
    assert listed(tmp_path) == []
