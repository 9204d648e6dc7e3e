"""Whether two sequences hold the same things in any order, in memory that does not grow with them.
Not here: what a thing is.
"""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple


class Multiset(NamedTuple):
    """The sum of the keyed digests of all things, and their number.
    Under one key drawn for the occasion, no two multisets that a workflow can make have the same
    sum: it would have to know the key.
    """

    total: int
    things: int


def multiset(things: Iterable[str], key: bytes) -> Multiset:
    """The things as a multiset; compare only sums under the same key
    (`secrets.token_bytes(64)`).
    """
    total = number = 0
    for thing in things:
        total += int.from_bytes(
            hashlib.blake2b(thing.encode("utf-8", "surrogatepass"), key=key).digest(), "big"
        )
        number += 1
    return Multiset(total, number)
