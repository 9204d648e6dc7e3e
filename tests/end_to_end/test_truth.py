"""The fast part of the truth bench: one of every family, all answered right.
`make truth` asks all.
"""

from pathlib import Path

import pytest

from benchmarks.truth.cases import Case, read_cases
from benchmarks.truth.judge import ask
from benchmarks.truth.run import wrong
from tests.conftest import require_engine

FAST = {
    "meaning/config-value-among-others",
    "policy/omp-threads",
    "recovery/memory-by-attempt",
    "vacuous/touch",
    "context/process-id",
    "accepted/gzip-time",
    "real/checkpoint-by-threads",
    "innocent/set-threads-of-a-careful-rule",
    "commits/output-renamed",
    "staging/settings-with-a-silent-fallback",
    "overrides/a-dry-run-executor",
    "nodes/asked-for-and-innocent",
    "equal/configuration-files-that-say-the-same",
    "plans/a-source-in-a-cache",
    "missing/a-program",
    "clocks/an-undeclared-file-that-stays-the-same",
}
CASES = {case.id: case for case in read_cases()}


def test_every_family_has_a_fast_case() -> None:
    assert set(CASES) >= FAST
    assert {name.partition("/")[0] for name in FAST} == {case.family for case in CASES.values()}


@pytest.mark.parametrize("name", sorted(FAST))
def test_the_answer_is_true(name: str, tmp_path: Path, cache: Path) -> None:
    require_engine("sandbox")
    case: Case = CASES[name]
    answer = ask(case, tmp_path / "case", cache, "sandbox")
    assert not answer.broke, answer.why
    assert wrong([answer]) == []
