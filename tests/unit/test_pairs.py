"""The labelled pairs of all formats: each is judged as its label says, in both directions."""

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.pairs.cases import Pair, pairs
from benchmarks.pairs.measure import judged


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> list[Pair]:
    return list(pairs(tmp_path_factory.mktemp("pairs")))


def test_there_are_enough_and_no_pair_is_of_equal_bytes(cases: list[Pair]) -> None:
    counts = Counter(pair.same for pair in cases)
    assert min(counts.values()) >= 100
    assert len({pair.format for pair in cases}) >= 30
    assert [pair.about for pair in cases if pair.left == pair.right] == []
    assert len({(pair.format, pair.name, pair.about) for pair in cases}) == len(cases)


@pytest.mark.parametrize("turned", [False, True], ids=["as labelled", "turned around"])
def test_every_pair_is_judged_as_labelled(cases: list[Pair], turned: bool, tmp_path: Path) -> None:
    asked = [pair._replace(left=pair.right, right=pair.left) for pair in cases] if turned else cases
    wrong = [
        (one.pair.format, one.pair.about, one.found.note)
        for one in judged(asked, tmp_path)
        if not one.right
    ]
    assert wrong == []
