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
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from cleanroom.errors import EngineError, ImageError
from cleanroom.room.engines import cgroup
from cleanroom.room.engines.interface import ImageFacts, RoomExit, RoomJob
from cleanroom.room.engines.sandbox_files import (
    HOST,
    files_of,
    python_itself,
    software,
    way_to,
)
from cleanroom.room.engines.sandbox_processes import attend, filter_of_calls
from cleanroom.values.setup import Image

UID = GID = 10001
"""Who a sandbox is; called for by a person and not by root, it only says so, and on the host is
that person.
"""


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
            *software(),
            *python_itself(),
            "--",
            *_as_nobody(),
            sys.executable,
            "-c",
            "",
        ]
        with filter_of_calls() as (options, fd):
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
                inner = [*_as_nobody(HOST if job.root else ""), *job.command]
                ended = attend(command, inner, stop, said, complained, group.join)
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
        yield from files_of(job) if job.root else software()
        if job.network == "host":
            for name in ("resolv.conf", "hosts"):
                yield from ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")
        for mount in job.mounts:
            yield from way_to(mount.room)
            yield from ("--bind" if mount.writable else "--ro-bind", mount.host, mount.room)
        if not job.root:
            # after the room's folders, so that one below /tmp is not hidden
            yield from python_itself()
        yield from ("--remount-ro", "/", "--chdir", "/" if job.root else "/room")
        path = f"{sys.prefix}/bin:/usr/local/bin:/usr/bin:/bin"
        for key, value in {"PATH": path, **job.env}.items():
            yield from ("--setenv", key, value)

    def sweep(self, left_behind: Callable[[str], bool]) -> int:
        return 0  # a sandbox dies with its parent


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
