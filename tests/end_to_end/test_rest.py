"""The rung `rest`: right after a run, would a second call run anything? It informs, and decides with
`--rest`.
"""

from typing import Any

import pytest

from tests.conftest import Confirm, Make, require_engine

PROFILES = {"profiles/a/config.yaml": "cores: 1\n", "profiles/b/config.yaml": "cores: 2\n"}
CALM = """
rule all:
    input: "out.txt"
rule one:
    output: "out.txt"
    shell: "echo 1 > {output}"
"""
GROWS = """
import glob
rule all:
    input: "report.txt"
rule report:
    input: sorted(glob.glob("in/*.txt"))
    output: "report.txt"
    shell: "cat in/*.txt > {output}; echo more > in/more.txt"
"""
OWN_INPUT = """
rule all:
    input: "out.txt"
rule first:
    input: "in/a.txt"
    output: "first.txt"
    shell: "cat {input} > {output}"
rule second:
    input: "first.txt"
    output: "out.txt"
    shell: "cat {input} > {output}; sleep 1.1; echo once >> in/a.txt"
"""


def rung(report: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(r for r in report["rungs"] if r["name"] == "rest")
    return found


def test_a_workflow_at_rest(make_repository: Make, confirm: Confirm, engine: str) -> None:
    repo = make_repository(files=PROFILES | {"Snakefile": CALM})
    result, report = confirm(repo, "--engine", engine, "--rest")
    assert (result.code, rung(report)["verdict"], rung(report)["decides"]) == (0, "HELD", True)
    assert "CR-048" not in {f["code"] for f in report["findings"]}
    assert "--rest" in report["reproduce"]


@pytest.mark.parametrize(
    ("snakefile", "reason"),
    [(GROWS, "Set of input files has changed"), (OWN_INPUT, "Updated input files: in/a.txt")],
    ids=["a glob that sees results", "a job that writes another one's input"],
)
def test_what_would_run_again_is_named_with_snakemakes_own_reason(
    make_repository: Make, confirm: Confirm, snakefile: str, reason: str
) -> None:
    repo = make_repository(files=PROFILES | {"Snakefile": snakefile, "in/a.txt": "1\n"})
    result, report = confirm(repo, "--engine", "sandbox", "--rest")
    assert (result.code, report["verdict"], rung(report)["verdict"]) == (1, "DRIFTED", "DRIFTED")
    told = [f for f in report["findings"] if f["code"] == "CR-048"]
    assert {f["profile"] for f in told} == {"a", "b"}
    assert any(reason in f["text"] for f in told), told
    assert "a second call under a and b would run jobs again" in " ".join(result.out.split())
    assert report["next"]["command"] == "cleanroom explain CR-048"


@pytest.mark.parametrize("image", ["cleanroom-room:7.32.4", "cleanroom-room:8.30.0"])
def test_in_other_versions_of_snakemake(
    make_repository: Make, confirm: Confirm, image: str
) -> None:
    require_engine("docker", image)
    for snakefile, verdict in ((CALM, "HELD"), (GROWS, "DRIFTED")):
        repo = make_repository(files=PROFILES | {"Snakefile": snakefile, "in/a.txt": "1\n"})
        result, report = confirm(repo, "--image", image, "--rest")
        assert (report["verdict"], rung(report)["verdict"]) == (verdict, verdict), result.out


def test_unasked_it_only_informs(make_repository: Make, confirm: Confirm) -> None:
    repo = make_repository(files=PROFILES | {"Snakefile": GROWS, "in/a.txt": "1\n"})
    result, report = confirm(repo, "--engine", "sandbox")
    assert (result.code, rung(report)["decides"], rung(report)["state"]) == (
        0,
        False,
        "does not hold",
    )
    assert "CR-048" in {f["code"] for f in report["findings"]}


def test_who_accepts_it_is_not_stopped_by_it(make_repository: Make, confirm: Confirm) -> None:
    accept = "accept:\n  - finding: CR-048\n    reason: r\n    owner: o\n    expires: 2099-01-01\n"
    files = {"Snakefile": GROWS, "in/a.txt": "1\n", "cleanroom.yaml": accept}
    repo = make_repository(files=PROFILES | files)
    result, report = confirm(repo, "--engine", "sandbox", "--rest")
    assert (result.code, rung(report)["verdict"]) == (0, "HELD"), result.out
    assert "would run 4 jobs again" in rung(report)["unproven"]


def test_a_workflow_that_writes_while_it_is_read_cannot_be_asked(
    make_repository: Make, confirm: Confirm
) -> None:
    """Reading it again would change what the run left; who asked is told that nothing is shown."""
    files = {"Snakefile": 'open("read.txt", "a").write("x")\n' + CALM}
    repo = make_repository(files=PROFILES | files)
    result, report = confirm(repo, "--engine", "sandbox", "--rest")
    assert (result.code, rung(report)["verdict"]) == (4, "INCONCLUSIVE"), result.out
    result, report = confirm(repo, "--engine", "sandbox")
    assert (result.code, rung(report)["verdict"]) == (0, None), result.out


def test_a_workflow_that_writes_over_its_results_when_it_is_read_again_is_never_held(
    make_repository: Make, confirm: Confirm
) -> None:
    code = (
        "import os\n"
        'if os.path.exists("out.txt"):\n'
        '    info = os.stat("out.txt")\n'
        '    open("out.txt", "r+").write("same\\n")\n'
        '    os.utime("out.txt", ns=(info.st_atime_ns, info.st_mtime_ns))\n'
    )
    rules = (
        'rule all:\n    input: "out.txt"\nrule one:\n    output: "out.txt"\n    threads: 2\n'
        '    shell: "echo run{threads} > {output}"\n'
    )
    repo = make_repository(files=PROFILES | {"Snakefile": code + rules})
    result, report = confirm(repo, "--engine", "sandbox")
    assert result.code == 4, result.out
    assert "changed what the run had left (out.txt)" in " ".join(report["reasons"])
