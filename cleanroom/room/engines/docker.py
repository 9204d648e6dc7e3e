"""Rooms as containers, through the Docker SDK (Podman's compatible socket too).
Not here: what runs in a room.
"""

import contextlib
import os
import select
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any, cast

import docker
import msgspec
import requests
from docker.errors import APIError, DockerException, NotFound
from docker.types import LogConfig, Ulimit
from docker.types import Mount as DockerMount

from cleanroom.errors import EngineError
from cleanroom.room.engines.docker_images import DockerImages
from cleanroom.room.engines.docker_images import reason as reason_of
from cleanroom.room.engines.frames import Frames
from cleanroom.room.engines.interface import Limits, RoomExit, RoomJob

_LABEL = "cleanroom.owner"
_TAIL = 64 * 1024
_POLL_SECONDS = 0.2
_LAST_SECONDS = 60


class DockerEngine(DockerImages):
    """An engine that answers on the Docker socket.

    Raises: EngineError when none does.
    """

    name = "docker"
    has_images = True
    python = "python3"

    def __init__(self) -> None:
        try:
            _knock()
            client = docker.from_env(timeout=30)
            super().__init__(client, str(client.version().get("Version", "")))
            security = client.info().get("SecurityOptions") or []
        except (DockerException, requests.RequestException, OSError) as error:
            raise EngineError(
                f"No container engine answers ({reason_of(error)}).",
                "Start Docker (or Podman's socket and DOCKER_HOST), or use --engine sandbox.",
            ) from None
        self._rootless = any("rootless" in option for option in security)

    @property
    def owner(self) -> tuple[int, int]:
        return room_uid(), room_gid()

    def close(self) -> None:
        self._client.close()

    def run(
        self,
        job: RoomJob,
        stop: Callable[[], str],
        said: Callable[[bytes], None],
        complained: Callable[[bytes], None] | None = None,
    ) -> RoomExit:
        name = f"cleanroom-{job.name}"
        try:
            with self._container(name, job) as container:
                ended = self._attend(
                    container, stop, said, complained or _nothing, held=not job.beside
                )
                if job.beside and not ended.stopped:
                    code = int(container.wait(timeout=_LAST_SECONDS)["StatusCode"])
                    return msgspec.structs.replace(ended, code=code)
                return ended
        except (DockerException, requests.RequestException, OSError) as error:
            raise EngineError(
                f"The engine refused or lost the room {name} ({reason_of(error)}).",
                "See `cleanroom doctor` and the engine's log.",
            ) from None

    @contextlib.contextmanager
    def _container(self, name: str, job: RoomJob) -> Iterator[Any]:
        """A container that is gone afterwards, even when its start fails half-way."""
        user = "0:0" if self._rootless else f"{room_uid()}:{room_gid()}"
        limits = job.limits
        try:
            yield self._client.containers.create(
                job.image.digest,
                name=name,
                entrypoint=[job.command[0]],
                command=list(job.command[1:]),
                environment=job.env,
                user=user,
                hostname=None if job.network == "host" else job.hostname,
                working_dir="/" if job.beside else "/room",
                pid_mode=f"container:cleanroom-{job.beside}" if job.beside else None,
                labels={_LABEL: job.owner},
                network_mode=job.network,
                mounts=[
                    *(
                        DockerMount(m.room, m.host, type="bind", read_only=not m.writable)
                        for m in job.mounts
                    ),
                    *(
                        DockerMount(path, None, type="volume", read_only=True)
                        for path in self._volumes(job)
                    ),
                ],
                read_only=True,
                cap_drop=["ALL"],
                security_opt=["no-new-privileges"],
                mem_limit=limits.memory,
                memswap_limit=limits.memory,
                pids_limit=limits.processes,
                ulimits=[
                    Ulimit(name=name, soft=value, hard=value)
                    for name, value in _ulimits(limits).items()
                ],
                shm_size="64m" if limits.memory < 2**30 else "1g",
                stdin_open=not job.beside,
                auto_remove=not job.beside,  # its exit code is asked for first
                # with `stdin_open`: standard input closes when we, its only reader, are gone
                detach=False,
                use_config_proxy=False,
                log_config=LogConfig(
                    type=LogConfig.types.NONE
                ),  # what a room says goes to us alone, and fills no disk
            )
        finally:
            self._remove(name)

    def _volumes(self, job: RoomJob) -> list[str]:
        """Folders that the image declares as volumes.
        As they are, a job could write there, where nobody looks.
        """
        declared = self._client.images.get(job.image.digest).attrs["Config"].get("Volumes") or {}
        ours = [mount.room for mount in job.mounts]
        return sorted(
            path for path in declared if path.rstrip("/") and path.rstrip("/") not in ours
        )

    def _attend(
        self,
        container: Any,
        stop: Callable[[], str],
        said: Callable[[bytes], None],
        complained: Callable[[bytes], None],
        *,
        held: bool,
    ) -> RoomExit:
        """Listen until the container ends. One that is `held` ends itself when we are gone: then
        its standard input closes.
        """
        stream = container.attach_socket(
            params={"stdin": int(held), "stdout": 1, "stderr": 1, "stream": 1}
        )
        connection = cast(socket.socket, getattr(stream, "_sock", stream))
        frames, output = Frames(), b""
        try:
            container.start()
            while True:
                readable, _, _ = select.select([connection], [], [], _POLL_SECONDS)
                if readable:
                    block = connection.recv(2**20)
                    if not block:
                        return RoomExit(output=_text(output))
                    for stdout, piece in frames.of(block):
                        if stdout:
                            said(piece)
                        else:
                            complained(piece)
                            output = (output + piece)[-_TAIL:]
                if reason := stop():
                    return RoomExit(stopped=reason, output=_text(output))
        finally:
            with contextlib.suppress(OSError):
                connection.close()
                stream.close()

    def _remove(self, name: str) -> None:
        """Return only when the container is gone; its files are read next."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                self._client.containers.get(name).remove(force=True, v=True)
            except NotFound:
                return
            except APIError as error:
                if error.status_code not in (404, 409):
                    raise
            time.sleep(0.02)
        raise EngineError(
            f"The container {name} cannot be removed.", f"Remove it: docker rm --force {name}"
        )

    def sweep(self, left_behind: Callable[[str], bool]) -> int:
        swept = 0
        for container in self._client.containers.list(
            all=True, filters={"label": _LABEL}, ignore_removed=True
        ):
            if left_behind(container.labels[_LABEL]):
                self._remove(str(container.name))
                swept += 1
        return swept


def _ulimits(limits: Limits) -> dict[str, int]:
    """The same in every engine, whatever its own default.
    One file may be larger than the disk limit allows for all:
    then the watcher stops the room and says so, before the workflow is blamed. Processes are
    limited by the control group."""
    return {"fsize": 2 * limits.disk, "core": 0, "nofile": 16384, "nproc": 16384}


def _knock() -> None:
    """Ask whether anybody listens on the engine's socket: the library leaves one open where nobody
    does. Raises: OSError.
    """
    address = os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
    if address.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as door:
            door.settimeout(30)
            door.connect(address.removeprefix("unix://"))


def room_uid() -> int:
    """The user in a room: this user, so that its files can be read; for root somebody without
    rights.
    """
    return os.getuid() or 10001


def room_gid() -> int:
    return os.getgid() or 10001


def _nothing(_: bytes) -> None:
    """Nobody listens."""


def _text(output: bytes) -> str:
    return output.decode("utf-8", "backslashreplace")
