"""`confirm --recover`: a run is killed at several moments and resumed as its profile says; the
result must be the uninterrupted one.
"""

from typing import Any

from tests.conftest import Confirm, Make

SLOW = (
    'rule all:\n    input: "c.txt"\n'
    'rule a:\n    output: "a.txt"\n    shell: "echo 1 > {output}"\n'
    'rule b:\n    input: "a.txt"\n    output: "b.txt"\n'
    '    shell: "echo 1 > {output}; sleep 1.5; echo 2 >> {output}"\n'
    'rule c:\n    input: "b.txt"\n    output: "c.txt"\n    shell: "cat {input} > {output}"\n'
)


def rung(report: dict[str, Any]) -> dict[str, Any]:
    found = next(r for r in report["rungs"] if r["name"] == "recover")
    assert isinstance(found, dict)
    return found


def recovered(
    make_repository: Make, confirm: Confirm, profile: str, engine: str = "sandbox"
) -> tuple[int, dict[str, Any]]:
    files = {
        "profiles/a/config.yaml": f"cores: 2\n{profile}",
        "profiles/b/config.yaml": f"cores: 2\nlatency-wait: 3\n{profile}",
    }
    result, report = confirm(
        make_repository(files=files | {"Snakefile": SLOW}),
        "--engine",
        engine,
        "--recover",
        "--profile",
        "a",
        "--profile",
        "b",
    )
    assert "Traceback" not in result.err
    return result.code, report


def test_a_profile_that_makes_incomplete_files_again_recovers(
    make_repository: Make, confirm: Confirm, engine: str
) -> None:
    code, report = recovered(make_repository, confirm, "rerun-incomplete: true\n", engine)
    assert (code, rung(report)["verdict"]) == (0, "HELD"), report["reasons"]
    killed = [run for run in report["runs"] if run["interrupted"]]
    assert len(killed) == 8
    assert {run["status"] for run in killed} == {"completed"}
    assert {run["interrupted"] for run in killed if run["profile"] == "a"} == {
        "SIGKILL in the middle of job 2",
        "SIGTERM in the middle of job 2",
        "SIGKILL at the start of job 2",
        "SIGKILL after job 2",
    }
    assert all(
        {s["name"]: s["status"] for s in run["steps"]}["interrupted"] == "failed" for run in killed
    ), "each was killed"
    assert "--recover" in report["reproduce"]


def test_a_profile_that_trusts_incomplete_files_is_found_out(
    make_repository: Make, confirm: Confirm
) -> None:
    """The middle of job b is taken for its end, and the last rule copies it."""
    code, report = recovered(make_repository, confirm, "ignore-incomplete: true\n")
    assert (code, rung(report)["verdict"]) == (1, "DRIFTED"), report["reasons"]
    assert "killed and resumed" in report["sentence"]
    assert {c["name"] for c in report["causes"]} == {"ignore-incomplete"}
    assert {(d["path"], d["origin"]) for d in report["differences"] if d["decides"]} == {
        ("b.txt", True),
        ("c.txt", False),
    }
    moments = {d["right"] for d in report["differences"] if d["decides"]}
    assert {f"{name} (SIGKILL in the middle of job 2, resumed)" for name in "ab"} <= moments
    assert not any("after" in moment for moment in moments), "a job that had ended is whole"


def test_a_profile_that_asks_a_person_proves_nothing_and_lies_about_nothing(
    make_repository: Make, confirm: Confirm
) -> None:
    code, report = recovered(make_repository, confirm, "")
    assert (code, rung(report)["verdict"]) == (0, "INCONCLUSIVE")
    assert "did not end well" in rung(report)["unproven"]
