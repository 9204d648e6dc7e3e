"""Inside a provisioning room: Snakemake's own packages of Python, copied to where containers beside
a room can see them.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from typing import Any

from .python import Refused, main


def make(_: dict[str, Any], place: str) -> dict[str, Any]:
    """A copy of the folder that Snakemake was installed in."""
    found = importlib.util.find_spec("snakemake")
    if found is None or not found.origin:
        raise Refused("this base has no Snakemake")
    folder = os.path.dirname(os.path.dirname(found.origin))
    ignored = shutil.ignore_patterns("__pycache__", "tests")
    shutil.copytree(folder, place, dirs_exist_ok=True, ignore=ignored)
    return {}


if __name__ == "__main__":
    main(make)
