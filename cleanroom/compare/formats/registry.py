"""Which comparator compares two files: the surest of all that are installed, content before name.
Never raises for what a file holds.

Comparators are found by the entry point group `cleanroom.comparators`, our own ones too. Not here:
limits of time and memory.
"""

import functools
from importlib.metadata import entry_points
from pathlib import Path

import msgspec

from cleanroom.compare.formats.binary import COMPARATOR as BINARY
from cleanroom.compare.formats.binary import first_difference, same_bytes
from cleanroom.compare.formats.interface import (
    HEAD,
    NO,
    Comparator,
    Found,
    Inner,
    NotExamined,
    different,
)
from cleanroom.compare.magnitude import exceeds
from cleanroom.values.base import Value
from cleanroom.values.comparison import LEFT, RIGHT, Sameness
from cleanroom.values.declared import CompareOptions

GROUP = "cleanroom.comparators"
EXISTENCE = "existence"
"""Named in an equivalence instead of a comparator: that both files are there is enough."""
_DEEPEST = 4
_TEXT = 400
_WRAPPINGS = {"compressed", "archive"}
"""What is asked of a file in one of these is asked of what it holds."""


class Question(Value, frozen=True):
    """Two files to compare: where they are, what they are called in the run, and what was declared
    of them.

    Or two folders, with the comparator that reads a folder as one thing.
    """

    left: str
    right: str
    name: str
    comparator: str = ""
    rules: CompareOptions = CompareOptions()


@functools.cache
def comparators() -> dict[str, Comparator]:
    """Every installed comparator by its name."""
    found: dict[str, Comparator] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda p: p.name):
        comparator: Comparator = point.load()
        found[comparator.name] = comparator
    return found


def recognise(path: Path, name: str) -> Comparator:
    """The comparator that is surest of a file."""
    with path.open("rb") as stream:
        head = stream.read(HEAD)
    lower = name.lower()
    ranked = [
        (comparator.handles(head, lower), comparator) for comparator in comparators().values()
    ]
    sure, best = max(ranked, key=lambda pair: pair[0], default=(NO, BINARY))
    return best if sure > NO else BINARY


def answer(question: Question) -> Found:
    """Compare two files of unequal bytes; whatever goes wrong while reading them is said, and they
    are different.
    """
    return _compare(
        Path(question.left),
        Path(question.right),
        question.name,
        question.comparator,
        question.rules,
        0,
    )


def _compare(
    left: Path, right: Path, name: str, asked: str, rules: CompareOptions, depth: int
) -> Found:
    if depth > _DEEPEST:
        return different("not examined: it is wrapped too often")
    if left.is_dir():
        return _try(
            comparators()[asked], left, right, name, rules, lambda *_: different("not examined")
        )
    chosen = recognise(left, name), recognise(right, name)
    wrapped = chosen[0].name == chosen[1].name and chosen[0].name in _WRAPPINGS
    comparator = comparators()[asked] if asked and not wrapped else chosen[0]
    for_inner = "" if asked == comparator.name else asked
    if not asked and chosen[0].name != chosen[1].name:
        if BINARY.name not in (chosen[0].name, chosen[1].name):
            return _bounded(
                first_difference(
                    left, right, f"{chosen[0].name} in {LEFT}, {chosen[1].name} in {RIGHT}"
                ),
                "binary/1",
            )
        comparator = BINARY

    def inner(a: Path, b: Path, inside: str) -> Found:
        if same_bytes(a, b):
            return Found(sameness=Sameness.BYTES, note="the same bytes")
        return _compare(a, b, inside, for_inner, rules, depth + 1)

    return _try(comparator, left, right, name, rules, inner)


def _try(
    comparator: Comparator, left: Path, right: Path, name: str, rules: CompareOptions, inner: Inner
) -> Found:
    """The answer of one comparator; where it has none, why, and the first byte that differs."""
    label = f"{comparator.name}/{comparator.version}"
    try:
        found = comparator.compare(left, right, name.lower(), rules, inner)
        if (
            found.sameness is Sameness.TOLERANCE
            and rules.absolute
            and not _beyond(found, left, rules.absolute)
        ):
            found = msgspec.structs.replace(found, compared=0)  # any number would do for any other
        return _bounded(found, label)
    except NotExamined as error:
        reason = f"not examined: {error}"
    except ImportError as error:
        what = f"cleanroom-confirm[{comparator.extra}]" if comparator.extra else str(error.name)
        reason = f"not examined: install {what}"
    except MemoryError:
        reason = "not examined: it needs more memory than a comparator gets"
    except RecursionError:
        reason = "not examined: it is nested too deeply"
    except Exception as error:
        reason = f"not examined: the comparator failed ({type(error).__name__}: {error})"
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # Polars' own fault, which is no Exception
            raise
        reason = "not examined: the comparator failed (its library panicked)"
    return _bounded(
        different(reason) if left.is_dir() else first_difference(left, right, reason), label
    )


def _beyond(found: Found, left: Path, absolute: float) -> bool:
    """Whether something within is larger than an absolute tolerance."""
    return (
        found.largest > absolute if found.largest >= 0 else left.is_dir() or exceeds(left, absolute)
    )


def _bounded(found: Found, label: str) -> Found:
    """The answer with its comparator's name, and no text longer than a report can show."""
    excerpts = tuple(
        msgspec.structs.replace(e, where=_said(e.where), left=_said(e.left), right=_said(e.right))
        for e in found.excerpts[:8]
    )
    return msgspec.structs.replace(
        found,
        comparator=found.comparator or label,
        note=_said(found.note),
        excerpts=excerpts,
        facts=tuple(_said(f) for f in found.facts[:8]),
        suggestion=found.suggestion if found.suggestion and _writable(found.suggestion) else None,
    )


def _said(text: str) -> str:
    """A text no longer than a report can show, of characters that every answer can hold."""
    return text[:_TEXT].encode("utf-8", "backslashreplace").decode()


def _writable(rules: CompareOptions) -> bool:
    try:
        msgspec.json.encode(rules)
    except UnicodeEncodeError:  # a name that is no text cannot be declared
        return False
    return True
