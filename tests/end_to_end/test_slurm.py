"""A profile for Slurm through its own executor, on a Slurm of one node in its room."""

import pytest

from tests.conftest import Confirm, Make, require_engine

pytestmark = pytest.mark.xdist_group("snakemakes")
RULES = """rule all:
    input: "all.txt"
rule make:
    output: "out/{n}.txt"
    threads: 2
    shell: "echo {wildcards.n} SAYS > {output}"
rule collect:
    input: "out/a.txt", "out/b.txt"
    output: "all.txt"
    resources: slurm_partition="short", constraint="fast"
    shell: "cat {input} > {output}"
"""
SLURM = """executor: slurm
jobs: 10
cores: 4
latency-wait: 1
slurm-logdir: logs/slurm
default-resources: [slurm_partition=batch, mem_mb=100, runtime=5]
"""
LOCAL = {"profiles/local/config.yaml": "cores: 4\n"}
ASKED = ("--executor", "slurm")


def files(says: str = "") -> dict[str, str | bytes]:
    return {
        "Snakefile": RULES.replace("SAYS", says),
        "profiles/slurm/config.yaml": SLURM,
        **LOCAL,
    }


def test_jobs_go_through_slurm(make_repository: Make, confirm: Confirm, engine: str) -> None:
    """With the partitions and features that the plan asks for; what it leaves is the same."""
    result, report = confirm(make_repository(files=files()), "--engine", engine, *ASKED)
    assert (result.code, report["verdict"]) == (0, "HELD"), result.out
    run = next(run for run in report["runs"] if run["profile"] == "slurm")
    causes = {override["key"]: override["cause"] for override in run["overrides"]}
    assert (causes["executor"], causes["slurm-logdir"]) == ("slurm", "provided")
    assert (run["jobs"], run["attempts"], run["decides"]) == (4, 1, 3)
    assert "executor" not in report["sentence"]
    nodes = next(rung for rung in report["rungs"] if rung["name"] == "nodes")
    assert nodes["verdict"] == "HELD"
    lingering = [f["text"] for f in report["findings"] if f["code"] == "CR-047"]
    assert lingering == []
    assert report["reproduce"].endswith("--executor slurm")


def test_what_only_a_job_of_slurm_sees_drifts(make_repository: Make, confirm: Confirm) -> None:
    require_engine("sandbox")
    repo = make_repository(
        files=files("${{SLURM_JOB_ID:+in slurm}} on ${{SLURM_JOB_PARTITION:-none}}")
    )
    result, report = confirm(repo, "--engine", "sandbox", *ASKED)
    assert (result.code, report["verdict"]) == (1, "DRIFTED"), result.out
    assert {d["path"] for d in report["differences"] if d["origin"]} == {"out/a.txt", "out/b.txt"}
    without, report = confirm(repo, "--engine", "sandbox", out="without")
    assert without.code == 0, "without one, jobs see no Slurm, and the report says what is untried"
    assert "the executor of slurm" in report["sentence"]


def test_an_older_snakemake_and_a_failing_job(make_repository: Make, confirm: Confirm) -> None:
    """Asked for by the commit; a job that fails in Slurm is a failure of the workflow."""
    require_engine("sandbox")
    held = {**files(), "cleanroom.yaml": "room: slurm\n"}
    result, report = confirm(
        make_repository(files=held), "--engine", "sandbox", "--snakemake", "8.30.0"
    )
    assert (result.code, report["verdict"]) == (0, "HELD"), result.out
    assert {run["versions"]["snakemake"] for run in report["runs"]} == {"8.30.0"}
    failing = files(
        '; test -z "${SLURM_JOB_ID:-}" || { echo why >&2; exit 3; }'.replace("{", "{{").replace(
            "}", "}}"
        )
    )
    repo = make_repository(files=failing, name="failing")
    result, report = confirm(repo, "--engine", "sandbox", *ASKED, out="failing")
    assert (result.code, report["verdict"]) == (3, "FAILED"), result.out


def test_what_slurm_refuses_is_told(make_repository: Make, confirm: Confirm) -> None:
    require_engine("sandbox")
    text = RULES.replace("SAYS", "").replace("threads: 2", "resources: mem_mb=5000000")
    profile = {"profiles/slurm/config.yaml": SLURM}
    repo = make_repository(files={"Snakefile": text, **profile})
    result, _ = confirm(repo, "--engine", "sandbox", *ASKED)
    assert result.code == 3, result.out
    assert "sbatch: error" in result.out
