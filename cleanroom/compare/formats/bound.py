"""How much a small file may say that it holds, and what stands after the end of what its format
reads. Not here: any format.
"""

from pathlib import Path

from cleanroom.compare.formats.interface import NotExamined

LEAST = 2**30
RATIO = 10_000
"""A file that declares more than this many times its size (and more than `LEAST` bytes) is taken
for a bomb.
"""
_BLOCK = 2**20


class Budget:
    """Counts the bytes that two files unfold to, over everything that is read of them."""

    def __init__(self, *paths: Path) -> None:
        """The larger of two files or folders counts."""
        self._left = max(LEAST, RATIO * max(map(_size, paths)))

    def spend(self, count: int) -> None:
        """Raises: NotExamined once it is too much."""
        self._left -= int(count)
        if self._left < 0:
            raise NotExamined("it unfolds to too much")


def _size(path: Path) -> int:
    return (
        sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
        if path.is_dir()
        else path.stat().st_size
    )


def same_tails(left: Path, right: Path, ends: tuple[int, int]) -> bool:
    """Whether the same bytes stand after the ends of two files' formats: nobody reads them, so
    nothing is said of them.
    """
    with left.open("rb") as a, right.open("rb") as b:
        a.seek(ends[0])
        b.seek(ends[1])
        while True:
            blocks = a.read(_BLOCK), b.read(_BLOCK)
            if blocks[0] != blocks[1]:
                return False
            if not blocks[0]:
                return True
