"""The benchmarks: each a ratio or a bound, measured in one run.
`make bench` prints the table of docs/benchmarks.md.

python -m benchmarks.run [small] [many] [room] [environments] [further] [hashing] [artifacts] [audit] [plans]
[labelled] [pairs]
                         [csv] [binary] [small_files] [--repeats N]
"""

import argparse
import functools
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks import comparing
from cleanroom.evidence.tree import Hasher, scan

ROOT = Path(__file__).resolve().parents[1]
IMAGE = "cleanroom-room:latest"
MANY_JOBS = 1000


def timed(command: list[str], *, cwd: Path | None = None) -> float:
    begin = time.perf_counter()
    ended = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    if ended.returncode:
        raise SystemExit(f"{command} failed:\n{ended.stdout[-2000:]}{ended.stderr[-2000:]}")
    return time.perf_counter() - begin


def repository(folder: Path, source: Path | dict[str, str]) -> Path:
    if isinstance(source, Path):
        shutil.copytree(source, folder)
    else:
        for name, text in source.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
    for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "x"]):
        subprocess.run(
            ["git", "-C", folder, "-c", "user.name=b", "-c", "user.email=b@example.org", *words],
            check=True,
        )
    return folder


def confirm(repo: Path, scratch: Path, *more: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "cleanroom.cli",
        "confirm",
        str(repo),
        "HEAD",
        "--engine",
        "docker",
        "-q",
        "--out",
        str(scratch / "report"),
        "--cache",
        str(scratch / "cache"),
        *more,
    ]


def ratio(
    ours: Callable[[], float], theirs: Callable[[], float], repeats: int
) -> tuple[float, str]:
    """The median of the ratios of pairs, A B A B, after one warm-up of each."""
    ours(), theirs()
    pairs = [(ours(), theirs()) for _ in range(repeats)]
    median = statistics.median(a / b for a, b in pairs)
    return (
        median,
        f"{statistics.median(a for a, _ in pairs):.2f} s / "
        f"{statistics.median(b for _, b in pairs):.2f} s",
    )


def small(scratch: Path, repeats: int) -> Iterator[tuple[str, str, str]]:
    repo = repository(scratch / "small", ROOT / "fixtures" / "wordcount")
    by_hand = [str(ROOT / "benchmarks" / "by_hand.sh"), str(repo), IMAGE, "laptop", "server"]
    value, times = ratio(lambda: timed(confirm(repo, scratch)), lambda: timed(by_hand), repeats)
    yield "two profiles of five jobs / by hand", f"{value:.2f} ({times})", "at most 0.45"


def further(scratch: Path, repeats: int) -> Iterator[tuple[str, str, str]]:
    """One profile in other surroundings, and one whose jobs are staged, each against one run more
    of the same profile.
    """
    repo = repository(scratch / "further", ROOT / "fixtures" / "wordcount")
    for option, what, bound in (
        ("--vary", "other surroundings", "at most 1.2"),
        ("--stage", "staged jobs", ""),
    ):
        ours, once_more = (
            confirm(repo, scratch, "--profile", "laptop", *more)
            for more in ([option], ["--repeats", "1"])
        )
        value, times = ratio(
            functools.partial(timed, ours), functools.partial(timed, once_more), repeats
        )
        yield f"{what} (`{option}`) / one run more", f"{value:.2f} ({times})", bound


def many(scratch: Path, repeats: int) -> Iterator[tuple[str, str, str]]:
    names = "abc"
    files = {f"profiles/{name}/config.yaml": "cores: 2\n" for name in names}
    files["Snakefile"] = (
        f'rule all:\n    input: expand("results/{{i}}.txt", i=range({MANY_JOBS - 1}))\n\n'
        'rule one:\n    output: "results/{i}.txt"\n    shell: "echo {wildcards.i} > {output}"\n'
    )
    repo = repository(scratch / "many", files)
    by_hand = [str(ROOT / "benchmarks" / "by_hand.sh"), str(repo), IMAGE, *names]
    ours, theirs = timed(confirm(repo, scratch)), timed(by_hand)
    yield (
        f"{MANY_JOBS} jobs, three profiles / by hand",
        f"{ours / theirs:.2f} ({ours:.1f} s / {theirs:.1f} s)",
        "at most 0.5",
    )


def audit(scratch: Path, repeats: int) -> Iterator[tuple[str, str, str]]:
    """Three profiles audited, against one dry-run for each, one after the other, in the same
    image.
    """
    repo = repository(scratch / "audit", ROOT / "fixtures" / "reads")
    plan = [
        "docker",
        "run",
        "--rm",
        "--network",
        "none",
        "--volume",
        f"{repo}:/work:ro",
        "--workdir",
        "/work",
        "--env",
        "HOME=/tmp",
        "--env",
        "USER=me",
        IMAGE,
        "sh",
        "-c",
        "cp -r /work /tmp/work && cd /tmp/work && snakemake -n --cores 2",
    ]
    ours = [
        sys.executable,
        "-m",
        "cleanroom.cli",
        "audit",
        str(repo),
        "--engine",
        "docker",
        "-q",
        "--out",
        str(scratch / "bundle"),
        "--cache",
        str(scratch / "cache"),
    ]
    value, times = ratio(lambda: timed(ours), lambda: sum(timed(plan) for _ in range(3)), repeats)
    yield "audit of three profiles / three dry-runs", f"{value:.2f} ({times})", "at most 1.5"


def plans(scratch: Path, repeats: int) -> Iterator[tuple[str, str, str]]:
    """Plans of 10,000 jobs under three profiles, decoded as a room exported them, audited and
    compared.
    """
    command = [sys.executable, "-m", "benchmarks.plans", str(scratch)]
    seconds, peak = subprocess.run(
        command, check=True, capture_output=True, text=True
    ).stdout.split()
    yield (
        "plans of 10,000 jobs under three profiles compared",
        f"{float(seconds):.2f} s, {float(peak):.0f} MB",
        "at most 3 s, 400 MB",
    )


def labelled(scratch: Path, repeats: int) -> Iterator[tuple[str, str, str]]:
    from benchmarks.labelled.check import check

    rows = check(scratch, scratch / "cache", "sandbox")
    right, undecided = (
        sum(row.right for row in rows),
        sum(row.answer == "undecided" for row in rows),
    )
    runs = sum(row.by == "confirm" for row in rows)
    yield (
        "labelled settings and changes judged right",
        f"{right} of {len(rows)}, {undecided} undecided, {runs} by a run",
        "all",
    )


def room(scratch: Path, repeats: int) -> Iterator[tuple[str, str, str]]:
    names = ["p1", "p2", "p3", "p4", "p5", "p6"]
    files = {f"profiles/{name}/config.yaml": "cores: 1\n" for name in names}
    files["Snakefile"] = (
        'rule all:\n    output: "results/out.txt"\n    shell: "echo 1 > {output}"\n'
    )
    repo = repository(scratch / "room", files)
    work = scratch / "own"
    docker = [
        "docker",
        "run",
        "--rm",
        "--network",
        "none",
        "--volume",
        f"{work}:/work",
        "--workdir",
        "/work",
        IMAGE,
    ]

    def own() -> float:
        """Snakemake's own time for one run of the workflow, without the container's."""
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(repo, work)
        return timed([*docker, "snakemake", "--cores", "1"]) - timed([*docker, "true"])

    def more() -> float:
        few = [word for name in names[:2] for word in ("--profile", name)]
        return (timed(confirm(repo, scratch)) - timed(confirm(repo, scratch, *few))) / 4

    more()
    costs = [(more(), own()) for _ in range(repeats)]
    value = statistics.median(a - b for a, b in costs)
    parts = (
        f"{statistics.median(a for a, _ in costs):.2f} s of wall time each, "
        f"{statistics.median(b for _, b in costs):.2f} s its own"
    )
    yield "fixed cost of one more room", f"{value:+.2f} s ({parts})", "at most 1.0 s"


def hashing(scratch: Path, repeats: int) -> Iterator[tuple[str, str, str]]:
    folder = scratch / "hashing"
    folder.mkdir()
    files, count = 100, os.cpu_count() or 1
    for i in range(files):
        (folder / f"f{i}").write_bytes(os.urandom(2**20) * 25)
    openssl = [
        "sh",
        "-c",
        f"find {folder} -type f -print0 | xargs -0 -P {count} -n {files // count} openssl dgst "
        "-sha256 > /dev/null",
    ]

    def ours() -> float:
        """As in a confirmation: in a process that runs already."""
        begin = time.perf_counter()
        with ThreadPoolExecutor(count) as pool:
            assert len(Hasher(folder, pool).digests(scan(folder))) == files
        return time.perf_counter() - begin

    value, times = ratio(lambda: timed(openssl), ours, repeats)
    yield (
        "speed of hashing 2.6 GB / openssl dgst",
        f"{value:.2f} (openssl {times} ours)",
        "at least 0.9",
    )


def artifacts(scratch: Path, repeats: int) -> Iterator[tuple[str, str, str]]:
    count = 100_000
    for side in "ab":
        for i in range(count):
            folder = scratch / side / f"{i % 100:02d}"
            folder.mkdir(parents=True, exist_ok=True) if i < 100 else None
            (folder / f"{i}.txt").write_text(f"{side if i % 50 == 0 else 'same'} {i}\n")
    command = [
        sys.executable,
        "-m",
        "cleanroom.cli",
        "compare",
        str(scratch / "a"),
        str(scratch / "b"),
        "--cache",
        str(scratch / "cache"),
        "--out",
        str(scratch / "report"),
    ]
    begin = time.perf_counter()
    ended = subprocess.run(command, capture_output=True, text=True)
    seconds = time.perf_counter() - begin
    assert ended.returncode == 1, ended.stderr
    report = json.loads((scratch / "report" / "report.json").read_text())
    assert len(report["differences"]) == count // 50
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    yield (
        f"{count:,} artifacts on each side hashed, compared, reported",
        f"{seconds:.1f} s, {peak:.0f} MB",
        "at most 20 s, 500 MB",
    )


def pairs(scratch: Path, repeats: int) -> Iterator[tuple[str, str, str]]:
    from benchmarks.pairs.measure import table

    for who, same, all_same, other, all_other in table():
        bound = "all" if who.startswith("cleanroom") else ""
        yield (
            f"labelled pairs of files, {who}",
            f"same {same} of {all_same}, different {other} of {all_other}",
            bound,
        )


def environments(scratch: Path, repeats: int) -> Iterator[tuple[str, str, str]]:
    from benchmarks import environments as measured  # here, because conda's libraries take time

    yield from measured.environments(scratch, IMAGE, repository, confirm, timed, min(repeats, 3))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    # `artifacts` comes first: the peak of memory is that of the largest child so far.
    parts: dict[str, Callable[[Path, int], Iterator[tuple[str, str, str]]]] = {
        "artifacts": artifacts,
        "small": small,
        "room": room,
        "environments": environments,
        "further": further,
        "many": many,
        "hashing": hashing,
        "audit": audit,
        "plans": plans,
        "labelled": labelled,
        "pairs": pairs,
        "csv": comparing.csv,
        "binary": comparing.binary,
        "small_files": comparing.pairs,
    }
    print("| what | measured | bound |\n|---|---|---|")
    for name in parts if not arguments.names else arguments.names:
        with tempfile.TemporaryDirectory(prefix="cleanroom-bench-") as scratch:
            for row in parts[name](Path(scratch), arguments.repeats):
                print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
