"""What is fuzzed: every installed comparator, with files to begin from, and what a room may say.
A new comparator needs no edit here.

Seeds are the files of the labelled pairs that are its own, and `corpus/NAME/`. A seed called
`*.folder.zip` stands for a folder.
"""

import functools
import tempfile
from pathlib import Path
from typing import NamedTuple

from benchmarks.pairs.cases import pairs
from cleanroom.compare.formats.registry import comparators, recognise
from tests.fuzz.claims import CLAIMS

CORPUS = Path(__file__).parent / "corpus"
FOLDER = ".folder.zip"
_LARGEST = 20_000
"""Bytes of the largest seed: small ones are mutated, read and understood faster."""
_MOST = 24


class Seed(NamedTuple):
    """A file to begin from, and what it is called in a run."""

    name: str
    content: bytes


class Target(NamedTuple):
    """One comparator, or the decoder of claims; at least one seed."""

    name: str
    seeds: tuple[Seed, ...]


@functools.cache
def targets() -> dict[str, Target]:
    """Every installed comparator by its name, and the decoder of claims."""
    seeds: dict[str, dict[Seed, None]] = {name: kept(name) for name in (*comparators(), CLAIMS)}
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "seed"
        for pair in pairs(Path(scratch)):
            for content in (pair.left, pair.right):
                file.write_bytes(content)
                for owner in {pair.comparator, recognise(file, pair.name).name}:
                    if len(content) <= _LARGEST and len(seeds[owner]) < _MOST:
                        seeds[owner][Seed(pair.name, content)] = None
    plain = Seed("file", b"1,a\n2,b\n")
    return {name: Target(name, tuple(found) or (plain,)) for name, found in seeds.items()}


def kept(name: str) -> dict[Seed, None]:
    """The inputs that were kept for a comparator, in an order that is the same everywhere."""
    files = sorted((CORPUS / name).glob("*")) if (CORPUS / name).is_dir() else []
    return {Seed("a." + file.name.partition(".")[2], file.read_bytes()): None for file in files}
