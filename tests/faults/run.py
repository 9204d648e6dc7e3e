"""Kill confirmations at random moments and look at what is left: `make faults`, or `python -m
tests.faults.run --kills 300`.

Each kill is a SIGKILL of the program alone (its children must end by themselves), a SIGTERM or a
^C. After it: no process, mount or container of it within a few seconds, every kept object and
evidence whole, and a verdict only where the program had ended. After every tenth kill a
confirmation runs to its end in the same cache, must be right, and must leave no room.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from cleanroom.room.engines.docker import DockerEngine
from tests.conftest import commit_all, git

SNAKEFILE = """
rule all:
    input: "all.gz"
rule part:
    output: "part{n}.txt"
    shell: "for i in 1 2 3; do echo {wildcards.n} >> {output}; sleep 0.05; done"
rule gather:
    input: expand("part{n}.txt", n=range(4))
    output: "all.gz"
    shell: "cat {input} | gzip > {output}"
"""
PROFILES = {"profiles/local/config.yaml": "cores: 1\n", "profiles/ci/config.yaml": "cores: 2\n"}
SETTLE_SECONDS = 15.0
SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)


class Fault(Exception):  # noqa: N818 - the thing that is looked for
    """What was left behind, or came out wrong."""


def repository(folder: Path) -> Path:
    for name, content in {"Snakefile": SNAKEFILE, **PROFILES}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    git(folder, "init", "--quiet", "--initial-branch", "main")
    commit_all(folder)
    return folder


def command(repo: Path, engine: str, cache: Path, out: Path) -> list[str]:
    call = [
        sys.executable,
        "-m",
        "cleanroom.cli",
        "confirm",
        str(repo),
        "HEAD",
        "-q",
        "--engine",
        engine,
    ]
    return [*call, "--cache", str(cache), "--out", str(out)]


def of_rooms(cache: Path) -> list[str]:
    """Processes of the host that name a cache, but for this one."""
    listed = subprocess.run(
        ["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True
    ).stdout
    return [
        line
        for line in listed.splitlines()
        if str(cache) in line and "tests.faults" not in line and "ps -eo" not in line
    ]


def containers(cache: Path) -> list[str]:
    engine = DockerEngine()
    try:
        listed = engine._client.containers.list(
            all=True, filters={"label": "cleanroom.owner"}, ignore_removed=True
        )
        return [
            str(c.name)
            for c in listed
            if str(c.labels.get("cleanroom.owner", "")).startswith(f"{cache}:")
        ]
    finally:
        engine.close()


def check_settled(cache: Path, engine: str) -> None:
    """Wait for all that is to end by itself. Raises: Fault."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        left = of_rooms(cache) + (containers(cache) if engine == "docker" else [])
        left += [
            line for line in Path("/proc/mounts").read_text().splitlines() if str(cache) in line
        ]
        if not left:
            return
        if time.monotonic() > deadline:
            raise Fault(f"still there after {SETTLE_SECONDS:.0f} s: {left[:3]}")
        time.sleep(0.2)


def check_store(cache: Path) -> None:
    """Every name in the store is that of its content; nothing half-written has one.
    Raises: Fault.
    """
    for path in cache.glob("store/objects/*/*"):
        if (
            not path.name.startswith(".part-")
            and hashlib.sha256(path.read_bytes()).hexdigest() != path.parent.name + path.name
        ):
            raise Fault(f"half-written: {path}")
    for path in cache.glob("store/evidence/*.json"):
        if hashlib.sha256(path.read_bytes()).hexdigest() != path.stem:
            raise Fault(f"half-written: {path}")


def check_verdict(out: Path, code: int) -> None:
    """A verdict only where the program ended by itself. Raises: Fault."""
    report = out / "report.json"
    if not report.exists():
        return
    found = json.loads(report.read_text())
    # A signal may come when all is written and the interpreter is on its way out.
    if code not in (0, 130, *(-number for number in SIGNALS)) or found["verdict"] != "HELD":
        raise Fault(f"exit code {code} and the verdict {found['verdict']}")


def killed(
    call: list[str], cache: Path, out: Path, engine: str, chance: random.Random, longest: float
) -> str:
    """One kill; returns what became of the program."""
    shutil.rmtree(out, ignore_errors=True)
    number = chance.choice(SIGNALS)
    process = subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(chance.uniform(0, longest))
    asked = time.monotonic()
    process.send_signal(number)
    code = process.wait(timeout=60)
    if number != signal.SIGKILL and time.monotonic() - asked > 4.0:
        raise Fault(f"{number.name} took {time.monotonic() - asked:.1f} s")
    check_settled(cache, engine)
    check_store(cache)
    check_verdict(out, code)
    return "had ended" if code == 0 else number.name


def whole(call: list[str], cache: Path) -> float:
    """A confirmation to its end; returns its seconds. Raises: Fault."""
    begin = time.monotonic()
    ended = subprocess.run(call, capture_output=True, text=True)
    if ended.returncode:
        raise Fault(f"the next run ended with {ended.returncode}: {ended.stdout}{ended.stderr}")
    if rooms := [str(path) for path in (cache / "rooms").iterdir() if path.is_dir()]:
        raise Fault(f"rooms are left: {rooms}")
    return time.monotonic() - begin


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--kills", type=int, default=300, help="in all, half of them in each engine (default: 300)"
    )
    parser.add_argument(
        "--engine", choices=("sandbox", "docker"), action="append", help="only this one"
    )
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    engines = asked.engine or ["sandbox", "docker"]
    faults = 0
    for engine in engines:
        chance, ends = random.Random(asked.seed), Counter[str]()
        with tempfile.TemporaryDirectory(prefix="cleanroom-faults-") as folder:
            base = Path(folder)
            repo, cache, out = repository(base / "repo"), base / "cache", base / "out"
            call = command(repo, engine, cache, out)
            longest = whole(call, cache)
            for count in range(1, asked.kills // len(engines) + 1):
                try:
                    ends[killed(call, cache, out, engine, chance, longest)] += 1
                    if not count % 10:
                        whole(call, cache)
                except Fault as fault:
                    faults += 1
                    print(f"{engine}, kill {count}: {fault}", flush=True)
        print(
            f"{engine}: {sum(ends.values())} kills within {longest:.1f} s ({dict(ends)}), "
            f"{faults} faults",
            flush=True,
        )
    return int(faults > 0)


if __name__ == "__main__":
    os.environ.setdefault("COLUMNS", "100")
    sys.exit(main())
