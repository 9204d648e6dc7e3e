"""What a repository can do before any room is made: its tree, its submodules, its addresses, its
server.
"""

import contextlib
import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cleanroom.errors import SourceError
from cleanroom.source.tree import parse_tree
from tests.conftest import Cli, Make, Result, commit_all, git
from tests.hostile import servers, trees
from tests.hostile.memory import MOST, peak

SNAKEFILE = 'rule all:\n    output: "a.txt"\n    shell: "echo hi > {output}"\n'
MODULES = '[submodule "s"]\n\tpath = {path}\n\turl = {url}\n'
Tree = Callable[[Path, dict[str, str]], list[trees.Entry]]


def said(result: Result) -> str:
    """All that a person reads, on one line: what happens in a room is in the report, what happens
    before is a sentence.
    """
    assert "This is a bug" not in result.err, result.err
    return " ".join((result.out + result.err).replace("│", " ").split())


# --- trees: two entries of one name, names of git, names that lead elsewhere ---

TWICE: dict[str, Tree] = {
    "a folder, then a link": lambda _, o: [
        ("040000", "a", o["folder"]),
        ("120000", "a", o["link"]),
    ],
    "a link, then a folder": lambda _, o: [
        ("120000", "a", o["link"]),
        ("040000", "a", o["folder"]),
    ],
    "a file, then a folder": lambda _, o: [
        ("100644", "a", o["file"]),
        ("040000", "a", o["folder"]),
    ],
    "two files": lambda _, o: [("100644", "a", o["file"]), ("100644", "a", o["snakefile"])],
    "a submodule, then a link": lambda _, o: [
        ("160000", "a", o["commit"]),
        ("120000", "a", o["link"]),
    ],
    "twice in a folder": lambda r, o: [
        ("040000", "d", trees.tree(r, [("040000", "a", o["folder"]), ("120000", "a", o["link"])]))
    ],
}
NAMES = (
    ".git",
    ".GIT",
    ".git ",
    ".git.",
    ".gIt",
    "git~1",
    "GIT~1",
    ".g\u200cit",
    ".git::$INDEX_ALLOCATION",
    "..",
    ".",
    "",
)


def hostile_tree(tmp_path: Path, make: Tree) -> tuple[Path, Path]:
    """(a repository whose commit has a hostile tree beside a good Snakefile, a folder of the host
    that it aims at).
    """
    aim = tmp_path / "home"
    aim.mkdir()
    inner = trees.new(tmp_path / "inner")
    (inner / "authorized_keys").write_text("hostile")
    repo = trees.new(tmp_path / "repo")
    objects = {
        "commit": commit_all(inner),
        "link": trees.blob(repo, str(aim)),
        "file": trees.blob(repo, "x"),
        "snakefile": trees.blob(repo, SNAKEFILE),
        "modules": trees.blob(repo, MODULES.format(path="a/.ssh", url=inner)),
    }
    objects["folder"] = trees.tree(repo, [("160000", ".ssh", objects["commit"])])
    entries = [
        ("100644", ".gitmodules", objects["modules"]),
        ("100644", "Snakefile", objects["snakefile"]),
        *make(repo, objects),
    ]
    trees.commit(repo, trees.tree(repo, entries))
    return repo, aim


@pytest.mark.parametrize("name", TWICE)
@pytest.mark.parametrize("verb", ["confirm", "audit"])
def test_a_tree_with_two_entries_of_one_name_writes_nothing_on_the_host(
    cli: Cli, tmp_path: Path, name: str, verb: str
) -> None:
    repo, aim = hostile_tree(tmp_path, TWICE[name])
    result = cli(verb, repo, "main", "--engine", "sandbox", "--allow-local-submodules")
    assert result.code == 4, said(result)
    assert not list(aim.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_is_no_name_of_a_file_is_refused(cli: Cli, tmp_path: Path, name: str) -> None:
    repo, aim = hostile_tree(
        tmp_path, lambda r, o: [("040000", name, trees.tree(r, [("100644", "config", o["file"])]))]
    )
    result = cli("audit", repo, "main", "--engine", "sandbox", "--allow-local-submodules")
    assert result.code == 4, said(result)
    assert not list(aim.iterdir())


def test_over_https_too(cli: Cli, tmp_path: Path) -> None:
    repo, aim = hostile_tree(tmp_path, TWICE["a folder, then a link"])
    git(repo, "update-server-info")
    with servers.https(repo, tmp_path) as (url, env):
        result = cli("audit", f"{url}/.git", "main", "--engine", "sandbox", env=env)
    assert result.code == 4, said(result)
    assert not list(aim.iterdir())


@pytest.mark.parametrize(
    ("listing", "why"),
    [
        (["040000 tree A\ta", "160000 commit B\ta/.ssh", "120000 blob C\ta"], "is there twice"),
        (["120000 blob C\ta", "160000 commit B\ta/.ssh"], "lies in something that is no folder"),
        (["160000 commit C\ta", "100644 blob B\ta/x"], "lies in something that is no folder"),
        (["100644 blob B\tx/y"], "lies in something that is no folder"),
        (["040000 tree A\t.git", "100644 blob B\t.git/config"], "git's own name"),
        (["040000 tree A\ta", "040000 tree A\ta/.Git. "], "git's own name"),
        (["100644 blob B\tGIT~2"], "git's own name"),
        (["100644 blob B\t.."], "no name of a file"),
    ],
)
def test_the_tree_is_checked_here_too(listing: list[str], why: str) -> None:
    """A mirror that was filled before, or by a git that checks less, is no way around."""
    with pytest.raises(SourceError, match=why):
        parse_tree("\0".join(listing), "url")


def test_names_that_only_look_like_gits_are_fine() -> None:
    names = [".gitignore", ".gitmodules", ".github", "git", "x.git", "git~", "a..b", "...", "é"]
    assert len(parse_tree("\0".join(f"100644 blob A\t{name}" for name in names), "url")) == len(
        names
    )


def test_a_tree_that_unfolds_without_end_is_refused(cli: Cli, tmp_path: Path) -> None:
    repo = trees.new(tmp_path / "repo")
    inner = trees.tree(repo, [("100644", f"f{i}", trees.blob(repo, "x")) for i in range(10)])
    for _ in range(9):
        inner = trees.tree(repo, [("040000", f"d{i}", inner) for i in range(10)])
    trees.commit(
        repo,
        trees.tree(
            repo, [("100644", "Snakefile", trees.blob(repo, SNAKEFILE)), ("040000", "z", inner)]
        ),
    )
    result = cli("audit", repo, "main", "--engine", "sandbox")
    assert (result.code, "printed more than" in said(result)) == (4, True)


# --- commits that are not what their name says ---


def test_a_replaced_commit_is_read_as_itself(cli: Cli, make_repository: Make) -> None:
    """`refs/replace` would let the host read another cleanroom.yaml than the room gets."""
    repo = make_repository(files={"Snakefile": SNAKEFILE, "cleanroom.yaml": "profiles: [absent]\n"})
    honest = git(repo, "rev-parse", "HEAD").strip()
    (repo / "cleanroom.yaml").write_text("scratch:\n  - path: '**'\n    reason: hostile\n")
    other = commit_all(repo)
    git(repo, "reset", "--quiet", "--hard", honest)
    git(repo, "replace", honest, other)
    result = cli("confirm", repo, honest, "--engine", "sandbox")
    assert (result.code, "no profile 'absent'" in said(result)) == (2, True)


def test_only_what_is_asked_for_is_fetched(cli: Cli, make_repository: Make, tmp_path: Path) -> None:
    repo = make_repository(files={"Snakefile": SNAKEFILE})
    head = git(repo, "rev-parse", "HEAD").strip()
    for ref in (
        "refs/replace/" + "1" * 40,
        "refs/pull/1/head",
        "refs/notes/x",
        "refs/cleanroom/HEAD",
    ):
        git(repo, "update-ref", ref, head)
    own = tmp_path / "own"
    assert cli("audit", repo, "HEAD", "--engine", "sandbox", cache=own).code == 0
    (mirror,) = own.glob("mirrors/*.git")
    assert set(git(mirror, "for-each-ref", "--format=%(refname)").split()) == {
        "refs/heads/main",
        "refs/cleanroom/HEAD",
    }
    assert cli("audit", repo, "refs/pull/1/head", "--engine", "sandbox", cache=own).code == 0


# --- addresses ---


@pytest.mark.parametrize(
    "address",
    [
        "ext::sh -c touch% /tmp/x",
        "fd::3",
        "http://127.0.0.1:9/x.git",
        "git://127.0.0.1:9/x.git",
        "ftp://127.0.0.1/x",
        "testgit::x",
        "HTTP://x/y",
    ],
)
def test_other_addresses_are_refused_with_a_sentence(cli: Cli, address: str) -> None:
    result = cli("confirm", address, "main")
    assert result.code == 2
    assert "which is not spoken. Give one with https, ssh or file." in said(result)


@pytest.mark.parametrize(
    ("url", "code", "says"),
    [
        ("ext::sh -c touch% {canary}", 4, "not spoken"),
        ("fd::3", 4, "not spoken"),
        ("http://127.0.0.1:9/x", 4, "not spoken"),
        ("git://127.0.0.1:9/x", 4, "not spoken"),
        ("-u./x", 4, "disallowed submodule url"),
        ("ssh://-oProxyCommand=touch {canary}/x", 4, "Cannot fetch"),
        ("-oProxyCommand=touch {canary}:x", 4, "disallowed submodule url"),
        ("{other}", 4, "another repository of this machine"),
        ("file://{other}", 4, "another repository of this machine"),
        ("../other", 4, "another repository of this machine"),
        ("./../other", 4, "another repository of this machine"),
        ("./inner/../../other", 4, "another repository of this machine"),
        (".", 4, "another repository of this machine"),
        ("./bare", 4, "another repository of this machine"),
        ("https://127.0.0.1:9/x", 4, "Cannot fetch"),
    ],
)
def test_what_a_submodule_may_name(
    cli: Cli, make_repository: Make, tmp_path: Path, url: str, code: int, says: str
) -> None:
    other = make_repository(files={"secret.txt": "secret"}, name="other")
    wanted = git(other, "rev-parse", "HEAD").strip()
    canary = tmp_path / "canary"
    repo = make_repository(files={"Snakefile": SNAKEFILE}, name="repo")
    git(
        repo, "clone", "--quiet", "--bare", str(other), "bare"
    )  # content of the commit that looks like a repository
    (repo / ".gitmodules").write_text(
        MODULES.format(path="s", url=url.format(canary=canary, other=other))
    )
    git(repo, "add", "--all")
    git(repo, "update-index", "--add", "--cacheinfo", f"160000,{wanted},s")
    git(repo, "commit", "--quiet", "--message", "a submodule")
    result = cli("audit", repo, "HEAD", "--engine", "sandbox")
    assert (result.code, says in said(result)) == (code, True), said(result)
    assert not canary.exists()


def test_a_submodule_below_the_repository_or_by_leave(
    cli: Cli, make_repository: Make, tmp_path: Path
) -> None:
    files = {"Snakefile": SNAKEFILE.replace("echo hi", "cat s/x.txt"), ".gitignore": "below\n"}
    repo = make_repository(files=files)
    below = trees.new(repo / "below")
    (below / "x.txt").write_text("x")
    wanted = commit_all(below)
    (repo / ".gitmodules").write_text(MODULES.format(path="s", url="./below"))
    git(repo, "add", "--all")
    git(repo, "update-index", "--add", "--cacheinfo", f"160000,{wanted},s")
    git(repo, "commit", "--quiet", "--message", "a submodule")
    assert cli("confirm", repo, "HEAD", "--engine", "sandbox").code == 0
    git(tmp_path, "clone", "--quiet", str(below), "other")
    (repo / ".gitmodules").write_text(MODULES.format(path="s", url="../other"))
    git(repo, "add", ".gitmodules")
    git(repo, "commit", "--quiet", "--message", "another")
    assert cli("confirm", repo, "HEAD", "--engine", "sandbox").code == 4
    assert cli("confirm", repo, "HEAD", "--engine", "sandbox", "--allow-local-submodules").code == 0


def test_submodules_within_submodules_end(cli: Cli, make_repository: Make) -> None:
    repo = make_repository(files={"Snakefile": SNAKEFILE})
    (repo / ".gitmodules").write_text(MODULES.format(path="s", url=repo))
    first = commit_all(repo)
    for _ in range(12):
        git(repo, "update-index", "--add", "--cacheinfo", f"160000,{first},s")
        git(repo, "commit", "--quiet", "--message", "deeper")
        first = git(repo, "rev-parse", "HEAD").strip()
    result = cli("audit", repo, "HEAD", "--engine", "sandbox", "--allow-local-submodules")
    assert (result.code, "nest deeper" in said(result)) == (4, True), said(result)


def test_nothing_that_a_commit_says_of_git_is_done(
    cli: Cli, make_repository: Make, tmp_path: Path
) -> None:
    canary = tmp_path / "canary"
    files = {
        "Snakefile": SNAKEFILE,
        ".gitattributes": "* filter=evil diff=evil merge=evil\n",
        ".lfsconfig": "[lfs]\n\tcustomtransfer.x.path = touch\n"
        f'\tcustomtransfer.x.args = {canary}\n[filter "evil"]\n\tsmudge = touch {canary}\n',
        ".gitconfig": f"[core]\n\tfsmonitor = touch {canary}\n",
        "hooks/post-checkout": f"#!/bin/sh\ntouch {canary}\n",
        ".gitmodules": f'[submodule "s"]\n\tpath = s\n\turl = ./s\n\tupdate = !touch {canary}\n',
    }
    repo = make_repository(files=files)
    git(repo, "config", "core.fsmonitor", f"touch {canary}")
    git(repo, "config", "filter.evil.smudge", f"touch {canary}")
    git(repo, "config", "uploadpack.packObjectsHook", f"touch {canary}")
    (repo / ".git/hooks/post-checkout").parent.mkdir(exist_ok=True)
    (repo / ".git/hooks/post-checkout").write_text(f"#!/bin/sh\ntouch {canary}\n")
    (repo / ".git/hooks/post-checkout").chmod(0o755)
    cli("audit", repo, "HEAD", "--engine", "sandbox")
    assert not canary.exists()


@pytest.mark.parametrize("lie", ["another digest", "a pointer to itself", "outside"])
def test_a_git_lfs_pointer_that_lies_is_no_data(cli: Cli, make_repository: Make, lie: str) -> None:
    oid = {"another digest": "1" * 64, "a pointer to itself": "2" * 64, "outside": "3" * 64}[lie]
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 5\n"
    repo = make_repository(
        files={"Snakefile": SNAKEFILE, ".gitattributes": "*.bin filter=lfs\n", "d.bin": pointer}
    )
    place = repo / ".git/lfs/objects" / oid[:2] / oid[2:4] / oid
    place.parent.mkdir(parents=True)
    if lie == "outside":
        place.symlink_to("/etc/passwd")
    else:
        place.write_text(pointer)
    result = cli("audit", repo, "HEAD", "--engine", "sandbox")
    assert (result.code, "git-lfs object of 'd.bin'" in said(result)) == (4, True), said(result)


# --- nothing waits for ever ---


def started(tmp_path: Path, *arguments: str, **env: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "cleanroom.cli", *arguments]
    full = {**os.environ, "CLEANROOM_CACHE": str(tmp_path / "waiting"), **env}
    return subprocess.Popen(command, env=full, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def in_session_of(process: "subprocess.Popen[bytes]", address: str) -> list[str]:
    """The processes of git that still work on an address."""
    listed = subprocess.run(
        ["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True
    ).stdout
    return [
        line
        for line in listed.splitlines()
        if address in line and "cleanroom.cli" not in line and str(process.pid) not in line.split()
    ]


def test_a_server_that_never_answers_is_left(cli: Cli, make_repository: Make) -> None:
    with servers.silent() as url:
        begin = time.monotonic()
        result = cli("confirm", url, "main", "--fetch-limit", "2s")
        assert (result.code, "made no progress for 2 s" in said(result)) == (4, True), said(result)
        repo = make_repository(
            files={"Snakefile": SNAKEFILE, ".gitmodules": MODULES.format(path="s", url=url)}
        )
        git(repo, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},s")
        git(repo, "commit", "--quiet", "--message", "a submodule that never comes")
        result = cli("confirm", repo, "HEAD", "--engine", "sandbox", "--fetch-limit", "2s")
        assert (result.code, "made no progress for 2 s" in said(result)) == (4, True), said(result)
        assert time.monotonic() - begin < 30


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("times", [1, 2])
def test_a_stop_while_a_server_is_silent_takes_two_seconds_at_most(
    tmp_path: Path, number: int, times: int
) -> None:
    with servers.silent() as url:
        process = started(tmp_path, "confirm", url, "main")
        deadline = time.monotonic() + 20
        while not in_session_of(process, url) and time.monotonic() < deadline:
            time.sleep(0.05)
        begin = time.monotonic()
        for _ in range(times):
            process.send_signal(number)
        _, err = process.communicate(timeout=20)
        assert time.monotonic() - begin < 2.0 + 0.5
        assert (process.returncode, b"there is no verdict" in err) == (130, True), err
        time.sleep(0.3)
        assert not in_session_of(process, url)


def test_a_mirror_that_somebody_else_holds_can_be_waited_for_and_left(
    tmp_path: Path, make_repository: Make
) -> None:
    import hashlib

    import filelock

    repo = make_repository(files={"Snakefile": SNAKEFILE})
    mirrors = tmp_path / "waiting/mirrors"
    mirrors.mkdir(parents=True)
    with filelock.FileLock(mirrors / f"{hashlib.sha256(str(repo).encode()).hexdigest()}.lock"):
        process = started(tmp_path, "confirm", str(repo), "HEAD", "--engine", "sandbox")
        time.sleep(2)
        begin = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        assert time.monotonic() - begin < 2.5
        assert process.returncode == 130


@pytest.mark.parametrize(
    "mask", ["[^x]+|x(?=:)|(x+)+y", "(a|a)*b|(.*)*$x", "(x+x+)+y", "(((x+)+)+)+y"]
)
def test_a_mask_that_explodes_is_not_used(cli: Cli, make_repository: Make, mask: str) -> None:
    declared = (
        "equivalences:\n  - paths: ['*.txt']\n    comparator: text\n"
        f"    options: {{mask: ['{mask}']}}\n"
    )
    declared += "    reason: r\n    owner: o\n    expires: 2099-01-01\n"
    files = {
        "Snakefile": SNAKEFILE,
        "cleanroom.yaml": declared,
        "profiles/a/config.yaml": "cores: 1\n",
    }
    begin = time.monotonic()
    result = cli(
        "audit", make_repository(files=files), "HEAD", "--engine", "sandbox", "--format", "json"
    )
    assert result.code in (0, 1), said(result)
    assert time.monotonic() - begin < 30


def test_a_cache_that_cannot_be_written_is_a_sentence_about_the_cache(
    cli: Cli, make_repository: Make, tmp_path: Path
) -> None:
    repo = make_repository(files={"Snakefile": SNAKEFILE})
    for place in ("/proc/1/cache", "/dev/null/cache", "/sys/cache"):
        result = cli("confirm", repo, "HEAD", "--engine", "sandbox", cache=Path(place))
        assert (result.code, "cache" in said(result)) == (4, True), (place, result.err)


def test_the_port_is_free_again() -> None:
    """The servers of these tests leave nothing that listens."""
    with servers.silent() as url:
        port = int(url.split(":")[2].split("/")[0])
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), 1)


# --- what is small in git and large when it is read ---

PLAIN = {"Snakefile": 'rule all:\n    output: "a.txt"\n    shell: "echo 1 > {output}"\n'}


def many_times(repo: Path, entry: tuple[str, str], count: int, levels: int = 1) -> None:
    """A commit whose folder `z` names one object again and again."""
    git(repo, "add", "--all")
    mode, found = entry
    for _ in range(levels):
        found = trees.tree(repo, [(mode, f"{i:04}", found) for i in range(count)])
        mode = "040000"
    root = trees.tree(
        repo,
        [("100644", "Snakefile", trees.blob(repo, PLAIN["Snakefile"])), ("040000", "z", found)],
    )
    trees.commit(repo, root)


@pytest.mark.parametrize("what", ["submodules", "links", "trees"])
def test_memory_is_bounded_whatever_a_commit_unfolds_to(
    make_repository: Make, tmp_path: Path, what: str
) -> None:
    repo = make_repository(files=dict(PLAIN))
    if what == "submodules":
        keys = "".join(f"\tk{i} = 1\n" for i in range(480))
        (repo / ".gitmodules").write_text(f'[submodule "{"x" * 2**20}"]\n{keys}')
        git(repo, "add", "--all")
        git(repo, "commit", "--quiet", "-m", "x")
    elif what == "links":
        many_times(repo, ("120000", trees.blob(repo, "a" * (15 * 2**20))), 150)
    else:
        many_times(repo, ("100644", trees.blob(repo, "hi")), 110, levels=3)
    code, memory, text = peak(
        tmp_path,
        "audit",
        repo,
        "main",
        "--engine",
        "sandbox",
        "--cache",
        tmp_path / "cache",
        "--out",
        tmp_path / "out",
    )
    assert code == 4, text
    assert "This is a bug" not in text
    assert memory < MOST


def test_a_clone_counts_against_the_disk_limit_before_it_is_made(
    cli: Cli, make_repository: Make, tmp_path: Path
) -> None:
    repo = make_repository(files=dict(PLAIN))
    many_times(repo, ("100644", trees.blob(repo, "a" * 2**20)), 400)
    result = cli("confirm", repo, "main", "--engine", "sandbox", "--disk", "200m")
    assert result.code == 4, said(result)
    assert "would take more than" in said(result)


def _heavy(repo: Path, size: int) -> None:
    """A commit whose history weighs this much, and whose files weigh nothing."""
    (repo / "noise.bin").write_bytes(os.urandom(size))
    commit_all(repo, "noise")
    git(repo, "rm", "--quiet", "noise.bin")
    commit_all(repo, "quiet again")


@pytest.mark.parametrize("over", ["file", "https", "a full commit"])
def test_a_fetch_that_brings_too_much_is_ended_and_leaves_nothing(
    cli: Cli, make_repository: Make, tmp_path: Path, over: str
) -> None:
    repo = make_repository(files=dict(PLAIN))
    _heavy(repo, 24 * 2**20)
    cache, ref = tmp_path / "kept", "main"
    with contextlib.ExitStack() as stack:
        address, env = str(repo), None
        if over == "https":
            git(repo, "update-server-info")
            url, env = stack.enter_context(servers.https(repo, tmp_path))
            address = f"{url}/.git"
        if over == "a full commit":
            ref = git(repo, "rev-parse", "HEAD").strip()
        asked = ("audit", address, ref, "--engine", "sandbox", "--cache", cache)
        few = cli(*asked, "--disk", "16m", env=env)
        assert few.code == 4, said(few)
        assert "A fetch of" in few.err and "--disk" in few.err, said(few)
        left = sum(file.stat().st_size for file in cache.rglob("*") if file.is_file())
        assert left < 2**20
        enough = cli(*asked, env=env)
        assert enough.code == 0, said(enough)


def test_a_pack_without_end_is_left_while_it_comes(
    cli: Cli, make_repository: Make, tmp_path: Path
) -> None:
    repo = make_repository(files=dict(PLAIN))
    git(repo, "gc", "--quiet")
    git(repo, "update-server-info")
    began = time.monotonic()
    with servers.https(repo, tmp_path, endless=True) as (url, env):
        result = cli(
            "audit", f"{url}/.git", "main", "--engine", "sandbox", "--disk", "64m", env=env
        )
    assert result.code == 4, said(result)
    assert "A fetch of" in result.err, said(result)
    assert time.monotonic() - began < 30


def test_histories_of_submodules_count_against_the_disk_limit_together(
    cli: Cli, make_repository: Make
) -> None:
    repo = make_repository(files=dict(PLAIN))
    for name in ("one", "two"):
        inner = make_repository(files={"a.txt": name}, name=name)
        _heavy(inner, 12 * 2**20)
        git(
            repo,
            "update-index",
            "--add",
            "--cacheinfo",
            f"160000,{git(inner, 'rev-parse', 'HEAD').strip()},{name}",
        )
        with (repo / ".gitmodules").open("a") as modules:
            modules.write(MODULES.replace('"s"', f'"{name}"').format(path=name, url=inner))
    git(repo, "add", ".gitmodules")
    git(repo, "commit", "--quiet", "--message", "two submodules")
    asked = ("confirm", repo, "main", "--engine", "sandbox", "--allow-local-submodules")
    result = cli(*asked, "--disk", "20m")
    assert result.code == 4, said(result)
    assert "would take more than" in said(result)


def test_an_index_without_end_is_not_copied(cli: Cli, make_repository: Make) -> None:
    repo = make_repository(files=dict(PLAIN))
    (repo / ".git/index").unlink()
    (repo / ".git/index").symlink_to("/dev/zero")
    began = time.monotonic()
    assert cli("audit", repo, "main", "--engine", "sandbox").code == 0
    assert time.monotonic() - began < 60


@pytest.mark.parametrize("kind", ["endless", "pipe", "of the commit"])
def test_no_object_of_git_lfs_is_taken_from_where_a_commit_put_it(
    cli: Cli, make_repository: Make, kind: str
) -> None:
    content = b"12345"
    oid = hashlib.sha256(content).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 5\n"
    files = {**PLAIN, "big.bin": pointer, ".gitattributes": "*.bin filter=lfs\n"}
    repo = make_repository(files=files)
    top = repo if kind == "of the commit" else repo / ".git"
    place = top / "lfs/objects" / oid[:2] / oid[2:4] / oid
    place.parent.mkdir(parents=True)
    if kind == "endless":
        place.symlink_to("/dev/zero")
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        place.write_bytes(content)
        git(repo, "add", "--all", "-f")
        git(repo, "commit", "--quiet", "-m", "x")
    began = time.monotonic()
    result = cli("confirm", repo, "main", "--engine", "sandbox")
    assert result.code == 4, said(result)
    assert "is not there" in said(result)
    assert time.monotonic() - began < 60


def test_a_commit_does_not_say_where_its_git_lfs_objects_are(
    cli: Cli, make_repository: Make, tmp_path: Path
) -> None:
    """Its `.lfsconfig` names a server of this machine; nobody asks there."""
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 5\n"
    with socket.create_server(("127.0.0.1", 0)) as door:
        door.settimeout(0.5)
        config = f"[lfs]\n\turl = http://127.0.0.1:{door.getsockname()[1]}/internal\n"
        repo = make_repository(
            files={
                **PLAIN,
                "big.bin": pointer,
                ".gitattributes": "*.bin filter=lfs\n",
                ".lfsconfig": config,
            }
        )
        git(repo, "update-server-info")
        with servers.https(repo, tmp_path) as (url, env):
            result = cli("confirm", f"{url}/.git", "main", "--engine", "sandbox", env=env)
        assert result.code == 4, said(result)
        with pytest.raises(TimeoutError):
            door.accept()


def test_a_deep_tree_is_left_at_the_longest_path(cli: Cli, make_repository: Make) -> None:
    deep = (
        "import os\nfor i in range(300):\n"
        "    open('f', 'w').close(); os.mkdir('d' * 250); os.chdir('d' * 250)\n"
    )
    files = {
        "Snakefile": PLAIN["Snakefile"].replace("echo", "python3 deep.py; echo"),
        "deep.py": deep,
    }
    result = cli("confirm", make_repository(files=files), "main", "--engine", "sandbox")
    assert result.code == 4, said(result)
    assert "could not be examined" in said(result)
