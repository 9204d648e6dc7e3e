"""What differs within a file, gathered while it is read: bounded excerpts, counts, the largest
deviation, kinds. Not here: any format.
"""

import math

from cleanroom.compare.difference_kinds import deviation, differing_part, kind_of
from cleanroom.compare.formats.interface import Found
from cleanroom.values.comparison import Excerpt, Sameness
from cleanroom.values.declared import CompareOptions

EXCERPTS = 8
_KINDS_ASKED, _LETTERS_ASKED = 2000, 200_000
"""How many differences, of how many letters, are asked for their kind; with more, no kind is
claimed for all.
"""


class Tally:
    """Counts differing things and remembers the first ones."""

    def __init__(self, thing: str, things: str) -> None:
        self.thing, self.things = thing, things
        self.total = 0
        self.compared = 0
        self.kinds: dict[str, None] = {}
        self.unknown = False
        self.excerpts: list[Excerpt] = []
        self.size = -1.0
        """The largest number that was compared; -1 where none was."""
        self._largest = (0.0, 0.0, 0, "")
        self._numbers = self._asked = 0

    def differs(
        self, where: str, left: str | None, right: str | None, kind: str | None = None
    ) -> str:
        """One thing that differs; None where one side has none. Returns its kind."""
        self.total += 1
        if kind is None:
            both = left is not None and right is not None
            self._asked += len(left or "") + len(right or "")
            kind = (
                kind_of(left or "", right or "")
                if both and self.total <= _KINDS_ASKED and self._asked <= _LETTERS_ASKED
                else ""
            )
        if kind:
            self.kinds[kind] = None
        else:
            self.unknown = True
        if len(self.excerpts) < EXCERPTS:
            a, b = differing_part(
                left if left is not None else "(absent)", right if right is not None else "(absent)"
            )
            self.excerpts.append(Excerpt(where=where, left=a, right=b, kind=kind))
        return kind

    def number(self, where: str, left: float, right: float) -> None:
        """A numeric deviation, for the largest one."""
        self._numbers += 1
        absolute, relative, ulp = deviation(left, right)
        if relative >= self._largest[1] or not self._largest[3]:
            self._largest = (absolute, relative, ulp, where)

    def facts(self, of: int | None = None) -> tuple[str, ...]:
        """Counts and the largest deviation, in sentences."""
        found = []
        if self.total:
            share = f" of {of}" if of else ""
            found.append(
                f"{self.total}{share} "
                f"{self.thing if self.total == 1 and not of else self.things} "
                f"differ{'s' if self.total == 1 else ''}"
            )
        absolute, relative, ulp, where = self._largest
        if self._numbers and where:
            size = (
                "not finite"
                if math.isinf(absolute)
                else f"{absolute:.3g}, relative {relative:.3g}, {ulp} units in the last place"
            )
            found.append(f"largest deviation {size} ({where})")
        return tuple(found)

    def different(
        self,
        note: str,
        of: int | None = None,
        suggestion: CompareOptions | None = None,
        facts: tuple[str, ...] = (),
    ) -> Found:
        """The answer that something differs."""
        return Found(
            sameness=Sameness.DIFFERENT,
            note=note,
            facts=facts + self.facts(of),
            excerpts=tuple(self.excerpts),
            kinds=() if self.unknown else tuple(self.kinds),
            suggestion=suggestion,
            compared=self.compared,
        )

    def same(self, sameness: Sameness, note: str, facts: tuple[str, ...] = ()) -> Found:
        """The answer that all is the same at this level; what was apart stays as excerpts."""
        return Found(
            sameness=sameness,
            note=note,
            facts=facts + self.facts(),
            excerpts=tuple(self.excerpts),
            kinds=() if self.unknown else tuple(self.kinds),
            compared=self.compared,
            largest=self.size,
        )
