"""The prefixes of a cache: what each holds, which a confirmation uses, and those used least
recently removed. Not here: making one.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from cleanroom.errors import UsageError
from cleanroom.locks import held
from cleanroom.room import rooms
from cleanroom.values.environment import Package

KEPT = "environment.json"
LOCK = "lock.txt"
TREE = "tree"
_USERS = "users"
_LEAST_DIGITS = 4
PART = ".part-"


class Made(msgspec.Struct):
    """What a provisioning room says at its end; a claim."""

    python: str = ""
    packages: tuple[Package, ...] = ()
    lock: str = ""
    refused: str = ""
    size: int = 0
    """Bytes, as the host measured them; 0 where they were not."""
    digest: str = ""
    """Of an image: that of its configuration."""
    env: dict[str, str] = {}
    """Of an image: its own variables."""


class Kept(NamedTuple):
    """One prefix: its digest, its size in bytes, when it was used last (seconds since the epoch),
    and what it holds.
    """

    digest: str
    size: int
    used: float
    made: Made


def folder_of(cache: Path, prefix: str) -> Path:
    """Where a prefix lies in a cache."""
    return cache / "prefixes" / prefix


def guard_of(cache: Path, prefix: str) -> Path:
    """The lock that is held while a prefix is made, taken into use or removed."""
    return folder_of(cache, prefix).with_suffix(".lock")


def parts_of(cache: Path, prefix: str) -> list[Path]:
    """What was left of a prefix that was not made, or not removed, to its end."""
    return list((cache / "prefixes").glob(f"{PART}{prefix[:16]}-*"))


def use(cache: Path, prefix: str, owner: rooms.Owner) -> Made:
    """What a prefix holds, marked as used now and by this owner until that one is gone; marks of
    those that are gone go.
    """
    folder = folder_of(cache, prefix)
    users = folder / _USERS
    users.mkdir(exist_ok=True)
    for gone in _users(cache, prefix, owner, living=False):
        gone.unlink(missing_ok=True)
    (users / owner.name).touch()
    os.utime(folder / KEPT)
    return msgspec.json.decode((folder / KEPT).read_bytes(), type=Made)


def kept(cache: Path, digest: str) -> Kept | None:
    """A whole prefix, by its digest."""
    file = folder_of(cache, digest) / KEPT
    if not digest or not file.is_file():
        return None
    made = msgspec.json.decode(file.read_bytes(), type=Made)
    size = made.size or _size(file.parent)
    return Kept(digest=digest, size=size, used=file.stat().st_mtime, made=made)


def listed(cache: Path) -> list[Kept]:
    """Every whole prefix, the one used last first."""
    found = [kept(cache, file.parent.name) for file in (cache / "prefixes").glob(f"*/{KEPT}")]
    return sorted(filter(None, found), key=lambda one: -one.used)


def lock_of(cache: Path, name: str) -> str:
    """The lock of a prefix, by the beginning of its digest. Raises: UsageError."""
    named = len(name) >= _LEAST_DIGITS and name.isalnum()
    found = list((cache / "prefixes").glob(f"{name}*/{LOCK}")) if named else []
    if len(found) != 1:
        raise UsageError(
            f"'{name}' names {len(found)} environments.", "`cleanroom env list` shows them."
        )
    return found[0].read_text()


def prune(cache: Path, most: int, owner: rooms.Owner) -> Iterator[Kept]:
    """Remove what was used least recently until `most` bytes are left, but nothing that a
    confirmation uses; each that was removed.
    """
    left = listed(cache)
    total = sum(one.size for one in left)
    for one in reversed(left):
        if total <= most:
            return
        with held(guard_of(cache, one.digest), lambda: False):
            if not forget(cache, one.digest, owner):
                continue
        total -= one.size
        yield one


def forget(cache: Path, prefix: str, owner: rooms.Owner) -> bool:
    """Remove a prefix, whose guard is held, if it is there; whether nobody uses it."""
    folder = folder_of(cache, prefix)
    if _users(cache, prefix, owner, living=True):
        return False
    if folder.exists():
        part = folder.with_name(f"{PART}{prefix[:16]}-{owner.name}")
        folder.rename(part)  # at once, so that none is ever there in part
        rooms.Room(part).remove()
    return True


def _users(cache: Path, prefix: str, owner: rooms.Owner, *, living: bool) -> list[Path]:
    """The marks of owners that are still there, or of those that are gone."""
    folder = folder_of(cache, prefix) / _USERS
    marks = list(folder.iterdir()) if folder.is_dir() else []
    return [mark for mark in marks if owner.may_sweep(f"{cache}:{mark.name}") is not living]


def _size(folder: Path) -> int:
    return rooms.Room(folder).usage()[0]
