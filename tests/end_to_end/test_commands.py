"""The smaller commands, and the command line itself."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cleanroom.report.schema import NAMES, place, schema
from tests.conftest import ROOT, Result

Cli = Callable[..., Result]


def test_help_answers_at_once() -> None:
    """Within 150 ms of processor time, which is all that it waits for: how busy the machine is says
    nothing about us.
    """
    times = []
    for _ in range(5):
        before = os.times()
        subprocess.run(
            [sys.executable, "-m", "cleanroom.cli", "--help"], check=True, capture_output=True
        )
        after = os.times()
        spent = (after.children_user - before.children_user, after.children_system)
        times.append(spent[0] + spent[1] - before.children_system)
    assert 0 < min(times) < 0.15


def test_every_verb_has_the_common_options(cli: Cli) -> None:
    for verb in (
        "confirm",
        "audit",
        "review",
        "explain",
        "init",
        "compare",
        "doctor",
        "image",
        "completion",
    ):
        said = cli(verb, "--help").out
        assert all(option in said for option in ("--format", "--quiet", "--verbose", "--cache")), (
            verb
        )


def test_completion_completes(cli: Cli, tmp_path: Path) -> None:
    script = tmp_path / "completion.bash"
    script.write_text(cli("completion", "bash").out)
    typed = 'COMP_WORDS=(cleanroom con); COMP_CWORD=1; _shtab_cleanroom; echo "${COMPREPLY[@]}"'
    ended = subprocess.run(
        ["bash", "-c", f"source {script}; {typed}"], capture_output=True, text=True, check=True
    )
    assert ended.stdout.split() == ["confirm"]


def test_doctor(cli: Cli) -> None:
    result = cli("doctor", "--format", "json")
    checks = {check["name"]: check for check in json.loads(result.out)["checks"]}
    assert checks["git"]["ok"]
    assert set(checks) >= {"python", "git", "git-lfs", "engine", "sandbox", "rooms", "disk"}
    assert (result.code == 0) is all(check["ok"] for check in checks.values() if check["needed"])


def test_doctor_names_what_fixes_it(cli: Cli) -> None:
    result = cli(
        "doctor",
        "--format",
        "json",
        env={"DOCKER_HOST": "unix:///nonexistent.sock", "PATH": str(Path(sys.executable).parent)},
    )
    checks = {check["name"]: check for check in json.loads(result.out)["checks"]}
    assert result.code == 4
    assert checks["git"]["fix"] == "apt-get install git"
    assert "bubblewrap" in checks["sandbox"]["fix"]
    assert "Docker" in checks["engine"]["fix"]


@pytest.mark.parametrize(
    "option",
    [
        ["--time-limit", "soon"],
        ["--memory", "lots"],
        ["--cores", "0"],
        ["--engine", "lxc"],
        ["--nonsense"],
    ],
)
def test_a_wrong_option_is_a_usage_error(cli: Cli, option: list[str]) -> None:
    result = cli("confirm", "x", "y", *option)
    assert result.code == 2
    assert "usage:" in result.err


def test_two_folders(cli: Cli, tmp_path: Path) -> None:
    for name, text in (("a", "1"), ("b", "1"), ("c", "2")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "result").write_text(text)
    for name in ("empty", "void"):
        (tmp_path / name).mkdir()
    same = cli("compare", tmp_path / "a", tmp_path / "b", "--format", "json")
    assert (same.code, same.json()["verdict"]) == (0, "HELD")
    assert cli("compare", tmp_path / "a", tmp_path / "c").code == 1
    itself = cli("compare", tmp_path / "a", tmp_path / "b" / ".." / "a", "--format", "json")
    assert (itself.code, "proves nothing" in itself.err) == (2, True), "a folder against itself"
    assert cli("compare", tmp_path / "empty", tmp_path / "void").code == 4
    mixed = cli("compare", tmp_path / "a", "0" * 64)
    assert mixed.code == 2
    assert "cannot be compared" in mixed.err
    assert cli("compare", "0" * 64, "1" * 64).code == 2


def test_the_wheel_holds_the_templates_the_dockerfile_and_the_schema(tmp_path: Path) -> None:
    import zipfile

    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "--wheel-dir",
            str(tmp_path),
            str(ROOT),
        ],
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "cleanroom/templates/report.html.j2",
        "cleanroom/templates/init/cleanroom.yaml.j2",
        "cleanroom/profiles/settings.toml",
        "cleanroom/findings/codes.toml",
        "cleanroom/room/inside/driver.py",
        "cleanroom/room/start.py",
        "cleanroom/room/Dockerfile",
        "cleanroom/report/report.schema.json",
    } <= names


@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_schema_is_that_of_the_view_model(name: str) -> None:
    shipped = json.loads(place(name).read_text())
    assert shipped == json.loads(json.dumps(schema(name))), "type: make schema"


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("set-threads", "conditional"),
        ("restart-times", "attempt"),
        ("CR-016", "repair"),
        ("cr-016", "repair"),
        ("slurm-qos", "policy"),
    ],
)
def test_explain(cli: Cli, key: str, said: str) -> None:
    result = cli("explain", key)
    assert (result.code, said in result.out) == (0, True), result.out


def test_explain_all_and_none(cli: Cli) -> None:
    everything = json.loads(cli("explain", "--format", "json").out)
    assert {"key", "setting_class", "does", "why", "safe", "drift"} <= set(everything[0])
    unknown = cli("explain", "set-thread")
    assert (unknown.code, "Did you mean set-threads" in unknown.err) == (2, True)
