"""The prefixes of a cache: what each holds, which a confirmation uses, and those used least
recently removed. Not here: making one.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from cleanroom.errors import UsageError
from cleanroom.room import rooms
from cleanroom.values.environment import Package

KEPT = "environment.json"
LOCK = "lock.txt"
TREE = "tree"
_USERS = "users"
_LEAST_DIGITS = 4


class Made(msgspec.Struct):
    """What a provisioning room says at its end; a claim."""

    python: str = ""
    packages: tuple[Package, ...] = ()
    lock: str = ""
    refused: str = ""


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


def use(cache: Path, prefix: str, owner: str) -> Made:
    """What a prefix holds, marked as used now and by this owner until that one is gone."""
    folder = folder_of(cache, prefix)
    users = folder / _USERS
    users.mkdir(exist_ok=True)
    (users / owner).touch()
    os.utime(folder / KEPT)
    return msgspec.json.decode((folder / KEPT).read_bytes(), type=Made)


def listed(cache: Path) -> list[Kept]:
    """Every whole prefix, the one used last first."""
    found = [
        Kept(
            digest=kept.parent.name,
            size=_size(kept.parent),
            used=kept.stat().st_mtime,
            made=msgspec.json.decode(kept.read_bytes(), type=Made),
        )
        for kept in (cache / "prefixes").glob(f"*/{KEPT}")
    ]
    return sorted(found, key=lambda one: -one.used)


def lock_of(cache: Path, name: str) -> str:
    """The lock of a prefix, by the beginning of its digest. Raises: UsageError."""
    found = [path for path in (cache / "prefixes").glob(f"{name}*/{LOCK}") if path.parent.is_dir()]
    if len(name) < _LEAST_DIGITS or not name.isalnum() or len(found) != 1:
        raise UsageError(
            f"'{name}' names {len(found) if name.isalnum() else 'no'} environments.",
            "`cleanroom env list` shows them.",
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
        folder = folder_of(cache, one.digest)
        if any(not owner.may_sweep(f"{cache}:{user.name}") for user in _users(folder)):
            continue
        rooms.Room(folder).remove()
        total -= one.size
        yield one


def _users(folder: Path) -> list[Path]:
    return list((folder / _USERS).iterdir()) if (folder / _USERS).is_dir() else []


def _size(folder: Path) -> int:
    return rooms.Room(folder).usage()[0]
