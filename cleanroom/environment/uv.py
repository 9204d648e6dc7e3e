"""The program uv, and what it is told in a room. Not here: what it installs."""

import shutil
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from cleanroom.errors import Unprovided
from cleanroom.room.host_settings import index_settings


def of_uv(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that uv gets in a room."""
    return {
        "UV_CACHE_DIR": "/tmp/uv",  # noqa: S108 - the room's own
        "UV_LINK_MODE": "copy",
        "UV_NO_CONFIG": "1",
        "UV_PYTHON_DOWNLOADS": "never",
        **index_settings(environ),
    }


def the_uv() -> Path:
    """Raises: Unprovided where there is no uv."""
    uv = uv_program()
    if uv is None:
        raise Unprovided("The program uv is missing.", "Install cleanroom again, which brings it.")
    return uv


def uv_program() -> Path | None:
    """The program that came with this installation, or one on PATH."""
    for found in (Path(sysconfig.get_path("scripts")) / "uv", Path(shutil.which("uv") or "/-")):
        if found.is_file():
            return found
    return None
