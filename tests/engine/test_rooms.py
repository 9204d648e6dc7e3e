"""A room sees its job and nothing else.
Each test runs a real workflow whose only job looks around.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cleanroom.room.engines.interface import Limits
from cleanroom.values.run import Evidence, RunStatus
from tests.one_room import SNAKEFILE, looked_around

Make = Callable[..., Path]
Inhabit = Callable[..., tuple[Evidence, dict[str, Any]]]


@pytest.fixture
def inhabit(make_repository: Make, cache: Path, engine: str) -> Inhabit:
    """Run a Python script as the only job of a workflow; returns the evidence and what the job
    wrote as JSON.
    """

    def call(
        script: str,
        *,
        limits: Limits | None = None,
        network: Any = "none",
        files: dict[str, str] | None = None,
    ) -> Any:
        repo = make_repository(files={"Snakefile": SNAKEFILE, "s.py": script, **(files or {})})
        limits = limits or Limits(lint=20)
        return looked_around(repo, cache, engine, limits=limits, network=network)

    return call


LOOK = """
import json, os, socket, sys, subprocess
def caught(function):
    try:
        return function()
    except Exception as error:
        return type(error).__name__
facts = {
    "uid": os.getuid(),
    "env": dict(os.environ),
    "home": os.listdir(os.environ["HOME"]),
    "host": socket.gethostname(),
    "network": caught(lambda: socket.create_connection(("127.0.0.1", %(port)d), 2) and "reached"),
    "name": caught(lambda: socket.gethostbyname("example.org")),
    "sockets": [p for p in ("/var/run/docker.sock", "/run/docker.sock", "/run/podman/podman.sock") if os.path.exists(p)],
    "caps": [line.split()[1] for line in open("/proc/self/status") if line.startswith("CapEff")][0],
    "nnp": [line.split()[1] for line in open("/proc/self/status") if line.startswith("NoNewPrivs")][0],
    "root": caught(lambda: open("/touched", "w") and "written"),
    "usr": caught(lambda: open("/usr/touched", "w") and "written"),
    "driver": caught(lambda: open("/room/in/start.py", "a") and "written"),
    "secret": caught(lambda: open(%(secret)r).read()),
    "processes": sorted(int(p) for p in os.listdir("/proc") if p.isdigit())[:1],
    "mounts": [line.split()[1] for line in open("/proc/mounts")],
}
json.dump(facts, open(sys.argv[1], "w"))
"""


def test_what_a_room_sees(
    inhabit: Inhabit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    secret = tmp_path / "secret"
    secret.write_text("the host's secret")
    monkeypatch.setenv("HOST_SECRET", "value")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        evidence, facts = inhabit(LOOK % {"port": listener.getsockname()[1], "secret": str(secret)})
    assert evidence.status is RunStatus.COMPLETED, evidence.why
    assert facts["uid"] != 0
    assert "HOST_SECRET" not in facts["env"]
    assert {k: facts["env"][k] for k in ("HOME", "USER", "TZ", "LANG")} == {
        "HOME": "/tmp/home",
        "USER": "cleanroom",
        "TZ": "UTC",
        "LANG": "C.UTF-8",
    }
    assert facts["home"] == [] or all(name.startswith(".") for name in facts["home"])
    assert facts["host"] == "room"
    assert facts["network"] in {"ConnectionRefusedError", "OSError"}
    assert facts["name"] == "gaierror"
    assert facts["sockets"] == []
    assert int(facts["caps"], 16) == 0
    assert facts["nnp"] == "1"
    for place in ("root", "usr", "driver"):
        assert facts[place] in {"PermissionError", "OSError"}, place
    assert facts["secret"] == "FileNotFoundError"
    assert facts["processes"] == [1]


def test_the_network_can_be_declared(inhabit: Inhabit) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        script = (
            f"import json, socket, sys\nsocket.create_connection(('127.0.0.1', {port}), 5)\n"
            f"json.dump({{}}, open(sys.argv[1], 'w'))\n"
        )
        evidence, _ = inhabit(script, network="host")
    assert evidence.status is RunStatus.COMPLETED, evidence.why
    assert evidence.context["network"] == "host"


def test_memory_is_limited(inhabit: Inhabit) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may make the control group of a sandbox here")
    script = "import sys\nx = bytearray(900 * 2**20)\nopen(sys.argv[1], 'w').write('{}')\n"
    evidence, _ = inhabit(script, limits=Limits(memory=600 * 2**20, lint=20))
    assert evidence.status is RunStatus.BROKEN, "the room's limit is not the workflow's fault"
    assert "memory" in evidence.why
    assert "out.json" not in {a.path for a in evidence.artifacts}


def test_processes_are_limited(inhabit: Inhabit) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may make the control group of a sandbox here")
    script = """
import json, os, sys, time
count = 0
try:
    for _ in range(400):
        if os.fork() == 0:
            time.sleep(20)
            os._exit(0)
        count += 1
except OSError:
    pass
json.dump({"count": count}, open(sys.argv[1], "w"))
"""
    evidence, facts = inhabit(script, limits=Limits(processes=120, lint=20))
    assert evidence.status is RunStatus.COMPLETED, evidence.why
    assert facts["count"] < 120


def test_disk_is_limited(inhabit: Inhabit) -> None:
    script = (
        "import os, sys, time\nfor i in range(1000):\n"
        "    open(f'f{i}', 'wb').write(os.urandom(2**20))\n    time.sleep(0.01)\n"
    )
    evidence, _ = inhabit(script, limits=Limits(disk=60 * 2**20, lint=20))
    assert evidence.status is RunStatus.BROKEN
    assert "disk limit" in evidence.why


def test_one_file_cannot_grow_without_end(inhabit: Inhabit) -> None:
    script = "import sys\nwith open(sys.argv[1], 'wb') as f:\n    f.truncate(10 * 2**30)\n"
    evidence, _ = inhabit(script, limits=Limits(disk=60 * 2**20, lint=20))
    assert evidence.status is not RunStatus.COMPLETED


def test_what_a_job_leaves_running_is_killed_and_finishes_nothing(inhabit: Inhabit) -> None:
    script = (
        "import subprocess, sys\n"
        "subprocess.Popen(['setsid', 'sh', '-c', 'trap \"\" TERM HUP; sleep 8; echo late > "
        "late.txt'])\n"
        "open(sys.argv[1], 'w').write('{}')\n"
    )
    evidence, _ = inhabit(script)
    assert evidence.status is RunStatus.COMPLETED, evidence.why
    assert "late.txt" not in {a.path for a in evidence.artifacts}


def test_links_out_of_the_room_are_not_followed(inhabit: Inhabit, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    script = (
        f"import os, sys\nos.symlink({str(secret)!r}, 'link')\nos.symlink('/', 'root')\n"
        f"open(sys.argv[1], 'w').write('{{}}')\n"
    )
    evidence, _ = inhabit(script)
    found = {a.path: a for a in evidence.artifacts}
    assert found["link"].kind == "link"
    assert found["link"].target == str(secret)
    assert not any(path.startswith("root/") for path in found)


def test_room_folders_and_containers_are_gone(inhabit: Inhabit, cache: Path, engine: str) -> None:
    script = (
        "import os, sys\nos.makedirs('locked/deep')\nopen('locked/deep/f', 'w').write('x')\n"
        "os.chmod('locked', 0)\nopen(sys.argv[1], 'w').write('{}')\n"
    )
    evidence, _ = inhabit(script)
    assert not list(cache.glob(f"rooms/*/{evidence.attempt_id}"))
    if engine == "docker":
        from cleanroom.room.engines.docker import DockerEngine

        client = DockerEngine()
        try:
            names = [c.name for c in client._client.containers.list(all=True, ignore_removed=True)]
        finally:
            client.close()
        assert f"cleanroom-{evidence.attempt_id}" not in names


def test_owners_that_come_and_go_never_meet(tmp_path: Path) -> None:
    """Four processes that make owners and sweep: no folder of one that lives is ever taken."""
    import subprocess
    import sys

    program = (
        "import sys; from pathlib import Path; from cleanroom.room.rooms import Owner\n"
        "for _ in range(60):\n"
        "    owner = Owner(Path(sys.argv[1])); owner.sweep()\n"
        "    assert (Path(sys.argv[1]) / 'rooms' / owner.name).is_dir(), 'swept while it lived'\n"
        "    owner.close()\n"
    )
    processes = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path)]) for _ in range(4)]
    assert [process.wait(timeout=120) for process in processes] == [0] * 4
    assert not [path for path in (tmp_path / "rooms").iterdir() if path.is_dir()]
