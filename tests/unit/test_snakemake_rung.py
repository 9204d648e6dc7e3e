"""The rung that compares Snakemakes says nothing of a version that no run was under."""

import pytest

from cleanroom.rungs.interface import Seen
from cleanroom.rungs.snakemake import RUNG
from cleanroom.values.comparison import Comparison, Relation
from cleanroom.values.purpose import OtherSnakemake
from cleanroom.values.verdict import VerdictName
from tests.unit.values import NO_AUDIT, evidence


@pytest.mark.parametrize(
    ("held", "verdict"),
    [("8.30.0", VerdictName.HELD), ("9.27.1", VerdictName.INCONCLUSIVE)],
)
def test_a_run_must_be_under_the_version_that_was_asked_for(
    held: str, verdict: VerdictName
) -> None:
    """An environment that brings its own Snakemake keeps it."""
    other = evidence("b", purpose=OtherSnakemake(version="8.30.0"), versions={"snakemake": held})
    runs = [evidence("a", versions={"snakemake": "9.27.1"}), other]
    compared = Comparison(left="a", right=other.label, relation=Relation.SNAKEMAKE)
    seen = Seen(runs, [compared], NO_AUDIT, None, proven=True)
    assert RUNG.judged(seen).verdict is verdict
    lacking = list(RUNG.lacking(seen))
    assert bool(lacking) is (verdict is VerdictName.INCONCLUSIVE)
    assert all("under Snakemake 9.27.1" in text for text in lacking)
