"""The walk: everything that is there, nothing followed, and digests that hold only for what was read."""

import hashlib
import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from cleanroom.evidence.collect import _TICK, _AtWork, changed, collect, removed
from cleanroom.evidence.walk import Hasher, open_beneath, scan
from cleanroom.model import FileRef, Job, Kind, Role
from tests.unit.values import attempt, job


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as made:
        yield made


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_everything_is_found_and_git_and_snakemake_are_left_out(tmp_path: Path) -> None:
    for path in ("a/b/c.txt", ".git/config", ".snakemake/log/x", "a/.snakemake_timestamp", "a/.hidden"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("x")
    (tmp_path / "empty").mkdir()
    (tmp_path / os.fsdecode(b"\xff name\n")).write_text("x")
    assert set(scan(os.fsencode(tmp_path))) == {b"a/b/c.txt", b"a/.hidden", b"empty", b"\xff name\n"}


def test_links_and_special_files_are_hashed_not_followed(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
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
        files = scan(os.fsencode(room))
        with Hasher(os.fsencode(room), pool) as hasher:
            found = hasher.digests(files)
    assert set(found) == {b"file", b"out", b"up", b"fifo", b"socket"}
    assert found[b"file"].sha256 == digest(b"content")
    assert found[b"out"].target == str(outside)
    assert found[b"out"].sha256 != digest(b"secret")
    assert len({found[path].sha256 for path in found}) == 5


def test_opening_beneath_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "file").write_text("x")
    (tmp_path / "link").symlink_to("real")
    root = os.open(tmp_path, os.O_RDONLY)
    try:
        os.close(open_beneath(root, b"real/file"))
        for path in (b"link/file", b"link"):
            with pytest.raises(OSError):
                open_beneath(root, path)
    finally:
        os.close(root)


def test_a_digest_from_before_a_change_is_void(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    file = tmp_path / "result"
    file.write_bytes(b"early")
    with Hasher(os.fsencode(tmp_path), pool) as hasher:
        hasher.ahead(b"result")
        hasher._early[b"result"].result()
        info = file.stat()
        file.write_bytes(b"later")
        os.utime(file, ns=(info.st_atime_ns, info.st_mtime_ns))  # the same size and time: only the change time tells
        assert hasher.digests(scan(os.fsencode(tmp_path)))[b"result"].sha256 == digest(b"later")


def test_a_digest_from_before_holds_when_nothing_changed(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    (tmp_path / "result").write_bytes(b"early")
    with Hasher(os.fsencode(tmp_path), pool) as hasher:
        hasher.ahead(b"result")
        hasher.ahead(b"missing")
        assert hasher.digests(scan(os.fsencode(tmp_path)))[b"result"].sha256 == digest(b"early")


def test_many_files_large_and_small(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    contents = {f"f{i}".encode(): os.urandom(i % 7) for i in range(700)} | {b"big": os.urandom(3 * 2**20)}
    for path, content in contents.items():
        (tmp_path / path.decode()).write_bytes(content)
    with Hasher(os.fsencode(tmp_path), pool) as hasher:
        found = hasher.digests(scan(os.fsencode(tmp_path)))
    assert {path: result.sha256 for path, result in found.items()} == {path: digest(content) for path, content in contents.items()}


def test_roles(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    for path in ("tracked.txt", "touched.txt", "gone.txt"):
        (tmp_path / path).write_text("delivered")
    before = scan(os.fsencode(tmp_path))
    job = Job(
        rule="r",
        output=(FileRef(path="out.txt"), FileRef(path="tmp.txt", flags=("temp",)), FileRef(path="folder", flags=("directory",))),
        log=("r.log",),
        benchmark="r.tsv",
    )
    (tmp_path / "folder" / "deep").mkdir(parents=True)
    for path in ("out.txt", "tmp.txt", "r.log", "r.tsv", "folder/deep/x", "extra.txt", "m.pyc"):
        (tmp_path / path).write_text("x")
    (tmp_path / "tracked.txt").write_text("overwritten")
    (tmp_path / "touched.txt").write_text("delivered")
    (tmp_path / "gone.txt").unlink()
    after = scan(os.fsencode(tmp_path))
    touched = changed(before, after)
    with Hasher(os.fsencode(tmp_path), pool) as hasher:
        found = collect(before, touched, hasher.digests(touched), (attempt(job),), {b"touched.txt"})
    assert {a.path: a.role for a in found} == {
        "out.txt": Role.OUTPUT,
        "tmp.txt": Role.TEMP,
        "folder/deep/x": Role.OUTPUT,
        "r.log": Role.LOG,
        "r.tsv": Role.BENCHMARK,
        "extra.txt": Role.UNDECLARED,
        "m.pyc": Role.CACHE,
        "tracked.txt": Role.TRACKED,
    }
    assert [a.path for a in found] == sorted(a.path for a in found)
    (gone,) = removed(before, after, ())
    assert (gone.path, gone.kind, gone.role) == ("gone.txt", Kind.REMOVED, Role.TRACKED)
    assert not list(removed(before, after, ("gone.txt",)))


def test_a_file_that_was_written_as_a_job_began_is_of_that_job() -> None:
    """The file system's clock is behind by up to a tick, so that the file seems older than the job."""
    jobs = [msgspec.structs.replace(attempt(job()), started=start, ended=start + 1) for start in (10.0, 12.0, 13.0005)]
    at_work = _AtWork(tuple(jobs))
    assert 0 < _TICK <= 0.01
    assert [at_work.at(moment) for moment in (10.0 - 0.9 * _TICK, 10.0 - 1.1 * _TICK, 10.5, 11.5)] == [(0,), (), (0,), ()]
    assert at_work.at(13.0) == (1, 2), "either may have written it"
    last = msgspec.structs.replace(attempt(job("all", "")), started=11.001, ended=11.002)
    assert _AtWork((jobs[0], last)).at(10.999) == (0, 1)
    assert _AtWork((jobs[0], last), {"all"}).at(10.999) == (0,), "a rule that runs nothing writes nothing"
