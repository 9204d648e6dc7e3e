"""Public repositories as they are, each confirmed from a local clone: the verdict, whether it is the
one that is known to be true, and how long it took.

python -m benchmarks.corpus.run --clones DIR [--engine NAME] [--only TEXT] [--json FILE]

`DIR/owner/name` is a clone, or a bare one. Nothing of these repositories is part of this one.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

_TABLE = Path(__file__).with_name("corpus.toml")
_SECONDS = 1800


class Known(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A repository at one commit, and what is true of it. `options` are words of the call, `config`
    the lines of a `cleanroom.yaml` that it needs.
    """

    name: str
    url: str
    commit: str
    verdict: str
    why: str
    options: tuple[str, ...] = ()
    config: str = ""
    says: str = ""
    """What its sentence or its error holds."""
    brings: str = ""
    """The software that it declares, in a few words."""

    @property
    def lines(self) -> int:
        """Lines of configuration beyond a plain call."""
        return len(self.options) + len(self.config.strip().splitlines())


class Judged(msgspec.Struct, frozen=True):
    known: Known
    verdict: str
    said: str
    seconds: float

    @property
    def right(self) -> bool:
        return self.verdict == self.known.verdict and self.known.says in self.said


def table() -> list[Known]:
    return msgspec.convert(tomllib.loads(_TABLE.read_text())["repository"], list[Known])


def judge(known: Known, clones: Path, engine: str) -> Judged:
    """Confirm one of them, as a person would."""
    with tempfile.TemporaryDirectory(prefix="cleanroom-corpus-") as scratch:
        out = Path(scratch) / "report"
        command = [sys.executable, "-m", "cleanroom.cli", "confirm", str(clones / known.name)]
        command += [known.commit, "--engine", engine, "-q", "--out", str(out), *known.options]
        if known.config:
            config = Path(scratch) / "cleanroom.yaml"
            config.write_text(known.config)
            command += ["--config", str(config)]
        begin = time.monotonic()
        try:
            ended = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS)
            said = " ".join(ended.stderr.split())
        except subprocess.TimeoutExpired:
            return Judged(known, "none", "not done in time", _SECONDS)
        seconds = time.monotonic() - begin
        report = out / "report.json"
        if not report.exists():
            return Judged(known, f"exit {ended.returncode}", said, seconds)
        found: dict[str, Any] = json.loads(report.read_text())
        return Judged(known, found["verdict"], f"{found['sentence']} {said}", seconds)


def rows(found: list[Judged]) -> Iterator[str]:
    yield "| repository | verdict | | lines | s | what it brings | why that is true |"
    yield "|---|---|---|---|---|---|---|"
    for one in found:
        known = one.known
        yield (
            f"| [{known.name}]({known.url}) `{known.commit[:12]}` | {one.verdict} | "
            f"{'✓' if one.right else f'✗ {known.verdict}'} | {known.lines} | {one.seconds:.0f} | "
            f"{known.brings} | {known.why} |"
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clones", type=Path, required=True)
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--only", default="")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    found = []
    for known in table():
        if arguments.only not in known.name:
            continue
        if not (arguments.clones / known.name).exists():
            print(f"{known.name}: no clone in {arguments.clones}, skipped", file=sys.stderr)
            continue
        found.append(judge(known, arguments.clones, arguments.engine))
        last = found[-1]
        print(
            f"{known.name}: {last.verdict} {last.seconds:.0f} s {last.said[:300]}", file=sys.stderr
        )
    print("\n".join(rows(found)))
    if arguments.json:
        arguments.json.write_bytes(msgspec.json.encode(found))
    return int(any(not one.right for one in found))


if __name__ == "__main__":
    os.environ.setdefault("COLUMNS", "100")
    raise SystemExit(main())
