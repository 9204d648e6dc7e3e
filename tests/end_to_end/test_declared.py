"""What a commit declares of its results, from the first confirmation to one that holds: suggest,
equivalences, publish, scratch.
"""

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Cli, Confirm, Make, commit_all, require

PROFILES = {
    f"profiles/{name}/config.yaml": f"cores: {cores}\n" for name, cores in (("a", 1), ("b", 2))
}
RULE = '\nrule {name}:\n    output: "{file}"\n    shell: r"""{shell}"""\n'


def workflow(**files: str) -> str:
    """One rule for each file, which its shell command writes; `__` in a name is a dot, and a slash
    comes from `S`.
    """
    named = {name: name.replace("S", "/").replace("__", ".") for name in files}
    wanted = ", ".join(f'"{file}"' for file in named.values())
    text = f"rule all:\n    input: {wanted}\n"
    return text + "".join(
        RULE.format(name=name, file=file, shell=files[name]) for name, file in named.items()
    )


NOISY = workflow(
    table__csv="printf 'id,seconds\\n1,%s\\n' $(date +%N) > {output}",
    run__json="""printf '{{"n": 1, "made": "%s"}}' "$(date -Ins)" > {output}""",
    log__txt="echo made at $(date -Ins) > {output}; echo 3 >> {output}",
    packed__csv__gz="printf 'id,seconds\\n1,%s\\n' $(date +%N) | gzip > {output}",
    sound__txt="echo 1 > {output}",
)


def excerpts(report: dict[str, Any], path: str) -> list[dict[str, Any]]:
    found = next(d["excerpts"] for d in report["differences"] if d["path"] == path)
    assert isinstance(found, list)
    return found


def test_from_noise_to_held_by_way_of_suggest(
    make_repository: Make, confirm: Confirm, cli: Cli, tmp_path: Path
) -> None:
    repo = make_repository(files=PROFILES | {"Snakefile": NOISY})
    result, report = confirm(repo, "--engine", "sandbox", "--repeats", "1")
    assert (result.code, report["verdict"]) == (1, "DRIFTED")
    noisy = {d["path"] for d in report["differences"] if d["right"] == "a (control)"}
    assert noisy == {"table.csv", "run.json", "log.txt", "packed.csv.gz"}
    assert excerpts(report, "table.csv")[0]["where"] == "row 1, column seconds"
    assert next(d["kinds"] for d in report["differences"] if d["path"] == "log.txt") == [
        "timestamp"
    ]

    suggested = cli("suggest", tmp_path / "report")
    assert suggested.code == 0, suggested.out
    entries = yaml.safe_load(suggested.out)["equivalences"]
    options = {path: (e["comparator"], e["options"]) for e in entries for path in e["paths"]}
    assert options["table.csv"] == options["packed.csv.gz"] == ("table", {"ignore": ["seconds"]})
    assert options["run.json"] == ("json", {"ignore": ["/made"]})
    assert options["log.txt"][0] == "text"
    (mask,) = options["log.txt"][1]["mask"]
    assert mask.startswith("^made\\ at\\ ")
    assert {(e["reason"], e["owner"]) for e in entries} == {("", "")}

    (repo / "cleanroom.yaml").write_text(suggested.out)
    commit_all(repo)
    result, _ = confirm(repo, "--engine", "sandbox", out="blank")
    assert (result.code, "no reason or no owner" in result.err) == (2, True), (
        "a blank reason is refused"
    )

    for entry in entries:
        entry |= {"reason": "the clock", "owner": "ada@example.org"}
    (repo / "cleanroom.yaml").write_text(yaml.safe_dump({"equivalences": entries}))
    commit_all(repo)
    result, report = confirm(repo, "--engine", "sandbox", "--repeats", "1", out="held")
    assert (result.code, report["verdict"]) == (0, "HELD"), result.out
    assert len(report["accepted"]) == 8
    assert all("the clock (ada@example.org, until " in a["rule"] for a in report["accepted"])
    assert not [f for f in report["findings"] if f["code"].startswith("CR-04")]
    nothing = cli("suggest", tmp_path / "held")
    assert (nothing.code, nothing.out) == (0, ""), nothing.err


def test_suggest_says_what_nothing_narrow_covers(
    make_repository: Make, confirm: Confirm, cli: Cli, tmp_path: Path
) -> None:
    repo = make_repository(
        files=PROFILES
        | {
            "Snakefile": workflow(
                x__txt="head -c 40 /dev/urandom | base64 -w0 | tr -d '[:digit:]' > {output}"
            )
        }
    )
    confirm(repo, "--engine", "sandbox", "--repeats", "1")
    suggested = cli("suggest", tmp_path / "report")
    assert (suggested.code, suggested.out[:24]) == (1, "# not covered: 'x.txt': "), suggested.out
    assert cli("suggest", tmp_path).code == 2
    assert cli("suggest", tmp_path / "no-such-folder").code == 2


def test_an_equivalence_too_narrow_leaves_the_drift(
    make_repository: Make, confirm: Confirm
) -> None:
    """The value column is not covered by what covers the clock's."""
    files = PROFILES | {
        "Snakefile": 'rule all:\n    input: "t.csv"\nrule one:\n    output: "t.csv"\n'
        "    threads: 2\n"
        "    shell: \"printf 'value,seconds\\\\n%s,%s\\\\n' {threads} $(date +%N) > {output}\"\n",
        "cleanroom.yaml": "equivalences:\n  - paths: [t.csv]\n    comparator: table\n"
        "    options: {ignore: [seconds]}\n"
        "    reason: clock\n    owner: ada\n    expires: 2099-01-01\n  - paths: ['*.tsv']\n"
        "    comparator: table\n"
        "    reason: none\n    owner: ada\n    expires: 2099-01-01\n",
    }
    result, report = confirm(make_repository(files=files), "--engine", "sandbox")
    assert (result.code, report["verdict"]) == (1, "DRIFTED")
    (excerpt,) = excerpts(report, "t.csv")
    assert (excerpt["where"], excerpt["left"], excerpt["right"]) == (
        "row 1, column value",
        "1",
        "2",
    )
    assert [f["code"] for f in report["findings"] if f["code"].startswith("CR-04")] == ["CR-043"]


@pytest.mark.parametrize(
    ("declared", "code", "decides"),
    [
        ("publish:\n  - path: results/good.txt\n", 0, 1),
        ("publish:\n  - rule: resultsSgood__txt\n", 0, 1),
        ("publish:\n  - path: results/**\n", 1, 2),
        ("publish:\n  - path: result/**\n", 4, 0),
        ("scratch:\n  - path: results/bad.txt\n    reason: a random walk\n", 4, 1),
        ("scratch:\n  - path: results/**\n    reason: too wide\n", 4, 0),
        ("", 1, 2),
    ],
)
def test_publish_and_scratch_draw_the_boundary(
    make_repository: Make, confirm: Confirm, declared: str, code: int, decides: int
) -> None:
    text = workflow(resultsSgood__txt="echo 1 > {output}", resultsSbad__txt="date +%N > {output}")
    result, report = confirm(
        make_repository(files=PROFILES | {"Snakefile": text, "cleanroom.yaml": declared}),
        "--engine",
        "sandbox",
    )
    assert (result.code, report["runs"][0]["decides"]) == (code, decides), result.out
    assert report["runs"][0]["decides"] + report["runs"][0]["informs"] == 2
    if declared:
        assert declared.split(": ")[-1].strip().split("\n")[0] in report["boundary"]


def test_diffoscope_is_asked_where_it_is_asked_for(make_repository: Make, confirm: Confirm) -> None:
    require(shutil.which("diffoscope") is not None, "diffoscope is not installed")
    text = workflow(x__json="""printf '{{"made": "%s"}}' $(date +%N) > {output}""")
    repo = make_repository(files=PROFILES | {"Snakefile": text})
    result, report = confirm(repo, "--engine", "sandbox", "--diffoscope")
    (said,) = {d["diffoscope"] for d in report["differences"] if d["right"] == "b"}
    assert (result.code, said.startswith("---"), "made" in said) == (1, True, True), said
    _, report = confirm(repo, "--engine", "sandbox", out="without")
    assert {d["diffoscope"] for d in report["differences"]} == {""}
    without = confirm(
        repo,
        "--engine",
        "sandbox",
        "--diffoscope",
        out="missing",
        env={"PATH": str(Path(sys.executable).parent)},
    )[0]
    assert (without.code, "apt-get install diffoscope" in without.err) == (2, True), without.err
