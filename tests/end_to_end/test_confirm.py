"""`cleanroom confirm` as a person calls it: real git, real Snakemake, real rooms."""

import json
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT, Cli, Confirm, Make, commit_all, git, require_engine, snakefile
from tests.hostile import servers

TWO_PROFILES = {"profiles/a/config.yaml": "cores: 1\n", "profiles/b/config.yaml": "cores: 4\n"}


# --- the three fixtures, in both engines ---


def test_reads_holds_by_payload(make_repository: Make, confirm: Confirm, engine: str) -> None:
    result, report = confirm(make_repository("reads"), "--engine", engine)
    assert (result.code, report["verdict"]) == (0, "HELD"), result.out
    assert [run["profile"] for run in report["runs"]] == ["local", "ci", "slurm"]
    assert len({run["attempt_id"] for run in report["runs"]}) == 3
    assert {run["jobs"] for run in report["runs"]} == {19}
    assert {(a["path"], a["right"]) for a in report["accepted"]} == {
        (f"results/{s}.fastq.gz", p) for s in "abcd" for p in ("ci", "slurm")
    }
    assert any(
        f["code"] == "CR-001" and f["file"] == "profiles/slurm/config.yaml" and f["line"] == 1
        for f in report["findings"]
    )
    overrides = {o["key"] for o in report["runs"][2]["overrides"]}
    assert {"executor", "jobs", "slurm-logdir", "cores", "notemp", "scheduler"} <= overrides
    assert (report["isolation"] == "container") is (engine == "docker")
    for name in ("report.html", "report.md", "report.json", "junit.xml"):
        assert name in result.out


def test_release_differs_from_itself_and_no_profile_is_blamed(
    make_repository: Make, confirm: Confirm
) -> None:
    local = ("--profile", "local", "--profile", "ci", "--target", "release")
    result, report = confirm(make_repository("reads"), "--engine", "sandbox", *local)
    assert (result.code, report["verdict"]) == (1, "DRIFTED")
    assert [c["name"] for c in report["causes"]] == ["not deterministic"]
    assert {
        (d["path"], d["origin"], d["noise"])
        for d in report["differences"]
        if d["decides"] and "control" not in d["right"]
    } == {("results/manifest.json", True, True)}
    assert "repeated runs differ" in report["sentence"]


def test_wordcount_holds_by_bytes(make_repository: Make, confirm: Confirm, engine: str) -> None:
    result, report = confirm(make_repository("wordcount"), "--engine", engine)
    assert (result.code, report["accepted"], len(report["runs"])) == (0, [], 2)


def test_features_is_held_against_its_control(
    make_repository: Make, confirm: Confirm, engine: str
) -> None:
    result, report = confirm(make_repository("features"), "--engine", engine)
    assert result.code == 0, result.out
    assert [run["label"] for run in report["runs"]] == ["default", "default (control)"]
    assert {r["name"]: r["verdict"] for r in report["rungs"]}["control"] == "HELD"
    assert report["runs"][0]["decides"] == 11


@pytest.mark.parametrize("version", ["7.32.4", "8.30.0"])
@pytest.mark.parametrize("fixture", ["reads", "features"])
def test_older_snakemakes(
    make_repository: Make, confirm: Confirm, version: str, fixture: str
) -> None:
    image = f"cleanroom-room:{version}"
    require_engine("docker", image)
    local = ("--profile", "local", "--profile", "ci") if fixture == "reads" else ()
    result, report = confirm(make_repository(fixture), "--image", image, *local)
    assert result.code == 0, result.out
    assert {run["versions"]["snakemake"] for run in report["runs"]} == {version}
    jobs = {"reads": 19, "features": 9}[fixture]
    assert {run["jobs"] for run in report["runs"]} == {jobs}


# --- meaning through a profile, and policy that leaks ---


def test_config_in_a_profile_is_found_in_the_plan(
    make_repository: Make, confirm: Confirm, engine: str
) -> None:
    repo = make_repository(
        files={
            "Snakefile": 'rule all:\n    input: "out.txt"\n\nrule one:\n    output: "out.txt"\n'
            '    params: n=config.get("num", 1)\n    shell: "echo {params.n} > {output}"\n',
            "profiles/a/config.yaml": "cores: 1\n",
            "profiles/b/config.yaml": "cores: 1\nconfig:\n  num: 2\n",
        }
    )
    result, report = confirm(repo, "--engine", engine)
    assert (result.code, report["verdict"]) == (1, "DRIFTED")
    assert {
        d["field"]
        for d in report["plan_differences"]
        if d["decides"] and "control" not in d["right"]
    } >= {"config: num", "params"}
    assert [(c["name"], c["certain"]) for c in report["causes"]] == [("config", True)]
    assert [run["label"] for run in report["runs"]] == ["a", "b", "a (control)"]


def test_threads_that_only_a_script_reads_are_found_in_the_results(
    make_repository: Make, confirm: Confirm
) -> None:
    repo = make_repository(
        files={
            "Snakefile": 'rule all:\n    input: "sum.txt"\n\nrule one:\n    output: "out.txt"\n'
            '    threads: 4\n    script: "s.py"\n\n'
            'rule two:\n    input: "out.txt"\n    output: "sum.txt"\n'
            '    shell: "sha256sum {input} > {output}"\n',
            "s.py": 'open(snakemake.output[0], "w").write(str(snakemake.threads))\n',
            **TWO_PROFILES,
        }
    )
    result, report = confirm(repo, "--engine", "sandbox")
    assert result.code == 1
    found = {
        d["path"]: (d["origin"], d["rule"])
        for d in report["differences"]
        if d["decides"] and d["right"] == "b"
    }
    assert found == {"out.txt": (True, "one"), "sum.txt": (False, "two")}
    assert [c["name"] for c in report["causes"]] == ["cores"]


def test_a_retry_that_hides_a_failure_decides(make_repository: Make, confirm: Confirm) -> None:
    shell = (
        "if [ {threads} = 4 ] && [ ! -e tried ]; then touch tried; exit 1; fi; echo same > {output}"
    )
    repo = make_repository(
        files={"Snakefile": snakefile(shell, more="    retries: 2\n", threads=4), **TWO_PROFILES}
    )
    result, report = confirm(repo, "--engine", "sandbox")
    assert result.code == 1
    assert {run["label"]: run["attempts"] for run in report["runs"]} == {
        "a": 1,
        "b": 2,
        "a (control)": 1,
    }
    assert any(f["code"] == "CR-010" for f in report["findings"])


# --- nothing proven is never held ---

VACUOUS: dict[str, tuple[dict[str, str], str]] = {
    "dry-run": ({"profiles/b/config.yaml": "cores: 1\ndry-run: true\n"}, "dry-run"),
    "touch": ({"profiles/b/config.yaml": "cores: 1\ntouch: true\n"}, "touch"),
    "unlock": ({"profiles/b/config.yaml": "cores: 1\nunlock: true\n"}, "unlock"),
    "until an empty target": (
        {
            "profiles/b/config.yaml": "cores: 1\nuntil: [all]\n",
            "Snakefile": "rule all:\n    input: []\n",
        },
        "no job would make anything",
    ),
    "broken YAML": (
        {"profiles/b/config.yaml": "cores: 1\nquiet: [a\nx: 1\n"},
        "profiles/b/config.yaml, line 3",
    ),
    "an unknown setting": (
        {"profiles/b/config.yaml": "cores: 1\ncorse: 2\n"},
        "profiles/b/config.yaml, line 2",
    ),
    "an empty workflow": (
        {"Snakefile": "rule all:\n    input: []\n"},
        "no job would make anything",
    ),
    "only a log": (
        {"Snakefile": 'rule all:\n    log: "a.log"\n    shell: "echo {threads} > {log}"\n'},
        "left no result that decides",
    ),
}


@pytest.mark.parametrize("case", VACUOUS)
def test_nothing_proven(make_repository: Make, confirm: Confirm, case: str) -> None:
    files, said = VACUOUS[case]
    repo = make_repository(
        files={"Snakefile": snakefile("echo 1 > {output}"), **TWO_PROFILES, **files}
    )
    result, report = confirm(repo, "--engine", "sandbox")
    assert (result.code, report["verdict"]) == (4, "INCONCLUSIVE"), result.out
    assert said in " ".join(report["reasons"])


def test_committed_outputs_are_made_again(make_repository: Make, confirm: Confirm) -> None:
    shell = "echo {threads} > {output}"
    repo = make_repository(
        files={"Snakefile": snakefile(shell, threads=4), "out.txt": "stale\n", **TWO_PROFILES}
    )
    result, report = confirm(repo, "--engine", "sandbox")
    assert result.code == 1, "with the committed file in place, nothing would have run"
    assert any(f["code"] == "CR-003" and "out.txt" in f["text"] for f in report["findings"])


def test_parsing_that_writes_is_seen(make_repository: Make, confirm: Confirm) -> None:
    text = 'shell("date +%N > stamp.txt")\n' + snakefile("echo 1 > {output}")
    result, report = confirm(
        make_repository(files={"Snakefile": text, **TWO_PROFILES}), "--engine", "sandbox"
    )
    assert any(f["code"] == "CR-004" and "stamp.txt" in f["text"] for f in report["findings"])
    assert result.code == 1, "the file that it leaves differs"


ELSEWHERE = {
    "a declared output outside": 'rule all:\n    input: "o.txt", "/tmp/abs/x.txt"\n\nrule a:\n'
    '    output: "o.txt"\n    shell: "echo hi > {output}"\n\n'
    'rule b:\n    output: "/tmp/abs/x.txt"\n    threads: 2\n'
    '    shell: "echo {threads} > {output}"\n',
    "an output in Snakemake's folder": 'rule all:\n    input: ".snakemake/x.txt", "o.txt"\n\n'
    'rule a:\n    output: ".snakemake/x.txt", "o.txt"\n'
    '    threads: 2\n    shell: "echo {threads} > {output[0]}; touch {output[1]}"\n',
    "a link to what is not kept": snakefile(
        "echo {threads} > /tmp/v; ln -s /tmp/v {output}", threads=2
    ),
}


@pytest.mark.parametrize("case", ELSEWHERE)
def test_results_that_lie_elsewhere_prove_nothing(
    make_repository: Make, confirm: Confirm, case: str
) -> None:
    result, report = confirm(
        make_repository(files={"Snakefile": ELSEWHERE[case], **TWO_PROFILES}), "--engine", "sandbox"
    )
    assert (result.code, report["verdict"]) == (4, "INCONCLUSIVE"), result.out
    assert "examined" in report["reasons"][0]


@pytest.mark.parametrize(
    "shell",
    ["[ {threads} = 1 ] || rm in.txt; echo 1 > {output}", "[ {threads} = 1 ] || chmod +x {output}"],
)
def test_what_a_run_removes_or_makes_executable_decides(
    make_repository: Make, confirm: Confirm, shell: str
) -> None:
    files = {
        "Snakefile": snakefile(f"echo 1 > {{output}}; {shell}; true", threads=4),
        "in.txt": "x",
        **TWO_PROFILES,
    }
    result, _ = confirm(make_repository(files=files), "--engine", "sandbox")
    assert result.code == 1, result.out


def test_a_part_of_the_workflow_is_not_the_whole(make_repository: Make, confirm: Confirm) -> None:
    files = {
        "Snakefile": snakefile("echo 1 > {output}"),
        "profiles/a/config.yaml": "cores: 1\nuntil: [one]\n",
        "profiles/b/config.yaml": "cores: 2\nuntil: [one]\n",
    }
    result, report = confirm(make_repository(files=files), "--engine", "sandbox")
    assert (result.code, "'until'" in report["reasons"][0]) == (4, True)


def test_a_deep_folder_is_removed(make_repository: Make, confirm: Confirm, tmp_path: Path) -> None:
    """Deeper than Python's recursion goes, and for a user who is not root it takes away its own
    rights.
    """
    script = "import os\nfor _ in range(1500):\n    os.mkdir('d')\n    os.chdir('d')\n"
    repo = make_repository(
        files={
            "Snakefile": snakefile("python3 s.py; echo 1 > {output}"),
            "s.py": script,
            **TWO_PROFILES,
        }
    )
    own = tmp_path / "own"
    for _ in range(2):
        result, _ = confirm(repo, "--engine", "sandbox", "--cache", str(own))
        assert result.code == 0, result.out
    assert not [path for path in own.glob("rooms/*") if path.is_dir()]


# --- failures ---


def test_a_workflow_that_fails_under_one_profile(make_repository: Make, confirm: Confirm) -> None:
    shell = (
        "echo about to fail >&2; echo the reason > {log}; [ {threads} = 1 ] && echo 1 > {output}"
    )
    repo = make_repository(
        files={
            "Snakefile": snakefile(shell, threads=4, more='    log: "one.log"\n'),
            **TWO_PROFILES,
        }
    )
    result, report = confirm(repo, "--engine", "sandbox")
    assert (result.code, report["verdict"]) == (3, "FAILED")
    failed = next(run for run in report["runs"] if run["label"] == "b")
    assert failed["status"] == "failed"
    assert failed["failed"][0]["job"] == "one"
    assert "about to fail" in failed["why"]
    assert "one.log:\nthe reason" in failed["why"]
    assert "the reason" in result.out


FAILING_AT_ITS_END = {
    "the output is missing": ("true", '"out.txt"'),
    "the output is empty": ("touch {output}", 'ensure("out.txt", non_empty=True)'),
    "the output has another digest": ("echo 2 > {output}", 'ensure("out.txt", sha256="00")'),
    "the output is a folder": ("mkdir {output}", '"out.txt"'),
}


@pytest.mark.parametrize("version", ["", "7.32.4", "8.30.0"])
@pytest.mark.parametrize("case", FAILING_AT_ITS_END)
def test_a_job_that_fails_while_snakemake_finishes_it(
    make_repository: Make, confirm: Confirm, case: str, version: str
) -> None:
    shell, output = FAILING_AT_ITS_END[case]
    image = f"cleanroom-room:{version}"
    if version:
        require_engine("docker", image)
    text = snakefile(shell, more="    retries: 1\n").replace(
        'output: "out.txt"', f'input: "in.txt"\n    output: {output}'
    )
    repo = make_repository(files={"Snakefile": text, "in.txt": "1\n", **TWO_PROFILES})
    result, report = confirm(repo, *(("--image", image) if version else ("--engine", "sandbox")))
    assert (result.code, report["verdict"]) == (3, "FAILED"), result.out
    assert {(run["status"], run["attempts"]) for run in report["runs"]} == {("failed", 2)}


def test_the_time_limit(make_repository: Make, confirm: Confirm, engine: str) -> None:
    repo = make_repository(
        files={
            "Snakefile": snakefile("sleep 1000; echo 1 > {output}"),
            "profiles/a/config.yaml": "cores: 1\n",
        }
    )
    result, report = confirm(repo, "--engine", engine, "--time-limit", "6s")
    assert (result.code, report["verdict"]) == (4, "INCONCLUSIVE"), result.out
    assert "time limit" in report["reasons"][0]


def test_lint_that_hangs_only_informs(make_repository: Make, confirm: Confirm) -> None:
    text = 'import sys, time\nif "--lint" in sys.argv:\n    time.sleep(3600)\n' + snakefile(
        "echo 1 > {output}"
    )
    repo = make_repository(files={"Snakefile": text, **TWO_PROFILES})
    result, report = confirm(repo, "--engine", "sandbox", "--time-limit", "10s")
    assert result.code == 0, result.out
    assert {
        run["label"]: next(s["status"] for s in run["steps"] if s["name"] == "lint")
        for run in report["runs"]
    } == {
        "a": "timeout",
        "b": "timeout",
    }
    assert {f["profile"] for f in report["findings"] if f["code"] == "CR-009"} == {"a", "b"}
    assert {r["name"]: (r["decides"], r["verdict"]) for r in report["rungs"]}["lint"] == (
        False,
        None,
    )


def test_a_snakefile_that_hangs_on_a_set_differs_from_itself(
    make_repository: Make, confirm: Confirm
) -> None:
    """The order of a set changes between the baseline and its control, so that no profile is
    blamed.
    """
    text = 'N = "".join({str(i) for i in "abcdefghijklmnop"})\n' + snakefile("echo {N} > {output}")
    result, report = confirm(
        make_repository(files={"Snakefile": text, **TWO_PROFILES}), "--engine", "sandbox"
    )
    assert result.code == 1
    assert [c["name"] for c in report["causes"]] == ["not deterministic"]


def test_names_that_are_new_each_time_blame_no_profile(
    make_repository: Make, confirm: Confirm
) -> None:
    repo = make_repository(
        files={
            "Snakefile": snakefile("echo 1 > {output}; echo 1 > scratch.$(date +%N)"),
            **TWO_PROFILES,
        }
    )
    result, report = confirm(repo, "--engine", "sandbox")
    assert result.code == 1
    assert [c["name"] for c in report["causes"]] == ["not deterministic"]


def test_a_profile_of_an_older_snakemake_runs_with_its_placement_replaced(
    make_repository: Make, confirm: Confirm
) -> None:
    old = (
        'cluster: "sbatch --cpus-per-task={threads} '
        + "x" * 300
        + '"\ncluster-status: status.py\njobs: 500\nrestart-times: 3\nshadow-prefix: /scratch/me\n'
    )
    repo = make_repository(
        files={
            "Snakefile": snakefile("echo {threads} > {output}", threads=3),
            "profiles/a/config.yaml": "cores: 4\n",
            "profiles/old/config.yaml": old,
        }
    )
    result, report = confirm(repo, "--engine", "sandbox")
    assert result.code == 0, result.out
    assert {
        f["line"] for f in report["findings"] if f["code"] == "CR-001" and f["profile"] == "old"
    } == {1, 2}
    assert {"cluster", "cluster-status", "jobs", "cores"} <= {
        o["key"] for o in report["runs"][1]["overrides"]
    }


# --- entering a workflow ---


def test_the_entry_from_cleanroom_yaml(make_repository: Make, confirm: Confirm) -> None:
    repo = make_repository(
        files={
            "sub/Snakefile": 'configfile: "c.yaml"\nrule a:\n    output: "a.txt"\n'
            '    shell: "echo a > {output}"\n\n'
            'rule b:\n    output: "b.txt"\n    params: x=config["x"]\n'
            '    shell: "echo {params.x} > {output}"\n',
            "sub/c.yaml": "x: 1\n",
            "sub/d.yaml": "x: 2\n",
            "cleanroom.yaml": "workflow:\n  folder: sub\n  targets: [b]\n"
            "  configfiles: [d.yaml]\n  cores: 3\n",
        }
    )
    result, report = confirm(repo, "--engine", "sandbox")
    assert result.code == 0, result.out
    assert report["entry"] == {
        "folder": "sub",
        "targets": ["b"],
        "configfiles": ["d.yaml"],
        "cores": 3,
    }
    assert report["runs"][0]["jobs"] == 1
    assert any(o["key"] == "cores" and o["now"] == 3 for o in report["runs"][0]["overrides"])


def test_submodules_and_lfs_files_are_in_the_clone(
    make_repository: Make, confirm: Confirm, tmp_path: Path
) -> None:
    inner = make_repository(files={"part.txt": "from the submodule\n"}, name="inner")
    content = b"a large file\n"
    import hashlib

    oid = hashlib.sha256(content).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(content)}\n"
    repo = make_repository(
        files={
            "Snakefile": 'rule all:\n    input: "out.txt"\n\nrule one:\n'
            '    input: "lib/part.txt", "big.bin"\n    output: "out.txt"\n'
            '    shell: "cat {input} > {output}; test $(wc -l < {output}) = 2"\n',
            ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n",
        }
    )
    (repo / "big.bin").write_text(pointer)
    stored = repo / ".git" / "lfs" / "objects" / oid[:2] / oid[2:4] / oid
    stored.parent.mkdir(parents=True)
    stored.write_bytes(content)
    git(repo, "submodule", "add", "--quiet", str(inner), "lib")
    commit_all(repo)
    result, report = confirm(repo, "--engine", "sandbox", "--allow-local-submodules")
    assert result.code == 0, result.out
    assert report["runs"][0]["decides"] == 1


# --- names and output that are hostile to whoever looks ---


def test_names_with_spaces_newlines_bytes_and_markup(
    make_repository: Make, confirm: Confirm, tmp_path: Path, engine: str
) -> None:
    script = (
        "import os, random\n"
        "for name in (b'with space', b'new\\nline', b'\\xff\\xfe', b'<script>alert(1)', "
        "b'\\x1b[31mred', b'`code` | *bold*'):\n"
        "    open(name, 'w').write(str(random.random()))\n"
        "os.symlink('/etc/passwd', 'link')\n"
        "open(snakemake.output[0], 'w').write('1')\n"
    )
    repo = make_repository(
        files={
            "Snakefile": 'rule all:\n    output: "out.txt"\n    script: "s.py"\n',
            "s.py": script,
        }
    )
    result, report = confirm(repo, "--engine", engine)
    assert result.code == 1
    paths = {d["path"] for d in report["differences"]}
    assert {"with space", "new\nline", "\\xff\\xfe", "`code` | *bold*", "\x1b[31mred"} <= paths
    assert "\x1b[31mred" not in result.out + result.err
    for name in ("report.html", "report.md", "junit.xml"):
        text = (tmp_path / "report" / name).read_text()
        outside_code = re.sub(r"(`+).*?\1", "", text) if name.endswith(".md") else text
        assert "<script>alert" not in outside_code
        assert "\x1b" not in text
    assert "root:x:0" not in json.dumps(report)


# --- what a confirmation leaves out and says so ---


def test_uncommitted_changes_are_not_part_of_it(make_repository: Make, confirm: Confirm) -> None:
    repo = make_repository(files={"Snakefile": snakefile("echo 1 > {output}")})
    (repo / "Snakefile").write_text("this does not parse")
    (repo / "new.txt").write_text("x")
    result, report = confirm(repo, "--engine", "sandbox")
    assert result.code == 0
    assert report["source"]["uncommitted"] == 2
    assert "2 uncommitted paths" in result.err


def test_a_confirmation_can_be_judged_again_from_its_evidence(
    make_repository: Make, confirm: Confirm, cli: Cli, tmp_path: Path
) -> None:
    repo = make_repository(files={"Snakefile": snakefile("date +%N > {output}")})
    _, report = confirm(repo, "--engine", "sandbox")
    digests = [run["evidence"] for run in report["runs"]]
    result = cli("compare", *digests, "--format", "json")
    assert result.code == 1
    assert [d["path"] for d in result.json()["differences"] if d["decides"]] == ["out.txt"]
    itself = cli("compare", digests[0], digests[0], "--format", "json")
    assert (itself.code, "proves nothing" in itself.err) == (2, True)


def test_profiles_that_are_files(make_repository: Make, confirm: Confirm) -> None:
    """As Snakemake takes them since version 9.19."""
    rules = (
        'rule all:\n    input: "out.txt"\nrule one:\n    output: "out.txt"\n'
        '    params: top=config.get("top", 3)\n    shell: "echo {params.top} > {output}"\n'
    )
    files = {
        "Snakefile": rules,
        "profiles/ci.yaml": "cores: 2\nconfig:\n  top: 5\n",
        "profiles/local.yaml": "cores: 2\n",
    }
    result, report = confirm(make_repository(files=files), "--engine", "sandbox")
    assert (result.code, report["baseline"]) == (1, "local"), result.out
    assert [c["name"] for c in report["causes"]] == ["config"]
    assert {run["label"] for run in report["runs"]} == {"local", "ci", "local (control)"}


def test_evidence_says_nothing_of_the_machine(
    make_repository: Make, confirm: Confirm, tmp_path: Path
) -> None:
    """Neither of a run that ended well nor of one that the host could not serve."""
    files = {"Snakefile": snakefile("echo 1 > {output}"), "profiles/a/config.yaml": "cores: 1\n"}
    own = tmp_path / "own"
    repo = make_repository(files=files)
    confirm(repo, "--engine", "sandbox", cache=own)
    _, report = confirm(repo, "--engine", "sandbox", "--disk", "10", cache=own)
    assert "A clone of repo would take more than 10 bytes" in report["reasons"][0]
    documents = [path.read_text() for path in own.glob("store/evidence/*.json")]
    assert len(documents) > 2
    for text in documents:
        assert str(tmp_path) not in text
        assert f"Host: {platform.node()}" not in text
        assert json.loads(text)["source"]["url"] == "repo"


def test_the_demo(tmp_path: Path) -> None:
    """The script behind `make demo`."""
    for path in ("fixtures", "tests/setup"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).symlink_to(ROOT / path)
    venv = Path(sys.executable).parent.parent
    env = {
        **os.environ,
        "CLEANROOM_CACHE": str(tmp_path / "cache"),
        "PATH": f"{venv}/bin:{os.environ['PATH']}",
    }
    ended = subprocess.run(
        ["sh", "tests/setup/demo.sh", str(venv)],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert ended.returncode == 0, ended.stderr
    assert "HELD" in ended.stdout
    assert (tmp_path / ".demo" / "report" / "report.html").exists()


def test_confirmations_with_other_caches_leave_each_other_alone(
    make_repository: Make, tmp_path: Path
) -> None:
    """A sweep removes what is left of this cache's own past, and nothing else's present."""
    require_engine("docker")
    slow = make_repository(
        files={"Snakefile": snakefile("sleep 8; echo 1 > {output}"), **TWO_PROFILES}, name="slow"
    )
    quick = make_repository(
        files={"Snakefile": snakefile("echo 1 > {output}"), **TWO_PROFILES}, name="quick"
    )
    command = [
        sys.executable,
        "-m",
        "cleanroom.cli",
        "confirm",
        "-q",
        "--engine",
        "docker",
        "--out",
    ]
    first = subprocess.Popen(
        [*command, str(tmp_path / "r1"), str(slow), "HEAD"],
        env={**os.environ, "CLEANROOM_CACHE": str(tmp_path / "c1")},
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 30
    while not list(tmp_path.glob("c1/rooms/*/*/out/profile")) and time.monotonic() < deadline:
        time.sleep(0.05)
    second = subprocess.run(
        [*command, str(tmp_path / "r2"), str(quick), "HEAD"],
        env={**os.environ, "CLEANROOM_CACHE": str(tmp_path / "c2")},
        capture_output=True,
    )
    assert (first.wait(timeout=120), second.returncode) == (0, 0)


def test_a_remote_repository(make_repository: Make, cli: Cli, tmp_path: Path) -> None:
    """Over https, on the network of this machine; once fetched, a full commit needs the remote no
    more.
    """
    repo = make_repository(files={"Snakefile": snakefile("echo 1 > {output}")})
    commit = git(repo, "rev-parse", "HEAD").strip()
    git(repo, "update-server-info")
    own = tmp_path / "own"
    with servers.https(repo, tmp_path) as (address, env):
        url = f"{address}/.git"
        assert cli("confirm", url, "main", "--engine", "sandbox", cache=own, env=env).code == 0
    assert cli("confirm", url, commit, "--engine", "sandbox", cache=own, env=env).code == 0
    gone = cli("confirm", url, "main", "--engine", "sandbox", cache=own, env=env)
    assert (gone.code, "Cannot fetch" in gone.err) == (4, True)


def test_the_folder_of_shadow_prefix_is_snakemakes_own(
    make_repository: Make, confirm: Confirm
) -> None:
    rule = 'rule all:\n    output: "a.txt"\n    shadow: "minimal"\n    shell: "echo a > {output}"\n'
    files = {
        "Snakefile": rule,
        "profiles/a/config.yaml": "cores: 1\n",
        "profiles/b/config.yaml": "cores: 1\nshadow-prefix: .shadow\n",
    }
    result, report = confirm(make_repository(files=files), "--engine", "sandbox")
    assert (result.code, report["verdict"]) == (0, "HELD"), result.out
    assert {run["decides"] for run in report["runs"]} == {1}


def test_with_a_folder_every_path_is_told_from_the_top(
    make_repository: Make, confirm: Confirm, tmp_path: Path
) -> None:
    files = {
        "wf/Snakefile": snakefile("echo {threads} > {output}", threads=2),
        "wf/profiles/a/config.yaml": "cores: 1\n",
        "wf/profiles/b/config.yaml": "cores: 2\n",
        "wf/profiles/b/config.yml": "",
    }
    repo = make_repository(files=files)
    result, report = confirm(repo, "--engine", "sandbox", "--folder", "wf")
    assert (result.code, report["verdict"]) == (1, "DRIFTED")
    told = {layer["file"] for run in report["runs"] for layer in run["stack"]}
    told |= {cell["file"] for row in report["settings"] for cell in row["cells"]}
    told |= {finding["file"] for finding in report["findings"]} - {""}
    assert {"wf/profiles/a/config.yaml", "wf/profiles/b/config.yaml"} <= told
    assert [path for path in told if not (repo / path).exists()] == []
    assert [d["path"] for d in report["differences"]] == ["wf/out.txt"]
    assert "--profile profiles/a" in report["reproduce"]
    assert "--folder wf" in report["reproduce"]
    assert "CR-011" not in {finding["code"] for finding in report["findings"]}
