"""A bare mirror per repository, a ref resolved once, and a fresh clone per room.

The user's git configuration, hooks and filters never run: every call has a scrubbed environment, and the only configuration read
is that of the mirror, which cleanroom itself wrote. Not here: what is in the clone.
"""

import contextlib
import difflib
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import filelock
import git

from cleanroom.errors import SourceError, UsageError
from cleanroom.model import Source
from cleanroom.source import lfs

_FULL_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_PASSED = (
    "PATH", "SSH_AUTH_SOCK", "GIT_ASKPASS", "SSH_ASKPASS", "GIT_SSH_COMMAND",  # how a private remote lets this user in
    "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO",  # the certificates of a proxy
    "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY",
)  # fmt: skip
_CONFIG = {
    "core.hooksPath": "/dev/null",  # no hook of a template or of the clone
    "core.fsmonitor": "false",  # a command that `status` would start
    "safe.directory": "*",  # a shared repository owned by somebody else is only read
    "protocol.ext.allow": "never",  # `ext::` runs any command
    "gc.auto": "0",  # no work in the background after we are done
    "advice.detachedHead": "false",
    "submodule.recurse": "false",
    "core.quotePath": "false",
}
_MAX_SUBMODULE_DEPTH = 8
_FREE = "Free space, or set CLEANROOM_CACHE to another folder."


def _environment(extra: dict[str, str] | None = None) -> dict[str, str]:
    """What git may know of the host: how to reach the remote, and nothing of the user's configuration."""
    env = {key: os.environ[key] for key in _PASSED if key in os.environ}
    env.update(HOME="/nonexistent", GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_SYSTEM="/dev/null", GIT_CONFIG_NOSYSTEM="1")
    env.update(GIT_ATTR_NOSYSTEM="1", GIT_TERMINAL_PROMPT="0", GIT_TEMPLATE_DIR="", LC_ALL="C", GIT_OPTIONAL_LOCKS="0")
    env["GIT_CONFIG_COUNT"] = str(len(_CONFIG))
    for index, (key, value) in enumerate(_CONFIG.items()):
        env[f"GIT_CONFIG_KEY_{index}"], env[f"GIT_CONFIG_VALUE_{index}"] = key, value
    return env | (extra or {})


def _git(folder: Path, *arguments: str, extra: dict[str, str] | None = None) -> str:
    """Run git in `folder`; raises git.GitCommandError.

    GitPython adds to the environment that it inherits, so that what is not passed on is emptied here.
    """
    env: dict[str, str | None] = dict.fromkeys((k for k in os.environ if k.startswith("GIT_")), None)
    env.update(_environment(extra))
    command = git.Git(folder)
    output = command.execute(["git", *arguments], env=env, strip_newline_in_stdout=False)
    return str(output)


def _said(error: git.GitCommandError) -> str:
    """What git itself said, in one line."""
    text = re.sub(r"^\s*stderr: '|'\s*$", "", str(error.stderr).strip())
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("hint:")]
    wanted = [line for line in lines if line.startswith(("fatal:", "error:"))] or lines
    return wanted[0].removeprefix("fatal: ").removeprefix("error: ") if wanted else f"git ended with {error.status}"


class Repository:
    """A mirror of one repository in the cache; everything is read from it, and every room gets a clone of it."""

    def __init__(self, address: str | Path, cache: Path) -> None:
        self.url = _public(str(address))
        self._address = address
        self._local = address if isinstance(address, Path) else None
        self._cache = cache
        self._mirror = cache / "mirrors" / f"{hashlib.sha256(str(address).encode()).hexdigest()}.git"
        self._submodules: dict[str, Repository] = {}

    def resolve(self, ref: str) -> Source:
        """The full commit of a commit, tag or branch, fetched when it is not in the mirror yet.

        Raises: UsageError for an unknown ref (with near ones), SourceError for a remote that does not answer.
        """
        if ref.startswith("-") or not ref:
            raise UsageError(f"'{ref}' is not a commit, tag or branch.", "Give REF as git would name it.")
        with self._lock():
            if not (_FULL_COMMIT.fullmatch(ref) and self._has(ref)):
                self._fetch()
            commit = self._commit(ref)
        if commit is None:
            raise UsageError(f"{self.url} has no commit, tag or branch '{ref}'.", self._near(ref))
        return Source(url=self.url, ref=ref, commit=commit, uncommitted=self._uncommitted())

    def files(self, commit: str) -> list[bytes]:
        """Every tracked path of a commit, as git knows it."""
        text = _git(self._mirror, "ls-tree", "-r", "-z", "--name-only", "--full-tree", commit)
        return [os.fsencode(path) for path in text.split("\0") if path]

    def read(self, commit: str, path: str) -> bytes | None:
        """The content of a tracked regular file, or None."""
        try:
            entry = _git(self._mirror, "ls-tree", "-z", "--full-tree", commit, "--", path)
            if not entry.startswith("100"):
                return None
            return os.fsencode(_git(self._mirror, "cat-file", "blob", f"{commit}:{path}"))
        except git.GitCommandError:
            return None

    def clone(self, commit: str, folder: Path) -> list[bytes]:
        """A fresh clone of one commit, with submodules and git-lfs files; returns the tracked paths.

        Every tracked file gets the time of the commit: the order of a checkout must not decide what Snakemake rebuilds.

        Raises: SourceError.
        """
        try:
            return self._clone(commit, folder, depth=0)
        except git.GitCommandError as error:
            if _is_full(folder):
                raise SourceError(f"The disk is full while cloning {self.url}.", _FREE) from None
            raise SourceError(f"Cannot clone {self.url} at {commit}: {_said(error)}.", "Run again; see `cleanroom doctor`.") from None
        except OSError as error:
            raise SourceError(f"Cannot clone into {folder}: {error.strerror}.", "Free disk space, or set --cache.") from None

    def _clone(self, commit: str, folder: Path, depth: int) -> list[bytes]:
        folder.mkdir(parents=True, exist_ok=True)
        _git(folder, "init", "--quiet", "--initial-branch", "main")
        specs = [f"+{commit}:refs/heads/main", *self._tags(commit)]
        _git(folder, "fetch", "--quiet", "--no-tags", "--update-head-ok", str(self._mirror), *specs)
        _git(folder, "checkout", "--quiet", "--force", "--detach", commit)
        tracked = self.files(commit)
        lfs.fill(folder, self._mirror, self._address, commit, tracked, _environment())
        tracked += self._clone_submodules(commit, folder, depth)
        stamp = int(_git(folder, "show", "--no-patch", "--format=%ct", commit))
        for path in tracked:
            with contextlib.suppress(FileNotFoundError):
                os.utime(os.fsencode(folder) + b"/" + path, (stamp, stamp), follow_symlinks=False)
        return tracked

    def _tags(self, commit: str) -> list[str]:
        """The tags of its history, so that `git describe` says in a room what it says elsewhere."""
        tags = _git(self._mirror, "tag", "--merged", commit).split()
        return [f"+refs/tags/{tag}:refs/tags/{tag}" for tag in tags]

    def _clone_submodules(self, commit: str, folder: Path, depth: int) -> list[bytes]:
        tree = _git(self._mirror, "ls-tree", "-r", "-z", "--full-tree", commit)
        links = [entry.split("\t", 1) for entry in tree.split("\0") if entry.startswith("160000 ")]
        if not links:
            return []
        if depth >= _MAX_SUBMODULE_DEPTH:
            raise SourceError(f"Submodules of {self.url} nest deeper than {_MAX_SUBMODULE_DEPTH}.", "Flatten them.")
        urls = self._submodule_urls(commit)
        tracked: list[bytes] = []
        for head, path in links:
            if path not in urls:
                raise SourceError(f"Submodule '{path}' has no URL in .gitmodules.", "Mend .gitmodules, commit and run again.")
            child = self._submodule(urls[path])
            wanted = head.split()[2]
            with child._lock():
                if not child._has(wanted):
                    child._fetch()
            inner = child._clone(wanted, folder / path, depth + 1)
            tracked += [os.fsencode(path) + b"/" + name for name in inner]
        return tracked

    def _submodule_urls(self, commit: str) -> dict[str, str]:
        text = _git(self._mirror, "config", "--blob", f"{commit}:.gitmodules", "--list", "-z")
        paths: dict[str, str] = {}
        urls: dict[str, str] = {}
        for item in text.split("\0"):
            key, _, value = item.partition("\n")
            if match := re.fullmatch(r"submodule\.(.*)\.(path|url)", key, re.DOTALL):
                (paths if match[2] == "path" else urls)[match[1]] = value
        return {path: urls[name] for name, path in paths.items() if name in urls}

    def _submodule(self, url: str) -> "Repository":
        if url not in self._submodules:
            full = _join(str(self._address), url) if url.startswith(("./", "../")) else url
            local = _is_local(full)
            if local and not self._local:
                raise SourceError(f"Submodule '{url}' points at this machine.", "A remote repository may only name remote submodules.")
            self._submodules[url] = open_repository(full, self._cache)
        return self._submodules[url]

    # --- the mirror ---

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        self._mirror.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(self._mirror.with_suffix(".lock"), timeout=3600):
            yield

    def _fetch(self) -> None:
        """Bring the mirror up to date. A fetch that was killed leaves only lock files behind, which are removed first."""
        try:
            if not (self._mirror / "HEAD").exists():
                shutil.rmtree(self._mirror, ignore_errors=True)
                self._mirror.mkdir(parents=True)
                _git(self._mirror, "init", "--quiet", "--bare", "--initial-branch", "main")
                _git(self._mirror, "config", "uploadpack.allowAnySHA1InWant", "true")
            for stale in self._mirror.rglob("*.lock"):
                stale.unlink(missing_ok=True)
            address = str(self._address)
            heads = ["+refs/*:refs/*"]
            if _git(self._mirror, "ls-remote", "--", address, "HEAD").strip():
                heads.append("+HEAD:refs/cleanroom/HEAD")
            _git(self._mirror, "fetch", "--quiet", "--prune", "--no-tags", "--force", "--", address, *heads)
        except git.GitCommandError as error:
            raise _fetch_error(self.url, self._local, _said(error)) from None
        except git.GitCommandNotFound:
            raise SourceError("git is not installed.", "Install it: apt-get install git") from None

    def _has(self, commit: str) -> bool:
        try:
            _git(self._mirror, "cat-file", "-e", f"{commit}^{{commit}}")
        except (git.GitCommandError, git.GitCommandNotFound, FileNotFoundError):
            return False
        return True

    def _commit(self, ref: str) -> str | None:
        names = [ref]
        if re.match(r"HEAD\b", ref):
            names = [f"refs/cleanroom/{ref}"]
        elif not ref.startswith("refs/"):
            names += [f"refs/remotes/origin/{ref}"]
        for name in names:
            with contextlib.suppress(git.GitCommandError):
                return _git(self._mirror, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").strip()
        return None

    def _near(self, ref: str) -> str:
        listed = _git(self._mirror, "for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads", "refs/tags").split()
        near = difflib.get_close_matches(ref, listed, n=3, cutoff=0.5)
        if near:
            return f"Did you mean {' or '.join(near)}?"
        return f"It has: {', '.join(sorted(listed)[:8])}." if listed else "It has no branches or tags yet."

    def _uncommitted(self) -> int:
        """Paths of the work tree of a local repository that differ from its HEAD; read with the mirror's configuration."""
        if not self._local or (self._local / "HEAD").exists():
            return 0
        try:
            git_dir = Path(_git(self._local, "rev-parse", "--absolute-git-dir").strip())
            top = _git(self._local, "rev-parse", "--show-toplevel").strip()
            with tempfile.TemporaryDirectory() as scratch:
                index = Path(scratch) / "index"
                if (git_dir / "index").exists():
                    shutil.copyfile(git_dir / "index", index)
                extra = {"GIT_DIR": str(self._mirror), "GIT_WORK_TREE": top, "GIT_INDEX_FILE": str(index)}
                head = _git(self._local, "rev-parse", "HEAD").strip()
                changed = _git(Path(top), "diff-index", "-z", "--name-only", "--ignore-submodules", head, extra=extra)
                new = _git(Path(top), "ls-files", "-z", "--others", "--exclude-standard", "--directory", extra=extra)
            return len({p for p in (changed + new).split("\0") if p})
        except (git.GitCommandError, OSError):
            return 0


def open_repository(repo: str, cache: Path) -> Repository:
    """The repository at a URL or a local path, with its mirror in `cache` (made at the first resolve).

    Raises: UsageError where a local path is not a repository.
    """
    local = None
    if _is_local(repo):
        local = Path(repo.removeprefix("file://")).expanduser().resolve()
        if not local.exists():
            raise UsageError(f"There is no folder '{repo}'.", "Give a URL or the path of a git repository.")
        try:
            top = _git(local, "rev-parse", "--show-toplevel").strip() if local.is_dir() else ""
            local = Path(top or _git(local, "rev-parse", "--absolute-git-dir").strip())
        except (git.GitCommandError, NotADirectoryError):
            raise UsageError(f"'{repo}' is not a git repository.", "Give a URL or the path of a git repository.") from None
    elif "://" not in repo and not re.match(r"[\w.-]+@?[\w.-]*:", repo):
        raise UsageError(f"'{repo}' is neither a folder nor a URL.", "Give a URL or the path of a git repository.")
    return Repository(local or repo, cache)


def _is_full(folder: Path) -> bool:
    """Git does not always say that it was the disk."""
    return folder.exists() and shutil.disk_usage(folder).free < 2**20


def _is_local(repo: str) -> bool:
    return repo.startswith(("/", "./", "../", "~", "file://")) or repo in {".", ".."} or Path(repo).exists()


def _public(url: str) -> str:
    """A URL without the password that it may carry; evidence is shown to others."""
    parts = urlsplit(url)
    if parts.scheme and parts.password:
        return url.replace(f":{parts.password}@", ":***@")
    return url


def _join(base: str, relative: str) -> str:
    if "://" in base:
        return urljoin(base.rstrip("/") + "/", relative)
    head, sep, path = base.partition(":") if re.match(r"[\w.-]+@[\w.-]+:", base) else ("", "", base)
    return head + sep + os.path.normpath(f"{path}/{relative}")


def _fetch_error(url: str, local: Path | None, said: str) -> SourceError | UsageError:
    if "does not appear to be a git repository" in said and local:
        return UsageError(f"'{url}' is not a git repository.", "Give a URL or the path of a git repository.")
    if "No space left" in said:
        return SourceError(f"The disk is full while fetching {url}.", _FREE)
    return SourceError(f"Cannot fetch {url}: {said}.", "Check the address and your access, then run again.")
