"""Whatever the messages of the package say, it decides the same: verdicts, exit codes, findings and
causes.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Cli, Make, Result, commit_all
from tests.end_to_end.reworded import WORD, reworded

pytestmark = pytest.mark.truth

RULES = """
rule all:
    input: "out.txt"
rule one:
    input: "in.txt"
    output: "out.txt"
    threads: 4
    params: word=config.get("word", "none")
    shell: "{shell}"
"""
EQUIVALENCE = """
equivalences:
  - {{paths: [out.txt], comparator: {comparator}, options: {options}, reason: r, owner: o,
     expires: {day}}}
"""


def files(shell: str = "cat {input} > {output}", **more: str) -> dict[str, str | bytes]:
    named = {
        "a": "profiles/a/config.yaml",
        "b": "profiles/b/config.yaml",
        "declared": "cleanroom.yaml",
        "snakefile": "Snakefile",
    }
    found: dict[str, str | bytes] = {
        "in.txt": "1\n",
        "profiles/a/config.yaml": "cores: 4\n",
        "profiles/b/config.yaml": "cores: 4\njobs: 2\n",
        "Snakefile": RULES.replace("{shell}", shell),
    }
    return found | {named[key]: text for key, text in more.items()}


def noisy(comparator: str, options: str, day: str = "2099-01-01") -> dict[str, str | bytes]:
    declared = EQUIVALENCE.format(comparator=comparator, options=options, day=day)
    return files("date +%s%N > {output}; cat {input} >> {output}", declared=declared)


CASES: dict[str, tuple[dict[str, str | bytes], tuple[str, ...]]] = {
    "the same": (files(), ()),
    "threads": (files("echo {threads} > {output}", b="cores: 2\n"), ()),
    "a meaning": (files("echo {params.word} > {output}", b="cores: 4\nconfig: [word=x]\n"), ()),
    "a meaning that changes nothing": (files(b="cores: 4\nconfig: [other=x]\n"), ()),
    "a remote executor": (files("echo {threads} > {output}", b="executor: slurm\njobs: 9\n"), ()),
    "a remote executor on Snakemake's own terms": (files(b="executor: slurm\ncores: 2\n"), ()),
    "raised cores": (files(b="cores: 2\n"), ("--cores", "4")),
    "a folder of another machine": (files(b="cores: 4\nshadow-prefix: /scratch/none\n"), ()),
    "a setting that nobody knows": (files(b="cores: 4\nset-thread: [one=2]\n"), ()),
    "a profile that cannot be read": (files(b="cores: [4\n"), ()),
    "a profile that replaces the run": (files(b="cores: 4\nlint: true\n"), ()),
    "noise": (files("date +%s%N > {output}"), ("--explain-cause",)),
    "noise that is declared": (noisy("text", "{mask: ['[0-9]{19}']}"), ()),
    "a mask that leaves nothing": (noisy("text", "{mask: ['.*']}"), ()),
    "an equivalence that has expired": (noisy("existence", "{}", "2020-01-01"), ()),
    "a job that fails": (files("false"), ()),
    "an undeclared file": (
        files("cat in.txt more.txt > {output}") | {"more.txt": "2"},
        ("--stage",),
    ),
    "other surroundings": (files("date +%Z > {output}"), ("--vary",)),
    "a restless workflow": (
        files(
            snakefile="import glob\n"
            + RULES.replace('"in.txt"', "glob.glob('*.txt')").replace(
                "{shell}", "echo 1 > {output}"
            )
        ),
        ("--rest",),
    ),
}


def decided(result: Result, report: dict[str, Any]) -> dict[str, Any]:
    """All that a report decides, and none of its words."""
    return {
        "exit code": result.code,
        "verdict": report["verdict"],
        "rungs": [(r["name"], r["verdict"], r["decides"]) for r in report["rungs"]],
        "findings": sorted(
            (f["code"], f["severity"], f["profile"], f["key"], f["file"])
            for f in report["findings"]
        ),
        "causes": sorted((c["name"], c["certain"]) for c in report["causes"]),
        "settings": sorted(
            (s["key"], cell["profile"], cell["decided"])
            for s in report["settings"]
            for cell in s["cells"]
        ),
        "differences": sorted(
            (d["path"], d["sameness"], d["decides"], d["origin"]) for d in report["differences"]
        ),
        "plan": sorted((d["rule"], d["field"], d["decides"]) for d in report["plan_differences"]),
    }


@pytest.fixture(scope="module")
def other_words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return reworded(tmp_path_factory.mktemp("reworded"))


@pytest.fixture
def twice(
    cli: Cli, other_words: Path, tmp_path: Path
) -> Callable[..., list[tuple[Result, dict[str, Any]]]]:
    """A call of the package as it is, and one of the copy."""

    def call(verb: str, name: str, *arguments: str | Path) -> list[tuple[Result, dict[str, Any]]]:
        found = []
        for which, env in (("own", {}), ("other", {"PYTHONPATH": str(other_words)})):
            out = tmp_path / which
            told = ("--engine", "sandbox", "--out", out)
            result = cli(verb, *arguments, *told, env=env, cache=tmp_path / f"cache-{which}")
            found.append((result, json.loads((out / f"{name}.json").read_text())))
        return found

    return call


@pytest.mark.parametrize("case", CASES)
def test_a_confirmation(
    make_repository: Make,
    twice: Callable[..., list[tuple[Result, dict[str, Any]]]],
    case: str,
) -> None:
    content, arguments = CASES[case]
    repo = make_repository(files=content)
    own, other = twice("confirm", "report", repo, "HEAD", *arguments)
    assert decided(*own) == decided(*other)
    assert WORD in other[1]["sentence"]
    assert own[1]["sentence"] != other[1]["sentence"]


def test_a_review(
    make_repository: Make, twice: Callable[..., list[tuple[Result, dict[str, Any]]]]
) -> None:
    repo = make_repository(files=files())
    for path, text in files("echo 2 > {output}", b="cores: 4\nconfig: [word=x]\n").items():
        (repo / path).write_text(str(text))
    commit_all(repo, "a change")
    own, other = twice("review", "review", repo, "HEAD~1", "HEAD")
    drifts = [
        sorted((c["topic"], c["name"], c["drift"], tuple(c["profiles"])) for c in report["changes"])
        for _, report in (own, other)
    ]
    assert drifts[0] == drifts[1]
    assert own[0].code == other[0].code


@pytest.mark.parametrize(
    "profile",
    [
        "cores: 2\nconfig: [word=x]\nretries: 2\n",
        "executor: slurm\njobs: 9\ncores: 2\n",
        "cores: 4\nreplace-workflow-config: true\nforceall: true\n",
    ],
)
def test_an_audit(
    make_repository: Make, twice: Callable[..., list[tuple[Result, dict[str, Any]]]], profile: str
) -> None:
    repo = make_repository(files=files("echo {threads} > {output}", b=profile))
    own, other = twice("audit", "audit", repo, "HEAD")
    found = [
        (
            result.code,
            report["outcome"],
            sorted((f["code"], f["severity"], f["profile"], f["key"]) for f in report["findings"]),
            sorted(
                (s["key"], cell["profile"], cell["decided"])
                for s in report["settings"]
                for cell in s["cells"]
            ),
        )
        for result, report in (own, other)
    ]
    assert found[0] == found[1]
