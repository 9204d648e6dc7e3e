"""The search for a cause: the fewest settings that make the difference, in few tries."""

import itertools

import pytest

from cleanroom.cause.search import smallest

NAMES = [f"s{i:02d}" for i in range(12)]


@pytest.mark.parametrize("guilty", NAMES)
def test_one_among_twelve_in_at_most_five_tries(guilty: str) -> None:
    asked: list[tuple[str, ...]] = []

    def moves(subset: tuple[str, ...]) -> bool:
        asked.append(subset)
        return guilty in subset

    assert smallest(NAMES, moves) == (guilty,)
    assert len(asked) <= 5
    assert len(set(asked)) == len(asked), "nothing is asked twice"
    assert any(subset == (guilty,) for subset in asked), "it was tried alone"


@pytest.mark.parametrize("pair", list(itertools.combinations(NAMES[:6], 2)))
def test_two_that_only_together_make_the_difference(pair: tuple[str, str]) -> None:
    assert set(smallest(NAMES[:6], lambda subset: set(pair) <= set(subset))) == set(pair)


def test_either_of_two_is_enough() -> None:
    assert len(smallest(NAMES, lambda subset: bool({"s02", "s09"} & set(subset)))) == 1


def test_where_no_try_ends_well_nothing_is_named() -> None:
    assert smallest(NAMES, lambda _: None) == ()
    assert smallest(NAMES, lambda _: False) == ()


def test_a_single_candidate_needs_no_try() -> None:
    assert smallest(["only"], lambda _: pytest.fail("asked")) == ("only",)
