"""Results that hide: a rule whose content hangs on its threads must never be HELD under two numbers
of cores, wherever it puts it.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.conftest import Cli, Make, Result, commit_all, require_engine

Confirm = Callable[..., tuple[Result, dict[str, Any]]]
PROFILES = {"profiles/local/config.yaml": "cores: 1\n", "profiles/ci/config.yaml": "cores: 2\n"}


def workflow(shell: str, output: str = '"a.txt"', more: str = "") -> str:
    rule = f"rule one:\n    output: {output}\n    threads: 2\n    shell: {shell!r}\n"
    return (
        f"rule all:\n    input: rules.one.output if False else []\n{more}\n".replace(
            "rules.one.output if False else []", output.replace("directory(", "(")
        )
        + rule
    )


HIDDEN: dict[str, tuple[str, str, str]] = {
    # what hides it: (command, output, where the report shows it); `@` is another number for each
    "a link into .git": ("echo {threads} > .git/x@; ln -s .git/x@ {output}", '"a@"', "a@"),
    "a link into .snakemake": (
        "echo {threads} > .snakemake/x@; ln -s .snakemake/x@ {output}",
        '"a@"',
        "a@",
    ),
    "a link into /tmp": ("echo {threads} > /tmp/x@; ln -s /tmp/x@ {output}", '"a@"', "a@"),
    "a link into the room's own folder": (
        "echo {threads} > /room/out/x@; ln -s /room/out/x@ {output}",
        '"a@"',
        "a@",
    ),
    "a link upwards": ("echo {threads} > ../out/x@; ln -s ../out/x@ {output}", '"a@"', "a@"),
    "a link to a link": (
        "echo {threads} > /tmp/x@; ln -s /tmp/x@ b@; ln -s b@ {output}",
        '"a@"',
        "a@",
    ),
    "a link through a folder that is one": (
        "mkdir /tmp/d@; echo {threads} > /tmp/d@/x; ln -s /tmp/d@ d@; ln -s d@/x {output}",
        '"a@"',
        "a@",
    ),
    "a link to the home": ("echo {threads} > $HOME/x@; ln -s $HOME/x@ {output}", '"a@"', "a@"),
    "a link to what a process has open": (
        "echo {threads} > /tmp/x@; ln -s /proc/self/root/tmp/x@ {output}",
        '"a@"',
        "a@",
    ),
    "a folder that is a link": (
        "mkdir /tmp/d@; echo {threads} > /tmp/d@/x; ln -s /tmp/d@ {output}",
        'directory("a@")',
        "a@",
    ),
    "a folder that is a link, below": (
        "rm -r r@; mkdir /tmp/d@; ln -s /tmp/d@ r@; echo {threads} > {output}",
        '"r@/a"',
        "r@",
    ),
    "a .git in a folder": (
        "mkdir -p {output}/.git; echo {threads} > {output}/.git/x",
        'directory("a@")',
        "a@/.git/x",
    ),
    "a .snakemake in a folder": (
        "mkdir -p {output}/.snakemake; echo {threads} > {output}/.snakemake/x",
        'directory("a@")',
        "a@/.snakemake/x",
    ),
    "a time stamp with content": (
        "mkdir {output}; echo {threads} > {output}/.snakemake_timestamp; echo > {output}/x",
        'directory("a@")',
        "a@/.snakemake_timestamp",
    ),
    "a time stamp further down": (
        "mkdir -p {output}/d; echo {threads} > {output}/d/.snakemake_timestamp",
        'directory("a@")',
        "a@/d/.snakemake_timestamp",
    ),
    "bytecode": (
        "mkdir -p {output}/__pycache__; echo {threads} > {output}/__pycache__/x.cpython-311.pyc",
        'directory("a@")',
        "a@/__pycache__/x.cpython-311.pyc",
    ),
    "bytecode that nobody declared": (
        "mkdir -p r@/__pycache__; echo {threads} > r@/__pycache__/x.pyc; echo > {output}",
        '"a@"',
        "r@/__pycache__/x.pyc",
    ),
    "a .git that nobody declared": (
        "mkdir -p r@/.git; echo {threads} > r@/.git/x; echo > {output}",
        '"a@"',
        "r@/.git/x",
    ),
    "a pipe": ("mkfifo {output}", '"a@.fifo"', "a@.fifo"),
    "a socket": (
        "python3 -c \"import socket; socket.socket(socket.AF_UNIX).bind('a@.sock')\"",
        '"a@.sock"',
        "a@.sock",
    ),
    "the right to run": (
        "echo 1 > {output}; test {threads} = 1 || chmod +x {output}",
        '"a@"',
        "a@",
    ),
    "holes": (
        "truncate -s 100M {output}; test {threads} = 1 || echo x | dd of={output} bs=1 seek=50M "
        "conv=notrunc",
        '"a@"',
        "a@",
    ),
    "a name of another case": (
        "mkdir {output}; test {threads} = 1 && touch {output}/a || touch {output}/A",
        'directory("d@")',
        "d@/A",
    ),
    "a name that is no text": (
        "mkdir {output}; touch {output}/$(printf '\\37{threads}')",
        'directory("d@")',
        r"d@/\xf9",
    ),
    "an empty folder": (
        "mkdir {output}; test {threads} = 1 || mkdir {output}/e",
        'directory("d@")',
        "d@/e",
    ),
    "a folder that nobody may read": (
        "mkdir -p {output}/d; echo {threads} > {output}/d/x; chmod 0 {output}/d",
        'directory("r@")',
        "r@/d/x",
    ),
    "a file that nobody may read": ("echo {threads} > {output}; chmod 0 {output}", '"a@"', "a@"),
    "a way through a link of /tmp": (
        "mkdir -p /tmp/a@/b /tmp/usr@/share; ln -s /tmp/a@/b /tmp/d@; echo {threads} > "
        "/tmp/usr@/share/x; ln -s /tmp/d@/../../usr@/share/x {output}",
        '"a@"',
        "a@",
    ),
    "a way through a link of .snakemake": (
        "mkdir -p /tmp/a@/b; echo {threads} > /tmp/plain@; echo 1 > plain@; ln -s /tmp/a@/b "
        ".snakemake/l@; ln -s .snakemake/l@/../../plain@ {output}; test $(cat {output}) = {threads}",
        '"a@"',
        "a@",
    ),
    "LD_PRELOAD": ("LD_PRELOAD=/dev/null true; echo {threads} > {output}", '"a@"', "a@"),
}


def test_nothing_that_differs_is_hidden(make_repository: Make, confirm: Confirm) -> None:
    """All in one workflow, and each of them named."""
    require_engine("sandbox")
    rules, outputs = [], []
    for number, (shell, output, _) in enumerate(HIDDEN.values()):
        rules.append(
            f"rule:\n    output: {output}\n    threads: 2\n    shell: {shell!r}\n".replace(
                "@", str(number)
            )
        )
        outputs.append(output.replace("@", str(number)).replace("directory(", "("))
    text = f"rule all:\n    input: {', '.join(outputs)}\n{''.join(rules)}"
    result, report = confirm(
        make_repository(files={"Snakefile": text, **PROFILES}), "--engine", "sandbox"
    )
    assert report["verdict"] == "INCONCLUSIVE", result.out
    assert {run["status"] for run in report["runs"]} == {"completed"}
    shown = {
        d["path"] for d in report["differences"] if d["decides"] and "control" not in d["right"]
    }
    missing = [
        name
        for number, (name, (_, _, path)) in enumerate(HIDDEN.items())
        if path.replace("@", str(number)) not in shown
    ]
    assert not missing, shown


OUT_OF_SIGHT = {
    # what leaves nothing that could be compared: (command, output)
    "a link into /dev/shm": ("echo {threads} > /dev/shm/x; ln -s /dev/shm/x {output}", '"a.txt"'),
    "a file named as git's own": ("echo {threads} > .git", '".git"'),
    "a declared output in .git": ("echo {threads} > {output}", '".git/a.txt"'),
    "a declared output in .snakemake": ("echo {threads} > {output}", '".snakemake/a.txt"'),
    "a declared output in /tmp": ("echo {threads} > {output}", '"/tmp/a.txt"'),
    "a declared output upwards": ("echo {threads} > {output}", '"../out/a.txt"'),
    "a link in a circle": ("ln -s b {output}; ln -s a.txt b; touch -h {output}", '"a.txt"'),
    "a result that goes away afterwards": (
        "echo {threads} > {output}; (sleep 0.3; rm {output}) > /dev/null 2>&1 &",
        '"a.txt"',
    ),
}


@pytest.mark.parametrize("name", OUT_OF_SIGHT)
def test_nothing_that_cannot_be_seen_is_held(
    make_repository: Make, confirm: Confirm, name: str
) -> None:
    require_engine("sandbox")
    shell, output = OUT_OF_SIGHT[name]
    result, report = confirm(
        make_repository(files={"Snakefile": workflow(shell, output), **PROFILES}),
        "--engine",
        "sandbox",
    )
    assert result.code in (3, 4), result.out
    assert "This is a bug" not in result.err
    assert report["verdict"] != "HELD"


TWO = """
rule all:
    input: "a.txt"
rule zero:
    output: "work/x.txt"
    threads: 2
    shell: "echo {threads} > {output}"
rule one:
    input: "work/x.txt"
    output: "a.txt"
    shell: "ln -s work/x.txt {output}"
"""
BEHIND: dict[str, dict[str, str]] = {
    # a link, or a flag, between the result and what decides: files beside the profiles
    "a link to the rule's own log": {
        "Snakefile": workflow("echo {threads} > {log}; ln -s x.log {output}").replace(
            "    threads", '    log: "x.log"\n    threads'
        )
    },
    "a link to a temporary file": {
        "Snakefile": TWO.replace('output: "work/x.txt"', 'output: temp("work/x.txt")')
    },
    "a link out of what is published": {
        "Snakefile": TWO,
        "cleanroom.yaml": "publish:\n  - path: a.txt\n",
    },
    "a link into scratch": {
        "Snakefile": workflow("mkdir work; echo {threads} > work/x; ln -s work/x {output}"),
        "cleanroom.yaml": "scratch:\n  - {path: work/**, reason: r}\n",
    },
    "a folder of links to temporary files": {
        "Snakefile": TWO.replace('output: "work/x.txt"', 'output: temp("work/x.txt")')
        .replace('"a.txt"', 'directory("a")', 2)
        .replace('input: directory("a")', 'input: "a"')
        .replace("ln -s work/x.txt {output}", "mkdir {output}; ln -s ../work/x.txt {output}/y")
    },
    "a link to a folder": {
        "Snakefile": workflow(
            "mkdir logs; echo {threads} > logs/x; ln -s logs {output}", 'directory("a")'
        ),
        "cleanroom.yaml": "publish:\n  - path: a\n",
    },
    "a temporary output that was asked for": {
        "Snakefile": workflow("echo {threads} > a.txt; echo 1 > b.txt", '"a.txt", "b.txt"').replace(
            'output: "a.txt"', 'output: temp("a.txt")'
        )
    },
    "an output that is the log too": {
        "Snakefile": workflow("echo 1 > a.txt; echo {threads} > b.txt", '"a.txt", "b.txt"').replace(
            "    threads", '    log: "b.txt"\n    threads'
        )
    },
    "results in the folder of local storage": {
        "Snakefile": workflow(
            "mkdir -p results; echo {threads} > results/x.txt; echo 1 > {output}"
        ),
        "profiles/local/config.yaml": "cores: 1\nlocal-storage-prefix: results\n",
        "profiles/ci/config.yaml": "cores: 2\nlocal-storage-prefix: results\n",
    },
    "results in the folder of shadows": {
        "Snakefile": workflow(
            "mkdir -p results/shadow; echo {threads} > results/shadow/x.txt; echo 1 > {output}"
        ),
        "profiles/local/config.yaml": "cores: 1\nshadow-prefix: results\n",
        "profiles/ci/config.yaml": "cores: 2\nshadow-prefix: results\n",
    },
    "a delivered file that can be executed now": {
        "Snakefile": workflow("test {threads} = 1 || chmod +x tool.sh; echo 1 > {output}"),
        "tool.sh": "echo\n",
    },
    "a delivered file that is a link now": {
        "Snakefile": workflow(
            "test {threads} = 1 || ln -sf /etc/passwd tool.sh; echo 1 > {output}"
        ),
        "tool.sh": "link\0/etc/passwd",
    },
    "a name that ends in a new line": {
        "Snakefile": workflow(
            "python3 -c \"open('tmp.txt' + chr(10), 'w').write('{threads}')\"; echo 1 > {output}"
        ),
        "cleanroom.yaml": "scratch:\n  - {path: tmp.txt, reason: r}\n",
    },
    "a minimum of cores": {
        "Snakefile": workflow("echo {threads} > {output}"),
        "cleanroom.yaml": "workflow: {cores: 4}\n",
    },
    "executors that run nothing": {
        "Snakefile": workflow("echo {threads} > {output}"),
        "profiles/local/config.yaml": "executor: touch\n",
        "profiles/ci/config.yaml": "executor: dryrun\n",
    },
    "cores of a remote executor": {
        "Snakefile": workflow("echo {threads} > {output}").replace("threads: 2", "threads: 4"),
        "profiles/local/config.yaml": "executor: slurm\njobs: 2\ncores: 1\n",
        "profiles/ci/config.yaml": "executor: slurm\njobs: 2\n",
    },
    "resources that only a remote executor gives": {
        "Snakefile": workflow("echo {params.m} > {output}").replace(
            "    threads",
            '    params: m=lambda w, resources: resources.get("mem_mb", 0)\n    threads',
        ),
        "profiles/local/config.yaml": "cores: 2\n",
        "profiles/ci/config.yaml": "executor: slurm\njobs: 2\n",
    },
}


@pytest.mark.parametrize("name", BEHIND)
def test_what_stands_between_a_result_and_its_content_hides_nothing(
    make_repository: Make, confirm: Confirm, name: str
) -> None:
    require_engine("sandbox")
    files = {"Snakefile": workflow("echo 1 > {output}"), **PROFILES, **BEHIND[name]}
    result, report = confirm(make_repository(files=files), "--engine", "sandbox")
    assert report["verdict"] in ("DRIFTED", "INCONCLUSIVE"), result.out
    assert "This is a bug" not in result.err
    assert all(run["status"] == "completed" or "executor" in run["why"] for run in report["runs"])


@pytest.mark.parametrize("more", ["", "scratch:\n  - {path: work/**, reason: r}\n"])
def test_a_committed_link_to_another_folder_of_the_clone(
    make_repository: Make, confirm: Confirm, more: str
) -> None:
    files = {
        "Snakefile": workflow("echo {threads} > {output}", '"results/a.txt"'),
        "work/keep": "",
        **PROFILES,
    }
    repo = make_repository(files=files | ({"cleanroom.yaml": more} if more else {}))
    (repo / "results").symlink_to("work")
    commit_all(repo)
    result, report = confirm(repo, "--engine", "sandbox")
    assert report["verdict"] == ("INCONCLUSIVE" if more else "DRIFTED"), result.out


@pytest.mark.parametrize("engine", ["docker", "sandbox"])
def test_a_job_that_exchanges_the_link_for_a_folder(
    make_repository: Make, confirm: Confirm, engine: str
) -> None:
    require_engine(engine)
    shell = "echo same > results/a.txt; rm results; mkdir results; echo {threads} > results/a.txt"
    repo = make_repository(files={"Snakefile": workflow(shell, '"results/a.txt"'), **PROFILES})
    (repo / "results").symlink_to("/scratch/me")
    commit_all(repo)
    result, report = confirm(repo, "--engine", engine)
    assert report["verdict"] in ("DRIFTED", "INCONCLUSIVE"), result.out


def test_folders_whose_links_lead_out_prove_nothing(cli: Cli, tmp_path: Path) -> None:
    for target in ("../real/a.txt", ".snakemake/x"):
        for content in ("1", "2"):
            folder = tmp_path / f"folder{content}"
            shutil.rmtree(folder, ignore_errors=True)
            for place in ("real", "res/.snakemake"):
                (folder / place).mkdir(parents=True)
            (folder / "res" / target).write_text(content)
            (folder / "res/a.txt").symlink_to(target)
        result = cli("compare", tmp_path / "folder1/res", tmp_path / "folder2/res")
        assert result.code == 4, result.out


def test_processes_that_outlive_their_jobs_are_waited_for_or_named(
    make_repository: Make, confirm: Confirm
) -> None:
    for seconds, verdict in ((1, "DRIFTED"), (60, "HELD")):
        shell = (
            f"setsid nohup sh -c 'sleep {seconds}; echo {{threads}} > late.txt' > /dev/null "
            f"2>&1 & echo 1 > {{output}}"
        )
        repo = make_repository(
            files={"Snakefile": workflow(shell), **PROFILES}, name=f"repo{seconds}"
        )
        result, report = confirm(repo, "--engine", "sandbox", out=f"report{seconds}")
        assert report["verdict"] == verdict, result.out
        assert ("CR-047" in {f["code"] for f in report["findings"]}) is (verdict == "HELD")


@pytest.mark.parametrize("engine", ["docker", "sandbox"])
def test_results_below_a_committed_link_are_examined(
    make_repository: Make, confirm: Confirm, engine: str
) -> None:
    """`results -> /scratch/…` is ordinary practice: it works, and what is written there decides."""
    require_engine(engine)
    targets = ["/scratch/me/run", "/data", "../elsewhere", "/tmp/results", "/nonexistent/a/b/c"]
    paths = [f"results{place}/a.txt" for place in range(len(targets))]
    outputs = ", ".join(f'"{path}"' for path in paths)
    for shell, code in (("echo {threads}", 1), ("echo 1", 0)):
        text = workflow(f"for f in {{output}}; do {shell} > $f; done", outputs)
        repo = make_repository(files={"Snakefile": text, **PROFILES}, name=f"repo{code}")
        for path, target in zip(paths, targets, strict=True):
            (repo / path).parent.symlink_to(target)
        commit_all(repo)
        result, report = confirm(repo, "--engine", engine, out=f"report{code}")
        assert result.code == code, result.out
        assert report["runs"][0]["decides"] == len(targets)
        assert [d["path"] for d in report["differences"]] == paths * code


def test_a_committed_link_to_nothing_is_not_made_an_input(
    make_repository: Make, confirm: Confirm
) -> None:
    """Only where results are declared below it does a link get a place: data that are not there
    stay missing.
    """
    files = {
        "Snakefile": 'rule all:\n    input: "data"\n    output: "a.txt"\n'
        '    shell: "ls {input} > {output}"\n',
        **PROFILES,
    }
    repo = make_repository(files=files)
    (repo / "data").symlink_to("/shared/data")
    commit_all(repo)
    result, _ = confirm(repo, "--engine", "sandbox")
    assert result.code in (3, 4), result.out


NOTHING = {
    "existence of all": "equivalences:\n  - {paths: ['results/**'], comparator: existence",
    "existence of a folder": "equivalences:\n  - {paths: ['results/'], comparator: existence",
    "existence of any": "equivalences:\n  - {paths: ['results/*'], comparator: existence",
    "existence of a rule": "equivalences:\n  - {rule: one, comparator: existence",
    "an absolute tolerance without end": "equivalences:\n  - {paths: ['results/a.txt'], "
    "comparator: text, options: {absolute: 1.0e+308}",
    "a relative tolerance of nearly one": "equivalences:\n  - {paths: ['results/a.txt'], "
    "comparator: text, options: {relative: 0.9999999}",
    "a tolerance larger than all numbers": "equivalences:\n  - {paths: ['results/a.txt'], "
    "comparator: text, options: {absolute: 1000}",
    "a mask for all": "equivalences:\n  - {paths: ['results/a.txt'], comparator: text, options: "
    "{mask: ['.*']}",
    "a mask for two letters and more": "equivalences:\n  - {paths: ['results/a.txt'], "
    "comparator: text, options: {mask: ['.{2,}']}",
    "a mask for all of ASCII": "equivalences:\n  - {paths: ['results/a.txt'], comparator: text, "
    "options: {mask: ['[ -~]*']}",
    "a mask for all digits": "equivalences:\n  - {paths: ['results/a.txt'], comparator: text, "
    "options: {mask: ['[0-9]+']}",
    "a mask that explodes": "equivalences:\n  - {paths: ['results/a.txt'], comparator: text, "
    "options: {mask: ['(x+x+)+y|[0-9]']}",
}


@pytest.mark.parametrize("name", NOTHING)
def test_an_acceptance_of_anything_is_refused_or_proves_nothing(
    make_repository: Make, confirm: Confirm, tmp_path: Path, name: str
) -> None:
    declared = NOTHING[name] + ", reason: r, owner: o, expires: 2099-01-01}\n"
    files = {
        "Snakefile": workflow("echo {threads} > {output}", '"results/a.txt"'),
        "cleanroom.yaml": declared,
        **PROFILES,
    }
    result, report = confirm(make_repository(files=files), "--engine", "sandbox")
    assert result.code in (1, 4), result.out
    codes = {finding["code"] for finding in report["findings"]}
    named = codes & {"CR-042", "CR-044"}
    assert named or "leaves nothing to compare" in str(report["differences"])
    for rendering in ("report.html", "report.md", "report.json"):
        text = (tmp_path / "report" / rendering).read_text()
        assert all(code in text for code in named), rendering


def test_one_file_may_be_there_and_no_more(make_repository: Make, confirm: Confirm) -> None:
    """Somebody who names a single file, with reason, owner and day, is believed; the report says
    how little that is.
    """
    declared = (
        "equivalences:\n  - {paths: ['results/a.txt'], comparator: existence, reason: r, "
        "owner: o, expires: 2099-01-01}\n"
    )
    files = {
        "Snakefile": workflow("date +%N > {output}", '"results/a.txt"'),
        "cleanroom.yaml": declared,
        **PROFILES,
    }
    result, report = confirm(make_repository(files=files), "--engine", "sandbox")
    assert (result.code, "CR-044" in {finding["code"] for finding in report["findings"]}) == (
        0,
        True,
    ), result.out


@pytest.mark.parametrize("place", ["**", "results/**", "results/a.txt", "*/a.txt"])
def test_a_scratch_place_over_a_declared_output_proves_nothing(
    make_repository: Make, confirm: Confirm, place: str
) -> None:
    declared = f"scratch:\n  - path: '{place}'\n    reason: hostile\n"
    files = {
        "Snakefile": workflow("echo {threads} > {output}; echo 1 > b.txt", '"results/a.txt"'),
        "cleanroom.yaml": declared,
        **PROFILES,
    }
    result, report = confirm(make_repository(files=files), "--engine", "sandbox")
    assert result.code == 4, result.out
    assert "CR-046" in {finding["code"] for finding in report["findings"]}


def test_what_other_jobs_make_something_of_may_be_scratch(
    make_repository: Make, confirm: Confirm
) -> None:
    """An intermediate file shows in what is made of it; one that was asked for, or that nobody
    reads, does not.
    """
    rules = (
        'rule all:\n    input: "b.txt"\nrule one:\n    output: "work/a.txt"\n'
        '    shell: "date +%N > {output}"\n'
        'rule two:\n    input: "work/a.txt"\n    output: "b.txt"\n'
        '    shell: "wc -l < {input} > {output}"\n'
    )
    declared = "scratch:\n  - path: 'work/**'\n    reason: intermediate\n"
    for text, code in (
        (rules, 0),
        (rules.replace('input: "b.txt"', 'input: "b.txt", "work/a.txt"'), 4),
    ):
        files = {"Snakefile": text, "cleanroom.yaml": declared, **PROFILES}
        repo = make_repository(files=files, name=f"repo{code}")
        result, _ = confirm(repo, "--engine", "sandbox", out=f"report{code}")
        assert result.code == code, result.out


def test_a_result_that_is_gone_at_the_end_proves_nothing(
    make_repository: Make, confirm: Confirm
) -> None:
    rules = (
        'rule all:\n    input: "c.txt", "a.txt"\nrule one:\n    output: "a.txt"\n    threads: 2\n'
        '    shell: "echo {threads} > {output}"\n'
        'rule three:\n    input: "a.txt"\n    output: "c.txt"\n'
        '    shell: "rm {input}; echo > {output}"\n'
    )
    result, _ = confirm(
        make_repository(files={"Snakefile": rules, **PROFILES}), "--engine", "sandbox"
    )
    assert result.code in (3, 4), result.out


@pytest.mark.parametrize(
    ("link", "target", "code"),
    [
        ("profiles/ci", "../shared/ci", 1),
        ("profiles", "shared", 1),
        ("profiles/ci", "/etc/ci", 4),
        ("profiles/ci", "../../outside", 4),
        ("profiles/ci", "nothing", 4),
        ("profiles/ci", "ci", 4),
    ],
)
def test_a_profile_that_is_a_link_is_followed_or_named(
    make_repository: Make, confirm: Confirm, link: str, target: str, code: int
) -> None:
    shared = {"shared/ci/config.yaml": "cores: 2\n", "shared/local/config.yaml": "cores: 1\n"}
    files = {"Snakefile": workflow("echo {threads} > {output}"), **shared}
    if link != "profiles":
        files["profiles/local/config.yaml"] = "cores: 1\n"
    repo = make_repository(files=files)
    (repo / link).symlink_to(target)
    commit_all(repo)
    result, report = confirm(repo, "--engine", "sandbox")
    assert result.code == code, result.out
    assert {run["profile"] for run in report["runs"] if not run["control"]} == {
        "local",
        "ci",
    }


def test_a_writer_that_goes_on_behind_the_back_of_the_hash(
    make_repository: Make, confirm: Confirm, tmp_path: Path
) -> None:
    """A process that maps its output writes without a trace in its times; what is kept is what was
    there when all was over.
    """
    import hashlib

    script = (
        "import mmap, os, sys, time\n"
        "f = open(sys.argv[1], 'r+b'); m = mmap.mmap(f.fileno(), 0)\n"
        "m[0:5] = b'first'\n"
        "if os.fork(): sys.exit()\n"
        "os.setsid()\n"
        "for i in range(90000): m[0:5] = b'%05d' % i; time.sleep(0.0005)\n"
    )
    shell = "truncate -s 4096 {output}; python3 w.py {output} > /dev/null 2>&1; sleep 0.2"
    files = {"Snakefile": workflow(shell), "w.py": script, **PROFILES}
    own = tmp_path / "own"
    result, _ = confirm(make_repository(files=files), "--engine", "sandbox", cache=own)
    assert result.code != 0, result.out
    objects = list(own.glob("store/objects/*/*"))
    assert objects
    for path in objects:
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.parent.name + path.name


def test_damaged_content_is_never_the_same(
    make_repository: Make, confirm: Confirm, cli: Callable[..., Result], tmp_path: Path
) -> None:
    """Two stored results that were overwritten alike are not `the same by payload`."""
    import gzip

    files = {"Snakefile": workflow("echo {threads} | gzip -n > {output}", '"a.gz"'), **PROFILES}
    own = tmp_path / "own"
    result, report = confirm(make_repository(files=files), "--engine", "sandbox", cache=own)
    assert result.code == 1
    for number, path in enumerate(own.glob("store/objects/*/*")):
        path.chmod(0o644)
        path.write_bytes(gzip.compress(b"the same", mtime=number))
    names = [run["evidence"] for run in report["runs"] if not run["control"]]
    again = cli("compare", *names, cache=own)
    assert (again.code, "not what its name says" in again.err) == (4, True), again.out + again.err


def test_a_file_of_holes_counts_with_its_size(make_repository: Make, confirm: Confirm) -> None:
    files = {"Snakefile": workflow("truncate -s 8G {output}"), **PROFILES}
    result, report = confirm(make_repository(files=files), "--engine", "sandbox", "--disk", "6g")
    assert result.code == 4, result.out
    assert "disk limit" in str(report["reasons"])


WIDE = {
    # a tolerance beyond all numbers of a binary file: (what writes it, comparator)
    "an array": (
        "import numpy, sys; numpy.save(sys.argv[1], [1, 2] if sys.argv[2] == '1' else "
        "[-100, -200])",
        "npy",
    ),
    "a picture": (
        "import PIL.Image, sys; PIL.Image.new('L', (9, 9), 255 * (sys.argv[2] == "
        "'1')).save(sys.argv[1])",
        "image",
    ),
    "a wide picture": (
        "import PIL.Image, sys; PIL.Image.new('I;16', (9, 9), 9 * "
        "int(sys.argv[2])).save(sys.argv[1])",
        "image",
    ),
}


@pytest.mark.parametrize("name", WIDE)
def test_a_tolerance_beyond_all_that_a_binary_file_holds(
    cli: Cli, tmp_path: Path, name: str
) -> None:
    """By the comparator itself: rooms have no NumPy."""
    from cleanroom.compare.formats.registry import Question, answer
    from cleanroom.values.declared import CompareOptions

    code, comparator = WIDE[name]
    files = [tmp_path / f"{i}.{'npy' if comparator == 'npy' else 'png'}" for i in (1, 2)]
    for i, file in enumerate(files, 1):
        subprocess.run([sys.executable, "-c", code, file, str(i)], check=True)
    asked = Question(
        left=str(files[0]), right=str(files[1]), name=files[0].name, comparator=comparator
    )
    found = answer(msgspec.structs.replace(asked, rules=CompareOptions(absolute=1000.0)))
    assert found.compared == 0 or found.sameness == "different", found
