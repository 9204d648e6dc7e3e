"""What a room can get of its host by asking for containers: no more than the images that were
provided for it, in its own folders, without rights or network.
"""

import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cleanroom.room.broker import Offered, beside
from cleanroom.room.engines.interface import Limits, Mount, RoomExit, RoomJob
from cleanroom.room.inside.beside import END, HEADER, MOST_ASKED, SOCKET, STDERR
from cleanroom.room.rooms import Room
from cleanroom.values.setup import Image
from tests.conftest import Confirm, Make
from tests.registry import Registry, debian, programs, serving

pytestmark = pytest.mark.xdist_group("registry")
IMAGE = Image(reference="x", digest="sha256:1", engine="e", isolation="i")
GOOD = {"image": "docker://x", "argv": ["true"], "env": {}, "packages": []}


class _Engine:
    """An engine that writes down what it is asked for."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.jobs: list[RoomJob] = []
        self.at_once = self.most = 0
        self._seconds, self._lock = seconds, threading.Lock()

    def run(self, job: RoomJob, stop: object, said: object, complained: object) -> RoomExit:
        assert callable(stop)
        with self._lock:
            self.jobs.append(job)
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        end = time.monotonic() + self._seconds
        why = ""
        while time.monotonic() < end and not why:
            why = stop()
            time.sleep(0.01)
        with self._lock:
            self.at_once -= 1
        return RoomExit(stopped=why, code=0)

    def wait(self, *, busy: bool) -> None:
        while bool(self.at_once) is not busy:
            time.sleep(0.01)


def room_of(folder: Path) -> tuple[Room, RoomJob]:
    room = Room(folder / "room")
    (room.inside / "containers").mkdir(parents=True)
    mounts = [*room.mounts(), Mount(host="/cache/env", room="/room/env/1")]
    job = RoomJob(
        name="attempt",
        owner="o",
        image=IMAGE,
        command=("driver",),
        env={"SECRET": "1"},
        mounts=tuple(mounts),
        limits=Limits(),
    )
    return room, job


def answers(room: Room, *said: bytes) -> Iterator[tuple[int, str]]:
    """(exit code, what was complained of) for each of these requests."""
    for request in said:
        with socket.socket(socket.AF_UNIX) as door:
            door.settimeout(30)
            door.connect(str(room.folder / SOCKET.removeprefix("/room/")))
            with contextlib.suppress(BrokenPipeError):
                door.sendall(request)
            complaint, code = "", -1
            with door.makefile("rb") as stream, contextlib.suppress(ConnectionResetError):
                while header := stream.read(HEADER.size):
                    kind, length = HEADER.unpack(header)
                    text = stream.read(length).decode()
                    if kind == STDERR:
                        complaint += text
                    if kind == END:
                        code = int(text)
            yield code, complaint


def line(**fields: object) -> bytes:
    return json.dumps({**GOOD, **fields}).encode() + b"\n"


REFUSED = {
    "another image": line(image="docker://another"),
    "a mount": line(mounts=["/:/host"]),
    "more rights": line(privileged=True),
    "a place over the system": line(packages=["/etc"]),
    "a place beside that of packages": line(packages=["/mnt/snakemake/../../etc"]),
    "no command": line(argv=[]),
    "a command of no text": line(argv=["a\0b"]),
    "a variable of no name": line(env={"": "1"}),
    "a variable with a name of two": line(env={"A=B": "1"}),
    "words that are none": line(argv=[1]),
    "no object": b"[]\n",
    "what is no JSON": b"\xff\xfe\n",
    "a nest": b"[" * 100000 + b"\n",
    "a line without end": b"x" * (MOST_ASKED + 2**16),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_on_offer_is_refused(tmp_path: Path, name: str) -> None:
    room, job = room_of(tmp_path)
    engine = _Engine()
    images = {"docker://x": Offered(IMAGE)}
    with beside(room, job, engine, images, None, lambda: ""):  # type: ignore[arg-type]
        ((code, complaint),) = answers(room, REFUSED[name])
    # Who still speaks when that is refused may not hear why.
    assert complaint.startswith("FATAL:") or "without end" in name
    assert code == (255 if complaint else -1)
    assert engine.jobs == []


def test_a_command_gets_the_rooms_own_folders_and_nothing_else(tmp_path: Path) -> None:
    room, job = room_of(tmp_path)
    engine = _Engine()
    images = {"docker://x": Offered(IMAGE, root="/files")}
    place = "/mnt/snakemake_searchpaths/item_3"
    with beside(room, job, engine, images, Path("/packages"), lambda: ""):  # type: ignore[arg-type]
        assert list(answers(room, line(packages=[place], env={"A": "1"}))) == [(0, "")]
    (asked,) = engine.jobs
    assert (asked.beside, asked.root, asked.command, asked.env) == (
        "attempt",
        "/files",
        ("true",),
        {"A": "1"},
    )
    assert (asked.network, asked.limits, asked.owner) == (job.network, job.limits, job.owner)
    seen = {mount.room: (mount.host, mount.writable) for mount in asked.mounts}
    assert seen == {
        "/room/work": (str(room.work), True),
        "/room/places": (str(room.places), True),
        "/tmp": (str(room.tmp), True),
        "/etc/passwd": (str(room.inside / "passwd"), False),
        "/etc/group": (str(room.inside / "group"), False),
        "/room/env/1": ("/cache/env", False),
        place: ("/packages", False),
    }


def test_no_more_run_at_once_than_there_are_processors(tmp_path: Path) -> None:
    room, job = room_of(tmp_path)
    engine = _Engine(0.2)
    images = {"docker://x": Offered(IMAGE)}
    with beside(room, job, engine, images, None, lambda: ""):  # type: ignore[arg-type]
        threads = [threading.Thread(target=lambda: list(answers(room, line()))) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(engine.jobs) == 12
    assert engine.most <= max(2, os.cpu_count() or 2)


def test_nothing_lives_when_the_room_is_over_or_nobody_waits(tmp_path: Path) -> None:
    room, job = room_of(tmp_path)
    engine = _Engine(60.0)
    images = {"docker://x": Offered(IMAGE)}
    begin = time.monotonic()
    with beside(room, job, engine, images, None, lambda: ""):  # type: ignore[arg-type]
        gone = socket.socket(socket.AF_UNIX)
        gone.connect(str(room.folder / SOCKET.removeprefix("/room/")))
        gone.sendall(line())
        engine.wait(busy=True)
        gone.close()
        engine.wait(busy=False)
        waits = socket.socket(socket.AF_UNIX)
        waits.connect(str(room.folder / SOCKET.removeprefix("/room/")))
        waits.sendall(line())
        engine.wait(busy=True)
    waits.close()
    assert engine.at_once == 0
    assert time.monotonic() - begin < 20


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with serving(tmp_path_factory.mktemp("registry") / "served") as served:
        hostile = {"usr/": "", "room/": "", "opt/x": "1"}
        served.push("tools/one:1", programs(), debian(tool="1"), hostile)
        yield served


LOOKS = """
for path in /room/in /room/out /var/run/docker.sock /room/host/etc /root/.cache; do
    test -e $path && echo "sees $path"
done
for path in /opt/x /etc/new /usr/new /new /proc/sys/kernel/hostname; do
    (echo 1 > $path) 2> /dev/null && echo "writes $path"
done
test "$(id -u)" = 0 && echo root
cat /proc/self/status | while read key value rest; do
    case "$key" in CapEff:|CapPrm:|CapBnd:) test "$value" = 0000000000000000 || echo "$key";; esac
    case "$key" in NoNewPrivs:) test "$value" = 1 || echo "$key";; esac
done
cat /proc/net/dev | while read name rest; do
    case "$name" in lo:*|Inter*|face*) ;; *) echo "net $name";; esac
done
"""


def test_a_container_has_no_more_than_its_room(
    registry: Registry, make_repository: Make, confirm: Confirm, engine: str
) -> None:
    """Nothing of the host is seen or written, and no right is there: what it finds is its result,
    which is empty.
    """
    holds = 'test "$(cat {input})" = done || {{ echo found: $(cat {input}) >&2; exit 1; }}'
    snakefile = (
        'rule all:\n    input: "b.txt"\nrule one:\n    output: "a.txt"\n    input: "looks.sh"\n'
        f'    container: "docker://{registry.address}/tools/one:1"\n'
        '    shell: "sh {input} > {output}; echo done >> {output}"\n'
        'rule two:\n    input: "a.txt"\n    output: "b.txt"\n'
        f"    shell: {holds + '; echo 1 > {output}'!r}\n"
    )
    files = {
        "Snakefile": snakefile,
        "looks.sh": LOOKS,
        "profiles/a/config.yaml": "cores: 1\n",
    }
    repo = make_repository(files=files)
    result, report = confirm(repo, "--engine", engine, "--allow-private-sources")
    assert result.code == 0, result.out
    assert report["runs"][0]["jobs"] == 3
