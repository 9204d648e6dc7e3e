"""Rooms without an engine: bubblewrap over the host's system folders, read-only.
Weaker than a container, and labelled so.

The software is the host's, so that the digest names packages, not their content. A room called for
by root becomes another user before anything of it runs; one called for by a person stays that
person in the eyes of the kernel, in a user namespace of its own.
Either way it has no capability, can gain none, makes no namespace, and can write nothing of /proc.
Not here: what runs in a room.
"""

import contextlib
import hashlib
import importlib.metadata
import json
import os
import platform
import select
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import IO

import msgspec

from cleanroom.errors import EngineError, ImageError
from cleanroom.room.engines import cgroup, seccomp
from cleanroom.room.engines.interface import ImageFacts, RoomExit, RoomJob
from cleanroom.values.setup import Image

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
# What installed programs read of /etc to start at all; nothing that tells this host from another.
_ETC = (
    "alternatives",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "ssl/certs",
    "fonts",
    "R",
    "perl",
    "texmf",
    "magic",
    "mime.types",
)
_HOST = "/room/host"
"""Where the system's folders are in a room of other files, for what must run before its command."""
UID = GID = 10001
"""Who a sandbox is; called for by a person and not by root, it only says so, and on the host is
that person.
"""
_TAIL = 64 * 1024
_POLL_SECONDS = 0.2
_LAST_SECONDS = 60.0


class SandboxEngine:
    """Bubblewrap. Raises: EngineError when it is missing or not allowed to make namespaces."""

    name = "sandbox"
    isolation = "sandbox (weaker than a container)"
    has_images = False
    owner = (UID, GID)

    def __init__(self) -> None:
        self.python = python()
        self._bwrap = shutil.which("bwrap")
        if self._bwrap is None:
            raise EngineError(
                "The sandbox needs bubblewrap, which is not installed.",
                "Install it: apt-get install bubblewrap",
            )
        probe = [
            self._bwrap,
            *_namespaces(),
            *_rights(),
            *_software(),
            *_python(),
            "--",
            *_as_nobody(),
            sys.executable,
            "-c",
            "",
        ]
        with _filter() as (options, fd):
            probe[1:1] = options
            ended = subprocess.run(
                probe,
                capture_output=True,
                text=True,
                env={},
                timeout=30,
                pass_fds=[fd],
                stdin=subprocess.DEVNULL,
            )
        if ended.returncode:
            said = ended.stderr.strip()[-200:]
            raise EngineError(
                f"bubblewrap may not make a room here ({said}).", _ADVICE[os.geteuid() == 0]
            )

    def close(self) -> None:
        """Nothing is held open."""

    def resolve(self, reference: str, *, anew: bool = False) -> Image:
        if reference:
            raise ImageError(
                f"The sandbox has no images, so that '{reference}' cannot be used.",
                "Leave out --image or use --engine docker.",
            )
        packages = sorted(
            f"{d.metadata['Name']}=={d.version}" for d in importlib.metadata.distributions()
        )
        with contextlib.suppress(OSError):
            packages.append(Path("/etc/os-release").read_text())
        packages += [platform.python_version(), platform.machine()]
        name = hashlib.sha256("\n".join(packages).encode()).hexdigest()
        return Image(
            reference="host software",
            digest=f"packages:{name}",
            engine="bubblewrap",
            isolation=self.isolation,
            shared=True,
        )

    def build(
        self,
        dockerfile: bytes,
        tag: str,
        args: dict[str, str],
        network: str | None,
        extra: dict[str, bytes],
    ) -> Iterator[str]:
        raise ImageError("The sandbox builds no images.", "Use --engine docker.")

    def facts(self, image: Image, paths: Sequence[str]) -> ImageFacts:
        raise ImageError("The sandbox has no images.", "Use --engine docker.")

    def run(
        self,
        job: RoomJob,
        stop: Callable[[], str],
        said: Callable[[bytes], None],
        complained: Callable[[bytes], None] | None = None,
    ) -> RoomExit:
        try:
            with cgroup.limited(
                job.name, job.limits.memory, job.limits.processes, job.beside
            ) as group:
                # Without a control group, only each process and each user can be limited.
                limits = [] if group.limits_memory else [f"--as={job.limits.memory}"]
                limits += [] if group.limits_processes else [f"--nproc={job.limits.processes}"]
                command = [
                    "prlimit",
                    f"--fsize={2 * job.limits.disk}",
                    "--core=0",
                    *limits,
                    *self._arguments(job),
                ]
                inner = [*_as_nobody(_HOST if job.root else ""), *job.command]
                ended = _attend(command, inner, stop, said, complained, group.join)
                code = ended.code if job.beside else None
                return msgspec.structs.replace(ended, reached=group.reached(), code=code)
        except OSError as error:
            raise EngineError(
                f"The sandbox cannot start ({error}).", "See `cleanroom doctor`."
            ) from None

    def _arguments(self, job: RoomJob) -> Iterator[str]:
        yield str(self._bwrap)
        yield from _namespaces()
        if job.network == "none":
            yield "--unshare-net"
        yield from (
            "--die-with-parent",
            *(() if job.beside else ("--as-pid-1",)),
            "--new-session",
            *_rights(),
            "--clearenv",
            "--hostname",
            job.hostname,
        )
        yield from _files_of(job) if job.root else _software()
        if job.network == "host":
            for name in ("resolv.conf", "hosts"):
                yield from ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")
        for mount in job.mounts:
            yield from _way_to(mount.room)
            yield from ("--bind" if mount.writable else "--ro-bind", mount.host, mount.room)
        if not job.root:
            yield from _python()  # after the room's folders, so that one below /tmp is not hidden
        yield from ("--remount-ro", "/", "--chdir", "/" if job.root else "/room")
        path = f"{sys.prefix}/bin:/usr/local/bin:/usr/bin:/bin"
        for key, value in {"PATH": path, **job.env}.items():
            yield from ("--setenv", key, value)

    def sweep(self, left_behind: Callable[[str], bool]) -> int:
        return 0  # a sandbox dies with its parent


def python_folders() -> list[str]:
    """The Python environment that holds Snakemake, where it is not a system folder already."""
    folders = {str(Path(p).resolve()) for p in (sys.prefix, sys.base_prefix)} | {sys.prefix}
    return sorted(f for f in folders if not f.startswith("/usr/") and f != "/usr")


def python() -> str:
    """The interpreter that runs the driver in a sandbox: ours, which Snakemake was installed
    beside.
    """
    return sys.executable


_ADVICE = {
    False: "Allow unprivileged user namespaces, or use a container engine.",
    True: "Call cleanroom as a user who is not root, give root the right to make namespaces and "
    "everybody the right to read "
    f"the Python at {sys.prefix}, or use a container engine.",
}


def _files_of(job: RoomJob) -> Iterator[str]:
    """Other files in place of the system's, none of which can be written, and what the kernel
    offers. The files are somebody else's: nothing is mounted through a link among them.
    """
    places = {"/proc", "/dev", _HOST, *(mount.room for mount in job.mounts)}
    opened = {str(above) for place in places for above in PurePosixPath(place).parents}

    def lay(folder: str) -> Iterator[str]:
        for entry in sorted(os.scandir(job.root + folder), key=lambda entry: entry.name):
            place = f"{folder}/{entry.name}"
            if place in places:
                continue
            if entry.is_symlink():
                if place not in opened:
                    yield from ("--symlink", os.readlink(entry.path), place)
            elif entry.is_dir() and place in opened:
                yield from ("--perms", "0755", "--dir", place)
                yield from lay(place)
            elif entry.is_dir() or entry.is_file():
                yield from ("--ro-bind", entry.path, place)

    yield from lay("")
    yield from _kernel()
    if os.geteuid() == 0:
        yield from (*_way_to(f"{_HOST}/usr"), *_system(_HOST))


def _software() -> Iterator[str]:
    """The system's folders, and what the kernel offers, none of which can be written."""
    yield from _system()
    for name in _ETC:
        yield from (*_way_to(f"/etc/{name}"), "--ro-bind-try", f"/etc/{name}", f"/etc/{name}")
    yield from _kernel()


def _system(below: str = "") -> Iterator[str]:
    for folder in map(Path, _SYSTEM):
        if folder.is_symlink():
            yield from ("--symlink", str(folder.readlink()), f"{below}{folder}")
        elif folder.is_dir():
            yield from ("--ro-bind", str(folder), f"{below}{folder}")


def _kernel() -> Iterator[str]:
    yield from ("--proc", "/proc", "--remount-ro", "/proc", "--dev", "/dev")


def _python() -> Iterator[str]:
    for prefix in python_folders():
        yield from _way_to(prefix)
        yield from ("--ro-bind", prefix, prefix)


def _way_to(place: str) -> Iterator[str]:
    """The folders above a place, which bubblewrap itself would make for root alone."""
    for folder in reversed(PurePosixPath(place).parents[:-1]):
        yield from ("--perms", "0755", "--dir", str(folder))


def _namespaces() -> tuple[str, ...]:
    """Root makes the others without a user namespace: in one, the room would stay root in the eyes
    of the host's files.
    """
    user = () if os.geteuid() == 0 else ("--unshare-user", "--uid", str(UID), "--gid", str(GID))
    return (*user, "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try")


def _rights() -> tuple[str, ...]:
    """None; for root those that it takes to become somebody without any, who then drops these
    too.
    """
    kept = ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP") if os.geteuid() == 0 else ()
    return ("--cap-drop", "ALL", *(word for name in kept for word in ("--cap-add", name)))


def _as_nobody(below: str = "") -> tuple[str, ...]:
    """The command before every command of a room that root called for; in a room of other files,
    the system's own folders are `below` another one.
    """
    if os.geteuid():
        return ()
    here = (*_loader(below), f"{below}{shutil.which('setpriv')}") if below else ("setpriv",)
    user = (f"--reuid={UID}", f"--regid={GID}", "--clear-groups")
    return (
        *here,
        *user,
        "--inh-caps=-all",
        "--ambient-caps=-all",
        "--bounding-set=-all",
        "--no-new-privs",
        "--pdeathsig=KILL",
        "--",
    )


def _loader(below: str) -> tuple[str, ...]:
    """What starts a program of this host where its folders are below another one."""
    mapped = (line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines())
    loader = next(path for path in mapped if Path(path).name.startswith("ld-"))
    libraries = {str(Path(loader).parent), f"/usr/lib/{sysconfig.get_config_var('MULTIARCH')}"}
    libraries |= {"/usr/lib64", "/usr/lib"}
    return (
        f"{below}{loader}",
        "--library-path",
        ":".join(f"{below}{p}" for p in sorted(libraries)),
    )


@contextlib.contextmanager
def _filter() -> Iterator[tuple[list[str], int]]:
    """(bubblewrap's options for the filter of system calls, the descriptor that it reads it
    from).
    """
    fd = os.memfd_create("seccomp")
    try:
        os.write(fd, seccomp.program())
        os.lseek(fd, 0, os.SEEK_SET)
        yield ["--seccomp", str(fd)], fd
    finally:
        os.close(fd)


def _attend(
    command: list[str],
    inner: list[str],
    stop: Callable[[], str],
    said: Callable[[bytes], None],
    complained: Callable[[bytes], None] | None,
    join: Callable[[], None],
) -> RoomExit:
    """Run `inner` in the room that `command` makes; returns when the room's first process, and so
    every other one, is gone.
    """
    output, reason, code = b"", "", None
    told, tell = os.pipe()
    with _filter() as (options, fd), os.fdopen(told, "rb") as info:
        whole = [*command, *options, "--info-fd", str(tell), "--", *inner]
        try:
            process = subprocess.Popen(
                whole,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={"PATH": os.defpath},
                preexec_fn=join,
                pass_fds=[fd, tell],
            )
        finally:
            os.close(tell)
        with process, _first_process(info) as first:
            assert process.stdout is not None and process.stderr is not None
            streams = [process.stdout, process.stderr]
            try:
                while streams and not reason:
                    for stream in select.select(streams, [], [], _POLL_SECONDS)[0]:
                        block = os.read(stream.fileno(), 2**20)
                        if not block:
                            streams.remove(stream)
                        elif stream is process.stdout:
                            said(block)
                        else:
                            if complained:
                                complained(block)
                            output = (output + block)[-_TAIL:]
                    reason = stop()
                while complained and not reason and (code := process.poll()) is None:
                    time.sleep(_POLL_SECONDS / 10)  # it closed both, and goes on
                    reason = stop()
            finally:
                _end(process, first)
    return RoomExit(stopped=reason, code=code, output=output.decode("utf-8", "backslashreplace"))


@contextlib.contextmanager
def _first_process(info: IO[bytes]) -> Iterator[int]:
    """A descriptor of the first process of a room, -1 where it did not come so far."""
    try:
        first = os.pidfd_open(json.loads(info.read())["child-pid"])
    except (ValueError, KeyError, TypeError, ProcessLookupError):
        first = -1
    try:
        yield first
    finally:
        if first >= 0:
            os.close(first)


def _end(process: "subprocess.Popen[bytes]", first: int) -> None:
    """Kill the first process of the room, with which the kernel ends all others before it counts as
    gone; then its maker.
    """
    if first >= 0:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(first, signal.SIGKILL)
        deadline = time.monotonic() + _LAST_SECONDS
        while not select.select([first], [], [], _POLL_SECONDS)[0]:
            if time.monotonic() > deadline:
                raise EngineError(
                    "A room of the sandbox does not end.",
                    "Look for processes that wait for a disk or a network drive.",
                )
    process.kill()
