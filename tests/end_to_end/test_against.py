"""`confirm --against`: an earlier confirmation, a commit and a folder; and the profiles as groups
that agree.
"""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Confirm, Make, commit_all, snakefile

ONE_PROFILE = {"profiles/a/config.yaml": "cores: 1\n"}


def baseline(report: dict[str, Any]) -> str:
    found = next(rung["verdict"] for rung in report["rungs"] if rung["name"] == "baseline")
    assert found is None or isinstance(found, str)
    return found or ""


def change(repo: Path, name: str, text: str) -> None:
    (repo / name).write_text(text)
    commit_all(repo)


def test_a_refactoring_holds_against_the_commit_before(
    make_repository: Make, confirm: Confirm
) -> None:
    repo = make_repository(files=ONE_PROFILE | {"Snakefile": snakefile("echo 3 > {output}")})
    change(repo, "Snakefile", snakefile("expr 1 + 2 > {output}"))
    result, report = confirm(repo, "--engine", "sandbox", "--against", "HEAD~1")
    assert (result.code, report["verdict"], baseline(report)) == (0, "HELD", "HELD"), result.out
    assert report["sentence"] == "Meaning held: a leaves the same result, as did a at HEAD~1."
    assert [(run["label"], run["earlier"]) for run in report["runs"]] == [
        ("a", False),
        ("a at HEAD~1", True),
    ]
    fields = {(d["field"], d["decides"]) for d in report["plan_differences"]}
    assert ("code", False) in fields, "what changed in the plan informs"


def test_a_changed_constant_drifts_and_the_commit_is_named(
    make_repository: Make, confirm: Confirm
) -> None:
    repo = make_repository(files=ONE_PROFILE | {"Snakefile": snakefile("echo 3 > {output}")})
    change(repo, "Snakefile", snakefile("echo 4 > {output}"))
    result, report = confirm(repo, "--engine", "sandbox", "--against", "HEAD~1")
    assert (result.code, report["verdict"], baseline(report)) == (1, "DRIFTED", "DRIFTED"), (
        result.out
    )
    assert [
        (d["path"], d["left"], d["right"], d["origin"], d["rule"])
        for d in report["differences"]
        if d["decides"]
    ] == [("out.txt", "a at HEAD~1", "a", True, "one")]
    assert [cause["name"] for cause in report["causes"]] == ["commit"]
    assert "a (control)" in {run["label"] for run in report["runs"]}, "what differs is controlled"


def test_noise_is_not_taken_for_a_change_since(make_repository: Make, confirm: Confirm) -> None:
    repo = make_repository(files=ONE_PROFILE | {"Snakefile": snakefile("date +%N > {output}")})
    result, report = confirm(repo, "--engine", "sandbox", "--against", "HEAD")
    assert (result.code, baseline(report)) == (1, "INCONCLUSIVE"), result.out
    assert [cause["name"] for cause in report["causes"]] == ["not deterministic"]


def test_an_earlier_confirmation_by_digest_and_by_its_report(
    make_repository: Make,
    confirm: Confirm,
    tmp_path: Path,
) -> None:
    repo = make_repository(files=ONE_PROFILE | {"Snakefile": snakefile("echo 3 > {output}")})
    _, first = confirm(repo, "--engine", "sandbox", out="first")
    digest = first["runs"][0]["evidence"]
    for name in (digest, digest[:12], str(tmp_path / "first")):
        result, report = confirm(repo, "--engine", "sandbox", "--against", name)
        assert (result.code, baseline(report)) == (0, "HELD"), result.out
        earlier = report["runs"][-1]
        assert (earlier["earlier"], earlier["evidence"], earlier["attempt_id"]) == (
            True,
            digest,
            first["runs"][0]["attempt_id"],
        )
        assert f"--against {digest}" in report["reproduce"]


def test_a_folder_of_results(make_repository: Make, confirm: Confirm, tmp_path: Path) -> None:
    """Logs inform there too, and files that git delivers are no results."""
    more = '    log: "run.log"\n'
    files = ONE_PROFILE | {
        "Snakefile": snakefile("echo 3 > {output}; date +%N > {log}", more=more),
        "README": "x",
    }
    repo = make_repository(files=files)
    folder = tmp_path / "last month"
    folder.mkdir()
    for name, text in {"out.txt": "3\n", "run.log": "1\n", "README": "y"}.items():
        (folder / name).write_text(text)
    result, report = confirm(repo, "--engine", "sandbox", "--against", str(folder))
    assert (result.code, baseline(report)) == (0, "HELD"), result.out
    (folder / "out.txt").write_text("2\n")
    result, report = confirm(repo, "--engine", "sandbox", "--against", str(folder))
    assert (result.code, baseline(report)) == (1, "DRIFTED"), result.out
    (excerpt,) = next(d for d in report["differences"] if d["decides"])["excerpts"]
    assert (excerpt["left"], excerpt["right"]) == ("2", "3")
    shutil.rmtree(folder)
    folder.mkdir()
    result, report = confirm(repo, "--engine", "sandbox", "--against", str(folder))
    assert (result.code, report["verdict"]) == (4, "INCONCLUSIVE"), "an empty folder is no proof"


def test_an_earlier_run_that_failed_proves_nothing(make_repository: Make, confirm: Confirm) -> None:
    repo = make_repository(files=ONE_PROFILE | {"Snakefile": snakefile("false > {output}")})
    change(repo, "Snakefile", snakefile("echo 3 > {output}"))
    result, report = confirm(repo, "--engine", "sandbox", "--against", "HEAD~1")
    assert (result.code, report["verdict"]) == (4, "INCONCLUSIVE"), result.out
    assert "a at HEAD~1" in report["reasons"][0]


@pytest.mark.parametrize("name", ["no-such-ref", "0" * 64])
def test_what_is_nothing_is_refused(make_repository: Make, confirm: Confirm, name: str) -> None:
    repo = make_repository(files=ONE_PROFILE | {"Snakefile": snakefile("echo 3 > {output}")})
    result, _ = confirm(repo, "--engine", "sandbox", "--against", name)
    assert (result.code, f"--against '{name}'" in result.err) == (2, True), result.err


def test_profiles_are_grouped_by_what_they_leave(make_repository: Make, confirm: Confirm) -> None:
    """c and d agree with each other though not with the baseline."""
    names = {"a": "1", "b": "1", "c": "2", "d": "2", "e": "3"}
    files = {
        f"profiles/{name}/config.yaml": f"cores: 1\nconfig:\n  size: {value}\n"
        for name, value in names.items()
    }
    shell = (
        'rule all:\n    input: "out.txt"\n\nrule one:\n    output: "out.txt"\n'
        '    params: size=config["size"]\n    shell: "echo {params.size} > {output}"\n'
    )
    result, report = confirm(
        make_repository(files=files | {"Snakefile": shell}),
        "--engine",
        "sandbox",
        "--baseline-profile",
        "a",
    )
    assert result.code == 1, result.out
    assert report["groups"] == [["a", "b"], ["c", "d"], ["e"]]
    assert report["agreement"] == "a = b ≠ c = d ≠ e"
    assert "a = b ≠ c = d ≠ e" in result.out
