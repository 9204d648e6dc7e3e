"""The source, with real git: a ref to a commit, and a clone that is the same wherever it is
made.
"""

import hashlib
import shutil
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cleanroom.errors import SourceError, UsageError
from cleanroom.source import Patience, lfs, open_repository
from cleanroom.source.address import public
from cleanroom.source.scrubbed import configuration
from tests.conftest import commit_all, git, require

Make = Callable[..., Path]


def test_every_way_to_name_a_commit(make_repository: Make, tmp_path: Path) -> None:
    repo = make_repository(files={"a": "1"})
    first = git(repo, "rev-parse", "HEAD").strip()
    git(repo, "tag", "--annotate", "v1", "--message", "one")
    (repo / "a").write_text("2")
    second = commit_all(repo)
    opened = open_repository(str(repo), tmp_path / "cache")
    wanted = {
        "v1": first,
        "main": second,
        "HEAD": second,
        "HEAD~1": first,
        first[:10]: first,
        first: first,
        "refs/heads/main": second,
    }
    assert {ref: opened.resolve(ref).commit for ref in wanted} == wanted


def test_a_clone_has_the_commits_tags_and_one_time(make_repository: Make, tmp_path: Path) -> None:
    repo = make_repository(files={"a": "1", "b/c": "2", "link": ""})
    (repo / "link").unlink()
    (repo / "link").symlink_to("a")
    commit_all(repo)
    git(repo, "tag", "v1")
    opened = open_repository(str(repo), tmp_path / "cache")
    commit = opened.resolve("v1").commit
    folder = tmp_path / "clone"
    assert sorted(opened.clone(commit, folder)) == [b"a", b"b/c", b"link"]
    assert git(folder, "describe", "--tags").strip() == "v1"
    assert git(folder, "status", "--porcelain") == ""
    assert (
        len({path.lstat().st_mtime for path in (folder / "a", folder / "b" / "c", folder / "link")})
        == 1
    )


def test_reading_a_file_of_a_commit(make_repository: Make, tmp_path: Path) -> None:
    repo = make_repository(files={"f": b"\xff\n\n", "d/e": "x"})
    opened = open_repository(str(repo), tmp_path / "cache")
    commit = opened.resolve("HEAD").commit
    assert opened.read(commit, "f") == b"\xff\n\n"
    assert opened.read(commit, "d") is None
    assert opened.read(commit, "missing") is None


def test_a_password_is_not_shown() -> None:
    assert public("https://me:secret@example.org/x.git") == "https://me:***@example.org/x.git"
    assert public("https://token@example.org/x.git") == "https://***@example.org/x.git"
    assert public("git@example.org:me/x.git") == "git@example.org:me/x.git"
    assert public("ssh://git@example.org/me/x.git") == "ssh://git@example.org/me/x.git"


def test_a_remote_repository_may_not_name_this_machine(
    make_repository: Make, tmp_path: Path
) -> None:
    inner = make_repository(files={"secret": "x"}, name="inner")
    repo = make_repository(files={"a": "1"})
    git(repo, "submodule", "add", "--quiet", str(inner), "sub")
    commit = commit_all(repo)
    opened = open_repository(str(repo), tmp_path / "cache")
    opened.resolve("HEAD")
    opened._local = None  # as it would be for a URL
    with pytest.raises(SourceError, match="this machine"):
        opened.clone(commit, tmp_path / "clone")


def test_a_pointer_without_its_object_never_passes_for_data(
    make_repository: Make, tmp_path: Path
) -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 5\n"
    repo = make_repository(files={"big.bin": pointer, ".gitattributes": "*.bin filter=lfs\n"})
    opened = open_repository(str(repo), tmp_path / "cache")
    with pytest.raises(SourceError, match=r"git-lfs object of 'big\.bin'"):
        opened.clone(opened.resolve("HEAD").commit, tmp_path / "clone")


def test_git_lfs_fetches_from_a_remote(make_repository: Make, tmp_path: Path) -> None:
    """A real git-lfs, with a file URL as the remote."""
    require(
        shutil.which("git-lfs") is not None, "git-lfs is not installed (apt-get install git-lfs)"
    )
    repo = make_repository(files={".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n"})
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    for words in (
        ["lfs", "install", "--local"],
        ["config", "user.name", "t"],
        ["config", "user.email", "t@example.org"],
    ):
        subprocess.run(["git", *words], cwd=repo, env=env, check=True, capture_output=True)
    (repo / "big.bin").write_bytes(b"content" * 100)
    subprocess.run(["git", "add", "."], cwd=repo, env=env, check=True)
    subprocess.run(["git", "commit", "--quiet", "-m", "big"], cwd=repo, env=env, check=True)
    opened = open_repository(str(repo), tmp_path / "cache")
    commit = opened.resolve("HEAD").commit
    folder = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(repo), str(folder))
    assert (folder / "big.bin").read_bytes().startswith(b"version https://git-lfs")
    lfs.fill(
        folder,
        opened._mirror,
        f"file://{repo}",
        commit,
        lfs.pointers(folder, [b".gitattributes", b"big.bin"]),
        env,
        Patience(),
    )
    assert (folder / "big.bin").read_bytes() == b"content" * 100


def test_without_git_lfs_it_says_what_to_install(
    make_repository: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 5\n"
    repo = make_repository(files={"big.bin": pointer, ".gitattributes": "*.bin filter=lfs\n"})
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(SourceError, match="apt-get install git-lfs"):
        lfs.fill(
            repo,
            tmp_path / "mirror",
            "https://example.org/x.git",
            "c" * 40,
            lfs.pointers(repo, [b".gitattributes", b"big.bin"]),
            {},
            Patience(),
        )


def test_a_folder_that_is_no_repository(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a git repository"):
        open_repository(str(tmp_path), tmp_path / "cache")


def test_the_head_is_the_users_own(make_repository: Make, tmp_path: Path) -> None:
    repo = make_repository(files={"a": "1"})
    git(repo, "switch", "--quiet", "--create", "HEAD-fix")
    (repo / "a").write_text("2")
    commit = commit_all(repo)
    opened = open_repository(str(repo), tmp_path / "cache")
    assert {opened.resolve(ref).commit for ref in ("@", "HEAD", "HEAD-fix")} == {commit}
    assert opened.resolve("@~1").commit == git(repo, "rev-parse", "main").strip()
    for ref in ("@{u}", "FETCH_HEAD", "ORIG_HEAD"):
        with pytest.raises(UsageError):
            opened.resolve(ref)


def test_a_shallow_clone_is_confirmed_too(make_repository: Make, tmp_path: Path) -> None:
    repo = make_repository(files={"a": "1"})
    (repo / "a").write_text("2")
    commit = commit_all(repo)
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{repo}", str(tmp_path / "shallow"))
    opened = open_repository(str(tmp_path / "shallow"), tmp_path / "cache")
    assert opened.resolve("HEAD").commit == commit
    assert opened.clone(commit, tmp_path / "clone") == [b"a"]


def test_a_repository_with_sha256_names(tmp_path: Path) -> None:
    repo = tmp_path / "repo"
    repo.mkdir()
    git(repo, "init", "--quiet", "--object-format=sha256")
    (repo / "a").write_text("1")
    commit = commit_all(repo)
    opened = open_repository(str(repo), tmp_path / "cache")
    assert len(commit) == 64
    assert opened.resolve("HEAD").commit == commit
    assert opened.clone(commit, tmp_path / "clone") == [b"a"]


def test_many_tags(make_repository: Make, tmp_path: Path) -> None:
    repo = make_repository(files={"a": "1"})
    commit = git(repo, "rev-parse", "HEAD").strip()
    lines = "".join(
        f"{commit} refs/tags/some-rather-long-name-of-a-release-{i}\n" for i in range(30_000)
    )
    (repo / ".git" / "packed-refs").write_text(
        "# pack-refs with: peeled fully-peeled sorted \n"
        + "".join(sorted(lines.splitlines(True), key=lambda x: x[41:]))
    )
    opened = open_repository(str(repo), tmp_path / "cache")
    assert opened.clone(opened.resolve("HEAD").commit, tmp_path / "clone") == [b"a"]


def test_nothing_of_the_users_git_reaches_a_clone(
    make_repository: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = make_repository(files={"data.txt": "a\nb\n"})
    (tmp_path / "git").mkdir()
    (tmp_path / "git" / "attributes").write_text("* text eol=crlf\n")
    for key, value in {
        "XDG_CONFIG_HOME": str(tmp_path),
        "GIT_AUTHOR_NAME": "x",
        "GIT_DIR": "/nonexistent",
        "GIT_INDEX_FILE": "/nonexistent",
    }.items():
        monkeypatch.setenv(key, value)
    opened = open_repository(str(repo), tmp_path / "cache")
    opened.clone(opened.resolve("HEAD").commit, tmp_path / "clone")
    assert (tmp_path / "clone" / "data.txt").read_bytes() == b"a\nb\n"


def test_a_copy_of_a_large_file_that_was_cut_short_is_made_again(
    make_repository: Make, tmp_path: Path
) -> None:
    content = b"large"
    oid = hashlib.sha256(content).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(content)}\n"
    repo = make_repository(files={"big.bin": pointer, ".gitattributes": "*.bin filter=lfs\n"})
    for store, kept in ((repo / ".git", content), (tmp_path / "mirror", content[:2])):
        place = store / "lfs" / "objects" / oid[:2] / oid[2:4] / oid
        place.parent.mkdir(parents=True)
        place.write_bytes(kept)
    lfs.fill(
        repo,
        tmp_path / "mirror",
        repo,
        "c" * 40,
        lfs.pointers(repo, [b".gitattributes", b"big.bin"]),
        {},
        Patience(),
    )
    assert (repo / "big.bin").read_bytes() == content


def test_a_submodule_without_an_address_stays_empty(make_repository: Make, tmp_path: Path) -> None:
    repo = make_repository(files={"a": "1"})
    git(repo, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},sub")
    git(repo, "commit", "--quiet", "--message", "a link to nowhere")
    opened = open_repository(str(repo), tmp_path / "cache")
    assert opened.clone(opened.resolve("HEAD").commit, tmp_path / "clone") == [b"a"]


def test_a_bare_repository(make_repository: Make, tmp_path: Path) -> None:
    repo = make_repository(files={"a": "1"})
    git(tmp_path, "clone", "--quiet", "--bare", str(repo), str(tmp_path / "bare.git"))
    opened = open_repository(str(tmp_path / "bare.git"), tmp_path / "cache")
    source = opened.resolve("main")
    assert (opened.clone(source.commit, tmp_path / "clone"), source.uncommitted) == ([b"a"], 0)


def test_threads_that_open_a_fresh_cache_at_once(make_repository: Make, tmp_path: Path) -> None:
    """Each round has a cache of its own, in which git's configuration is not there yet."""
    repo = make_repository(files={"a": "1"})
    threads = 8
    for number in range(30):
        together = threading.Barrier(threads)

        def configure(number: int = number, together: threading.Barrier = together) -> str:
            together.wait()
            return configuration(tmp_path / str(number)).read_text()

        with ThreadPoolExecutor(threads) as pool:
            assert (
                len(set(pool.map(lambda _, configure=configure: configure(), range(threads)))) == 1
            )
    assert open_repository(str(repo), tmp_path / "0").resolve("HEAD").commit
