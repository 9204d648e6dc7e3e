"""Which of several settings make the difference: the fewest that do, in few tries.
Pure but for the question that it asks.

Halving finds a single one among n in log2(n) tries and one more to be sure; where no single one
does it, delta debugging (Zeller and Hildebrandt 2002) finds a smallest set. Not here: how a try is
made.
"""

import functools
from collections.abc import Callable, Sequence

Moves = Callable[[tuple[str, ...]], bool | None]
"""Whether a subset makes the difference; None where that try did not end well."""
_MOST = 40
"""Tries at most."""


def independent(candidates: Sequence[str], moves: Moves) -> list[tuple[str, ...]]:
    """One smallest set after another, until what is left makes no difference any more.
    The last try shows that.
    """
    ask = functools.cache(moves)
    found: list[tuple[str, ...]] = []
    left = list(candidates)
    while left and (not found or ask(tuple(left)) is True):
        keys = smallest(left, ask)
        if not keys:
            break
        found.append(keys)
        left = [x for x in left if x not in keys]
    return found


def smallest(candidates: Sequence[str], moves: Moves) -> tuple[str, ...]:
    """A set of candidates that makes the difference and of which none can be left out; empty where
    none was found.

    All candidates together are known to make it. The likeliest ones should come first.
    """
    known: dict[tuple[str, ...], bool | None] = {}

    def ask(subset: Sequence[str]) -> bool:
        key = tuple(subset)
        if key not in known and len(known) < _MOST:
            known[key] = moves(key)
        return known.get(key) is True

    left = list(candidates)
    while len(left) > 1:
        half = left[: len(left) // 2]
        left = half if ask(half) else left[len(half) :]
    if len(candidates) == 1 or ask(left):
        return tuple(left)
    found = _ddmin(list(candidates), ask)
    return tuple(found) if len(found) < len(candidates) else ()


def _ddmin(whole: list[str], ask: Callable[[Sequence[str]], bool]) -> list[str]:
    parts = 2
    while len(whole) >= 2:
        size = max(1, len(whole) // parts)
        pieces = [whole[i : i + size] for i in range(0, len(whole), size)]
        rests = [[x for x in whole if x not in piece] for piece in pieces]
        smaller = next((piece for piece in pieces if ask(piece)), None)
        rest = next((r for r in rests if r and ask(r)), None) if smaller is None else None
        if smaller is not None:
            whole, parts = smaller, 2
        elif rest is not None:
            whole, parts = rest, max(parts - 1, 2)
        elif size == 1:
            break
        else:
            parts = min(len(whole), 2 * parts)
    return whole
