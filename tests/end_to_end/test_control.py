"""The control: only what is in question runs again, and what differs from itself is no fault of a
profile.
"""

from typing import Any

import pytest

from tests.conftest import Confirm, Make

PROFILES = {
    f"profiles/{name}/config.yaml": f"cores: {cores}\n" for name, cores in (("a", 1), ("b", 2))
}
WIDE = """
rule all:
    input: "last.txt", "apart.txt"
rule first:
    output: "first.txt"
    threads: 2
    shell: "{first} > {{output}}"
rule last:
    input: "first.txt"
    output: "last.txt"
    shell: "cat {{input}} > {{output}}"
rule apart:
    output: "apart.txt"
    shell: "{apart} > {{output}}"
"""
STABLE, BY_THREADS, NOISE = "echo 1", "echo {{threads}}", "date +%N"


def snakefile(first: str, apart: str = STABLE) -> str:
    return WIDE.format(
        first=first.replace("{{", "{").replace("}}", "}"),
        apart=apart.replace("{{", "{").replace("}}", "}"),
    )


def control(report: dict[str, Any]) -> dict[str, Any]:
    (found,) = (run for run in report["runs"] if run["control"])
    assert isinstance(found, dict)
    return found


def test_only_the_origin_runs_again(make_repository: Make, confirm: Confirm) -> None:
    result, report = confirm(
        make_repository(files=PROFILES | {"Snakefile": snakefile(BY_THREADS)}),
        "--engine",
        "sandbox",
    )
    assert result.code == 1
    assert (control(report)["only"], control(report)["jobs"]) == (["first.txt"], 1)
    assert {(d["path"], d["origin"], d["noise"]) for d in report["differences"]} == {
        ("first.txt", True, False),
        ("last.txt", False, False),
    }
    assert "epeated runs differ" not in report["sentence"]
    rung = next(r for r in report["rungs"] if r["name"] == "control")
    assert (rung["verdict"], rung["unproven"]) == (
        "HELD",
        "whether all other jobs of one profile agree with themselves",
    )
    assert "only the jobs where differences began ran again" in report["repeats"]


def test_what_a_part_shows_to_differ_is_asked_of_the_whole(
    make_repository: Make, confirm: Confirm
) -> None:
    result, report = confirm(
        make_repository(files=PROFILES | {"Snakefile": snakefile(NOISE)}), "--engine", "sandbox"
    )
    assert result.code == 1
    assert (control(report)["only"], control(report)["jobs"]) == ([], 4)
    between = {(d["path"], d["noise"]) for d in report["differences"] if d["right"] == "b"}
    assert between == {("first.txt", True), ("last.txt", True)}
    assert [cause["name"] for cause in report["causes"]] == ["not deterministic"]


def test_where_one_origin_is_noise_and_another_is_not_the_whole_runs_again(
    make_repository: Make, confirm: Confirm
) -> None:
    repo = make_repository(files=PROFILES | {"Snakefile": snakefile(BY_THREADS, NOISE)})
    result, report = confirm(repo, "--engine", "sandbox")
    assert result.code == 1
    assert (control(report)["only"], control(report)["jobs"]) == ([], 4)
    between = {(d["path"], d["noise"]) for d in report["differences"] if d["right"] == "b"}
    assert between == {("first.txt", False), ("last.txt", False), ("apart.txt", True)}


def test_an_undeclared_file_of_another_job_is_not_taken_for_noise(
    make_repository: Make, confirm: Confirm
) -> None:
    """Without the job that leaves it, the part that runs again is another one; the whole agrees
    with itself, so a profile is the cause.
    """
    text = (
        'rule all:\n    input: "out.txt", "side.done"\n'
        'rule side:\n    output: touch("side.done")\n    priority: 9\n'
        '    shell: "echo 1 > side.txt"\n'
        'rule out:\n    output: "out.txt"\n    threads: 2\n'
        '    shell: "sleep 1; cat side.txt > {output} 2>/dev/null; echo {threads} >> {output}"\n'
    )
    result, report = confirm(
        make_repository(files=PROFILES | {"Snakefile": text}), "--engine", "sandbox"
    )
    assert (result.code, control(report)["only"]) == (1, [])
    assert {(d["path"], d["noise"]) for d in report["differences"] if d["decides"]} == {
        ("out.txt", False)
    }
    assert "not deterministic" not in [cause["name"] for cause in report["causes"]]


@pytest.mark.parametrize("mark", ["temp", "directory"])
def test_a_temporary_origin_needs_the_whole_and_a_folder_does_not(
    make_repository: Make, confirm: Confirm, mark: str
) -> None:
    make = (
        "echo {threads} > {output}"
        if mark == "temp"
        else "mkdir {output}; echo {threads} > {output}/x"
    )
    read = "cat {input}" if mark == "temp" else "cat {input}/x"
    text = (
        'rule all:\n    input: "last.txt"\n'
        f'rule first:\n    output: {mark}("first")\n    threads: 2\n    shell: "{make}"\n'
        'rule last:\n    input: "first"\n    output: "last.txt"\n'
        f'    shell: "{read} > {{output}}"\n'
    )
    result, report = confirm(
        make_repository(files=PROFILES | {"Snakefile": text}), "--engine", "sandbox"
    )
    assert result.code == 1
    assert control(report)["only"] == ([] if mark == "temp" else ["first"])
    assert not any(d["noise"] for d in report["differences"]), report["differences"]


def test_repeats_are_of_the_whole(make_repository: Make, confirm: Confirm) -> None:
    repo = make_repository(files=PROFILES | {"Snakefile": snakefile(STABLE)})
    result, report = confirm(repo, "--engine", "sandbox", "--repeats", "2")
    assert result.code == 0
    assert [
        (run["label"], run["jobs"], run["only"]) for run in report["runs"] if run["control"]
    ] == [
        ("a (control)", 4, []),
        ("a (control 2)", 4, []),
    ]
    assert report["repeats"].startswith("a ran 3 times and agreed each time.")
