"""Packages of Debian in an image: the step of a Dockerfile that installs them. Not here: which."""

import re
from collections.abc import Sequence

from cleanroom.errors import UsageError

_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]*(?:=[A-Za-z0-9.+:~-]+)?")


def check_packages(names: Sequence[str], where: str) -> None:
    """Raises: UsageError for what is no name of a package, with its version where that is said."""
    if bad := [name for name in names if not _PACKAGE.fullmatch(name)]:
        raise UsageError(f"{where}: '{bad[0]}' is no package of Debian.", "Write its name.")


def install(names: Sequence[str], where: str) -> str:
    """The step that installs them; nothing where there are none. Raises: as `check_packages`."""
    check_packages(names, where)
    if not names:
        return ""
    return (
        "USER root\nRUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes "
        f"--no-install-recommends {' '.join(names)} && rm -rf /var/lib/apt/lists/*\n"
    )
