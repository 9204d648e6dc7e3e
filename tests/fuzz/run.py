"""Fuzz the comparators and the decoder of claims: python -m tests.fuzz.run --seconds N [--only
NAME]

Guided by coverage where atheris is installed (`pip install '.[fuzz]'`), else by random changes of
the seeds. Each comparator runs in a process of its own, under the limit of memory that workers
have; one that dies or hangs is a finding, and another goes on.
Findings are written to tests/fuzz/findings/NAME/, two files each with a sentence. Exit code 1 where
there are any.
"""

import argparse
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

FINDINGS = Path(__file__).parent / "findings"
_HANGS = 60
"""Seconds without a sign of life after which a process is ended."""
_NEW = 4000
"""Bytes of the largest new input that is kept."""


class Session:
    """One process that fuzzes one comparator: counts, and writes down what it is at and what it
    found.
    """

    def __init__(self, name: str, folder: Path) -> None:
        from tests.fuzz.targets import targets

        self.target, self.folder = targets()[name], folder
        self.executions = 0
        self._met: set[str] = set()
        (folder / "files").mkdir(exist_ok=True)

    def try_pair(self, name: str, left: bytes, right: bytes) -> None:
        from tests.fuzz.invariants import broken

        (self.folder / "left").write_bytes(left)
        (self.folder / "right").write_bytes(right)
        (self.folder / "name").write_text(name)
        fault = broken(self.target.name, name, left, right, self.folder / "files")
        self.executions += 1
        if fault and fault[:60] not in self._met:
            self._met.add(fault[:60])
            keep_finding(self.target.name, name, left, right, fault)
        if self.executions % 20 == 0:
            (self.folder / "executions").write_text(str(self.executions))


def keep_finding(comparator: str, name: str, left: bytes, right: bytes, fault: str) -> None:
    """Write down two files and what is wrong with the answer."""
    folder = FINDINGS / comparator
    folder.mkdir(parents=True, exist_ok=True)
    number = len(list(folder.glob("*.json")))
    for side, content in (("left", left), ("right", right)):
        (folder / f"{number}.{side}").write_bytes(content)
    (folder / f"{number}.json").write_text(json.dumps({"name": name, "fault": fault}))


def at_random(session: Session, seconds: float, start: int) -> None:
    """Mutate seeds for a time."""
    from tests.fuzz.mutate import mutated

    rng, end = random.Random(start), time.monotonic() + seconds
    seeds = session.target.seeds
    while time.monotonic() < end:
        seed = rng.choice(seeds)
        session.try_pair(seed.name, seed.content, mutated(seed, seeds, rng))


def guided(session: Session, seconds: float, start: int, atheris: Any) -> None:
    """Let coverage choose what to mutate.
    An input is the number of a seed, then a file that is compared with it.
    """
    from tests.fuzz.mutate import mutated
    from tests.fuzz.targets import Seed

    seeds = session.target.seeds
    corpus = session.folder / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(seeds):
        (corpus / f"seed{number}").write_bytes(bytes([number]) + seed.content)

    def one_input(data: bytes) -> None:
        if data:
            seed = seeds[data[0] % len(seeds)]
            session.try_pair(seed.name, seed.content, bytes(data[1:]))

    def mutator(data: bytes, largest: int, number: int) -> bytes:
        if not data or number % 4 == 0:
            return bytes(atheris.Mutate(data or b"\0", largest))
        seed = Seed(seeds[data[0] % len(seeds)].name, bytes(data[1:]))
        try:
            return (data[:1] + mutated(seed, seeds, random.Random(number)))[:largest]
        except Exception:  # no folder any more
            return bytes(atheris.Mutate(data, largest))

    options = [f"-max_total_time={int(seconds)}", f"-seed={start or 1}", "-rss_limit_mb=0"]
    options += [
        f"-timeout={_HANGS}",
        "-max_len=60000",
        "-verbosity=0",
        f"-artifact_prefix={session.folder}/",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], one_input, custom_mutator=mutator)
    atheris.Fuzz()


def child(name: str, seconds: float, start: int, folder: Path) -> None:
    """Fuzz one comparator in this process."""
    from cleanroom.compare.examiner import MEMORY

    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    try:
        import atheris
    except ImportError:
        at_random(Session(name, folder), seconds, start)
        return
    with atheris.instrument_imports(include=["cleanroom.compare", "cleanroom.room.claims"]):
        import cleanroom.compare.formats.registry as registry

        registry.comparators()
    guided(Session(name, folder), seconds, start, atheris)


def fuzz(name: str, seconds: float, keep: bool) -> tuple[int, int, int]:
    """(executions, findings, new inputs) of one comparator within a time."""
    executions = new = 0
    before = len(list((FINDINGS / name).glob("*.json")))
    end, start = time.monotonic() + seconds, int(time.time())
    while (left := end - time.monotonic()) > 1:
        with tempfile.TemporaryDirectory(prefix="fuzz-") as scratch:
            folder = Path(scratch)
            done = _watched(name, left, start, folder)
            count = folder / "executions"
            executions += int(count.read_text()) if count.exists() else 0
            if not done and (folder / "left").exists():
                sides = [(folder / side).read_bytes() for side in ("left", "right")]
                keep_finding(
                    name, (folder / "name").read_text(), sides[0], sides[1], "died or hung"
                )
            if keep and (folder / "corpus").is_dir():
                new += _kept(name, folder / "corpus")
        start += 1
    return executions, len(list((FINDINGS / name).glob("*.json"))) - before, new


def _watched(name: str, seconds: float, start: int, folder: Path) -> bool:
    """Whether the process of one comparator ended as it should."""
    command = [sys.executable, "-m", "tests.fuzz.run", "--seconds", str(seconds), "--only", name]
    command += ["--child", str(folder), "--start", str(start)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    last, seen = 0.0, time.monotonic()
    while process.poll() is None:
        time.sleep(0.2)
        file = folder / "left"
        changed = file.stat().st_mtime if file.exists() else 0.0
        if changed != last:
            last, seen = changed, time.monotonic()
        if time.monotonic() - seen > _HANGS:
            process.kill()
            process.wait()
            return False
    return process.returncode == 0


def _kept(name: str, corpus: Path) -> int:
    """Keep the smallest new inputs that coverage chose, a few for each comparator."""
    from tests.fuzz.targets import CORPUS, FOLDER, targets

    seeds = targets()[name].seeds
    new = sorted(
        (f for f in corpus.iterdir() if not f.name.startswith("seed")),
        key=lambda f: f.stat().st_size,
    )
    (CORPUS / name).mkdir(parents=True, exist_ok=True)
    count = 0
    for file in [f for f in new if 8 < f.stat().st_size <= _NEW][-12:]:
        content = file.read_bytes()
        called = seeds[content[0] % len(seeds)].name
        suffix = FOLDER[1:] if called.endswith(FOLDER) else called.partition(".")[2]
        (CORPUS / name / f"{file.name[:10]}.{suffix}").write_bytes(content[1:])
        count += 1
    return count


def main() -> int:
    parser = argparse.ArgumentParser(description="Fuzz the comparators.")
    parser.add_argument("--seconds", type=float, default=60, help="for all comparators together")
    parser.add_argument("--only", default="", help="one comparator, or claims")
    parser.add_argument(
        "--keep", action="store_true", help="keep a few new inputs in tests/fuzz/corpus"
    )
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    parser.add_argument("--start", type=int, default=0, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        child(asked.only, asked.seconds, asked.start, Path(asked.child))
        return 0
    from tests.fuzz.targets import targets

    names = [asked.only] if asked.only else sorted(targets())
    shutil.rmtree(FINDINGS, ignore_errors=True)
    found = 0
    print(f"{'comparator':<14}{'executions':>12}{'findings':>10}{'kept':>6}", flush=True)
    for name in names:
        executions, findings, new = fuzz(name, asked.seconds / len(names), asked.keep)
        found += findings
        print(f"{name:<14}{executions:>12}{findings:>10}{new:>6}", flush=True)
    for file in sorted(FINDINGS.rglob("*.json")):
        print(f"{file.relative_to(FINDINGS)}: {json.loads(file.read_text())['fault'][:200]}")
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main())
