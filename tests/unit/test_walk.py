"""The walk: everything that is there, nothing followed, and digests that hold only for what was
read.
"""

import hashlib
import os
import socket
import stat
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from cleanroom.beneath import Beneath
from cleanroom.errors import EngineError, Interrupted
from cleanroom.evidence.artifacts import _AtWork, changed, collect, removed
from cleanroom.evidence.links import Links
from cleanroom.evidence.tree import Hasher, Patience, Signature, scan
from cleanroom.values.plan import FileRef, Job
from cleanroom.values.run import Kind, Role
from tests.unit.values import attempt, job


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as made:
        yield made


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_everything_is_found_and_git_and_snakemake_are_left_out(tmp_path: Path) -> None:
    for path in (
        "a/b/c.txt",
        ".git/config",
        ".snakemake/log/x",
        "a/.snakemake_timestamp",
        "a/.hidden",
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("x")
    (tmp_path / "empty").mkdir()
    (tmp_path / os.fsdecode(b"\xff name\n")).write_text("x")
    for path in ("a/.git/config", "a/.snakemake/x"):
        (tmp_path / path).parent.mkdir()
        (tmp_path / path).write_text("a name alone is no reason to leave anything out")
    (tmp_path / "b").mkdir()
    (tmp_path / "b/.snakemake_timestamp").touch()
    (tmp_path / "c").mkdir()
    (tmp_path / "c/.snakemake_timestamp").write_text("content")
    own = frozenset({b".git", b".snakemake"})
    stamps = frozenset({b"b/.snakemake_timestamp", b"c/.snakemake_timestamp"})
    expected = {
        b"a/b/c.txt",
        b"a/.hidden",
        b"empty",
        b"\xff name\n",
        b"a/.git/config",
        b"a/.snakemake/x",
        b"b",
    }
    expected |= {b"a/.snakemake_timestamp", b"c/.snakemake_timestamp"}
    assert set(scan(tmp_path, own, stamps=stamps)) == expected


def test_links_and_special_files_are_hashed_not_followed(
    tmp_path: Path, pool: ThreadPoolExecutor
) -> None:
    outside = tmp_path / "outside"
    outside.write_text("secret")
    room = tmp_path / "room"
    room.mkdir()
    (room / "file").write_bytes(b"content")
    (room / "out").symlink_to(outside)
    (room / "up").symlink_to(tmp_path)
    os.mkfifo(room / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(room / "socket"))
        files = scan(room)
        found = Hasher(room, pool).digests(files)
    assert set(found) == {b"file", b"out", b"up", b"fifo", b"socket"}
    assert found[b"file"].sha256 == digest(b"content")
    assert found[b"out"].target == str(outside)
    assert found[b"out"].sha256 != digest(b"secret")
    assert [found[path].unexamined.partition(",")[0] for path in (b"fifo", b"socket")] == [
        "it is a pipe",
        "it is a socket",
    ]
    assert not found[b"fifo"].sha256


def test_nothing_beneath_is_reached_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/file").write_text("outside")
    (tmp_path / "in/real").mkdir(parents=True)
    (tmp_path / "in/real/file").write_text("inside")
    (tmp_path / "in/link").symlink_to(tmp_path / "out")
    (tmp_path / "staged").mkdir()
    with Beneath(tmp_path / "in") as here:
        os.close(here.open(b"real/file"))
        for attack in (
            lambda: here.open(b"link/file"),
            lambda: here.open(b"link"),
            lambda: here.stat(b"link/file"),
            lambda: list(here.entries(b"link")),
            lambda: here.write(b"link/new", [b"x"]),
            lambda: here.link(b"link/new", b"x"),
            lambda: here.set_time(b"link/file", 0),
            lambda: here.move_in(tmp_path / "staged", b"link/new"),
            lambda: here.hard_link(b"link/file", tmp_path / "name"),
            lambda: here.open(b"../out/file"),
            lambda: here.open(b"real/../real/file"),
            lambda: here.write(b"..", [b"x"]),
            lambda: here.remove(b"../out/file"),
            lambda: here.open(b"/etc/passwd"),
        ):
            with pytest.raises(OSError):
                attack()
        here.remove(b"link/file")
        here.write(b"link", [b"a file in the place of the link"])
    assert (tmp_path / "out/file").read_text() == "outside"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["file"]
    assert not (tmp_path / "in/link").is_symlink()


def test_a_graft_stands_for_its_path(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    (tmp_path / "room").mkdir()
    (tmp_path / "place").mkdir()
    (tmp_path / "place/x").write_text("x")
    (tmp_path / "room/results").symlink_to("/room/places/0")
    grafts = {b"results": tmp_path / "place"}
    files = scan(tmp_path / "room", frozenset(), grafts)
    assert {
        path: found.sha256
        for path, found in Hasher(tmp_path / "room", pool, grafts).digests(files).items()
    } == {b"results/x": digest(b"x")}


def test_hashing_ends_at_its_deadline(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    with (tmp_path / "holes").open("wb") as file:
        file.truncate(2**36)
    files = scan(tmp_path)
    begin = time.monotonic()
    with pytest.raises(EngineError, match="time limit"):
        Hasher(tmp_path, pool, patience=Patience(begin + 0.5)).digests(files)
    with pytest.raises(Interrupted):
        Hasher(tmp_path, pool, patience=Patience(stopped=lambda: True)).digests(files)
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize(
    ("path", "end", "unseen"),
    [
        ("plain", "plain", ""),
        ("to_file", "sub/file", ""),
        ("deep/up", "sub/file", ""),
        ("chain", "sub/file", ""),
        ("through/file", "sub/file", ""),
        ("hidden", ".git/x", "not part of the results"),
        ("nested_hidden", "sub/.git/x", ""),
        ("to_tmp/x", "/tmp/x", "not kept"),
        ("relative_out", "/room/out/x", "not kept"),
        ("shared", "/dev/shm/x", "not kept"),
        ("system", "/usr/share/dict", ""),
        ("back", "plain", ""),
        ("circle", None, "circle"),
    ],
)
def test_links_are_followed_to_their_end(path: str, end: str | None, unseen: str) -> None:
    targets = {
        "to_file": "sub/file",
        "deep/up": "../sub/file",
        "chain": "to_file",
        "through": "sub",
        "hidden": ".git/x",
        "nested_hidden": "sub/.git/x",
        "to_tmp": "/tmp",
        "relative_out": "../out/x",
        "shared": "/dev/shm/x",
        "system": "/usr/share/dict",
        "back": "/room/work/plain",
        "circle": "circle",
    }
    tree = {name.encode(): Signature(stat.S_IFLNK | 0o777, 0, 0, 0, 0) for name in targets}
    links = Links(
        tree, lambda name: targets[name.decode()].encode(), b"/room/work", {b".git", b".snakemake"}
    )
    reached = links.reach(path.encode())
    assert (reached and reached.path.decode()) == end
    assert unseen in links.unseen(path.encode()) if unseen else not links.unseen(path.encode())


def test_many_files_large_and_small(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    contents = {f"f{i}".encode(): os.urandom(i % 7) for i in range(700)} | {
        b"big": os.urandom(3 * 2**20)
    }
    for path, content in contents.items():
        (tmp_path / path.decode()).write_bytes(content)
    found = Hasher(tmp_path, pool).digests(scan(tmp_path))
    assert {path: result.sha256 for path, result in found.items()} == {
        path: digest(content) for path, content in contents.items()
    }


def test_roles(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    for path in ("tracked.txt", "touched.txt", "gone.txt", "tracked.py"):
        (tmp_path / path).write_text("delivered")
    before = scan(tmp_path)
    job = Job(
        rule="r",
        output=(
            FileRef(path="out.txt"),
            FileRef(path="tmp.txt", flags=("temp",)),
            FileRef(path="folder", flags=("directory",)),
        ),
        log=("r.log",),
        benchmark="r.tsv",
    )
    (tmp_path / "folder" / "deep").mkdir(parents=True)
    (tmp_path / "__pycache__").mkdir()
    for path in (
        "out.txt",
        "tmp.txt",
        "r.log",
        "r.tsv",
        "folder/deep/x",
        "extra.txt",
        "m.pyc",
        "__pycache__/tracked.cpython-311.pyc",
        "__pycache__/other.cpython-311.pyc",
    ):
        (tmp_path / path).write_text("x")
    (tmp_path / "tracked.txt").write_text("overwritten")
    (tmp_path / "touched.txt").write_text("delivered")
    (tmp_path / "gone.txt").unlink()
    after = scan(tmp_path)
    touched = changed(before, after)
    found = collect(
        before, touched, Hasher(tmp_path, pool).digests(touched), (attempt(job),), {b"touched.txt"}
    )
    assert {a.path: a.role for a in found} == {
        "out.txt": Role.OUTPUT,
        "tmp.txt": Role.TEMP,
        "folder/deep/x": Role.OUTPUT,
        "r.log": Role.LOG,
        "r.tsv": Role.BENCHMARK,
        "extra.txt": Role.UNDECLARED,
        "m.pyc": Role.UNDECLARED,
        "__pycache__/tracked.cpython-311.pyc": Role.CACHE,
        "__pycache__/other.cpython-311.pyc": Role.UNDECLARED,
        "tracked.txt": Role.TRACKED,
    }
    assert [a.path for a in found] == sorted(a.path for a in found)
    (gone,) = removed(before, after, ())
    assert (gone.path, gone.kind, gone.role) == ("gone.txt", Kind.REMOVED, Role.TRACKED)
    assert not list(removed(before, after, ("gone.txt",)))


def test_a_file_that_was_written_as_a_job_began_is_of_that_job() -> None:
    """The clock of files is behind, so that jobs begin by it, and may seem to begin before the
    last one has ended.
    """
    jobs = [
        msgspec.structs.replace(attempt(job()), started=start, ended=start + 1)
        for start in (10.0, 12.0, 12.9905)
    ]
    at_work = _AtWork(tuple(jobs))
    assert [at_work.at(moment) for moment in (10.0, 9.999, 10.5, 11.5)] == [(0,), (), (0,), ()]
    assert at_work.at(12.995) == (1, 2), "either may have written it"
    last = msgspec.structs.replace(attempt(job("all", "")), started=10.998, ended=11.002)
    assert _AtWork((jobs[0], last)).at(10.999) == (0, 1)
    assert _AtWork((jobs[0], last), {"all"}).at(10.999) == (0,), (
        "a rule that runs nothing writes nothing"
    )
