"""The fast part of the truth bench: some of every family, all answered right.
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
    "meaning/until",
    "meaning/set-scatter",
    "policy/threads-in-a-script",
    "policy/omp-threads",
    "policy/temp-file-differs-and-the-result-too",
    "policy/undeclared-file-by-threads",
    "policy/default-resources-among-others",
    "recovery/memory-by-attempt",
    "recovery/random-result-and-threads",
    "recovery/race-on-a-shared-file",
    "vacuous/touch",
    "vacuous/outputs-are-committed",
    "vacuous/only-logs",
    "context/uncommitted-file",
    "context/process-id",
    "accepted/gzip-time",
    "accepted/log-that-is-an-input",
    "accepted/manifest-repeats-a-digest",
    "accepted/float-noise-within-a-tolerance",
    "real/vcf-allele",
    "real/checkpoint-by-threads",
    "real/tracked-file-overwritten",
    "innocent/a-long-cluster-profile",
    "innocent/set-threads-of-a-careful-rule",
    "commits/refactoring",
    "commits/output-renamed",
    "commits/the-commit-before-fails",
    "staging/settings-with-a-silent-fallback",
    "staging/pipe",
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
