"""Every comparator, and the decoder of claims, holds what `invariants.py` says on the corpus and on
mutations of it that are the same in every run.
"""

from pathlib import Path
from random import Random

import pytest

from tests.fuzz.invariants import broken
from tests.fuzz.mutate import mutated
from tests.fuzz.targets import kept, targets

MUTATIONS = 100


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", sorted(targets()))
def test_what_was_kept_and_a_hundred_mutations(tmp_path: Path, name: str) -> None:
    target, random = targets()[name], Random(name)
    faults = []
    for seed in kept(name):
        alike = next((s for s in target.seeds if s.name == seed.name and s != seed), seed)
        faults.append(broken(name, seed.name, alike.content, seed.content, tmp_path))
    for _ in range(MUTATIONS):
        seed = random.choice(target.seeds)
        content = mutated(seed, target.seeds, random)
        faults.append(broken(name, seed.name, seed.content, content, tmp_path))
    assert [fault for fault in faults if fault] == []


def test_every_comparator_has_files_of_its_own() -> None:
    assert [name for name, target in targets().items() if target.seeds[0].name == "file"] == []
