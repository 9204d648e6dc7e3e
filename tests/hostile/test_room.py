"""What a job can do to its host.
Each attempt runs as the only job of a workflow, in a container and in the sandbox.
"""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cleanroom.room.engines.interface import Limits
from cleanroom.values.run import Evidence
from tests.conftest import Make, require, require_engine
from tests.one_room import SNAKEFILE, looked_around

ATTEMPTS = {
    "write the kernel's core pattern": "open('/proc/sys/kernel/core_pattern', "
    "'w').write('|/bin/true')",
    "read and write back a setting of the kernel": "t = open('/proc/sys/kernel/hostname').read(); "
    "open('/proc/sys/kernel/hostname', 'w').write(t)",
    "press a magic key": "open('/proc/sysrq-trigger', 'w').write('h')",
    "write the map of user names": "os.write(os.open('/proc/self/uid_map', os.O_WRONLY), b'0 0 1')",
    "write an interrupt's setting": "open('/proc/irq/default_smp_affinity', 'w').write('1')",
    "a new user namespace": "call(libc.unshare, 0x10000000)",
    "a new mount namespace": "call(libc.unshare, 0x00020000)",
    "a new network namespace": "call(libc.unshare, 0x40000000)",
    "a clone in a new user namespace": "call(libc.syscall, 56, 0x10000011, 0, 0, 0, 0)",
    "a clone in a new process namespace": "call(libc.syscall, 56, 0x20000011, 0, 0, 0, 0)",
    "clone3": "a = (ctypes.c_uint64 * 8)(0x10000000, 0, 0, 0, 17, 0, 0, 0); call(libc.syscall, "
    "435, ctypes.byref(a), 64)",
    "enter a namespace": "call(libc.setns, os.open('/proc/1/ns/mnt', os.O_RDONLY), 0)",
    "mount a file system": "os.mkdir('m'); call(libc.mount, b'none', b'm', b'tmpfs', 0, None)",
    "bind the root elsewhere": "os.mkdir('b'); call(libc.mount, b'/', b'b', None, 4096, None)",
    "make /proc writable": "call(libc.mount, b'none', b'/proc', None, 32, None)",
    "change the root": "os.mkdir('r'); os.chroot('r')",
    "make a device": "os.mknod('d', 0o60666, os.makedev(8, 0))",
    "become root": "os.setuid(0)",
    "become a group of root": "os.setgroups([0])",
    "trace the first process": "call(libc.ptrace, 16, 1, 0, 0)",
    "read the first process's memory": "open('/proc/1/mem', 'rb').read(1)",
    "see what the first process has open": "os.listdir('/proc/1/fd')[0]",
    "the environment of the first process": "open('/proc/1/environ', 'rb').read()",
    "trace who started this": "call(libc.ptrace, 16, snakemake(), 0, 0)",
    "take a descriptor of who started this": "f = call(libc.syscall, 434, snakemake(), 0); "
    "[call(libc.syscall, 438, f, n, 0) for n in range(3, 40)][0]",
    "open a pipe of who started this": "p = snakemake(); [open(f'/proc/{p}/fd/{n}', 'wb') for n "
    "in os.listdir(f'/proc/{p}/fd')][0]",
    "a key of the kernel": "call(libc.syscall, 248, b'user', b'x', b'y', 1, ctypes.c_int(-3))",
    "the keyring of the session": "call(libc.syscall, 250, 0, ctypes.c_int(-3), 1)",
    "a program in the kernel": "a = (ctypes.c_uint64 * 8)(); call(libc.syscall, 321, 5, "
    "ctypes.byref(a), 64)",
    "count events of the machine": "a = (ctypes.c_uint64 * 16)(); call(libc.syscall, 298, "
    "ctypes.byref(a), -1, 0, -1, 0)",
    "open by handle": "call(libc.syscall, 304, -100, None, 0)",
    "log of the kernel": "call(libc.syscall, 103, 3, ctypes.create_string_buffer(9), 9)",
    "set the clock": "a = (ctypes.c_long * 2)(1, 1); call(libc.clock_settime, 0, ctypes.byref(a))",
    "a socket to the machine below": "socket.socket(40, socket.SOCK_STREAM)",
    "a raw socket": "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)",
    "a packet socket": "socket.socket(17, socket.SOCK_RAW, 3)",
    "the host's loopback": "socket.create_connection(('127.0.0.1', PORT), 2)",
    "the network": "socket.create_connection(('192.0.2.1', 80), 2)",
    "an abstract socket of the host": "s = socket.socket(socket.AF_UNIX); s.connect('\\0CANARY')",
    "the host's secrets": "open('/etc/shadow').read()",
    "a file of the host": "open('CANARY').read()",
    "the engine's socket": "s = socket.socket(socket.AF_UNIX); s.connect('/var/run/docker.sock')",
    "the driver": "open('/room/in/start.py', 'a').write('x')",
    "the specification": "os.unlink('/room/in/spec.json')",
    "the software": "open('/usr/bin/cleanroom-canary', 'w').write('x')",
    "Python's own folder": "open(os.path.join(os.path.dirname(os.__file__), "
    "'cleanroom_canary.py'), 'w').write('x')",
    "who there is": "open('/etc/passwd', 'a').write('x')",
    "the root": "os.mkdir('/new')",
    "a process of the host": "os.kill(HOST, 0)",
    "type into a terminal": "import fcntl; fcntl.ioctl(os.open('/dev/ptmx', os.O_RDWR | "
    "os.O_NOCTTY), 0x5412, b'x')",
}
"""What is to fail, as a line of Python."""

RULES = """
import ctypes, json, os, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
PORT, HOST = {port}, {host}
def call(function, *arguments):
    ctypes.set_errno(0)
    found = function(*arguments)
    if found < 0 or ctypes.get_errno():
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return found
def snakemake():
    pid = os.getppid()
    while pid > 1 and b"start.py" not in open(f"/proc/{{pid}}/cmdline", "rb").read():
        pid = int(open(f"/proc/{{pid}}/stat").read().rpartition(")")[2].split()[1])
    assert pid > 1, "whom to attack was not found"
    return pid
done = {{}}
for name, attempt in json.load(open("attempts.json")).items():
    try:
        exec(attempt)
        done[name] = "done"
    except AssertionError:
        raise
    except BaseException as error:
        done[name] = f"{{type(error).__name__}} {{error}}"
facts = dict(done=done, uid=os.getuid(), gid=os.getgid(), groups=os.getgroups(), map=open("/proc/self/uid_map").read().split())
status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
facts["caps"] = {{key: status[key].strip() for key in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp")}}
json.dump(facts, open(sys.argv[1], "w"))
"""
Inhabit = Callable[[str, dict[str, str]], tuple[Evidence, dict[str, Any]]]


@pytest.fixture(scope="module", params=["docker", "sandbox"])
def facts(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What one job that tried everything found, in each engine."""
    import socket

    engine = str(request.param)
    require_engine(engine)
    base = tmp_path_factory.mktemp("attempts")
    canary = base / "canary"
    canary.write_text("secret")
    attempts = {name: text.replace("CANARY", str(canary)) for name, text in ATTEMPTS.items()}
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_UNIX) as abstract,
    ):
        abstract.bind(f"\0{canary}")
        abstract.listen()
        script = RULES.format(port=server.getsockname()[1], host=os.getpid())
        evidence, found = inhabited(base, engine, script, {"attempts.json": json.dumps(attempts)})
    assert evidence.status == "completed", evidence.why
    return found | {"engine": engine}


def inhabited(
    base: Path, engine: str, script: str, files: dict[str, str]
) -> tuple[Evidence, dict[str, Any]]:
    """The evidence of a workflow of one job, a Python script, and what that wrote as JSON."""
    from tests.conftest import commit_all, git

    repo = base / "repo"
    repo.mkdir()
    for name, content in {"Snakefile": SNAKEFILE, "s.py": script, **files}.items():
        (repo / name).write_text(content)
    git(repo, "init", "--quiet", "--initial-branch", "main")
    commit_all(repo)
    limits, steps = Limits(lint=20, run=60), ("settings", "plan", "run")
    return looked_around(repo, base / "cache", engine, limits=limits, steps=steps)


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_a_job_cannot(facts: dict[str, Any], attempt: str) -> None:
    if (facts["engine"], attempt) == ("docker", "a socket to the machine below"):
        return  # engines before 2023 allow it; docs/threat-model.md says so
    assert facts["done"][attempt] != "done"


def test_a_job_is_nobody(facts: dict[str, Any]) -> None:
    assert facts["uid"] != 0
    assert facts["gid"] != 0
    assert 0 not in facts["groups"]
    if os.geteuid() == 0:
        assert facts["map"] == ["0", "0", "4294967295"], "root's room stays out of root's own user"
    rights = {facts["caps"][key] for key in ("CapInh", "CapPrm", "CapEff", "CapAmb")}
    assert rights == {"0" * 16}
    assert facts["caps"]["NoNewPrivs"] == "1"
    assert facts["caps"]["Seccomp"] == "2"


def test_a_sandbox_of_a_person_is_as_closed(tmp_path: Path, make_repository: Make) -> None:
    """Called for by somebody who is not root: the same attempts, in a user namespace."""
    require_engine("sandbox")
    require(os.geteuid() == 0, "needs root, to become a person")
    home, stage = tmp_path / "home", tmp_path / "stage"
    home.mkdir()
    for parent in (tmp_path, *tmp_path.parents):
        if parent.stat().st_uid == 0 and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o055)
    attempts = {name: text.replace("CANARY", "/etc/shadow") for name, text in ATTEMPTS.items()}
    script = RULES.format(port=9, host=os.getpid())
    snakefile = 'rule all:\n    output: "out.json"\n    shell: "python3 s.py {output}"\n'
    repo = make_repository(
        files={"Snakefile": snakefile, "s.py": script, "attempts.json": json.dumps(attempts)}
    )
    subprocess.run(["chown", "-R", "nobody", str(repo), str(home)], check=True)
    call = [
        sys.executable,
        "-m",
        "cleanroom.cli",
        "confirm",
        str(repo),
        "HEAD",
        "-q",
        "--engine",
        "sandbox",
    ]
    call += ["--cache", str(home / "cache"), "--out", str(home / "report")]
    # Where Python lies in root's home, a mount namespace shows it to the person, and nothing else
    # of that home.
    mounts = ""
    for place in {Path(sys.base_prefix), Path(sys.prefix)}:
        top = Path(*place.parts[:2])
        if top == Path("/root"):
            mounts += (
                f"mkdir -p {stage}/{place.relative_to(top)}; mount --bind {place} "
                f"{stage}/{place.relative_to(top)}; "
            )
    mounts += f"mount --rbind {stage} /root; " if mounts else ""
    shell = f"set -e; {mounts}cd {home}; exec runuser -u nobody -- {shlex.join(call)}"
    ended = subprocess.run(
        ["unshare", "--mount", "sh", "-c", shell], capture_output=True, text=True
    )
    require(
        "may not make a room here" not in ended.stderr,
        "this kernel lets nobody but root make namespaces",
    )
    assert ended.returncode in (0, 1, 4), ended.stdout + ended.stderr
    output, *_ = (  # one for each run: what it says of processes may differ
        p for p in home.glob("cache/store/objects/*/*") if p.read_bytes().startswith(b'{"done"')
    )
    found = json.loads(output.read_text())
    assert not {name: text for name, text in found["done"].items() if text == "done"}
    assert found["uid"] == 10001
    assert found["map"][2] == "1"
