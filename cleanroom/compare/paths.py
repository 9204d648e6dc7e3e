"""Globs over the paths of results: `*` stays within a folder, `**` crosses folders, hidden files
count. Not here: what a path is for.
"""

import functools
import re

from wcmatch import glob

_FLAGS = glob.GLOBSTAR | glob.DOTGLOB | glob.FORCEUNIX | glob.CASE


@functools.lru_cache(maxsize=512)
def _compiled(pattern: str) -> tuple[re.Pattern[str], ...]:
    included, _ = glob.translate(pattern, flags=_FLAGS)
    return tuple(re.compile(p) for p in included)


def literally(path: str) -> str:
    """The glob that means this path and no other."""
    return str(glob.escape(path, unix=True))


def matches(path: str, pattern: str) -> bool:
    """Whether a path is meant by a glob; `folder/` means all within."""
    pattern = pattern.removeprefix("./")
    return any(
        p.fullmatch(path) for p in _compiled(pattern + "**" if pattern.endswith("/") else pattern)
    )
