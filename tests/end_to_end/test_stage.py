"""`confirm --stage`: jobs that see only what they declare; what no rule declares is found, and
named.
"""

from typing import Any

import pytest

from tests.conftest import Confirm, Make, require_engine

HELPER = (
    'rule all:\n    input: "out.txt"\nrule one:\n    input: {inputs}\n'
    '    output: "out.txt"\n    shell: "sh scripts/count.sh data/a.txt > {{output}}"\n'
)
FILES = {
    "data/a.txt": "1\n2\n",
    "data/b.txt": "3\n",
    "scripts/count.sh": "wc -l < $1\n",
    "profiles/a/config.yaml": "cores: 2\n",
}
DECLARED, UNDECLARED = (
    HELPER.format(inputs='"data/a.txt", "scripts/count.sh"'),
    HELPER.format(inputs='"data/a.txt"'),
)


def rung(report: dict[str, Any]) -> dict[str, Any]:
    found = next(r for r in report["rungs"] if r["name"] == "stage")
    assert isinstance(found, dict)
    return found


def test_jobs_that_declare_what_they_need(
    make_repository: Make, confirm: Confirm, engine: str
) -> None:
    result, report = confirm(
        make_repository(files=FILES | {"Snakefile": DECLARED}), "--engine", engine, "--stage"
    )
    assert (result.code, rung(report)["verdict"], rung(report)["unproven"]) == (0, "HELD", ""), (
        result.out
    )
    assert [run["label"] for run in report["runs"] if run["staged"]] == ["a (staged)"]
    assert "--stage" in report["reproduce"]


def test_an_undeclared_file_is_named(make_repository: Make, confirm: Confirm, engine: str) -> None:
    result, report = confirm(
        make_repository(files=FILES | {"Snakefile": UNDECLARED}), "--engine", engine, "--stage"
    )
    assert (result.code, rung(report)["verdict"]) == (1, "DRIFTED"), result.out
    assert [(c["name"], c["certain"]) for c in report["causes"]] == [("scripts/count.sh", True)]
    assert [step.partition(" (evidence")[0] for step in report["causes"][0]["steps"]] == [
        "a (staged), but every file is shown: is as a",
        "a (staged) without scripts/count.sh: differs from a",
        "a (staged) without Snakefile, data/b.txt, profiles/a/config.yaml: is as a",
    ], (
        "one shows that staging alone changes nothing, one that this file does it, and one that "
        "no other file does"
    )
    assert "depends on what no rule declares: scripts/count.sh" in report["sentence"]
    assert [(d["path"], d["rule"]) for d in report["differences"] if d["decides"]] == [
        ("out.txt", "one")
    ]
    assert "scripts/count.sh" in next(run["why"] for run in report["runs"] if run["staged"]), (
        "what the job said is told"
    )


@pytest.mark.parametrize("version", ["7.32.4", "8.30.0"])
def test_older_snakemakes_stage_too(make_repository: Make, confirm: Confirm, version: str) -> None:
    image = f"cleanroom-room:{version}"
    require_engine("docker", image)
    for snakefile, verdict in ((DECLARED, "HELD"), (UNDECLARED, "DRIFTED")):
        result, report = confirm(
            make_repository(files=FILES | {"Snakefile": snakefile}), "--image", image, "--stage"
        )
        assert rung(report)["verdict"] == verdict, result.out
    assert [c["name"] for c in report["causes"]] == ["scripts/count.sh"]


def test_what_cannot_be_staged_is_not_called_proven(
    make_repository: Make, confirm: Confirm
) -> None:
    """A pipe must be where it is: of its two jobs, the one that writes it sees everything."""
    snakefile = (
        'rule all:\n    input: "out.txt"\n'
        'rule numbers:\n    output: pipe("numbers.txt")\n    shell: "seq 9 > {output}"\n'
        'rule twice:\n    input: "numbers.txt"\n    output: "out.txt"\n'
        '    shell: "sed p {input} > {output}"\n'
    )
    result, report = confirm(
        make_repository(
            files=FILES | {"Snakefile": snakefile, "profiles/a/config.yaml": "cores: 2\n"}
        ),
        "--engine",
        "sandbox",
        "--stage",
    )
    assert (result.code, rung(report)["verdict"]) == (0, "HELD"), result.out
    assert "jobs of numbers" in rung(report)["unproven"]


def test_where_nothing_can_be_staged_nothing_is_proven(
    make_repository: Make, confirm: Confirm
) -> None:
    snakefile = (
        'rule all:\n    input: "out.txt"\nrule one:\n    input: "../data/a.txt"\n'
        '    output: "out.txt"\n    shell: "cat {input} > {output}"\n'
    )
    files = {
        "data/a.txt": "1\n",
        "workflow/Snakefile": snakefile,
        "workflow/profiles/a/config.yaml": "cores: 2\n",
    }
    result, report = confirm(
        make_repository(files=files), "--engine", "sandbox", "--stage", "--folder", "workflow"
    )
    assert (result.code, rung(report)["verdict"]) == (0, "INCONCLUSIVE")
    assert "could be staged" in rung(report)["unproven"]


def test_a_job_that_tells_its_folder_is_not_said_to_need_a_file(
    make_repository: Make, confirm: Confirm
) -> None:
    snakefile = (
        'rule all:\n    input: "out.txt"\nrule one:\n    output: "out.txt"\n'
        '    shell: "pwd > {output}"\n'
    )
    _, report = confirm(
        make_repository(files=FILES | {"Snakefile": snakefile}), "--engine", "sandbox", "--stage"
    )
    assert [c["name"] for c in report["causes"]] == ["the folder of a job"]


def test_an_undeclared_file_beside_folders_checkpoints_and_groups(
    make_repository: Make, confirm: Confirm
) -> None:
    """Showing every file to every job makes no folder that is another job's output."""
    _, report = confirm(make_repository("features"), "--engine", "sandbox", "--stage")
    assert [(c["name"], c["certain"]) for c in report["causes"]] == [("work/undeclared.txt", True)]
    assert {d["path"] for d in report["differences"] if d["decides"]} == {"work/undeclared.txt"}
    assert rung(report)["verdict"] == "DRIFTED"
