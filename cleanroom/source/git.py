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
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import filelock

os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")  # a missing git is our error to tell, not one of importing
import git

from cleanroom.errors import SourceError, UsageError
from cleanroom.model import Source, escape_path, raw_path
from cleanroom.source import lfs

_FULL_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_PASSED = (
    "PATH", "SSH_AUTH_SOCK", "GIT_ASKPASS", "SSH_ASKPASS", "GIT_SSH_COMMAND",  # how a private remote lets this user in
    "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO",  # the certificates of a proxy
    "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY",
)  # fmt: skip
_CONFIG = {
    "core.attributesFile": "/dev/null",  # what the user wants of files elsewhere
    "core.excludesFile": "/dev/null",
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


def _environment(configuration: Path, extra: dict[str, str] | None = None) -> dict[str, str]:
    """What git may know of the host: how to reach the remote, and nothing of the user's configuration.

    Ours is a file, not variables: those do not reach the process on the other side of a local fetch.
    """
    env = {key: os.environ[key] for key in _PASSED if key in os.environ}
    env.update(HOME="/nonexistent", GIT_CONFIG_GLOBAL=str(configuration), GIT_CONFIG_SYSTEM="/dev/null", GIT_CONFIG_NOSYSTEM="1")
    env.update(GIT_ATTR_NOSYSTEM="1", GIT_TERMINAL_PROMPT="0", GIT_TEMPLATE_DIR="", LC_ALL="C", GIT_OPTIONAL_LOCKS="0")
    return env | (extra or {})


def _configuration(cache: Path) -> Path:
    """The only configuration that git reads besides a mirror's own."""
    lines = [f"[{key.partition('.')[0]}]\n\t{key.partition('.')[2]} = {value}\n" for key, value in _CONFIG.items()]
    lines[[*_CONFIG].index("protocol.ext.allow")] = '[protocol "ext"]\n\tallow = never\n'
    path, text = cache / "gitconfig", "".join(lines)
    if not path.exists() or path.read_text() != text:
        cache.mkdir(parents=True, exist_ok=True)
        part = cache / f".gitconfig-{uuid.uuid4().hex}"
        part.write_text(text)
        part.replace(path)
    return path


def _run(env: dict[str, str], folder: Path, *arguments: str) -> str:
    """Run git in `folder` with exactly this environment; raises git.GitCommandError.

    GitPython adds to the environment that it inherits, so that `env` takes away what is not passed on.
    """
    if shutil.which("git") is None:
        raise SourceError("git is not installed.", "Install it: apt-get install git")
    command = ["env", *(word for key in os.environ if key not in env for word in ("-u", key)), "git", *arguments]
    return str(git.Git(folder).execute(command, env=env, strip_newline_in_stdout=False))


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

    def _git(self, folder: Path, *arguments: str, extra: dict[str, str] | None = None) -> str:
        return _run(_environment(_configuration(self._cache), extra), folder, *arguments)

    def resolve(self, ref: str) -> Source:
        """The full commit of a commit, tag or branch, fetched when it is not in the mirror yet.

        Raises: UsageError for an unknown ref (with near ones), SourceError for a remote that does not answer.
        """
        if ref.startswith("-") or not ref or "@{" in ref or re.fullmatch(r"[A-Z_]+_HEAD.*", ref):
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
        return [os.fsencode(path) for _, path in self._tree(commit, "blob")]

    def _tree(self, commit: str, kind: str) -> list[tuple[str, str]]:
        """(object, path) of every entry of a kind: `blob` for files and links, `commit` for submodules."""
        text = self._git(self._mirror, "ls-tree", "-r", "-z", "--full-tree", commit)
        entries = [entry.partition("\t") for entry in text.split("\0") if entry]
        return [(head.split()[2], path) for head, _, path in entries if head.split()[1] == kind]

    def read(self, commit: str, path: str) -> bytes | None:
        """The content of a tracked regular file, or None."""
        try:
            entry = self._git(self._mirror, "ls-tree", "-z", "--full-tree", commit, "--", path)
            if not entry.startswith("100"):
                return None
            return os.fsencode(self._git(self._mirror, "cat-file", "blob", f"{commit}:{path}"))
        except git.GitCommandError:
            return None

    def ancestor(self, base: str, head: str) -> bool:
        """Whether one commit leads to the other."""
        try:
            self._git(self._mirror, "merge-base", "--is-ancestor", base, head)
        except git.GitCommandError:
            return False
        return True

    def changed(self, base: str, head: str) -> dict[str, str]:
        """{path: A, M, D or T} of what differs between two commits; paths as the model writes them."""
        text = self._git(self._mirror, "diff", "--no-renames", "--no-ext-diff", "--name-status", "-z", base, head)
        words = text.split("\0")
        return {escape_path(os.fsencode(path)): how for how, path in zip(words[::2], words[1::2], strict=False)}

    def trailers(self, base: str, head: str, key: str) -> tuple[str, ...]:
        """The values of a trailer in the commits that lead from one to the other, newest first."""
        form = f"--format=%(trailers:key={key},valueonly,unfold)"
        text = self._git(self._mirror, "log", form, f"{base}..{head}")
        return tuple(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))

    def lay_over(self, commit: str, paths: Sequence[str], folder: Path) -> None:
        """Put these files into a clone as another commit has them; what that commit lacks is removed.

        Git writes them, which never follows a link that the clone holds. Raises: SourceError.
        """
        theirs = {name for _, name in self._tree(commit, "blob")}
        names = [os.fsdecode(raw_path(path)) for path in paths]
        with tempfile.TemporaryDirectory() as scratch:
            extra = {"GIT_DIR": str(self._mirror), "GIT_WORK_TREE": str(folder), "GIT_INDEX_FILE": f"{scratch}/index"}
            try:
                self._git(folder, "read-tree", "--empty", extra=extra)
                self._git(folder, "read-tree", commit, extra=extra)
                if there := [name for name in names if name in theirs]:
                    self._git(folder, "checkout-index", "--force", "--", *there, extra=extra)
            except git.GitCommandError as error:
                raise SourceError(f"Cannot put files of {commit} into a clone: {_said(error)}.", "Run again.") from None
        top = os.path.realpath(folder)
        for name in names:
            path = folder / name
            if name not in theirs and f"{os.path.realpath(path.parent)}/".startswith(f"{top}/"):
                path.unlink(missing_ok=True)

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
        kind = self._git(self._mirror, "rev-parse", "--show-object-format").strip()
        self._git(folder, "init", "--quiet", "--initial-branch", "main", f"--object-format={kind}")
        # git brings the tags of this history along, so that `git describe` says in a room what it says elsewhere.
        fetch = ["fetch", "--quiet", "--update-head-ok", "--update-shallow", str(self._mirror), f"+{commit}:refs/heads/main"]
        self._git(folder, *fetch)
        self._git(folder, "checkout", "--quiet", "--force", "--detach", commit)
        tracked = self.files(commit)
        with self._lock():
            lfs.fill(folder, self._mirror, self._address, commit, tracked, _environment(_configuration(self._cache)))
        tracked += self._clone_submodules(commit, folder, depth)
        stamp = int(self._git(folder, "show", "--no-patch", "--format=%ct", commit))
        for path in tracked:
            with contextlib.suppress(FileNotFoundError):
                os.utime(os.fsencode(folder) + b"/" + path, (stamp, stamp), follow_symlinks=False)
        return tracked

    def _clone_submodules(self, commit: str, folder: Path, depth: int) -> list[bytes]:
        links = self._tree(commit, "commit")
        if not links:
            return []
        if depth >= _MAX_SUBMODULE_DEPTH:
            raise SourceError(f"Submodules of {self.url} nest deeper than {_MAX_SUBMODULE_DEPTH}.", "Flatten them.")
        urls = self._submodule_urls(commit)
        tracked: list[bytes] = []
        for wanted, path in links:
            if path not in urls:
                continue  # git leaves its folder empty, and so do we
            child = self._submodule(urls[path])
            with child._lock():
                if not child._has(wanted):
                    child._fetch()
            inner = child._clone(wanted, folder / path, depth + 1)
            tracked += [os.fsencode(path) + b"/" + name for name in inner]
        return tracked

    def _submodule_urls(self, commit: str) -> dict[str, str]:
        if self.read(commit, ".gitmodules") is None:
            return {}
        text = self._git(self._mirror, "config", "--blob", f"{commit}:.gitmodules", "--list", "-z")
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
        address = str(self._address)
        try:
            head = self._git(self._mirror.parent, "ls-remote", "--", address, "HEAD").split()
            if not (self._mirror / "HEAD").exists():
                kind = "sha256" if head and len(head[0]) == 64 else "sha1"
                shutil.rmtree(self._mirror, ignore_errors=True)
                self._mirror.mkdir(parents=True)
                self._git(self._mirror, "init", "--quiet", "--bare", "--initial-branch", "main", f"--object-format={kind}")
                self._git(self._mirror, "config", "uploadpack.allowAnySHA1InWant", "true")
            for stale in self._mirror.rglob("*.lock"):
                stale.unlink(missing_ok=True)
            specs = ["+refs/*:refs/*", *(["+HEAD:refs/cleanroom/HEAD"] if head else [])]
            self._git(self._mirror, "fetch", "--quiet", "--prune", "--no-tags", "--force", "--update-shallow", "--", address, *specs)
        except git.GitCommandError as error:
            raise _fetch_error(self.url, self._local, _said(error)) from None

    def _has(self, commit: str) -> bool:
        try:
            self._git(self._mirror, "cat-file", "-e", f"{commit}^{{commit}}")
        except (git.GitCommandError, FileNotFoundError):
            return False
        return True

    def _commit(self, ref: str) -> str | None:
        names = [ref]
        if head := re.fullmatch(r"(?:HEAD|@)([~^].*)?", ref):
            names = [f"refs/cleanroom/HEAD{head[1] or ''}"]
        elif not ref.startswith("refs/"):
            names += [f"refs/remotes/origin/{ref}"]
        for name in names:
            with contextlib.suppress(git.GitCommandError):
                return self._git(self._mirror, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").strip()
        return None

    def _near(self, ref: str) -> str:
        listed = self._git(self._mirror, "for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads", "refs/tags").split()
        near = difflib.get_close_matches(ref, listed, n=3, cutoff=0.5)
        if near:
            return f"Did you mean {' or '.join(near)}?"
        return f"It has: {', '.join(sorted(listed)[:8])}." if listed else "It has no branches or tags yet."

    def _uncommitted(self) -> int:
        """Paths of the work tree of a local repository that differ from its HEAD; read with the mirror's configuration."""
        if not self._local or (self._local / "HEAD").exists():
            return 0
        try:
            git_dir = Path(self._git(self._local, "rev-parse", "--absolute-git-dir").strip())
            top = self._git(self._local, "rev-parse", "--show-toplevel").strip()
            with tempfile.TemporaryDirectory() as scratch:
                index = Path(scratch) / "index"
                if (git_dir / "index").exists():
                    shutil.copyfile(git_dir / "index", index)
                extra = {"GIT_DIR": str(self._mirror), "GIT_WORK_TREE": top, "GIT_INDEX_FILE": str(index)}
                head = self._git(self._local, "rev-parse", "HEAD").strip()
                changed = self._git(Path(top), "diff-index", "-z", "--name-only", "--ignore-submodules", head, extra=extra)
                new = self._git(Path(top), "ls-files", "-z", "--others", "--exclude-standard", "--directory", extra=extra)
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
        env = _environment(_configuration(cache))
        try:
            bare = _run(env, local, "rev-parse", "--is-bare-repository").strip() == "true"
            local = Path(_run(env, local, "rev-parse", "--absolute-git-dir" if bare else "--show-toplevel").strip())
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
    advice = "Is the repository complete? See `git fsck` there." if local else "Check the address and your access, then run again."
    return SourceError(f"Cannot fetch {url}: {said.rstrip('.')}.", advice)
