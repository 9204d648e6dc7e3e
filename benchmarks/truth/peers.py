"""What people use today, on the same cases: each says only whether something differs.

python -m benchmarks.truth.peers [--only TEXT] [--reprotest]

sha256sum   snakemake under each profile in a copy of the repository, then `sha256sum` of every file that is new or changed, and `diff`
by size     the same two runs; names, and sizes within 5 %
dry-run     the texts of `snakemake --dry-run` under each profile
reprotest   Debian's reprotest with its variations, of the baseline profile; it knows no profiles (only where asked for: it is slow)
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from benchmarks.truth.cases import Case, build, read_cases

_SNAKEMAKE = [sys.executable, "-m", "snakemake"]
_NEAR = 0.05


class Said(NamedTuple):
    """What each peer says of a case: True where something differs, None where it could not tell."""

    case: Case
    sha256sum: bool | None
    by_size: bool | None
    dry_run: bool | None
    reprotest: bool | None


def ask(case: Case, folder: Path, *, reprotest: bool) -> Said:
    """Both profiles in a copy each, as a script would do it."""
    repo = build(case, folder / "repo")
    here = repo / Path(case.snakefile_path).parent
    part = here.relative_to(repo)
    left: list[dict[str, tuple[str, int]] | None] = []
    plans = []
    for name in "ab":
        copy = folder / name
        shutil.copytree(repo, copy)
        command = [*_SNAKEMAKE, "--profile", f"profiles/{name}", "--workflow-profile", "none", *_targets(case)]
        plans.append(_call([*command, "--dry-run"], copy / part))
        ran = _call(command, copy / part)
        left.append(_files(copy) if ran is not None else None)
    return Said(case, _differs(left, exact=True), _differs(left, exact=False), None if None in plans else plans[0] != plans[1],
                _reprotest(here, repo, case) if reprotest else None)  # fmt: skip


def _targets(case: Case) -> list[str]:
    return ["all"] if "targets: [all]" in case.declared else []


def _call(command: Sequence[str], cwd: Path) -> str | None:
    """What it printed, or None where it failed."""
    env = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG")} | {"NO_COLOR": "1"}
    ended = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, errors="replace", timeout=120)
    return ended.stdout + ended.stderr if ended.returncode == 0 else None


def _files(folder: Path) -> dict[str, tuple[str, int]]:
    """Digest and size of every file but git's and Snakemake's own."""
    found = {}
    for file in folder.rglob("*"):
        parts = file.relative_to(folder).parts
        if file.is_file() and not {".git", ".snakemake", "profiles"} & set(parts):
            content = file.read_bytes()
            found["/".join(parts)] = hashlib.sha256(content).hexdigest(), len(content)
    return found


def _differs(sides: "Sequence[dict[str, tuple[str, int]] | None]", *, exact: bool) -> bool | None:
    a, b = sides
    if a is None or b is None:
        return None
    if a.keys() != b.keys():
        return True
    if exact:
        return any(a[name][0] != b[name][0] for name in a)
    return any(abs(a[name][1] - b[name][1]) > _NEAR * max(a[name][1], b[name][1]) for name in a)


def _reprotest(here: Path, repo: Path, case: Case) -> bool | None:
    build_command = " ".join([*_SNAKEMAKE, "--profile", "profiles/a", "--workflow-profile", "none", *_targets(case)])
    command = ["reprotest", "--vary=-user_group,-domain_host,-fileordering,-kernel", "--no-diffoscope", "-s", str(here), build_command,
               "*.txt *.csv *.json *.gz *.zip *.tar *.vcf *.sam *.svg *.ipynb *.bin"]  # fmt: skip
    try:
        code = subprocess.run(command, cwd=repo, capture_output=True, timeout=180).returncode
    except subprocess.TimeoutExpired:
        return None
    return {0: False, 1: True}.get(code)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="")
    parser.add_argument("--reprotest", action="store_true")
    arguments = parser.parse_args()
    cases = [
        c for c in read_cases() if arguments.only in c.id and c.verdict in ("HELD", "DRIFTED") and not (c.vary or c.recover or c.has_before)
    ]
    with tempfile.TemporaryDirectory(prefix="cleanroom-truth-") as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(lambda c: ask(c, Path(folder) / c.family / c.name, reprotest=arguments.reprotest), cases))
    print("| who | drift found | false alarms | could not tell |\n|---|---|---|---|")
    for who in Said._fields[1:]:
        said = [(s.case, getattr(s, who)) for s in found]
        if all(value is None for _, value in said):
            continue
        drift = [value for case, value in said if case.verdict == "DRIFTED"]
        held = [value for case, value in said if case.verdict == "HELD"]
        print(f"| {who.replace('_', ' ')} | {sum(v is True for v in drift)} of {len(drift)} | {sum(v is True for v in held)} of {len(held)} | "
              f"{sum(v is None for v in drift + held)} |")  # fmt: skip


if __name__ == "__main__":
    main()
