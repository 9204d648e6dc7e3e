"""Repositories that declare packages run with them, in both engines; what cannot be made says why."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.conda_channel import served
from tests.conftest import Cli, Confirm, Make, commit_all, require, require_engine

PROFILES: dict[str, str | bytes] = {
    "profiles/a/config.yaml": "cores: 1\n",
    "profiles/b/config.yaml": "cores: 2\n",
}
PINNED = "cowsay==6.1\n"


def workflow(shell: str) -> str:
    return (
        'import cowsay\nrule all:\n    input: "out.txt"\n'
        f'rule one:\n    output: "out.txt"\n    shell: {shell!r}\n'
    )


@pytest.fixture(scope="module", autouse=True)
def index() -> None:
    uv = Path(sys.executable).with_name("uv")
    command = [str(uv), "pip", "compile", "--quiet", "--no-config", "--no-deps", "-"]
    ended = subprocess.run(command, input="cowsay", capture_output=True, text=True)
    require(not ended.returncode, f"the index of packages does not answer ({ended.stderr})")


def version_of(report: dict[str, Any], name: str) -> str:
    found = [p["version"] for p in report["software"]["packages"] if p["name"] == name]
    return "".join(found)


def test_declared_packages_are_there_and_cannot_be_changed(
    make_repository: Make, confirm: Confirm, engine: str, cache: Path
) -> None:
    shell = (
        "python3 -c 'import cowsay; print(cowsay.__file__)' > {output}; "
        "(touch $(dirname $(command -v python3))/planted && echo planted || echo kept) >> {output}"
    )
    files = {"Snakefile": workflow(shell), "requirements.txt": PINNED, "environment.yml": "a"}
    repo = make_repository(files=PROFILES | files)
    result, report = confirm(repo, "--engine", engine)
    assert (result.code, report["verdict"]) == (0, "HELD"), result.out + result.err
    assert version_of(report, "cowsay") == "6.1"
    assert version_of(report, "snakemake") and version_of(report, "pandas")
    software = report["software"]
    assert "made from requirements.txt; passed over: environment.yml" in software["sentence"]
    assert f"software: {software['sentence'][:40]}" in result.out
    assert "CR-053" in {f["code"] for f in report["findings"]}
    assert "CR-054" not in {f["code"] for f in report["findings"]}
    prefix = cache / "prefixes" / software["prefix"]
    assert not list(prefix.rglob("planted"))
    assert "cowsay==6.1" in (prefix / "lock.txt").read_text()
    made = (prefix / "environment.json").stat().st_ino
    result, again = confirm(repo, "--engine", engine, out="again")
    assert (result.code, again["software"]) == (0, software)
    assert (prefix / "environment.json").stat().st_ino == made, "it was made twice"


def test_another_snakemake_and_a_lock_of_uv(
    make_repository: Make, confirm: Confirm, tmp_path: Path, cli: Cli
) -> None:
    require_engine("sandbox")
    project = '[project]\nname = "w"\nversion = "1"\nrequires-python = ">=3.11"\n'
    project += 'dependencies = ["cowsay>=6"]\n'
    (tmp_path / "lock").mkdir()
    (tmp_path / "lock" / "pyproject.toml").write_text(project)
    command = [str(Path(sys.executable).with_name("uv")), "lock", "--quiet", "--no-config"]
    subprocess.run(command, cwd=tmp_path / "lock", check=True)
    files = {
        "Snakefile": workflow("echo 1 > {output}"),
        "pyproject.toml": project,
        "uv.lock": (tmp_path / "lock" / "uv.lock").read_text(),
    }
    repo = make_repository(files=PROFILES | files)
    result, report = confirm(repo, "--engine", "sandbox", out="newest")
    assert (result.code, report["software"]["taken"]) == (0, ["uv.lock"]), result.err
    assert {run["versions"]["snakemake"] for run in report["runs"]} == {"9.27.1"}
    assert "CR-054" not in {f["code"] for f in report["findings"]}
    config = "environment: {packages: [cowsay], snakemake: 8.30.0}\n"
    (repo / "cleanroom.yaml").write_text(config)
    commit_all(repo)
    result, report = confirm(repo, "--engine", "sandbox", "--against", "HEAD~1")
    assert result.code == 0, result.out + result.err
    assert {run["versions"]["snakemake"] for run in report["runs"] if not run["earlier"]} == {
        "8.30.0"
    }
    codes = {f["code"]: f["text"] for f in report["findings"]}
    assert codes["CR-054"].endswith(": cowsay")
    assert "snakemake 9.27.1 → 8.30.0" in codes["CR-055"] or "more" in codes["CR-055"]


@pytest.mark.parametrize(
    ("requirements", "said"),
    [
        ("cowsay==6.1\nno-such-package-of-anybody==1\n", "no-such-package-of-anybody"),
        ("cowsay==6.1\ncowsay==6.0\n", "cowsay==6"),
        ("cowsay==99\n", "cowsay==99"),
        ("git+file:///etc@main\n", "cannot be made"),
    ],
)
def test_what_cannot_be_made_ends_in_a_sentence(
    make_repository: Make, cli: Cli, cache: Path, requirements: str, said: str, tmp_path: Path
) -> None:
    require_engine("sandbox")
    files = {"Snakefile": workflow("echo 1 > {output}"), "requirements.txt": requirements}
    repo = make_repository(files=PROFILES | files)
    before = set((cache / "prefixes").glob("*/")) if (cache / "prefixes").exists() else set()
    result = cli("confirm", repo, "HEAD", "--engine", "sandbox", "-q", "--out", tmp_path / "out")
    assert result.code == 4, result.out + result.err
    assert said in result.err
    assert "--environment default" in result.err
    after = {p for p in (cache / "prefixes").glob("*/") if not p.name.startswith(".part")}
    assert not {p for p in after - before if not (p / "environment.json").exists()}


def test_an_index_that_is_down_and_a_broken_wheel_end_in_a_sentence(
    make_repository: Make, cli: Cli, tmp_path: Path
) -> None:
    require_engine("sandbox")
    files = {"Snakefile": workflow("echo 1 > {output}"), "requirements.txt": "cowsay==6.1\n"}
    repo = make_repository(files=PROFILES | files)
    words = ("confirm", repo, "HEAD", "--engine", "sandbox", "-q", "--out", tmp_path / "out")
    own = tmp_path / "own"
    nobody = {"UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple", "UV_INDEX": ""}
    result = cli(*words, env=nobody, cache=own)
    assert result.code == 4, result.out + result.err
    assert "cannot be made" in result.err and "127.0.0.1:9" in result.err
    wheel = tmp_path / "served" / "simple" / "broken-of-nobody"
    wheel.mkdir(parents=True)
    name = "broken_of_nobody-1.0-py3-none-any.whl"
    (wheel / name).write_bytes(b"PK no wheel")
    (wheel / "index.html").write_text(f'<a href="{name}">{name}</a>')
    (repo / "requirements.txt").write_text("broken-of-nobody==1.0\n")
    commit_all(repo)
    with served(tmp_path / "served") as address:
        result = cli(*words, env={"UV_INDEX": f"{address}/simple"}, cache=own)
    assert result.code == 4, result.out + result.err
    assert "cannot be made" in result.err and "broken-of-nobody" in result.err
    assert not list(own.glob("prefixes/*/environment.json"))


def test_the_rooms_own_software_can_be_asked_for(make_repository: Make, confirm: Confirm) -> None:
    require_engine("sandbox")
    files = {
        "Snakefile": workflow("echo 1 > {output}"),
        "requirements.txt": PINNED,
        "cleanroom.yaml": "environment: {use: default}\n",
    }
    result, report = confirm(make_repository(files=PROFILES | files), "--engine", "sandbox")
    assert (result.code, report["verdict"]) == (4, "INCONCLUSIVE")
    assert "'cowsay'" in report["reasons"][0]
    assert report["software"]["prefix"] == ""
    (passed,) = report["software"]["passed_over"]
    assert passed["file"] == "requirements.txt"


def test_two_at_once_make_one_prefix_and_a_stop_leaves_none(
    make_repository: Make, tmp_path: Path
) -> None:
    require_engine("sandbox")
    files = {"Snakefile": workflow("echo 1 > {output}"), "requirements.txt": "cowsay==6.0\n"}
    repo = make_repository(files=PROFILES | files)
    own = tmp_path / "own"
    env = {**os.environ, "CLEANROOM_CACHE": str(own)}

    def start(out: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "cleanroom.cli", "confirm", str(repo), "main"]
        command += ["--engine", "sandbox", "--out", str(tmp_path / out)]
        return subprocess.Popen(
            command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    stopped = start("stopped")
    deadline = time.monotonic() + 60
    while not list(own.glob("rooms/*/*/tmp/uv")) and time.monotonic() < deadline:
        time.sleep(0.1)
    stopped.send_signal(signal.SIGINT)
    _, err = stopped.communicate(timeout=60)
    assert (stopped.returncode, "Traceback" in err) == (130, False)
    assert not [p for p in own.glob("rooms/*/*") if p.is_dir()]
    assert not [p for p in own.glob("prefixes/*") if p.is_dir()]
    with ThreadPoolExecutor(2) as pool:
        both = [start("one"), start("two")]
        said = list(pool.map(lambda p: p.communicate(timeout=250), both))
    assert [p.returncode for p in both] == [0, 0], said
    assert len([p for p in own.glob("prefixes/*") if p.is_dir()]) == 1
    assert sum("making the environment" in err for _, err in said) == 1


def test_the_entry_is_the_one_of_the_repositorys_own_checks(
    make_repository: Make, confirm: Confirm
) -> None:
    require_engine("sandbox")
    action = (
        "jobs:\n  test:\n    steps:\n"
        "      - uses: snakemake/snakemake-github-action@v2\n"
        "        with: {directory: .test, snakefile: workflow/Snakefile, args: '--cores 1'}\n"
    )
    files = {
        "workflow/Snakefile": 'configfile: "config.yaml"\nrule all:\n    output: "out.txt"\n'
        '    shell: "echo {config[word]} > {output}"\n',
        ".test/config.yaml": "word: found\n",
        ".github/workflows/main.yml": action,
    }
    repo = make_repository(files=PROFILES | files)
    result, report = confirm(repo, "--engine", "sandbox")
    assert (result.code, report["verdict"]) == (0, "HELD"), result.out + result.err
    assert report["entry"] == {"snakefile": "workflow/Snakefile", "directory": ".test"}
    (finding,) = [f for f in report["findings"] if f["code"] == "CR-056"]
    assert (finding["file"], finding["line"]) == (".github/workflows/main.yml", 4)
    assert "--snakefile workflow/Snakefile --directory .test" in report["reproduce"]
    result, report = confirm(repo, "--engine", "sandbox", "--folder", ".", out="top")
    assert (result.code, report["verdict"]) == (4, "INCONCLUSIVE")
    assert "config.yaml" in report["reasons"][0]
