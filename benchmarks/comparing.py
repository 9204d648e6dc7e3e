"""Large and many files compared: a CSV of 1 GB in another order, 5 GB of bytes, 100,000 small
pairs.

python -m benchmarks.comparing ask NAME LEFT RIGHT [OPTIONS as JSON]   one question, as a
confirmation asks it python -m benchmarks.comparing small FOLDER                            all
pairs of FOLDER/a and FOLDER/b python -m benchmarks.comparing read LEFT RIGHT
both tables read once with Polars Prints: seconds, peak MB of this process, peak MB of its largest
child, answer.
"""

import json
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from cleanroom.compare.examiner import Examiner
from cleanroom.compare.formats.registry import Question
from cleanroom.values.declared import CompareOptions

_ROWS = 18_000_000
_BYTES = 5 * 2**30
_PAIRS = 100_000


def ask(name: str, left: str, right: str, options: str = "{}") -> str:
    rules = CompareOptions(**json.loads(options))
    comparator = "table" if options != "{}" else ""
    with Examiner() as examiner:
        (found,) = examiner.examine(
            [Question(left=left, right=right, name=name, comparator=comparator, rules=rules)]
        )
    return found.sameness


def small(folder: str) -> str:
    names = sorted(os.listdir(f"{folder}/a"))  # noqa: PTH208 - names only
    questions = [
        Question(left=f"{folder}/a/{name}", right=f"{folder}/b/{name}", name=name) for name in names
    ]
    with Examiner() as examiner:
        found = examiner.examine(questions)
    return f"{len({f.sameness for f in found})} kinds of {len(found)}"


def read(left: str, right: str) -> str:
    import polars as pl

    return str(sum(pl.read_csv(path, infer_schema=False).height for path in (left, right)))


def write(left: str, right: str) -> str:
    """A table and its rows in another order; in a process of its own, whose memory is not inherited
    by what is measured.
    """
    import numpy as np
    import polars as pl

    values = np.random.default_rng(1)
    frame = pl.DataFrame(
        {
            "id": np.arange(_ROWS),
            "x": values.random(_ROWS),
            "y": values.integers(0, 10**12, _ROWS),
            "z": values.random(_ROWS),
        }
    )
    frame.write_csv(left)
    frame.sample(fraction=1.0, shuffle=True, seed=2).write_csv(right)
    return str(_ROWS)


def _call(*words: str) -> tuple[float, float, float, str]:
    out = subprocess.run(
        [sys.executable, "-m", "benchmarks.comparing", *words],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    seconds, own, child, answer = out.strip().split("\t")
    return float(seconds), float(own), float(child), answer


def csv(scratch: Path, repeats: int) -> Iterator[tuple[str, str, str]]:
    """The same rows in another order, declared so."""
    left, right = scratch / "left.csv", scratch / "right.csv"
    _call("write", str(left), str(right))
    size = left.stat().st_size / 2**30
    options = json.dumps({"order": "any"})
    _call("read", str(left), str(right))
    ratios, memory, own, shown = [], 0.0, 0.0, []
    for _ in range(repeats):
        ours, main, child, answer = _call("ask", "left.csv", str(left), str(right), options)
        assert answer == "tolerance", answer
        theirs = _call("read", str(left), str(right))[0]
        ratios.append(ours / theirs)
        memory, own = max(memory, child), max(own, main)
        shown.append((ours, theirs))
    times = (
        f"{statistics.median(a for a, _ in shown):.1f} s / "
        f"{statistics.median(b for _, b in shown):.1f} s"
    )
    what = f"a CSV of {size:.2f} GiB and its rows in another order / Polars reading both"
    yield (
        what,
        f"{statistics.median(ratios):.2f} ({times}), {memory:.0f} MB, main process {own:.0f} MB",
        "at most 3, 2000 MB, 500 MB",
    )


def binary(scratch: Path, repeats: int) -> Iterator[tuple[str, str, str]]:
    """Two files that differ in their last byte."""
    left, right = scratch / "left.bin", scratch / "right.bin"
    block = random.Random(1).randbytes(2**24)
    for path in (left, right):
        with path.open("wb") as stream:
            for _ in range(_BYTES // len(block)):
                stream.write(block)
    with right.open("r+b") as end:
        end.seek(-1, os.SEEK_END)
        end.write(bytes([block[-1] ^ 1]))

    def cmp() -> float:
        begin = time.perf_counter()
        assert subprocess.run(["cmp", left, right], capture_output=True).returncode == 1
        return time.perf_counter() - begin

    cmp()
    rows, own = [], 0.0
    for _ in range(repeats):
        ours, main, _, answer = _call("ask", "left.bin", str(left), str(right))
        assert answer == "different", answer
        rows.append((ours, cmp()))
        own = max(own, main)
    times = (
        f"{statistics.median(a for a, _ in rows):.2f} s / "
        f"{statistics.median(b for _, b in rows):.2f} s"
    )
    value = statistics.median(a / b for a, b in rows)
    yield (
        "two files of 5 GiB that differ in the last byte / cmp",
        f"{value:.2f} ({times}), main process {own:.0f} MB",
        "at most 1.1, 500 MB",
    )


def pairs(scratch: Path, repeats: int) -> Iterator[tuple[str, str, str]]:
    """Small texts, tables, trees and sequences, every one different."""
    suffixes = ("txt", "csv", "json", "yaml", "fa", "bed")
    for side, value in (("a", 1), ("b", 2)):
        (scratch / side).mkdir()
        for i in range(_PAIRS):
            suffix = suffixes[i % len(suffixes)]
            text = {
                "json": f'{{"n": {i}, "v": {value}}}',
                "yaml": f"n: {i}\nv: {value}\n",
                "fa": f">s{i}\nACG{'TA'[value - 1]}\n",
            }.get(suffix, f"n,v\n{i},{value}\n" if suffix == "csv" else f"chr{i}\t1\t{value}\n")
            (scratch / side / f"{i}.{suffix}").write_text(text)
    seconds, own, child, answer = _call("small", str(scratch))
    assert answer == f"1 kinds of {_PAIRS}", answer
    yield (
        f"{_PAIRS:,} pairs of small files compared",
        f"{seconds:.1f} s, worker {child:.0f} MB, main process {own:.0f} MB",
        "at most 30 s, 500 MB",
    )


def main() -> None:
    verb, *words = sys.argv[1:]
    begin = time.perf_counter()
    verbs: dict[str, Callable[..., str]] = {
        "ask": ask,
        "small": small,
        "read": read,
        "write": write,
    }
    answer = verbs[verb](*words)
    seconds = time.perf_counter() - begin
    own, child = (
        resource.getrusage(who).ru_maxrss / 1024
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(f"{seconds}\t{own}\t{child}\t{answer}")


if __name__ == "__main__":
    main()
