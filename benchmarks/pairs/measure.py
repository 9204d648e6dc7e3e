"""How many labelled pairs are judged right: by the comparators at the declared level, and by what
people use today.

python -m benchmarks.pairs.measure
"""

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from benchmarks.pairs.cases import Pair, pairs
from cleanroom.compare.equivalences import meets
from cleanroom.compare.examiner import Examiner
from cleanroom.compare.formats.interface import Found
from cleanroom.compare.formats.registry import Question
from cleanroom.values.comparison import Sameness
from cleanroom.values.declared import CompareOptions

_NEAR = 0.05


class Judged(NamedTuple):
    """One pair, what the comparators found, and whether they would accept it."""

    pair: Pair
    found: Found
    accepted: bool

    @property
    def right(self) -> bool:
        return self.accepted is self.pair.same


def judged(cases: Sequence[Pair], folder: Path) -> list[Judged]:
    """Each pair as a confirmation would judge it under its declaration."""
    questions = []
    for number, pair in enumerate(cases):
        files = _laid_out(pair, folder / str(number))
        questions.append(
            Question(
                left=str(files[0]),
                right=str(files[1]),
                name=pair.name,
                comparator=pair.comparator,
                rules=CompareOptions(**pair.options),
            )
        )
    with Examiner() as examiner:
        answers = examiner.examine(questions)
    return [
        Judged(p, f, f.sameness is Sameness.PAYLOAD or meets(f))
        for p, f in zip(cases, answers, strict=True)
    ]


def _laid_out(pair: Pair, folder: Path) -> tuple[Path, Path]:
    files = folder / "left" / pair.name, folder / "right" / pair.name
    for file, content in zip(files, (pair.left, pair.right), strict=True):
        file.parent.mkdir(parents=True)
        file.write_bytes(content)
    return files


def _by_hash(left: Path, right: Path) -> bool:
    return hashlib.sha256(left.read_bytes()).digest() == hashlib.sha256(right.read_bytes()).digest()


def _by_size(left: Path, right: Path) -> bool:
    sizes = left.stat().st_size, right.stat().st_size
    return abs(sizes[0] - sizes[1]) <= _NEAR * max(sizes)


def _by_diffoscope(left: Path, right: Path) -> bool:
    return (
        subprocess.run(
            ["diffoscope", "--text", "/dev/null", "--no-progress", left, right], capture_output=True
        ).returncode
        == 0
    )


PEERS: dict[str, Callable[[Path, Path], bool]] = {
    "sha256sum": _by_hash,
    "size within 5 %": _by_size,
    **({"diffoscope": _by_diffoscope} if shutil.which("diffoscope") else {}),
}


def table() -> list[tuple[str, int, int, int, int]]:
    """(who, same judged same, number of same, different judged different, number of different)."""
    with tempfile.TemporaryDirectory(prefix="cleanroom-bench-") as name:
        folder = Path(name)
        cases = list(pairs(folder))
        results = {
            "cleanroom at the declared level": [one.accepted for one in judged(cases, folder)]
        }
        files = [
            (folder / str(i) / "left" / p.name, folder / str(i) / "right" / p.name)
            for i, p in enumerate(cases)
        ]
        with ThreadPoolExecutor() as pool:
            for who, judge in PEERS.items():
                results[who] = list(pool.map(lambda pair, judge=judge: judge(*pair), files))
    labels = [pair.same for pair in cases]
    counts = sum(labels), len(labels) - sum(labels)
    return [
        (
            who,
            sum(s and a for s, a in zip(labels, said, strict=True)),
            counts[0],
            sum(not s and not a for s, a in zip(labels, said, strict=True)),
            counts[1],
        )
        for who, said in results.items()
    ]


def main() -> None:
    print("| who | the same, called the same | different, called different |\n|---|---|---|")
    for who, same, all_same, other, all_other in table():
        print(f"| {who} | {same} of {all_same} | {other} of {all_other} |")


if __name__ == "__main__":
    main()
