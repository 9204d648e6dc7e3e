"""The rung `nodes`: jobs that are processes of their own, and read the workflow again."""

from typing import Any

import pytest

from tests.conftest import Confirm, Make, require_engine

LOCAL = {"profiles/a/config.yaml": "cores: 1\n", "profiles/b/config.yaml": "cores: 2\n"}
CLUSTER = LOCAL | {"profiles/b/config.yaml": "executor: slurm\njobs: 10\nslurm-logdir: logs\n"}
OF_SEVEN = LOCAL | {"profiles/b/config.yaml": "cluster: sbatch -c {threads}\njobs: 10\n"}
CALM = """
rule all:
    input: "out.txt"
rule first:
    output: "first.txt"
    shell: "echo 1 > {output}"
rule second:
    input: "first.txt"
    output: "out.txt"
    shell: "cat {input} > {output}"
"""
LOOKS = """
import os
SEEN = os.path.exists("first.txt")
rule all:
    input: "out.txt"
rule first:
    output: "first.txt"
    shell: "echo 1 > {output}"
rule second:
    input: "first.txt"
    output: "out.txt"
    params: seen=SEEN
    shell: "echo {params.seen} > {output}"
"""
GONE = """
import os
rule all:
    input: "out.txt"
if not os.path.exists("first.txt"):
    rule second:
        input: "first.txt"
        output: "out.txt"
        shell: "cat {input} > {output}"
rule first:
    output: "first.txt"
    shell: "echo 1 > {output}"
"""


def rung(report: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(r for r in report["rungs"] if r["name"] == "nodes")
    return found


def test_a_profile_of_a_cluster_is_run_so_without_being_asked(
    make_repository: Make, confirm: Confirm, engine: str
) -> None:
    repo = make_repository(files=CLUSTER | {"Snakefile": CALM})
    result, report = confirm(repo, "--engine", engine)
    assert (result.code, rung(report)["verdict"]) == (0, "HELD"), result.out
    assert "Not tried: the executor of b (slurm)." in report["sentence"]
    found = next(f for f in report["findings"] if f["code"] == "CR-001" and f["key"] == "executor")
    assert "each job ran as a process of its own" in found["text"]
    repo = make_repository(files=CLUSTER | {"Snakefile": LOOKS})
    result, report = confirm(repo, "--engine", engine, "--explain-cause")
    assert (result.code, report["origins"][0]["rule"]) == (1, "second"), result.out
    assert [c["name"] for c in report["causes"] if c["certain"]] == ["executor"]


def test_it_can_be_asked_of_any_workflow(make_repository: Make, confirm: Confirm) -> None:
    require_engine("sandbox")
    repo = make_repository(files=LOCAL | {"Snakefile": CALM})
    result, report = confirm(repo, "--engine", "sandbox", "--nodes")
    assert (result.code, rung(report)["verdict"], rung(report)["decides"]) == (0, "HELD", True)
    repo = make_repository(files=LOCAL | {"Snakefile": LOOKS})
    assert confirm(repo, "--engine", "sandbox")[1]["verdict"] == "HELD"
    result, report = confirm(repo, "--engine", "sandbox", "--nodes")
    assert (result.code, rung(report)["verdict"]) == (1, "DRIFTED"), result.out
    assert "depends on its executor" in report["sentence"]
    assert [c["name"] for c in report["causes"]] == ["executor"]


def test_a_job_that_is_not_there_when_it_is_read_again_is_an_answer(
    make_repository: Make, confirm: Confirm
) -> None:
    repo = make_repository(files=LOCAL | {"Snakefile": GONE})
    result, report = confirm(repo, "--engine", "sandbox", "--nodes")
    assert (result.code, report["verdict"]) == (1, "DRIFTED"), result.out
    assert {d["path"] for d in report["differences"]} == {"out.txt"}


@pytest.mark.parametrize("image", ["cleanroom-room:7.32.4", "cleanroom-room:8.30.0"])
def test_in_other_versions_of_snakemake(
    make_repository: Make, confirm: Confirm, image: str
) -> None:
    require_engine("docker", image)
    cluster = OF_SEVEN if ":7" in image else CLUSTER
    repo = make_repository(files=cluster | {"Snakefile": CALM})
    result, report = confirm(repo, "--image", image)
    assert (report["verdict"], rung(report)["verdict"]) == ("HELD", "HELD"), result.out
    repo = make_repository(files=LOCAL | {"Snakefile": LOOKS})
    result, report = confirm(repo, "--image", image, "--nodes")
    assert (report["verdict"], rung(report)["verdict"]) == ("DRIFTED", "DRIFTED"), result.out
