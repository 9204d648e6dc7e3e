"""git-lfs files without git-lfs filters: pointers in a clone are replaced by their objects, checked by digest.

The pointer format is that of the git-lfs specification, version 1. Not here: anything but downloading and copying.
"""

import hashlib
import os
import re
import shutil
import stat
from functools import partial
from pathlib import Path

from cleanroom.beneath import Beneath
from cleanroom.errors import SourceError
from cleanroom.source.calls import GitError, Patience, call

_POINTER = re.compile(rb"version https://git-lfs\.github\.com/spec/v1\n(?:.*\n)*?oid sha256:([0-9a-f]{64})\nsize (\d+)\n")
_MAX_POINTER = 1024


def _pointers(here: Beneath, tracked: list[bytes]) -> dict[bytes, str]:
    found = {}
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
            found[path] = match[1].decode()
    return found


def fill(
    folder: Path, mirror: Path, address: str | Path, commit: str, tracked: list[bytes], env: dict[str, str], patience: Patience
) -> None:
    """Replace every pointer of the clone in `folder` by its content, fetched once into the mirror.

    Call it with the mirror's lock held. Raises: SourceError where an object cannot be had; a pointer must never pass for data.
    """
    if not any(path == b".gitattributes" or path.endswith(b"/.gitattributes") for path in tracked):
        return
    with Beneath(folder) as here:
        pointers = _pointers(here, tracked)
        missing = {oid for oid in pointers.values() if not _whole(_object(mirror, oid), oid)}
        if missing and isinstance(address, Path):
            for oid in missing:
                _copy_from(address, mirror, oid)
        elif missing:
            _download(mirror, str(address), commit, env, len(missing), patience)
        for path, oid in pointers.items():
            source = _object(mirror, oid)
            if not _whole(source, oid):
                name = os.fsdecode(path.rpartition(b"/")[2])
                raise SourceError(f"The git-lfs object of '{name}' ({oid}) is not there.", "Push it with `git lfs push --all`.")
            with source.open("rb") as stream:
                here.write(path, iter(partial(stream.read, 2**20), b""), stat.S_IMODE(here.stat(path).st_mode))


def _copy_from(repository: Path, mirror: Path, oid: str) -> None:
    """Take an object from where the repository keeps its own."""
    for store in (repository / ".git", repository):
        if _whole(_object(store, oid), oid):
            place = _object(mirror, oid)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(_object(store, oid), place.with_suffix(".part"))
            place.with_suffix(".part").replace(place)
            return


def _object(store: Path, oid: str) -> Path:
    return store / "lfs" / "objects" / oid[:2] / oid[2:4] / oid


def _whole(path: Path, oid: str) -> bool:
    """Whether an object is there with the content that its name says; a copy that was cut short is not."""
    if not path.exists():
        return False
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == oid


def _download(mirror: Path, url: str, commit: str, env: dict[str, str], count: int, patience: Patience) -> None:
    if shutil.which("git-lfs") is None:
        raise SourceError(f"{count} files are stored with git-lfs, which is not installed.", "Install it: apt-get install git-lfs")
    try:
        call(env, mirror, ["lfs", "fetch", url, commit], patience)
    except GitError as error:
        raise SourceError(f"git-lfs cannot fetch {count} files: {error.said}.", "Check your access, then run again.") from None
