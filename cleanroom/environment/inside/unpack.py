"""Inside a provisioning room: an archive unpacked, whose entries stay below their folder."""

from __future__ import annotations

import os
import tarfile
import zipfile
from typing import Any

from .python import Refused, main

ARCHIVE = "/room/archive"


def make(recipe: dict[str, Any], place: str) -> dict[str, Any]:
    """Unpack it at its place."""
    try:
        if zipfile.is_zipfile(ARCHIVE):
            with zipfile.ZipFile(ARCHIVE) as zipped:
                zipped.extractall(place)
        else:
            with tarfile.open(ARCHIVE) as tar:
                tar.extractall(place, filter="data")
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
