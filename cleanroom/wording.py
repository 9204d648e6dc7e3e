"""How lists and counts are said. Not here: any message."""

from collections.abc import Sequence


def listed(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if not names:
        return "no profile"
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def counted(count: int, noun: str) -> str:
    """`1 result`, `2 results`: a count and its noun."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
