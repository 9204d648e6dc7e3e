"""A bare mirror per repository, a ref resolved once, and a fresh clone per room.

The user's git configuration, hooks and filters never run: every call has a scrubbed environment,
and the only configuration read is that of the mirror, which cleanroom itself wrote. A repository is
untrusted: what is fetched is checked by git and its tree once more here, each clone is made in an
empty folder of its own, and git never works in a folder that holds another clone.
Not here: what is in the clone, and how a call of git is made to end.
"""

import contextlib
import difflib
import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import filelock

from cleanroom.beneath import Beneath
from cleanroom.errors import Interrupted, SourceError, UsageError
from cleanroom.source import lfs
from cleanroom.source.address import SPOKEN, is_there, joined, public, scheme
from cleanroom.source.calls import GitError, Patience, call
from cleanroom.source.scrubbed import configuration, environment
from cleanroom.source.tree import Entry, parse_tree
from cleanroom.values.base import escape_path, raw_path
from cleanroom.values.setup import Source

_FULL_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_LOCK_SECONDS = 3600.0
_LOCK_POLL = 0.2
_MAX_SUBMODULE_DEPTH = 8
_MOST_READ = 16 * 2**20
_MOST_TREE = 64 * 2**20
_MOST_LINKS = 2000
_MOST_TARGET = 4096
"""Bytes of the longest path that the kernel takes."""
_MOST_CONFIG = 2**20
_MOST_INDEX = 512 * 2**20
_FREE = "Free space, or set CLEANROOM_CACHE to another folder."


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


class _Space:
    """What a clone with all its submodules may take of the disk, in bytes."""

    def __init__(self, most: int) -> None:
        self._most = self._left = most

    def take(self, size: int, url: str) -> None:
        """Raises: SourceError before anything is written."""
        self._left -= size
        if self._left < 0:
            raise SourceError(
                f"A clone of {url} would take more than {self._most} bytes.",
                "Allow it more with --disk.",
            )


class Repository:
    """A mirror of one repository in the cache; everything is read from it, and every room gets a
    clone of it.
    """

    def __init__(self, address: str | Path, cache: Path, reach: Reach = Reach()) -> None:  # noqa: B008 - it is frozen
        self.url = public(str(address))
        self._address = address
        self._local = address if isinstance(address, Path) else None
        self._cache, self._reach = cache, reach
        self._mirror = (
            cache / "mirrors" / f"{hashlib.sha256(str(address).encode()).hexdigest()}.git"
        )
        self._submodules: dict[str, Repository] = {}
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

    def resolve(self, ref: str) -> Source:
        """The full commit of a commit, tag or branch, fetched when it is not in the mirror yet.

        Raises: UsageError for an unknown ref (with near ones), SourceError for a remote that does
        not answer or a tree that is refused.
        """
        if ref.startswith("-") or not ref or "@{" in ref or re.fullmatch(r"[A-Z_]+_HEAD.*", ref):
            raise UsageError(
                f"'{ref}' is not a commit, tag or branch.", "Give REF as git would name it."
            )
        with self._lock():
            if not (_FULL_COMMIT.fullmatch(ref) and self._has(ref)):
                self._fetch(ref)
            commit = self._commit(ref)
        if commit is None:
            raise UsageError(f"{self.url} has no commit, tag or branch '{ref}'.", self._near(ref))
        self._tree(commit)  # refused before anything else looks at it
        return Source(url=self.url, ref=ref, commit=commit, uncommitted=self._uncommitted())

    def files(self, commit: str) -> list[bytes]:
        """Every tracked path of a commit, as git knows it."""
        return [os.fsencode(entry.path) for entry in self._tree(commit) if entry.kind == "blob"]

    def links(self, commit: str) -> dict[str, str]:
        """{path: target} of every symbolic link of a commit; paths as the model writes them.
        Raises: SourceError.
        """
        found = [entry for entry in self._tree(commit) if entry.mode == "120000"]
        return {
            escape_path(os.fsencode(e.path)): escape_path(self._blob(e.object, _MOST_TARGET))
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

    def lay_over(self, commit: str, paths: Sequence[str], folder: Path) -> None:
        """Put these files into a clone as another commit has them; what that commit lacks is
        removed. Raises: SourceError.
        """
        theirs = {entry.path: entry for entry in self._tree(commit) if entry.kind == "blob"}
        try:
            with Beneath(folder) as here:
                for raw in map(raw_path, paths):
                    entry = theirs.get(os.fsdecode(raw))
                    if entry is None:
                        here.remove(raw)
                    elif entry.mode == "120000":
                        here.link(raw, self._blob(entry.object, _MOST_TARGET))
                    else:
                        here.write(
                            raw,
                            [self._blob(entry.object)],
                            0o755 if entry.mode == "100755" else 0o644,
                        )
        except (GitError, OSError) as error:
            raise SourceError(
                f"Cannot put files of {commit} into a clone: {error}.",
                "Does a link of the clone stand in the way?",
            ) from None

    def clone(self, commit: str, folder: Path) -> list[bytes]:
        """A fresh clone of one commit, with submodules and git-lfs files; returns the tracked
        paths.

        Every tracked file gets the time of the commit: the order of a checkout must not decide what
        Snakemake rebuilds.

        Raises: SourceError.
        """
        try:
            return self._clone(commit, folder, 0, _Space(self._reach.disk))
        except GitError as error:
            if _is_full(folder):
                raise SourceError(f"The disk is full while cloning {self.url}.", _FREE) from None
            raise SourceError(
                f"Cannot clone {self.url} at {commit}: {error.said}.",
                "Run again; see `cleanroom doctor`.",
            ) from None
        except OSError as error:
            raise SourceError(
                f"Cannot clone into {folder}: {error.strerror}.", "Free disk space, or set --cache."
            ) from None

    def _clone(self, commit: str, folder: Path, depth: int, space: "_Space") -> list[bytes]:
        tracked = self.files(commit)  # refuses a tree that git should not write
        space.take(sum(entry.size for entry in self._tree(commit)), self.url)
        folder.mkdir(parents=True, exist_ok=True)
        kind = self._git(self._mirror, "rev-parse", "--show-object-format").strip()
        self._git(folder, "init", "--quiet", "--initial-branch", "main", f"--object-format={kind}")
        # git brings the tags of this history along, so that `git describe` says in a room what it
        # says elsewhere.
        fetch = [
            "fetch",
            "--progress",
            "--update-head-ok",
            "--update-shallow",
            str(self._mirror),
            f"+{commit}:refs/heads/main",
        ]
        self._git(folder, *fetch)
        self._git(folder, "checkout", "--progress", "--force", "--detach", commit)
        with self._lock():
            env = environment(configuration(self._cache), {"GIT_ALLOW_PROTOCOL": self._protocol()})
            pointers = lfs.pointers(folder, tracked)
            space.take(sum(pointer.size for pointer in pointers.values()), self.url)
            lfs.fill(
                folder, self._mirror, self._address, commit, pointers, env, self._reach.patience
            )
        tracked += self._clone_submodules(commit, folder, depth, space)
        stamp = int(self._git(self._mirror, "show", "--no-patch", "--format=%ct", commit))
        with Beneath(folder) as here:
            for path in tracked:
                with contextlib.suppress(FileNotFoundError):
                    here.set_time(path, stamp)
        return tracked

    def _clone_submodules(
        self, commit: str, folder: Path, depth: int, space: "_Space"
    ) -> list[bytes]:
        """Each in a folder of its own first, so that git works in none that another clone filled;
        then it takes its place.
        """
        links = [entry for entry in self._tree(commit) if entry.kind == "commit"]
        if not links:
            return []
        if depth >= _MAX_SUBMODULE_DEPTH:
            raise SourceError(
                f"Submodules of {self.url} nest deeper than {_MAX_SUBMODULE_DEPTH}.",
                "Flatten them.",
            )
        urls = self._submodule_urls(commit)
        tracked: list[bytes] = []
        for number, link in enumerate(links):
            if link.path not in urls:
                continue  # git leaves its folder empty, and so do we
            child = self._submodule(urls[link.path], commit)
            with child._lock():
                if not child._has(link.object):
                    child._fetch(link.object)
                space.take(child._size(), child.url)
            place = os.fsencode(link.path)
            staged = folder.parent / f"{folder.name}.{number}"
            inner = child._clone(link.object, staged, depth + 1, space)
            with Beneath(folder) as here:
                here.move_in(staged, place)
            tracked += [place + b"/" + name for name in inner]
        return tracked

    def submodules(self, commit: str) -> list[str]:
        """The paths of all submodules that a clone of a commit holds, those of submodules too; as
        the model writes them.
        """
        found = []
        urls = self._submodule_urls(commit)
        for entry in self._tree(commit):
            if entry.kind == "commit" and entry.path in urls:
                place = escape_path(os.fsencode(entry.path))
                inner = self._submodule(urls[entry.path], commit).submodules(entry.object)
                found += [place, *(f"{place}/{path}" for path in inner)]
        return found

    def _submodule_urls(self, commit: str) -> dict[str, str]:
        if self.read(commit, ".gitmodules") is None:
            return {}
        text = self._git(
            self._mirror,
            "config",
            "--blob",
            f"{commit}:.gitmodules",
            "--list",
            "-z",
            most=_MOST_CONFIG,
        )
        paths: dict[str, str] = {}
        urls: dict[str, str] = {}
        for item in text.split("\0"):
            key, _, value = item.partition("\n")
            if match := re.fullmatch(r"submodule\.(.*)\.(path|url)", key, re.DOTALL):
                (paths if match[2] == "path" else urls)[match[1]] = value
        return {path: urls[name] for name, path in paths.items() if name in urls}

    def _submodule(self, url: str, commit: str) -> "Repository":
        if url not in self._submodules:
            full = joined(str(self._address), url) if url.startswith(("./", "../")) else url
            try:
                of_this_machine = scheme(full) == "file"
            except UsageError as error:
                raise SourceError(
                    f"A submodule of {self.url}: {error.what}", error.next_step
                ) from None
            if of_this_machine:
                self._check_local(url, full, commit)
            self._submodules[url] = open_repository(full, self._cache, self._reach)
        return self._submodules[url]

    def _check_local(self, url: str, full: str, commit: str) -> None:
        """A submodule on this machine lies below the repository itself, or somebody allowed it.
        Raises: SourceError.
        """
        if not self._local:
            raise SourceError(
                f"Submodule '{url}' points at this machine.",
                "A remote repository may only name remote submodules.",
            )
        if self._reach.local_submodules:
            return
        top, place = os.path.realpath(self._local), os.path.realpath(full.removeprefix("file://"))
        inside = os.path.relpath(place, top)
        made = any(
            e.path == inside or e.path.startswith(f"{inside}/")
            for e in self._tree(commit)
            if e.kind == "blob"
        )
        if inside in (".", "..") or inside.startswith("../") or made:
            raise SourceError(
                f"Submodule '{url}' of {self.url} is another repository of this machine, whose "
                "content would be in the room.",
                "If that is meant, allow it with --allow-local-submodules.",
            )

    def _protocol(self) -> str:
        return "file" if self._local else SPOKEN[scheme(str(self._address))]

    # --- the mirror ---

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        """One process at a time works on a mirror; who waits for it can be stopped."""
        self._mirror.parent.mkdir(parents=True, exist_ok=True)
        lock, deadline = (
            filelock.FileLock(self._mirror.with_suffix(".lock")),
            time.monotonic() + _LOCK_SECONDS,
        )
        while True:
            try:
                lock.acquire(timeout=_LOCK_POLL)
                break
            except filelock.Timeout:
                if self._reach.patience.stopped():
                    raise Interrupted("Stopped.") from None
                if time.monotonic() > deadline:
                    raise SourceError(
                        f"Another process holds {lock.lock_file}.", "End it, then run again."
                    ) from None
        try:
            yield
        finally:
            lock.release()

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
            if _FULL_COMMIT.fullmatch(wanted) and not self._has(wanted):
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

    def _uncommitted(self) -> int:
        """Paths of the work tree of a local repository that differ from its HEAD; read with the
        mirror's configuration.
        """
        if not self._local or (self._local / "HEAD").exists():
            return 0
        try:
            git_dir = Path(self._git(self._local, "rev-parse", "--absolute-git-dir").strip())
            top = self._git(self._local, "rev-parse", "--show-toplevel").strip()
            with tempfile.TemporaryDirectory() as scratch:
                index = Path(scratch) / "index"
                if (git_dir / "index").exists():
                    with Beneath(git_dir) as there:
                        fd = there.open(b"index")  # a regular file, and none that has no end
                    with os.fdopen(fd, "rb") as source, index.open("wb") as copy:
                        if os.fstat(fd).st_size <= _MOST_INDEX:
                            shutil.copyfileobj(source, copy)
                extra = {
                    "GIT_DIR": str(self._mirror),
                    "GIT_WORK_TREE": top,
                    "GIT_INDEX_FILE": str(index),
                }
                head = self._git(self._local, "rev-parse", "HEAD").strip()
                changed = self._git(
                    Path(top),
                    "diff-index",
                    "-z",
                    "--name-only",
                    "--ignore-submodules",
                    head,
                    extra=extra,
                )
                new = self._git(
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


def open_repository(repo: str, cache: Path, reach: Reach = Reach()) -> Repository:  # noqa: B008 - it is frozen
    """The repository at a URL or a local path, with its mirror in `cache` (made at the first
    resolve).

    Raises: UsageError where a local path is not a repository, or an address is of a kind that is
    not spoken.
    """
    if scheme(repo) != "file":
        return Repository(repo, cache, reach)
    folder = Path(repo.removeprefix("file://")).expanduser().resolve()
    if not is_there(folder):
        raise UsageError(
            f"There is no folder '{repo}'.", "Give a URL or the path of a git repository."
        )
    env = environment(configuration(cache))

    def asked(*arguments: str) -> str:
        return os.fsdecode(call(env, folder, list(arguments), reach.patience)).strip()

    try:
        bare = asked("rev-parse", "--is-bare-repository") == "true"
        local = Path(asked("rev-parse", "--absolute-git-dir" if bare else "--show-toplevel"))
    except (GitError, NotADirectoryError):
        raise UsageError(
            f"'{repo}' is not a git repository.", "Give a URL or the path of a git repository."
        ) from None
    return Repository(local, cache, reach)


def _is_full(folder: Path) -> bool:
    """Git does not always say that it was the disk."""
    return folder.exists() and shutil.disk_usage(folder).free < 2**20


def _fetch_error(url: str, local: Path | None, said: str) -> SourceError | UsageError:
    if "does not appear to be a git repository" in said and local:
        return UsageError(
            f"'{url}' is not a git repository.", "Give a URL or the path of a git repository."
        )
    if "No space left" in said:
        return SourceError(f"The disk is full while fetching {url}.", _FREE)
    advice = (
        "Is the repository complete? See `git fsck` there."
        if local
        else "Check the address and your access, then run again."
    )
    return SourceError(f"Cannot fetch {url}: {said.rstrip('.')}.", advice)
