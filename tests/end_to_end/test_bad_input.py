"""Bad input: one clear sentence, the right exit code, no traceback, nothing left behind."""

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cleanroom.room.engines.docker import DockerEngine
from tests.conftest import Result, git, require_engine

Make = Callable[..., Path]
Cli = Callable[..., Result]

GOOD = {
    "Snakefile": 'rule all:\n    output: "out.txt"\n    shell: "echo 1 > {output}"\n',
    "profiles/ci/config.yaml": "cores: 1\n",
}


def sentence(result: Result) -> str:
    """The one sentence for the person, which must be all that is said."""
    lines = [line for line in result.err.splitlines() if line.startswith("cleanroom: ")]
    assert len(lines) == 1, result.err
    assert result.out == ""
    return lines[0]


@pytest.mark.parametrize(
    ("repo", "code", "said"),
    [
        ("/nonexistent/repo", 2, "There is no folder"),
        ("not-a-thing", 2, "neither a folder nor a URL"),
        ("{empty}", 2, "is not a git repository"),
        ("https://127.0.0.1:9/nothing.git", 4, "Cannot fetch"),
        ("ssh://nobody@127.0.0.1:9/x", 4, "Cannot fetch"),
        ("ext::sh -c true", 2, "is not spoken"),
    ],
)
def test_no_repository(cli: Cli, tmp_path: Path, repo: str, code: int, said: str) -> None:
    (tmp_path / "empty").mkdir()
    result = cli("confirm", repo.format(empty=tmp_path / "empty"), "main")
    assert result.code == code
    assert said in sentence(result)


@pytest.mark.parametrize(
    ("files", "arguments", "code", "said"),
    [
        ({}, ["mian"], 2, "Did you mean main?"),
        ({}, ["zzzzzz"], 2, "It has: main."),
        ({}, ["--", "-x"], 2, "not a commit, tag or branch"),
        (
            {"Snakefile": None, "sub/Snakefile": "rule all:\n    input: []\n"},
            ["main"],
            2,
            "--folder sub",
        ),
        ({"Snakefile": None}, ["main"], 2, "There is no Snakefile"),
        ({}, ["main", "--profile", "cii"], 2, "Did you mean ci?"),
        ({}, ["main", "--baseline-profile", "x"], 2, "not among those confirmed"),
        ({"cleanroom.yaml": "workflow:\n  folder: [1]\n"}, ["main"], 2, "workflow.folder"),
        ({"cleanroom.yaml": "workflow: [\n"}, ["main"], 2, "cleanroom.yaml, line"),
        ({}, ["main", "--config", "/nonexistent.yaml"], 2, "There is no file"),
        ({}, ["main", "--engine", "sandbox", "--image", "x"], 4, "The sandbox has no images"),
        ({}, ["main", "--target", "-x"], 2, "expected one argument"),
        ({}, ["main", "--directory", "../.."], 2, "leads out of the repository"),
        ({}, ["main", "--engine", "sandbox", "--out", "/proc/nothing"], 4, "cannot be written"),
    ],
)
def test_a_wrong_call(
    cli: Cli,
    make_repository: Make,
    files: dict[str, str | None],
    arguments: list[str],
    code: int,
    said: str,
) -> None:
    wanted: dict[str, Any] = {**GOOD, **files}
    repo = make_repository(
        files={path: content for path, content in wanted.items() if content is not None}
    )
    result = cli("confirm", repo, *arguments)
    assert result.code == code, result.err
    assert said in (result.err if "usage:" in result.err else sentence(result))


def test_an_empty_repository(cli: Cli, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    result = cli("confirm", tmp_path, "main")
    assert result.code == 2
    assert "no branches or tags yet" in sentence(result)


def test_no_git(cli: Cli, make_repository: Make) -> None:
    result = cli("confirm", make_repository(files=GOOD), "main", env={"PATH": "/nonexistent"})
    assert result.code == 4
    assert "git is not installed" in sentence(result)


def test_no_engine(cli: Cli, make_repository: Make) -> None:
    repo = make_repository(files=GOOD)
    result = cli(
        "confirm",
        repo,
        "main",
        "--engine",
        "docker",
        env={"DOCKER_HOST": "unix:///nonexistent.sock"},
    )
    assert result.code == 4
    assert "No container engine answers" in sentence(result)
    assert "--engine sandbox" in sentence(result)


def test_no_image(cli: Cli, make_repository: Make) -> None:
    require_engine("docker")
    result = cli(
        "confirm", make_repository(files=GOOD), "main", "--image", "no-such-image-anywhere:1"
    )
    assert result.code == 4
    assert "There is no image 'no-such-image-anywhere:1' here" in sentence(result)


def test_an_image_without_snakemake(
    cli: Cli, make_repository: Make, tmp_path: Path, docker_engine: DockerEngine
) -> None:
    if not docker_engine.has("cleanroom-base:bookworm"):
        pytest.skip("the room image was built on a pulled base, which has no name here")
    result = cli(
        "confirm",
        make_repository(files=GOOD),
        "main",
        "--image",
        "cleanroom-base:bookworm",
        "--format",
        "json",
    )
    assert result.code == 4
    assert "no Snakemake in this room" in result.json()["reasons"][0]


def _foreign_image(name: str) -> bytes:
    """An image for a machine that this one is not, as `docker save` would write it."""
    layer = io.BytesIO()
    tarfile.open(fileobj=layer, mode="w").close()
    diff = hashlib.sha256(layer.getvalue()).hexdigest()
    config = json.dumps(
        {
            "architecture": "s390x",
            "os": "linux",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{diff}"]},
        }
    )
    manifest = json.dumps([{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}])
    saved = io.BytesIO()
    with tarfile.open(fileobj=saved, mode="w") as archive:
        for path, content in (
            ("config.json", config.encode()),
            ("manifest.json", manifest.encode()),
            ("layer.tar", layer.getvalue()),
        ):
            member = tarfile.TarInfo(path)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return saved.getvalue()


def test_an_image_for_another_platform(
    cli: Cli, make_repository: Make, docker_engine: DockerEngine
) -> None:
    name = "cleanroom-test-foreign:1"
    list(docker_engine._client.images.load(_foreign_image(name)))
    result = cli("confirm", make_repository(files=GOOD), "main", "--image", name)
    assert result.code == 4
    assert "is for linux/s390x" in sentence(result)


def _started(cache: Path, process: "subprocess.Popen[str]") -> None:
    """Wait until the job of the workflow itself runs."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if any(cache.glob("rooms/*/*/work/started")):
            return
        time.sleep(0.05)
    pytest.fail("the workflow never started")


def _containers() -> list[str]:
    engine = DockerEngine()
    try:
        return [
            str(c.name)
            for c in engine._client.containers.list(
                all=True, filters={"label": "cleanroom.owner"}, ignore_removed=True
            )
        ]
    finally:
        engine.close()


@pytest.mark.xdist_group("kill")
@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda n: n.name
)
def test_killed_at_any_moment(
    make_repository: Make, tmp_path: Path, engine: str, number: signal.Signals
) -> None:
    repo = make_repository(
        files={
            "Snakefile": 'rule all:\n    output: "out.txt"\n'
            '    shell: "touch started; sleep 300; echo 1 > {output}"\n',
            "profiles/a/config.yaml": "cores: 1\n",
        }
    )
    cache = tmp_path / "own-cache"
    command = [
        sys.executable,
        "-m",
        "cleanroom.cli",
        "confirm",
        str(repo),
        "main",
        "--engine",
        engine,
        "--out",
        str(tmp_path / "report"),
    ]
    env = {**os.environ, "CLEANROOM_CACHE": str(cache)}
    process = subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    _started(cache, process)
    mine = {path.name for path in cache.glob("rooms/*/*") if path.is_dir()}
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    assert out == ""
    assert not (tmp_path / "report").exists(), "a verdict of a confirmation that was stopped"
    assert not list(cache.glob("store/evidence/*.json"))
    if number is not signal.SIGKILL:
        assert process.returncode == 130
        assert not [path for path in cache.glob("rooms/*/*") if path.is_dir()]
    deadline = time.monotonic() + 30
    while engine == "docker" and time.monotonic() < deadline:
        if not {f"cleanroom-{name}" for name in mine} & set(_containers()):
            break
        time.sleep(0.2)
    else:
        assert engine == "sandbox", "a container outlived its host"
    assert not _alive("sleep 300", mine)
    if number is signal.SIGKILL:  # the next confirmation sweeps what was left
        good = make_repository(files=GOOD, name="good")
        again = [
            *command[:4],
            str(good),
            "main",
            "--engine",
            engine,
            "--out",
            str(tmp_path / "report"),
            "-q",
        ]
        assert subprocess.run(again, env=env, capture_output=True, timeout=120).returncode == 0
        assert not [path for path in cache.glob("rooms/*") if path.is_dir()]


def _alive(text: str, rooms: set[str]) -> list[int]:
    """Processes whose working folder is one of the rooms."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (
                (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            )
            here = os.readlink(folder / "cwd")
        except OSError:
            continue
        if text in command and any(room in here for room in rooms):
            found.append(int(folder.name))
    return found


def test_two_confirmations_share_a_cache(
    make_repository: Make, tmp_path: Path, cache: Path
) -> None:
    repo = make_repository(files=GOOD)
    own = tmp_path / "shared"
    env = {**os.environ, "CLEANROOM_CACHE": str(own)}
    command = [
        sys.executable,
        "-m",
        "cleanroom.cli",
        "confirm",
        str(repo),
        "main",
        "--engine",
        "sandbox",
        "-q",
        "--out",
    ]
    both = [
        subprocess.Popen([*command, str(tmp_path / f"r{i}")], env=env, stdout=subprocess.DEVNULL)
        for i in range(2)
    ]
    assert [process.wait(timeout=120) for process in both] == [0, 0]


def test_a_fetch_that_was_killed_leaves_a_usable_mirror(
    cli: Cli, make_repository: Make, tmp_path: Path
) -> None:
    repo = make_repository(files=GOOD)
    own = tmp_path / "own"
    assert cli("confirm", repo, "main", "--engine", "sandbox", cache=own).code == 0
    (mirror,) = (own / "mirrors").glob("*.git")
    for stale in (
        "packed-refs.lock",
        "HEAD.lock",
        "refs/heads/main.lock",
        "objects/pack/tmp_pack_x",
    ):
        (mirror / stale).parent.mkdir(parents=True, exist_ok=True)
        (mirror / stale).write_text("")
    (repo / "new.txt").write_text("x")
    git(repo, "add", ".")
    git(repo, "commit", "--quiet", "--message", "more")
    assert cli("confirm", repo, "main", "--engine", "sandbox", cache=own).code == 0


def test_hooks_filters_and_the_users_configuration_never_run(
    cli: Cli, make_repository: Make, tmp_path: Path
) -> None:
    proof = tmp_path / "proof"
    repo = make_repository(files={**GOOD, ".gitattributes": "* filter=evil\n"})
    for hook in ("post-checkout", "reference-transaction", "post-index-change", "pre-auto-gc"):
        file = repo / ".git" / "hooks" / hook
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/bin/sh\necho {hook} >> {proof}\n")
        file.chmod(0o755)
    program = tmp_path / "evil.sh"
    program.write_text(f"#!/bin/sh\necho filter >> {proof}\ncat\n")
    program.chmod(0o755)
    for key in (
        "filter.evil.smudge",
        "filter.evil.clean",
        "core.fsmonitor",
        "uploadpack.packObjectsHook",
        "core.sshCommand",
    ):
        git(repo, "config", key, str(program))
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        f'[filter "evil"]\n\tsmudge = {program}\n\tclean = {program}\n[core]\n'
        f"\thooksPath = {repo}/.git/hooks\n\tfsmonitor = {program}\n"
    )
    (repo / "Snakefile").write_text(GOOD["Snakefile"] + "\n")
    result = cli("confirm", repo, "main", "--engine", "sandbox", env={"HOME": str(home)})
    assert result.code == 0, result.err
    assert not proof.exists(), proof.read_text()
