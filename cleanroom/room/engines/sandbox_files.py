"""What a sandbox sees: folders of this system, or the files of an image in their place, as
arguments of bubblewrap. Not here: the room's own folders, and who it is.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from cleanroom.room.engines.interface import RoomJob

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
# What installed programs read of /etc to start at all; nothing that tells this host from another.
_ETC = (
    "alternatives",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "ssl/certs",
    "fonts",
    "R",
    "perl",
    "texmf",
    "magic",
    "mime.types",
)
HOST = "/room/host"
"""Where the system's folders are in a room of other files, for what must run before its command."""


def python_folders() -> list[str]:
    """The Python environment that holds Snakemake, where it is not a system folder already."""
    folders = {str(Path(p).resolve()) for p in (sys.prefix, sys.base_prefix)} | {sys.prefix}
    return sorted(f for f in folders if not f.startswith("/usr/") and f != "/usr")


def files_of(job: RoomJob) -> Iterator[str]:
    """Other files in place of the system's, none of which can be written, and what the kernel
    offers. The files are somebody else's: nothing is mounted through a link among them.
    """
    places = {"/proc", "/dev", HOST, *(mount.room for mount in job.mounts)}
    opened = {str(above) for place in places for above in PurePosixPath(place).parents}

    def lay(folder: str) -> Iterator[str]:
        for entry in sorted(os.scandir(job.root + folder), key=lambda entry: entry.name):
            place = f"{folder}/{entry.name}"
            if place in places:
                continue
            if entry.is_symlink():
                if place not in opened:
                    yield from ("--symlink", os.readlink(entry.path), place)
            elif entry.is_dir() and place in opened:
                yield from ("--perms", "0755", "--dir", place)
                yield from lay(place)
            elif entry.is_dir() or entry.is_file():
                yield from ("--ro-bind", entry.path, place)

    yield from lay("")
    yield from _kernel()
    if os.geteuid() == 0:
        yield from (*way_to(f"{HOST}/usr"), *_system(HOST))


def software() -> Iterator[str]:
    """The system's folders, and what the kernel offers, none of which can be written."""
    yield from _system()
    for name in _ETC:
        yield from (*way_to(f"/etc/{name}"), "--ro-bind-try", f"/etc/{name}", f"/etc/{name}")
    yield from _kernel()


def _system(below: str = "") -> Iterator[str]:
    for folder in map(Path, _SYSTEM):
        if folder.is_symlink():
            yield from ("--symlink", str(folder.readlink()), f"{below}{folder}")
        elif folder.is_dir():
            yield from ("--ro-bind", str(folder), f"{below}{folder}")


def _kernel() -> Iterator[str]:
    yield from ("--proc", "/proc", "--remount-ro", "/proc", "--dev", "/dev")


def python_itself() -> Iterator[str]:
    for prefix in python_folders():
        yield from way_to(prefix)
        yield from ("--ro-bind", prefix, prefix)


def way_to(place: str) -> Iterator[str]:
    """The folders above a place, which bubblewrap itself would make for root alone."""
    for folder in reversed(PurePosixPath(place).parents[:-1]):
        yield from ("--perms", "0755", "--dir", str(folder))
