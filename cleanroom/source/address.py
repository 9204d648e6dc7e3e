"""Addresses of repositories: which are spoken, what anybody may know of them, and what is relative
to one. Pure, but for a look whether a local path is there.
"""

import os
import re
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from cleanroom.errors import UsageError

SPOKEN = {"https": "https", "ssh": "ssh", "git+ssh": "ssh", "ssh+git": "ssh", "file": "file"}
"""Schemes of addresses, and what git calls the protocol behind each."""


def scheme(repo: str) -> str:
    """`file`, `https` or `ssh`, as an address says or means. Raises: UsageError for any other."""
    if is_local(repo):
        return "file"
    if found := re.match(r"([A-Za-z][A-Za-z0-9+.-]*)(://|::)", repo):
        if found[2] == "://" and found[1].lower() in SPOKEN:
            return found[1].lower()
        raise UsageError(
            f"'{public(repo)}' is an address of the kind '{found[1]}', which is not spoken.",
            "Give one with https, ssh or file.",
        )
    if "://" not in repo and not repo.startswith("-") and re.match(r"([\w.-]+@)?[\w.-]+:", repo):
        return "ssh"
    raise UsageError(
        f"'{repo}' is neither a folder nor a URL.", "Give a URL or the path of a git repository."
    )


def is_there(path: Path) -> bool:
    """Whether there is something that this user may know of."""
    try:
        return path.exists()
    except OSError:
        return False


def is_local(repo: str) -> bool:
    return (
        repo.startswith(("/", "./", "../", "~", "file://"))
        or repo in {".", ".."}
        or is_there(Path(repo))
    )


def published(url: str) -> str:
    """What anybody may know a repository by: its address, or of one of this machine the name of its
    folder, since where it lies is nobody else's.
    """
    path = url.removeprefix("file://")
    return path.rstrip("/").rpartition("/")[2] if path.startswith("/") else url


def public(url: str) -> str:
    """A URL without the password that it may carry; evidence is shown to others. Over http the name
    of a user may be a token, which is as good as a password.
    """
    parts = urlsplit(url)
    if parts.scheme and parts.password:
        return url.replace(f":{parts.password}@", ":***@")
    if parts.scheme in ("http", "https") and parts.username:
        return url.replace(f"{parts.username}@", "***@", 1)
    return url


def joined(base: str, relative: str) -> str:
    if "://" in base:
        return urljoin(base.rstrip("/") + "/", relative)
    head, sep, path = base.partition(":") if re.match(r"[\w.-]+@[\w.-]+:", base) else ("", "", base)
    return head + sep + os.path.normpath(f"{path}/{relative}")
