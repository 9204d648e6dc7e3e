"""`cleanroom plan` says what a confirmation would be, makes nothing, runs nothing."""

import json
from pathlib import Path

from tests.conftest import Cli, Make, require_engine, snakefile

FILES: dict[str, str | bytes] = {
    "profiles/local/config.yaml": "cores: 1\n",
    "profiles/ci/config.yaml": "cores: 2\n",
}


def test_all_of_it_before_anything_is_made(make_repository: Make, cli: Cli, tmp_path: Path) -> None:
    require_engine("sandbox")
    files = FILES | {
        "wf/Snakefile": snakefile("touch planted; echo 1 > {output}", more='    conda: "e.yaml"\n'),
        "wf/profiles/local/config.yaml": "cores: 1\n",
        "wf/profiles/ci/config.yaml": "cores: 2\n",
        "wf/requirements.txt": "cowsay==6.1\nnumpy\n",
        "wf/Dockerfile": "FROM debian\n",
        "wf/apt.txt": "samtools\n",
        ".github/workflows/test.yml": "jobs:\n  t:\n    steps:\n    - run: cd wf && snakemake -c1\n",
    }
    repo = make_repository(files=files)
    own = tmp_path / "own"
    asked = ("plan", repo, "--engine", "sandbox", "--folder", "wf", "--format", "json")
    result = cli(*asked, cache=own)
    assert result.code == 0, result.err
    said = json.loads(result.out)
    assert [p["path"] for p in said["profiles"]] == ["profiles/local", "profiles/ci"]
    assert said["software"]["taken"] == ["wf/requirements.txt"]
    assert said["software"]["to_make"] and not said["software"]["there"]
    assert said["software"]["unpinned"] == ["numpy"]
    assert [p["file"] for p in said["software"]["passed_over"]] == ["wf/Dockerfile"]
    assert said["reaches"] and len(said["rooms"]) == 4
    assert said["deployment"] == "declared"
    assert not list(own.rglob("environment.json")) and not list(own.rglob("evidence/*"))
    text = cli("plan", repo, "--engine", "sandbox", "--folder", "wf", cache=own).out
    for part in ("--folder wf", "profiles/local and profiles/ci", "to be made from", "sandbox"):
        assert part in text
    prefix = own / "prefixes" / said["software"]["prefix"]
    (prefix / "tree").mkdir(parents=True)
    (prefix / "tree" / "data").write_bytes(b"x" * 3_000_000)
    (prefix / "environment.json").write_text('{"packages": [{"name": "a", "version": "1"}]}')
    there = json.loads(cli(*asked, cache=own).out)["software"]
    assert there["there"] and not there["to_make"] and there["packages"] == 1
    assert there["size"] >= 3_000_000


def test_one_profile_runs_twice_and_no_engine_is_said(make_repository: Make, cli: Cli) -> None:
    require_engine("sandbox")
    repo = make_repository(files={"Snakefile": snakefile("echo 1 > {output}")})
    said = json.loads(cli("plan", repo, "--engine", "sandbox", "--format", "json").out)
    assert len(said["rooms"]) == 2 and not said["reaches"]
    assert not said["software"]["prefix"] and not said["software"]["to_make"]
    without = cli("plan", repo, "--engine", "docker", env={"DOCKER_HOST": "unix:///nowhere"})
    assert without.code == 4 and "lacking" in without.out
    assert cli("plan", repo, "no-such-ref").code == 2
