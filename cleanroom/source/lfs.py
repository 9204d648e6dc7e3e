"""git-lfs files without git-lfs filters: pointers in a clone are replaced by their objects, checked
by digest.

The pointer format is that of the git-lfs specification, version 1. Not here: anything but
downloading and copying.
"""

import hashlib
import os
import re
import shutil
import stat
from functools import partial
from pathlib import Path
from typing import NamedTuple

from cleanroom.beneath import Beneath
from cleanroom.errors import Interrupted, SourceError
from cleanroom.source.calls import GitError, Patience, call

_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:.*\n)*?oid "
    rb"sha256:([0-9a-f]{64})\nsize (\d+)\n"
)
_MAX_POINTER = 1024


class Pointer(NamedTuple):
    """The content that a tracked file stands for: its SHA-256, and its size in bytes."""

    oid: str
    size: int


def pointers(folder: Path, tracked: list[bytes]) -> dict[bytes, Pointer]:
    """The tracked files of a clone that are pointers."""
    found: dict[bytes, Pointer] = {}
    if not any(path == b".gitattributes" or path.endswith(b"/.gitattributes") for path in tracked):
        return found
    with Beneath(folder) as here:
        for path in tracked:
            try:
                info = here.stat(path)
                if not stat.S_ISREG(info.st_mode) or info.st_size > _MAX_POINTER:
                    continue
                with os.fdopen(here.open(path), "rb") as stream:
                    match = _POINTER.fullmatch(stream.read(_MAX_POINTER + 1))
            except OSError:
                continue
            if match:
                found[path] = Pointer(match[1].decode(), int(match[2]))
    return found


def fill(
    folder: Path,
    mirror: Path,
    address: str | Path,
    commit: str,
    found: dict[bytes, Pointer],
    env: dict[str, str],
    patience: Patience,
) -> None:
    """Replace every pointer of the clone in `folder` by its content, fetched once into the mirror.

    Call it with the mirror's lock held. Raises: SourceError where an object cannot be had; a
    pointer must never pass for data.
    """
    missing = {pointer for pointer in found.values() if not _whole(mirror, pointer, patience)}
    if missing and isinstance(address, Path):
        for pointer in missing:
            _copy_from(address, mirror, pointer, patience)
    elif missing:
        _download(mirror, str(address), commit, env, len(missing), patience)
    with Beneath(folder) as here:
        for path, pointer in found.items():
            if not _whole(mirror, pointer, patience):
                name = os.fsdecode(path.rpartition(b"/")[2])
                raise SourceError(
                    f"The git-lfs object of '{name}' ({pointer.oid}) is not there.",
                    "Push it with `git lfs push --all`.",
                )
            with (mirror / _object(pointer)).open("rb") as stream:
                here.write(
                    path,
                    iter(partial(stream.read, 2**20), b""),
                    stat.S_IMODE(here.stat(path).st_mode),
                )


def _copy_from(repository: Path, mirror: Path, pointer: Pointer, patience: Patience) -> None:
    """Take an object from where the repository keeps its own: git's folder, and never a work tree,
    which a commit fills.
    """
    store = repository / ".git" if (repository / ".git").exists() else repository
    if _whole(store, pointer, patience):
        place = mirror / _object(pointer)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(store / _object(pointer), place.with_suffix(".part"))
        place.with_suffix(".part").replace(place)


def _object(pointer: Pointer) -> Path:
    return Path("lfs", "objects", pointer.oid[:2], pointer.oid[2:4], pointer.oid)


def _whole(store: Path, pointer: Pointer, patience: Patience) -> bool:
    """Whether an object is there with the content that its name says; a copy that was cut short is
    not. Raises: Interrupted.
    """
    digest = hashlib.sha256()
    try:
        with Beneath(store / "lfs") as here:
            fd = here.open(os.fsencode(_object(pointer).relative_to("lfs")))
        with os.fdopen(fd, "rb") as stream:
            if os.fstat(fd).st_size != pointer.size:
                return False
            while block := stream.read(2**22):
                digest.update(block)
                if patience.stopped():
                    raise Interrupted("Stopped.")
    except OSError:
        return False
    return digest.hexdigest() == pointer.oid


def _download(
    mirror: Path, url: str, commit: str, env: dict[str, str], count: int, patience: Patience
) -> None:
    if shutil.which("git-lfs") is None:
        raise SourceError(
            f"{count} files are stored with git-lfs, which is not installed.",
            "Install it: apt-get install git-lfs",
        )
    try:
        call(
            env, mirror, ["-c", f"lfs.url={_endpoint(url)}", "lfs", "fetch", url, commit], patience
        )
    except GitError as error:
        raise SourceError(
            f"git-lfs cannot fetch {count} files: {error.said}.",
            "Check your access, then run again.",
        ) from None


def _endpoint(url: str) -> str:
    """Where the objects of a repository are: what git-lfs makes of its address.
    Said aloud, no `.lfsconfig` of a commit says otherwise.
    """
    if not url.lower().startswith("https://"):
        return url
    address = url.rstrip("/")
    return f"{address}/info/lfs" if address.endswith(".git") else f"{address}.git/info/lfs"
