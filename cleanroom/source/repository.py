"""A ref resolved once, and a fresh clone per room.

Each clone is made in an empty folder of its own, and git never works in a folder that holds another
clone. Not here: the mirror that clones come from, and what is in a clone.
"""

import contextlib
import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from cleanroom.beneath import Beneath
from cleanroom.errors import SourceError, UsageError
from cleanroom.source import lfs
from cleanroom.source.address import is_there, joined, scheme
from cleanroom.source.calls import GitError, call
from cleanroom.source.mirror import FREE, FULL_COMMIT, MOST_TARGET, Mirror, Reach
from cleanroom.source.scrubbed import configuration, environment
from cleanroom.source.work_tree import uncommitted
from cleanroom.values.base import escape_path, raw_path
from cleanroom.values.setup import Source

_MAX_SUBMODULE_DEPTH = 8
_MOST_CONFIG = 2**20


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


class Repository(Mirror):
    """A repository of which every room gets a clone."""

    def __init__(self, address: str | Path, cache: Path, reach: Reach = Reach()) -> None:  # noqa: B008 - it is frozen
        super().__init__(address, cache, reach)
        self._submodules: dict[str, Repository] = {}

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
            if not (FULL_COMMIT.fullmatch(ref) and self._has(ref)):
                self._fetch(ref)
            commit = self._commit(ref)
        if commit is None:
            raise UsageError(f"{self.url} has no commit, tag or branch '{ref}'.", self._near(ref))
        self._tree(commit)  # refused before anything else looks at it
        return Source(url=self.url, ref=ref, commit=commit, uncommitted=self._uncommitted())

    def _uncommitted(self) -> int:
        return uncommitted(self._local, self._mirror, self._git) if self._local else 0

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
                        here.link(raw, self._blob(entry.object, MOST_TARGET))
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
                raise SourceError(f"The disk is full while cloning {self.url}.", FREE) from None
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
