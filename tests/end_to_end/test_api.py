"""What Python code may call: the functions of `cleanroom.api`, and the example of docs/api.md."""

import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cleanroom import api
from cleanroom.errors import UsageError
from tests.conftest import ROOT, Make, commit_all, snakefile

PROFILES = {"profiles/a/config.yaml": "cores: 1\n", "profiles/b/config.yaml": "cores: 2\n"}


def test_the_example_of_the_documentation_runs(make_repository: Make, tmp_path: Path) -> None:
    make_repository(files={"Snakefile": snakefile("echo 1 > {output}")}, name="workflow")
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/api.md").read_text(), re.S)
    command = [sys.executable, "-W", "error", "-c", example]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("HELD 0\n")
    assert ended.stderr == ""
    assert (tmp_path / "cleanroom-report/report.html").is_file()


def test_every_verb_says_what_the_command_line_says(
    make_repository: Make, cache: Path, tmp_path: Path
) -> None:
    files = {"Snakefile": snakefile("echo {threads} > {output}", threads=2), **PROFILES}
    repo = make_repository(files=files)
    how: dict[str, Any] = {"engine": "sandbox", "cache": cache}
    found = api.confirm(repo, "HEAD", **how)
    assert (found.verdict, found.exit_code) == ("DRIFTED", 1)
    assert [d.path for d in found.differences if d.decides] == ["out.txt"]
    again = api.compare(*(run.evidence for run in found.runs if not run.control), cache=cache)
    assert again.verdict == "DRIFTED"
    assert api.audit(repo, **how).outcome == "CLEAN"
    (repo / "profiles/b/config.yaml").write_text("cores: 2\nconfig: [a=1]\n")
    commit_all(repo, "a change")
    reviewed = api.review(repo, "HEAD~1", "HEAD", **how)
    assert reviewed.exit_code == 1
    with pytest.raises(UsageError, match="no rung 'vari'"):
        api.confirm(repo, "HEAD", rungs=["vari"], **how)
    with pytest.raises(UsageError, match="no commit, tag or branch"):
        api.confirm(repo, "no-such", **how)


@pytest.mark.parametrize("name", ["audit", "compare", "confirm", "review"])
def test_signatures_are_explicit_and_described(name: str) -> None:
    function = getattr(api, name)
    parameters = inspect.signature(function).parameters.values()
    assert not [p for p in parameters if p.kind in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    assert "Raises:" in (function.__doc__ or "")


def test_the_package_tells_type_checkers_that_it_has_types() -> None:
    assert (Path(api.__file__).parent / "py.typed").is_file()
