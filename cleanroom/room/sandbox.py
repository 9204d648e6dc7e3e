"""Rooms without an engine: bubblewrap over the host's system folders, read-only. Weaker than a container, and labelled so.

The software is the host's, so that the digest names packages, not their content. Not here: what runs in a room.
"""

import contextlib
import hashlib
import importlib.metadata
import os
import platform
import select
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from cleanroom.errors import EngineError, ImageError
from cleanroom.model import Image
from cleanroom.room import cgroup
from cleanroom.room.interface import RoomExit, RoomJob

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
UID = GID = 10001
"""Who a sandbox says that it is; on the host it is this user."""
_TAIL = 64 * 1024
_POLL_SECONDS = 0.2


class SandboxEngine:
    """Bubblewrap. Raises: EngineError when it is missing or not allowed to make namespaces."""

    name = "sandbox"
    isolation = "sandbox (weaker than a container)"

    def __init__(self) -> None:
        self._bwrap = shutil.which("bwrap")
        if self._bwrap is None:
            raise EngineError("The sandbox needs bubblewrap, which is not installed.", "Install it: apt-get install bubblewrap")
        probe = [self._bwrap, "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "true"]
        ended = subprocess.run(probe, capture_output=True, text=True, env={}, timeout=30)
        if ended.returncode:
            raise EngineError(
                f"bubblewrap may not make a room here ({ended.stderr.strip()[-200:]}).",
                "Allow unprivileged user namespaces, or use a container engine.",
            )

    def close(self) -> None:
        """Nothing is held open."""

    def resolve(self, reference: str) -> Image:
        if reference:
            raise ImageError(
                f"The sandbox has no images, so that '{reference}' cannot be used.", "Leave out --image or use --engine docker."
            )
        packages = sorted(f"{d.metadata['Name']}=={d.version}" for d in importlib.metadata.distributions())
        with contextlib.suppress(OSError):
            packages.append(Path("/etc/os-release").read_text())
        packages += [platform.python_version(), platform.machine()]
        name = hashlib.sha256("\n".join(packages).encode()).hexdigest()
        return Image(reference="host software", digest=f"packages:{name}", engine="bubblewrap", isolation=self.isolation)

    def run(self, job: RoomJob, stop: Callable[[], str]) -> RoomExit:
        try:
            with cgroup.limited(job.name, job.limits.memory, job.limits.processes) as group:
                # Without a control group, only each process and each user can be limited.
                limits = [] if group.limits_memory else [f"--as={job.limits.memory}"]
                limits += [] if group.limits_processes else [f"--nproc={job.limits.processes}"]
                command = ["prlimit", f"--fsize={2 * job.limits.disk}", "--core=0", *limits, *self._arguments(job), "--", *job.command]
                ended = _attend(command, stop, group.join)
                return msgspec.structs.replace(ended, reached=group.reached())
        except OSError as error:
            raise EngineError(f"The sandbox cannot start ({error}).", "See `cleanroom doctor`.") from None

    def _arguments(self, job: RoomJob) -> Iterator[str]:
        yield str(self._bwrap)
        yield from ("--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try")
        if job.network == "none":
            yield "--unshare-net"
        yield from ("--die-with-parent", "--as-pid-1", "--new-session", "--cap-drop", "ALL", "--clearenv")
        yield from ("--uid", str(UID), "--gid", str(GID), "--hostname", job.hostname)
        for folder in map(Path, _SYSTEM):
            if folder.is_symlink():
                yield from ("--symlink", str(folder.readlink()), str(folder))
            elif folder.is_dir():
                yield from ("--ro-bind", str(folder), str(folder))
        for name in _ETC:
            yield from ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")
        if job.network == "host":
            for name in ("resolv.conf", "hosts"):
                yield from ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")
        yield from ("--proc", "/proc", "--dev", "/dev", "--dir", "/room")
        for mount in job.mounts:
            yield from ("--bind" if mount.writable else "--ro-bind", mount.host, mount.room)
        for prefix in python_folders():  # after the room's own folders, so that one below /tmp is not hidden
            yield from ("--ro-bind", prefix, prefix)
        yield from ("--remount-ro", "/", "--chdir", "/room")
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
    """The interpreter that runs the driver in a sandbox: ours, which Snakemake was installed beside."""
    return sys.executable


def _attend(command: list[str], stop: Callable[[], str], join: Callable[[], None]) -> RoomExit:
    output, reason = b"", ""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={"PATH": os.defpath}, preexec_fn=join
    ) as process:  # fmt: skip
        assert process.stdout is not None
        try:
            while not reason:
                readable, _, _ = select.select([process.stdout], [], [], _POLL_SECONDS)
                if readable:
                    block = os.read(process.stdout.fileno(), 65536)
                    if not block:
                        break
                    output = (output + block)[-_TAIL:]
                reason = stop()
        finally:
            process.kill()
    return RoomExit(stopped=reason, output=output.decode("utf-8", "backslashreplace"))
