"""The system calls that a sandbox may not make, as a program for the kernel (seccomp).
Not here: containers, whose engine has its own.

What is forbidden follows the default profile of container engines: all that makes namespaces or
mounts, that reaches the kernel's own state (modules, clocks, keys, BPF), or that leaves the
namespaces that there are.
"""

import contextlib
import errno
import functools
import os
import platform
from typing import Any

from cleanroom.errors import EngineError

_FORBIDDEN = (
    # namespaces and mounts
    "unshare",
    "setns",
    "mount",
    "umount",
    "umount2",
    "pivot_root",
    "move_mount",
    "open_tree",
    "fsopen",
    "fsconfig",
    "fsmount",
    "fspick",
    "mount_setattr",
    "chroot",
    "open_by_handle_at",
    "name_to_handle_at",
    # the kernel itself
    "bpf",
    "perf_event_open",
    "userfaultfd",
    "init_module",
    "finit_module",
    "delete_module",
    "kexec_load",
    "kexec_file_load",
    "reboot",
    "swapon",
    "swapoff",
    "acct",
    "quotactl",
    "quotactl_fd",
    "syslog",
    "iopl",
    "ioperm",
    "lookup_dcookie",
    "settimeofday",
    "clock_settime",
    "clock_adjtime",
    "adjtimex",
    "stime",
    "vhangup",
    "nfsservctl",
    "fanotify_init",
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    # keys are of a user, not of a namespace
    "add_key",
    "request_key",
    "keyctl",
)
_NAMESPACES = (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000)
"""The flags of clone(2) that make a namespace: mount, control group, UTS, IPC, user, process,
network.
"""
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
"""Requests of ioctl(2) that type into the terminal of somebody else."""
_AF_VSOCK = 40
"""Sockets to the machine below a virtual machine, which no network namespace holds back."""


@functools.cache
def program() -> bytes:
    """The filter in the form that bubblewrap hands to the kernel.
    Raises: EngineError where libseccomp is missing.
    """
    try:
        # loads the library of the system, which a host that only has containers need not have
        import pyseccomp

        rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    except (OSError, RuntimeError, AttributeError, ImportError) as error:
        raise EngineError(
            f"The sandbox needs libseccomp ({error}).", "Install it: apt-get install libseccomp2"
        ) from None
    # The older architecture whose programs run beside the machine's own; calls of any other end the
    # program.
    second = {"x86_64": pyseccomp.Arch.X86, "aarch64": pyseccomp.Arch.ARM}.get(platform.machine())
    if second is not None:
        rules.add_arch(second)

    def forbid(how: int, name: str, *arguments: Any) -> None:
        with contextlib.suppress(
            OSError, ValueError
        ):  # a call that this machine or library does not know needs no rule
            rules.add_rule(how, name, *arguments)

    denied = pyseccomp.ERRNO(errno.EPERM)
    for name in _FORBIDDEN:
        forbid(denied, name)
    for flag in _NAMESPACES:
        forbid(denied, "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, flag, flag))
    forbid(
        pyseccomp.ERRNO(errno.ENOSYS), "clone3"
    )  # its flags lie in memory; the C library then takes clone
    for request in (_TIOCSTI, _TIOCLINUX):  # compared by their lower half, as the kernel does
        forbid(denied, "ioctl", pyseccomp.Arg(1, pyseccomp.MASKED_EQ, 0xFFFFFFFF, request))
    forbid(denied, "socket", pyseccomp.Arg(0, pyseccomp.EQ, _AF_VSOCK))
    with os.fdopen(os.memfd_create("seccomp"), "w+b") as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()
