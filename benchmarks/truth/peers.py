"""What people use today, asked on the same cases: each says only whether something differs.

sha256sum   `peers.sh`: snakemake under each profile in a copy of the repository, `sha256sum` of
every file, and `diff` by size     the same two runs; names, and sizes within 5 % dry-run     the
texts of `snakemake --dry-run` under each profile, below their head, which has times and paths
reprotest   Debian's reprotest with its variations, of the first profile; it knows no profiles

Where a case is about two commits, they get both commits under one profile. Not here: which of them
is right.
"""

import filecmp
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.truth.cases import Case, build

_SCRIPT = Path(__file__).with_name("peers.sh")
_SNAKEMAKE = str(Path(sys.executable).with_name("snakemake"))
_NEAR = 0.05
_SECONDS = 180
_VARIATIONS = "--vary=-user_group,-domain_host,-fileordering,-kernel"
"""Without those that want another user, another host's name, FUSE, or another kernel's
personality.
"""
_CLOCK = "FAKETIME_DONT_FAKE_MONOTONIC=1"
"""Under another date Snakemake waits for ever without it."""


class Said(NamedTuple):
    """What one peer says of one case: True where something differs, None where it could not
    tell.
    """

    peer: str
    case: Case
    differs: bool | None
    seconds: float


def ask_peers(case: Case, folder: Path) -> list[Said]:
    """Every peer that is installed, in a folder of the case's own."""
    folder.mkdir(parents=True)
    repo = build(case, folder / "repo")
    part = Path(case.snakefile_path).parent
    sides = ("HEAD~1:a", "HEAD:a") if case.has_before else ("HEAD:a", "HEAD:b")
    begin = time.monotonic()
    by_hand = _ended(
        [str(_SCRIPT), _SNAKEMAKE, str(repo), str(folder), str(part), *sides, *_targets(case)],
        folder,
    )
    spent = time.monotonic() - begin
    ran = by_hand == 0 and not any((folder / f"{n}.failed").exists() for n in (1, 2))
    planned = by_hand == 0 and not any((folder / f"{n}.unplanned").exists() for n in (1, 2))
    said = [
        Said("sha256sum", case, _another(folder, "sums") if ran else None, spent),
        Said("by size", case, _other_sizes(folder) if ran else None, spent),
        Said("dry-run", case, _another(folder, "plan") if planned else None, spent),
    ]
    made = [shlex.quote(path) for path in _made(folder, part)] if ran else []
    if shutil.which("reprotest"):
        begin = time.monotonic()
        called = " ".join(
            [
                _CLOCK,
                _SNAKEMAKE,
                *_targets(case),
                "--profile",
                "profiles/a",
                "--workflow-profile",
                "none",
            ]
        )
        code = (
            _ended(
                [
                    "reprotest",
                    _VARIATIONS,
                    "--no-diffoscope",
                    "-s",
                    str(repo / part),
                    called,
                    " ".join(made),
                ],
                folder,
            )
            if made
            else -1
        )
        said.append(
            Said("reprotest", case, {0: False, 1: True}.get(code), time.monotonic() - begin)
        )
    return said


def _targets(case: Case) -> list[str]:
    return ["all"] if "targets: [all]" in case.declared else []


def _ended(command: Sequence[str], cwd: Path) -> int:
    """The exit code; -1 where it took too long."""
    try:
        return subprocess.run(
            command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS
        ).returncode
    except subprocess.TimeoutExpired:
        return -1


def _made(folder: Path, part: Path) -> list[str]:
    """What the run under the first profile made, for reprotest, which wants to be told: as seen
    from the workflow's folder.
    """
    files = [line.partition("\t")[0] for line in (folder / "1.sizes").read_text().splitlines()]
    return sorted(
        os.path.relpath(file, part) for file in files if not (folder / "repo" / file).exists()
    )


def _another(folder: Path, what: str) -> bool:
    return not filecmp.cmp(folder / f"1.{what}", folder / f"2.{what}", shallow=False)


def _other_sizes(folder: Path) -> bool:
    lists = [
        dict(line.rsplit("\t", 1) for line in (folder / f"{n}.sizes").read_text().splitlines())
        for n in (1, 2)
    ]
    a, b = ({name: int(size) for name, size in sizes.items()} for sizes in lists)
    return a.keys() != b.keys() or any(
        abs(a[name] - b[name]) > _NEAR * max(a[name], b[name]) for name in a
    )
