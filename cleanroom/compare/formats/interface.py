"""What a comparator is, and what it answers.
A comparator of another package joins by the entry point group `cleanroom.comparators`.

Not here: any format.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from cleanroom.values.base import Value
from cleanroom.values.comparison import Excerpt, Sameness
from cleanroom.values.declared import CompareOptions

NO, GENERAL, BY_NAME, BY_CONTENT, FOR_CERTAIN = range(5)
"""How sure a comparator is that a file is of its format; the surest one compares.
Content goes before a name.
"""
HEAD = 4096
"""How many bytes of a file a comparator sees when it is asked."""


class Found(Value, frozen=True):
    """How two files of unequal bytes agree.
    Never `bytes`; a sameness is named only where all of both files was read.

    `compared` is how many things decided under the rules that were given (lines, cells, values); -1
    where that was not counted.
    """

    sameness: Sameness
    note: str
    comparator: str = ""
    facts: tuple[str, ...] = ()
    excerpts: tuple[Excerpt, ...] = ()
    kinds: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()
    compared: int = -1
    largest: float = -1.0
    """The largest number within it, by its size; -1 where that was not looked at.
    A tolerance beyond it would take any for any.
    """
    suggestion: CompareOptions | None = None


class NotExamined(Exception):  # noqa: N818 - an answer, not a fault of ours
    """Why a file could not be read as its format: broken, too large, or something that is never
    loaded.
    """


Inner = Callable[[Path, Path, str], Found]
"""Compare what is inside: two extracted files and their name."""


class Comparator(Protocol):
    """One format. `extra` is the optional dependency that it needs, `options` the fields of
    `CompareOptions` that it heeds.
    """

    name: str
    version: str
    extra: str
    options: frozenset[str]

    def handles(self, head: bytes, name: str) -> int:
        """How sure it is, from the first bytes and the lower-case name: one of `NO` to
        `FOR_CERTAIN`.
        """
        ...

    def compare(
        self, left: Path, right: Path, name: str, rules: CompareOptions, inner: Inner
    ) -> Found:
        """Raises: NotExamined, ImportError where its library is missing; any other error counts as
        a crash.
        """
        ...


def different(note: str) -> Found:
    return Found(sameness=Sameness.DIFFERENT, note=note)
