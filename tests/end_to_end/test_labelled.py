"""The labelled set: every setting and change is judged as its label says, none left undecided."""

from pathlib import Path

import pytest

from benchmarks.labelled.check import WORKFLOWS, cases, changes, settings
from tests.conftest import require_engine

pytestmark = pytest.mark.truth


def test_there_are_enough_and_each_says_why() -> None:
    found = cases("setting") + cases("change")
    assert len(found) >= 80
    assert {case["label"] for case in found} == {"safe", "drift"}
    assert all(case["reason"] and case["like"] for case in found)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_settings(workflow: str, tmp_path: Path, cache: Path) -> None:
    require_engine("sandbox")
    rows = list(settings(workflow, tmp_path, cache, "sandbox"))
    assert rows
    assert [row for row in rows if not row.right] == []
    assert all(row.why for row in rows)


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_changes(workflow: str, tmp_path: Path, cache: Path) -> None:
    require_engine("sandbox")
    rows = list(changes(workflow, tmp_path, cache, "sandbox"))
    assert rows
    assert [row for row in rows if not row.right] == []
