"""What the tests share: repositories made from fixtures, the command line as a person calls it, and
engines that answer.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from cleanroom.commands.arguments import build_parser
from cleanroom.errors import CleanroomError
from cleanroom.report.schema import schema
from cleanroom.room.engines.docker import DockerEngine
from cleanroom.room.engines.registry import open_engine
from tests import calls

ROOT = Path(__file__).resolve().parents[1]
IN_CI = bool(os.environ.get("CI"))
_SECONDS = 280.0
_OF_INTERPRETER = ("PYTHON", "LC_", "LANG")


def git(folder: Path, *arguments: str) -> str:
    """Real git, with a fixed identity and none of the user's configuration."""
    env = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
    }
    for who in ("AUTHOR", "COMMITTER"):
        env |= {
            f"GIT_{who}_NAME": "test",
            f"GIT_{who}_EMAIL": "test@example.org",
            f"GIT_{who}_DATE": "2026-01-01T00:00:00Z",
        }
    command = ["git", "-c", "protocol.file.allow=always", *arguments]
    return subprocess.run(
        command,
        cwd=folder,
        env=env,
        check=True,
        capture_output=True,
        text=True,
        errors="surrogateescape",
    ).stdout


def commit_all(folder: Path, message: str = "a commit") -> str:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(folder, "rev-parse", "HEAD").strip()


@dataclass(frozen=True)
class Result:
    """How a call of the command line ended."""

    code: int
    out: str
    err: str

    def json(self) -> dict[str, Any]:
        value = json.loads(self.out)
        assert isinstance(value, dict)
        return value


@pytest.fixture
def make_repository(tmp_path: Path) -> Callable[..., Path]:
    """A git repository from a fixture's name, or from {path: content}; later keys replace files of
    the fixture.
    """

    def make(
        fixture: str = "", files: dict[str, str | bytes] | None = None, *, name: str = "repo"
    ) -> Path:
        folder = tmp_path / name
        if fixture:
            shutil.copytree(ROOT / "fixtures" / fixture, folder)
        folder.mkdir(exist_ok=True)
        for path, content in (files or {}).items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.encode() if isinstance(content, str) else content)
        git(folder, "init", "--quiet", "--initial-branch", "main")
        commit_all(folder)
        return folder

    return make


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all workers of a session, as users have one for all their calls."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "cache"


@pytest.fixture
def cli(cache: Path, tmp_path: Path) -> Callable[..., Result]:
    """The installed command, in a process of its own: a fork of one that has imported all of it,
    unless its interpreter is to start under other variables.
    """

    def call(
        *arguments: str | Path,
        cwd: Path | None = None,
        env: dict[str, str] | None = None,
        cache: Path = cache,
    ) -> Result:
        full = {**os.environ, "CLEANROOM_CACHE": str(cache), "COLUMNS": "100", **(env or {})}
        words = list(map(str, arguments))
        if not any(name.startswith(_OF_INTERPRETER) for name in env or {}):
            said = Path(tempfile.mkdtemp(dir=tmp_path))
            result = Result(*calls.call(words, cwd or tmp_path, full, said, _SECONDS))
            assert "Traceback" not in result.err, result.err
            shutil.rmtree(said)
            return result
        command = [sys.executable, "-m", "cleanroom.cli", *words]
        ended = subprocess.run(
            command,
            cwd=cwd or tmp_path,
            env=full,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
        )
        assert "Traceback" not in ended.stderr, ended.stderr
        return Result(ended.returncode, ended.stdout, ended.stderr)

    return call


def callable_as_it_stands(command: str) -> None:
    """A call that a report names is one that the command line takes."""
    program, *arguments = shlex.split(command)
    assert program == "cleanroom", command
    build_parser().parse_args(arguments)


Make = Callable[..., Path]
Cli = Callable[..., Result]
Confirm = Callable[..., tuple[Result, dict[str, Any]]]


def snakefile(shell: str, *, more: str = "", threads: int = 1) -> str:
    return (
        'rule all:\n    input: "out.txt"\n\nrule one:\n    output: "out.txt"\n'
        f"    threads: {threads}\n{more}    shell: {shell!r}\n"
    )


@pytest.fixture
def confirm(cli: Cli, tmp_path: Path) -> Callable[..., tuple[Result, dict[str, Any]]]:
    """Confirm, and read report.json, which must fit its schema."""

    def call(
        repo: Path, *arguments: str, ref: str = "HEAD", out: str = "report", **how: Any
    ) -> tuple[Result, dict[str, Any]]:
        result = cli("confirm", repo, ref, "--out", tmp_path / out, *arguments, **how)
        path = tmp_path / out / "report.json"
        report = json.loads(path.read_text()) if path.exists() else {}
        if report:
            jsonschema.validate(report, schema())
            callable_as_it_stands(report["next"]["command"])
            assert report["exit_code"] == result.code
        return result, report

    return call


def require(condition: bool, reason: str) -> None:
    """Skip with a reason that the summary prints; in CI nothing may be missing."""
    if condition:
        return
    if IN_CI:
        pytest.fail(f"{reason}; in CI no test may be skipped")
    pytest.skip(reason)


def require_engine(name: str, image: str = "") -> None:
    try:
        engine = open_engine(name)
        try:
            engine.resolve(image)
        finally:
            engine.close()
    except CleanroomError as error:
        require(False, str(error))


@pytest.fixture(params=["docker", "sandbox"])
def engine(request: pytest.FixtureRequest) -> str:
    """The name of an engine that answers, each in turn."""
    name = str(request.param)
    require_engine(name)
    return name


@pytest.fixture
def docker_engine() -> Any:
    require_engine("docker")
    engine = DockerEngine()
    yield engine
    engine.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Only unit tests are traced: the others work in processes of their own, or are about time."""
    for item in items:
        if (ROOT / "tests/unit") not in item.path.parents:
            item.add_marker(pytest.mark.no_cover)
