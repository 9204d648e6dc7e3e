"""How far the work tree of a local repository is from its commit: what a confirmation does not see.
Not here: the commit.
"""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from cleanroom.beneath import Beneath
from cleanroom.source.calls import GitError

_MOST_INDEX = 512 * 2**20


def uncommitted(local: Path, mirror: Path, git: Callable[..., str]) -> int:
    """Paths of the work tree of a local repository that differ from its HEAD; `git` reads them with
    the mirror's configuration.
    """
    if (local / "HEAD").exists():
        return 0  # a bare one
    try:
        git_dir = Path(git(local, "rev-parse", "--absolute-git-dir").strip())
        top = git(local, "rev-parse", "--show-toplevel").strip()
        with tempfile.TemporaryDirectory() as scratch:
            index = Path(scratch) / "index"
            if (git_dir / "index").exists():
                with Beneath(git_dir) as there:
                    fd = there.open(b"index")  # a regular file, and none that has no end
                with os.fdopen(fd, "rb") as source, index.open("wb") as copy:
                    if os.fstat(fd).st_size <= _MOST_INDEX:
                        shutil.copyfileobj(source, copy)
            extra = {
                "GIT_DIR": str(mirror),
                "GIT_WORK_TREE": top,
                "GIT_INDEX_FILE": str(index),
            }
            head = git(local, "rev-parse", "HEAD").strip()
            changed = git(
                Path(top),
                "diff-index",
                "-z",
                "--name-only",
                "--ignore-submodules",
                head,
                extra=extra,
            )
            new = git(
                Path(top),
                "ls-files",
                "-z",
                "--others",
                "--exclude-standard",
                "--directory",
                extra=extra,
            )
        return len({p for p in (changed + new).split("\0") if p})
    except (GitError, OSError):
        return 0
