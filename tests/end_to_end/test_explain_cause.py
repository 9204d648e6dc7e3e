"""`confirm --explain-cause`: the setting among many that makes the difference, found by runs in
between and nothing else blamed.
"""

from typing import Any

from tests.conftest import Confirm, Make

INNOCENT = (
    "retries: 1\nlatency-wait: 9\nprintshellcmds: true\nkeep-going: true\n"
    "rerun-incomplete: true\nquiet: [progress]\nnolock: true\n"
    "verbose: true\nshow-failed-logs: true\nkeep-incomplete: true\nmax-threads: 7\n"
)
SNAKEFILE = (
    'rule all:\n    input: "out.txt", "long.txt"\n'
    'rule one:\n    output: "out.txt"\n    threads: 4\n    shell: "{command} > {{output}}"\n'
    'rule long:\n    output: "long.txt"\n    shell: "echo 1 > {{output}}"\n'
)


def found(
    make_repository: Make, confirm: Confirm, command: str, a: str, b: str
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    files = {
        "profiles/a/config.yaml": a,
        "profiles/b/config.yaml": b,
        "Snakefile": SNAKEFILE.format(command=command),
    }
    result, report = confirm(make_repository(files=files), "--engine", "sandbox", "--explain-cause")
    assert result.code == 1, result.out
    return report, report["causes"]


def test_one_among_twelve(make_repository: Make, confirm: Confirm) -> None:
    report, causes = found(
        make_repository, confirm, "seq {threads}", "cores: 4\n", f"cores: 1\n{INNOCENT}"
    )
    assert [(cause["name"], cause["certain"]) for cause in causes] == [("cores", True)]
    (cause,) = causes
    assert len(cause["values"]) == 2
    assert 2 <= len(cause["steps"]) <= 6
    assert any(
        step.startswith("a with cores of b: differs from a (evidence ") for step in cause["steps"]
    ), "it was tried alone"
    last = cause["steps"][-1]
    assert ("cores" in last.split(" of b: ")[0], " of b: is as a (evidence " in last) == (
        False,
        True,
    ), "the rest makes no difference"
    assert len(report["runs"]) == 3, "runs that only look for a cause are no runs of a profile"


def test_two_that_each_make_a_difference_of_their_own(
    make_repository: Make, confirm: Confirm
) -> None:
    """Where the rest still makes a difference, it is searched in turn."""
    _, causes = found(
        make_repository,
        confirm,
        "echo {threads} {resources.mem_mb}",
        "cores: 4\ndefault-resources: [mem_mb=10]\n",
        f"cores: 1\ndefault-resources: [mem_mb=90]\n{INNOCENT}",
    )
    assert {(cause["name"], cause["certain"]) for cause in causes} == {
        ("cores", True),
        ("default-resources", True),
    }


def test_the_clock_is_named_and_no_setting(make_repository: Make, confirm: Confirm) -> None:
    """With the clock held still, three runs agree."""
    report, causes = found(
        make_repository, confirm, "date +%N", "cores: 4\n", f"cores: 1\n{INNOCENT}"
    )
    assert [(cause["name"], cause["certain"]) for cause in causes] == [("date", True)]
    again, held = causes[0]["steps"]
    assert again.startswith("a once more under the same hash seed: differs from a")
    assert "with date held at" in held
    assert "and 2 more: they agree (evidence " in held
    assert "repeated runs differ" in report["sentence"]


def test_noise_is_searched_for_no_setting(make_repository: Make, confirm: Confirm) -> None:
    report, causes = found(
        make_repository,
        confirm,
        "od -An -N8 -tx8 /dev/urandom",
        "cores: 4\n",
        f"cores: 1\n{INNOCENT}",
    )
    assert [cause["name"] for cause in causes] == ["not deterministic"]
    assert any("they do not agree" in step for step in causes[0]["steps"])
    assert "repeated runs differ" in report["sentence"]
