"""The bare mirror of one repository in the cache: fetched under a lock, then only read.

The user's git configuration, hooks and filters never run: every call has a scrubbed environment,
and the only configuration read is that of the mirror, which cleanroom itself wrote. A repository is
untrusted: what is fetched is checked by git, and its tree once more here.
Not here: clones, and how a call of git is made to end.
"""

import contextlib
import difflib
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from cleanroom.errors import SourceError, UsageError
from cleanroom.locks import held
from cleanroom.source.address import SPOKEN, public, scheme
from cleanroom.source.calls import GitError, Patience, call
from cleanroom.source.scrubbed import configuration, environment
from cleanroom.source.tree import Entry, parse_tree
from cleanroom.values.base import escape_path

FULL_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_LOCK_SECONDS = 3600.0
_MOST_READ = 16 * 2**20
_MOST_TREE = 64 * 2**20
_MOST_LINKS = 2000
MOST_TARGET = 4096
"""Bytes of the longest path that the kernel takes."""
FREE = "Free space, or set CLEANROOM_CACHE to another folder."


class Reach(NamedTuple):
    """How far a repository is followed: how patient calls are, whether submodules may be any
    repository of this machine.
    """

    patience: Patience = Patience()
    local_submodules: bool = False
    disk: int = 50 * 2**30
    """Bytes that a fetch may bring, and that the files of a clone may take."""


class _TooMuchError(SourceError):
    """A fetch brings more than is allowed."""


class Mirror:
    """One repository as it is in the cache; everything is read from there."""

    def __init__(self, address: str | Path, cache: Path, reach: Reach = Reach()) -> None:  # noqa: B008 - it is frozen
        self.url = public(str(address))
        self._address = address
        self._local = address if isinstance(address, Path) else None
        self._cache, self._reach = cache, reach
        self._mirror = (
            cache / "mirrors" / f"{hashlib.sha256(str(address).encode()).hexdigest()}.git"
        )
        self._trees: dict[str, tuple[Entry, ...]] = {}

    def _git(
        self,
        folder: Path,
        *arguments: str,
        extra: dict[str, str] | None = None,
        most: int = _MOST_READ,
        check: Callable[[], None] = lambda: None,
    ) -> str:
        env = environment(configuration(self._cache), extra)
        return os.fsdecode(call(env, folder, list(arguments), self._reach.patience, most, check))

    def files(self, commit: str) -> list[bytes]:
        """Every tracked path of a commit, as git knows it."""
        return [os.fsencode(entry.path) for entry in self._tree(commit) if entry.kind == "blob"]

    def links(self, commit: str) -> dict[str, str]:
        """{path: target} of every symbolic link of a commit; paths as the model writes them.
        Raises: SourceError.
        """
        found = [entry for entry in self._tree(commit) if entry.mode == "120000"]
        return {
            escape_path(os.fsencode(e.path)): escape_path(self._blob(e.object, MOST_TARGET))
            for e in found[:_MOST_LINKS]
        }

    def _tree(self, commit: str) -> tuple[Entry, ...]:
        """Every entry of a commit. Raises: SourceError for a tree that no honest commit has."""
        if commit not in self._trees:
            env = environment(configuration(self._cache))
            command = ["ls-tree", "-r", "-t", "-z", "--long", "--full-tree", commit]
            listing = call(env, self._mirror, command, self._reach.patience, _MOST_TREE)
            self._trees[commit] = parse_tree(os.fsdecode(listing), self.url)
        return self._trees[commit]

    def _blob(self, name: str, most: int = _MOST_READ) -> bytes:
        env = environment(configuration(self._cache))
        return call(env, self._mirror, ["cat-file", "blob", name], self._reach.patience, most)

    def read(self, commit: str, path: str) -> bytes | None:
        """The content of a tracked regular file, or None.
        Raises: SourceError for one of more than 16 MiB.
        """
        found = next(
            (e for e in self._tree(commit) if e.path == path and e.mode.startswith("100")), None
        )
        return self._blob(found.object) if found else None

    def ancestor(self, base: str, head: str) -> bool:
        """Whether one commit leads to the other."""
        try:
            self._git(self._mirror, "merge-base", "--is-ancestor", base, head)
        except GitError:
            return False
        return True

    def changed(self, base: str, head: str) -> dict[str, str]:
        """{path: A, M, D or T} of what differs between two commits; paths as the model writes
        them.
        """
        text = self._git(
            self._mirror,
            "diff",
            "--no-renames",
            "--no-ext-diff",
            "--name-status",
            "-z",
            base,
            head,
            most=_MOST_TREE,
        )
        words = text.split("\0")
        return {
            escape_path(os.fsencode(path)): how
            for how, path in zip(words[::2], words[1::2], strict=False)
        }

    def trailers(self, base: str, head: str, key: str) -> tuple[str, ...]:
        """The values of a trailer in the commits that lead from one to the other, newest first."""
        form = f"--format=%(trailers:key={key},valueonly,unfold)"
        text = self._git(self._mirror, "log", form, f"{base}..{head}")
        return tuple(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))

    def _protocol(self) -> str:
        return "file" if self._local else SPOKEN[scheme(str(self._address))]

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        """One process at a time works on a mirror; who waits for it can be stopped."""
        self._mirror.parent.mkdir(parents=True, exist_ok=True)
        path = self._mirror.with_suffix(".lock")
        late = SourceError(f"Another process holds {path}.", "End it, then run again.")
        with held(path, self._reach.patience.stopped, within=_LOCK_SECONDS, late=late):
            yield

    def _fetch(self, wanted: str = "") -> None:
        """Bring the mirror up to date: branches, tags, HEAD, and `wanted` where it is none of them
        (a full commit, or a ref in full).

        A fetch that was killed leaves locks and parts of packs behind, which are removed.
        """
        address = str(self._address)
        spoken = {"GIT_ALLOW_PROTOCOL": self._protocol()}
        try:
            head = self._git(
                self._mirror.parent, "ls-remote", "--", address, "HEAD", extra=spoken
            ).split()
            if not (self._mirror / "HEAD").exists():
                kind = "sha256" if head and len(head[0]) == 64 else "sha1"
                shutil.rmtree(self._mirror, ignore_errors=True)
                self._mirror.mkdir(parents=True)
                self._git(
                    self._mirror,
                    "init",
                    "--quiet",
                    "--bare",
                    "--initial-branch",
                    "main",
                    f"--object-format={kind}",
                )
                self._git(self._mirror, "config", "uploadpack.allowAnySHA1InWant", "true")
            self._tidy()
            specs = [
                f"+refs/{kind}/*:refs/{kind}/*"
                for kind in ("heads", "tags", *(["remotes"] if self._local else []))
            ]
            specs += ["+HEAD:refs/cleanroom/HEAD"] if head else []
            self._bring(address, "--prune", specs=specs)
            if FULL_COMMIT.fullmatch(wanted) and not self._has(wanted):
                self._bring_asked(address, f"+{wanted}:refs/cleanroom/asked/{wanted}")
            elif wanted.startswith("refs/") and not wanted.startswith("refs/replace/"):
                self._bring_asked(address, f"+{wanted}:{wanted}")
        except GitError as error:
            raise _fetch_error(self.url, self._local, error.said) from None

    def _tidy(self) -> None:
        for pattern in ("**/*.lock", "objects/**/tmp_*", "objects/**/*.temp"):
            for stale in self._mirror.glob(pattern):
                stale.unlink(missing_ok=True)

    def _size(self) -> int:
        """Bytes of all that the mirror holds."""
        size = 0
        for folder, _, names in os.walk(self._mirror):
            for name in names:
                with contextlib.suppress(FileNotFoundError):
                    size += os.lstat(os.path.join(folder, name)).st_size
        return size

    def _bring(self, address: str, *options: str, specs: Sequence[str]) -> None:
        """One fetch, and no more of it than fits; a mirror that got too much is removed.
        Raises: GitError, SourceError.
        """
        fetch = ["fetch", "--progress", "--no-tags", "--force", "--update-shallow", *options, "--"]
        before, most = self._size(), self._reach.disk

        def check() -> None:
            if self._size() - before > most:
                raise _TooMuchError(
                    f"A fetch of {self.url} brings more than {most} bytes.",
                    "Allow it more with --disk.",
                )

        spoken = {"GIT_ALLOW_PROTOCOL": self._protocol()}
        try:
            self._git(self._mirror, *fetch, address, *specs, extra=spoken, check=check)
        except _TooMuchError:
            shutil.rmtree(self._mirror, ignore_errors=True)
            raise

    def _bring_asked(self, address: str, spec: str) -> None:
        """What may not be there: then who asked says so."""
        with contextlib.suppress(GitError):
            self._bring(address, specs=[spec])

    def _has(self, commit: str) -> bool:
        try:
            self._git(self._mirror, "cat-file", "-e", f"{commit}^{{commit}}")
        except (GitError, FileNotFoundError):
            return False
        return True

    def _commit(self, ref: str) -> str | None:
        names = [ref]
        if head := re.fullmatch(r"(?:HEAD|@)([~^].*)?", ref):
            names = [f"refs/cleanroom/HEAD{head[1] or ''}"]
        elif not ref.startswith("refs/"):
            names += [f"refs/remotes/origin/{ref}"]
        for name in names:
            with contextlib.suppress(GitError):
                return self._git(
                    self._mirror,
                    "rev-parse",
                    "--verify",
                    "--quiet",
                    "--end-of-options",
                    f"{name}^{{commit}}",
                ).strip()
        return None

    def _near(self, ref: str) -> str:
        listed = self._git(
            self._mirror, "for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads", "refs/tags"
        ).split()
        near = difflib.get_close_matches(ref, listed, n=3, cutoff=0.5)
        if near:
            return f"Did you mean {' or '.join(near)}?"
        return (
            f"It has: {', '.join(sorted(listed)[:8])}."
            if listed
            else "It has no branches or tags yet."
        )


def _fetch_error(url: str, local: Path | None, said: str) -> SourceError | UsageError:
    if "does not appear to be a git repository" in said and local:
        return UsageError(
            f"'{url}' is not a git repository.", "Give a URL or the path of a git repository."
        )
    if "No space left" in said:
        return SourceError(f"The disk is full while fetching {url}.", FREE)
    advice = (
        "Is the repository complete? See `git fsck` there."
        if local
        else "Check the address and your access, then run again."
    )
    return SourceError(f"Cannot fetch {url}: {said.rstrip('.')}.", advice)
