"""Commands that a room asks its host to run in containers beside it: the images that were provided
for it, the room's own folders, no network, no right. Nothing else can be asked for.

Not here: how a container is made, and who asks in the room.
"""

import contextlib
import os
import select
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from cleanroom.errors import EngineError
from cleanroom.room.engines.interface import Engine, Mount, RoomJob
from cleanroom.room.inside.apptainer import PACKAGES, SHARED
from cleanroom.room.inside.beside import END, HEADER, MOST_ASKED, SOCKET, STDERR, STDOUT
from cleanroom.room.rooms import Room
from cleanroom.values.setup import Image

_BACKLOG = 64
_POLL_SECONDS = 0.2
_MOST_WORDS = 4096
_REFUSED = 255
_KEPT = (*SHARED, "/etc/passwd", "/etc/group")
"""The places of a room that a container sees too."""


class Offered(NamedTuple):
    """An image that a room may have commands run in: by its digest where the engine runs images,
    else by the `root` folder with its files.
    """

    image: Image
    root: str = ""


class _Request(msgspec.Struct, forbid_unknown_fields=True):
    """As `Asked` says it."""

    image: str
    argv: list[str]
    env: dict[str, str]
    packages: list[str]


@contextlib.contextmanager
def beside(
    room: Room,
    job: RoomJob,
    engine: Engine,
    images: Mapping[str, Offered],
    packages: Path | None,
    stop: Callable[[], str],
) -> Iterator[None]:
    """Serve a room while it lives; nothing that it asked for lives afterwards. `images` are by
    their addresses, `packages` is the folder of this host with Snakemake's own packages of Python.
    """
    if not images:
        yield
        return
    over = threading.Event()
    ends = lambda: stop() or "over" * over.is_set()  # noqa: E731 - one line of it
    broker = _Broker(room.work, job, engine, images, packages, ends)
    path = room.folder / SOCKET.removeprefix("/room/")
    with socket.socket(socket.AF_UNIX) as door:
        _bind(door, path)
        door.listen(_BACKLOG)
        door.settimeout(_POLL_SECONDS)
        serving = threading.Thread(target=broker.serve, args=(door, over), name="broker")
        serving.start()
        try:
            yield
        finally:
            over.set()
            serving.join()


def _bind(door: socket.socket, path: Path) -> None:
    """A socket's path may be short only, and the cache's long: it is bound by its folder."""
    folder = os.open(path.parent, os.O_PATH)
    try:
        door.bind(f"/proc/self/fd/{folder}/{path.name}")
    finally:
        os.close(folder)
    path.chmod(0o666)  # of the room's user; its folder is nobody else's


class _Broker:
    def __init__(
        self,
        work: Path,
        job: RoomJob,
        engine: Engine,
        images: Mapping[str, Offered],
        packages: Path | None,
        stop: Callable[[], str],
    ) -> None:
        self._work = str(work)  # whose place in a room may be another one
        self._job, self._engine, self._images, self._packages = job, engine, images, packages
        self._stop = stop
        self._asked = 0
        self._at_once = threading.BoundedSemaphore(max(2, os.cpu_count() or 2))

    def serve(self, door: socket.socket, over: threading.Event) -> None:
        """Every request in a thread of its own, until all is over and the last has ended."""
        threads: list[threading.Thread] = []
        while not over.is_set():
            try:
                connection, _ = door.accept()
            except TimeoutError:
                threads = [thread for thread in threads if thread.is_alive()]
                continue
            if len(threads) >= _BACKLOG:
                threads = [thread for thread in threads if thread.is_alive()]
            if len(threads) >= 2 * _BACKLOG:
                connection.close()
                continue
            self._asked += 1
            threads.append(
                threading.Thread(target=self._answer, args=(connection, self._asked), daemon=True)
            )
            threads[-1].start()
        for thread in threads:
            thread.join()

    def _answer(self, connection: socket.socket, number: int) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(_POLL_SECONDS)
            request = self._hear(connection)
            if isinstance(request, str):
                self._refuse(connection, request)
                return
            with self._turn(connection) as mine:
                if mine:
                    self._run(connection, request, number)

    def _hear(self, connection: socket.socket) -> _Request | str:
        """What is asked, or why it is refused."""
        said = bytearray()
        while not said.endswith(b"\n"):
            if self._stop():
                return "the room ends"
            try:
                block = connection.recv(2**16)
            except TimeoutError:
                continue
            said += block
            if not block or len(said) > MOST_ASKED:
                return "this is no request"
        try:
            request = msgspec.json.decode(said, type=_Request)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return "this is no request"
        return _fault(request, self._images) or request

    @contextlib.contextmanager
    def _turn(self, connection: socket.socket) -> Iterator[bool]:
        """Wait until fewer run than there are processors; whether somebody still waits then."""
        while not self._at_once.acquire(timeout=_POLL_SECONDS):
            if self._stop() or _gone(connection):
                yield False
                return
        try:
            yield True
        finally:
            self._at_once.release()

    def _run(self, connection: socket.socket, request: _Request, number: int) -> None:
        wanted = self._images[request.image]
        mounts = [m for m in self._job.mounts if m.host == self._work or _is_shared(m.room)]
        if self._packages is not None:
            mounts += [Mount(host=str(self._packages), room=place) for place in request.packages]
        job = msgspec.structs.replace(
            self._job,
            name=f"{self._job.name}-{number}",
            beside=self._job.name,
            image=wanted.image,
            root=wanted.root,
            command=tuple(request.argv),
            env=request.env,
            mounts=tuple(mounts),
        )
        connection.settimeout(60.0)

        def stop() -> str:
            return self._stop() or ("nobody waits" if _gone(connection) else "")

        try:
            ended = self._engine.run(
                job, stop, _teller(connection, STDOUT), _teller(connection, STDERR)
            )
        except EngineError as error:
            self._refuse(connection, str(error))
            return
        if not ended.stopped:
            _tell(connection, END, str(_REFUSED if ended.code is None else ended.code).encode())

    def _refuse(self, connection: socket.socket, why: str) -> None:
        _tell(connection, STDERR, f"FATAL:   {why}\n".encode())
        _tell(connection, END, str(_REFUSED).encode())


def _is_shared(place: str) -> bool:
    return any(place == kept or place.startswith(f"{kept}/") for kept in _KEPT)


def _fault(request: _Request, images: Mapping[str, Offered]) -> str:
    """Why a request is refused; empty where it is not."""
    if request.image not in images:
        return "there is no such image in this room"
    if not 0 < len(request.argv) <= _MOST_WORDS or "\0" in "".join(request.argv):
        return "this is no command"
    if not all(map(PACKAGES.fullmatch, request.packages)) or len(request.packages) > _BACKLOG:
        return "these are no places of packages"
    bad = [n for n, value in request.env.items() if not n or "=" in n or "\0" in n + value]
    return "these are no variables" if bad else ""


def _gone(connection: socket.socket) -> bool:
    """Whether nobody listens any more."""
    try:
        readable, _, _ = select.select([connection], [], [], 0)
        return bool(readable) and connection.recv(1, socket.MSG_PEEK) == b""
    except OSError:
        return True


def _teller(connection: socket.socket, kind: int) -> Callable[[bytes], None]:
    return lambda block: _tell(connection, kind, block)


def _tell(connection: socket.socket, kind: int, said: bytes) -> None:
    """A frame; nothing where nobody listens."""
    with contextlib.suppress(OSError):
        connection.sendall(HEADER.pack(kind, len(said)) + said)
