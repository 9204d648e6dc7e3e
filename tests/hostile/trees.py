"""Commits that git itself would not make, written object by object."""

import os
import subprocess
from pathlib import Path

from tests.conftest import git

Entry = tuple[str, str, str]
"""(mode, name, object): `040000` a folder, `100644` a file, `120000` a link, `160000` a
submodule.
"""


def blob(repo: Path, content: str | bytes) -> str:
    return _object(repo, "blob", content.encode() if isinstance(content, str) else content)


def tree(repo: Path, entries: list[Entry]) -> str:
    """A tree of exactly these entries, in this order, whatever they are."""
    size = len(entries[0][2]) // 2 if entries else 20
    raw = b"".join(
        f"{mode.lstrip('0')} ".encode() + os.fsencode(name) + b"\0" + bytes.fromhex(sha)[:size]
        for mode, name, sha in entries
    )
    return _object(repo, "tree", raw)


def commit(repo: Path, root: str, *, branch: str = "main", parent: str = "") -> str:
    """A commit of a tree, at the tip of a branch."""
    parents = ["-p", parent] if parent else []
    made = git(repo, "commit-tree", root, *parents, "-m", "a commit").strip()
    git(repo, "update-ref", f"refs/heads/{branch}", made)
    return made


def new(folder: Path) -> Path:
    """An empty repository."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet", "--initial-branch", "main")
    return folder


def _object(repo: Path, kind: str, content: bytes) -> str:
    command = ["git", "hash-object", "-t", kind, "-w", "--literally", "--stdin"]
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}
    return (
        subprocess.run(command, cwd=repo, env=env, input=content, check=True, capture_output=True)
        .stdout.decode()
        .strip()
    )
