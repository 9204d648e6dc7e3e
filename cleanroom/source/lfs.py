"""git-lfs files without git-lfs filters: pointers in a clone are replaced by their objects, checked by digest.

The pointer format is that of the git-lfs specification, version 1. Not here: anything but downloading and copying.
"""

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

from cleanroom.errors import SourceError

_POINTER = re.compile(rb"version https://git-lfs\.github\.com/spec/v1\n(?:.*\n)*?oid sha256:([0-9a-f]{64})\nsize (\d+)\n")
_MAX_POINTER = 1024


def _pointers(folder: Path, tracked: list[bytes]) -> dict[bytes, str]:
    found = {}
    for path in tracked:
        file = Path(bytes(folder).decode("utf-8", "surrogateescape")) / path.decode("utf-8", "surrogateescape")
        if file.is_symlink() or not file.is_file() or file.stat().st_size > _MAX_POINTER:
            continue
        if match := _POINTER.fullmatch(file.read_bytes()):
            found[path] = match[1].decode()
    return found


def fill(folder: Path, mirror: Path, address: str | Path, commit: str, tracked: list[bytes], env: dict[str, str]) -> None:
    """Replace every pointer of the clone in `folder` by its content, fetched once into the mirror.

    Call it with the mirror's lock held. Raises: SourceError where an object cannot be had; a pointer must never pass for data.
    """
    if not (folder / ".gitattributes").exists() and not any(path.endswith(b".gitattributes") for path in tracked):
        return
    pointers = _pointers(folder, tracked)
    if not pointers:
        return
    missing = {oid for oid in pointers.values() if not _whole(_object(mirror, oid), oid)}
    if missing and isinstance(address, Path):
        for oid in missing:
            for store in (address / ".git", address):
                if _whole(_object(store, oid), oid):
                    place = _object(mirror, oid)
                    place.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(_object(store, oid), place.with_suffix(".part"))
                    place.with_suffix(".part").replace(place)
                    break
    elif missing:
        _download(mirror, str(address), commit, env, len(missing))
    for path, oid in pointers.items():
        source, file = _object(mirror, oid), folder / path.decode("utf-8", "surrogateescape")
        if not source.exists():
            raise SourceError(f"The git-lfs object of '{file.name}' ({oid}) is not there.", "Push it with `git lfs push --all`.")
        mode = file.stat().st_mode
        shutil.copyfile(source, file)
        file.chmod(mode)


def _object(store: Path, oid: str) -> Path:
    return store / "lfs" / "objects" / oid[:2] / oid[2:4] / oid


def _whole(path: Path, oid: str) -> bool:
    """Whether an object is there with the content that its name says; a copy that was cut short is not."""
    if not path.exists():
        return False
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == oid


def _download(mirror: Path, url: str, commit: str, env: dict[str, str], count: int) -> None:
    if shutil.which("git-lfs") is None:
        raise SourceError(f"{count} files are stored with git-lfs, which is not installed.", "Install it: apt-get install git-lfs")
    command = ["git-lfs", "fetch", url, commit]
    ended = subprocess.run(command, cwd=mirror, env=env, capture_output=True, text=True, errors="replace")
    if ended.returncode:
        raise SourceError(f"git-lfs cannot fetch {count} files: {ended.stderr.strip()[-300:]}.", "Check your access, then run again.")
