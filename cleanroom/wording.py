"""How lists and counts are said. Not here: any message."""

from collections.abc import Sequence


def listed(names: Sequence[str], most: int | None = None) -> str:
    """`a`, `a and b`, `a, b and c`; of more than `most` names `a, b and 3 more`."""
    if not names:
        return "no profile"
    if most is not None and len(names) > most:
        names = [*names[:most], f"{len(names) - most} more"]
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def named(rules: Sequence[str], most: int = 4) -> str:
    """`rule a`, `rules a and b`, `rules a, b, c and 3 more`."""
    return f"rule{'' if len(rules) == 1 else 's'} {listed(rules, most)}"


def counted(count: int, noun: str) -> str:
    """`1 result`, `2 results`: a count and its noun."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
