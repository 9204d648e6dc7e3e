"""Inside a provisioning room: an archive unpacked, whose entries stay below their folder."""

from __future__ import annotations

import os
import tarfile
import zipfile
from typing import Any

from .python import Refused, main

ARCHIVE = "/room/archive"


def check(member: tarfile.TarInfo) -> None:
    """Refuse what is neither file, folder nor link, and what leads out of its folder."""
    if not (member.isfile() or member.isdir() or member.issym() or member.islnk()):
        raise Refused("'%s' of the archive is no file, folder or link" % member.name)
    beside = os.path.dirname(member.name) if member.issym() else ""
    ways = [member.name]
    if member.issym() or member.islnk():
        ways.append(os.path.join(beside, member.linkname))
    for way in map(os.path.normpath, ways):
        if os.path.isabs(way) or way.split(os.sep)[0] == os.pardir:
            raise Refused("'%s' of the archive leads out of its folder" % member.name)


def make(recipe: dict[str, Any], place: str) -> dict[str, Any]:
    """Unpack it at its place."""
    try:
        if zipfile.is_zipfile(ARCHIVE):
            with zipfile.ZipFile(ARCHIVE) as zipped:
                zipped.extractall(place)
        else:
            with tarfile.open(ARCHIVE) as tar:
                members = tar.getmembers()
                for member in members:
                    check(member)
                # Python has filters from 3.11.4 on, and the base may have an older one.
                how: Any = {"filter": "fully_trusted"} if hasattr(tarfile, "data_filter") else {}
                tar.extractall(place, members, **how)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, ValueError) as error:
        raise Refused("it is no archive of zip or tar, or a broken one (%s)" % error) from None
    for folder, _, files in os.walk(place):
        os.chmod(folder, 0o755)
        for name in files:
            path = os.path.join(folder, name)
            if not os.path.islink(path):
                os.chmod(path, 0o755 if os.stat(path).st_mode & 0o100 else 0o644)
    return {}


if __name__ == "__main__":
    main(make)
