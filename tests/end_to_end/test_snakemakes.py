"""`--snakemake A --snakemake B`, `--refresh`, and plug-ins that a profile names: software beside
what the commit declares.
"""

import json
from pathlib import Path

import pytest

from tests.conftest import Confirm, Make, require_engine, snakefile

pytestmark = pytest.mark.xdist_group("snakemakes")
NEW, OLD = "9.27.1", "8.30.0"
PROFILES: dict[str, str | bytes] = {
    "profiles/a/config.yaml": "cores: 1\n",
    "profiles/b/config.yaml": "cores: 2\n",
}
BOTH = ("--snakemake", NEW, "--snakemake", OLD)


def test_two_snakemakes_are_compared(make_repository: Make, confirm: Confirm) -> None:
    require_engine("docker")
    files = {"Snakefile": snakefile("echo 1 > {output}"), **PROFILES}
    result, report = confirm(make_repository(files=files), "--engine", "docker", *BOTH)
    assert (result.code, report["verdict"]) == (0, "HELD"), result.out
    assert {run["label"]: run["versions"]["snakemake"] for run in report["runs"]} == {
        "a": NEW,
        "b": NEW,
        f"a (Snakemake {OLD})": OLD,
    }
    rung = next(rung for rung in report["rungs"] if rung["name"] == "snakemake")
    assert rung["verdict"] == "HELD"
    assert rung["proves"] == f"Snakemake {NEW} and {OLD} leave the same results"
    assert report["reproduce"].endswith(" ".join(BOTH))
    told = [f["text"] for f in report["findings"] if f["code"] == "CR-055"]
    assert any(f"snakemake {NEW} → {OLD}" in text or f"{OLD} → {NEW}" in text for text in told)


def test_a_result_that_names_its_snakemake_drifts(make_repository: Make, confirm: Confirm) -> None:
    require_engine("sandbox")
    text = "import snakemake\n" + snakefile("echo {snakemake.__version__} > {output}")
    files = {"Snakefile": text, **PROFILES}
    result, report = confirm(make_repository(files=files), "--engine", "sandbox", *BOTH)
    assert (result.code, report["verdict"]) == (1, "DRIFTED"), result.out
    assert {cause["name"] for cause in report["causes"]} == {"snakemake"}
    assert "depends on the version of Snakemake" in report["sentence"]
    assert [d["path"] for d in report["differences"] if d["decides"]] == ["out.txt"]


@pytest.mark.parametrize(
    ("version", "code", "said"), [("9", 2, "in full"), ("9.999.0", 4, "snakemake==9.999.0")]
)
def test_a_snakemake_that_cannot_be_had(
    make_repository: Make, confirm: Confirm, version: str, code: int, said: str
) -> None:
    require_engine("sandbox")
    files = {"Snakefile": snakefile("echo 1 > {output}"), **PROFILES}
    repo = make_repository(files=files)
    result, _ = confirm(repo, "--engine", "sandbox", "--snakemake", version)
    assert (result.code, said in result.err) == (code, True), result.err


def test_what_is_declared_is_made_anew_on_request(
    make_repository: Make, confirm: Confirm, tmp_path: Path
) -> None:
    require_engine("sandbox")
    files = {
        "Snakefile": snakefile("cowsay -t {threads} > {output}"),
        "requirements.txt": "cowsay\n",
        **PROFILES,
    }
    repo, own = make_repository(files=files), tmp_path / "own"
    made = []
    for more in ((), (), ("--refresh",)):
        result, report = confirm(repo, "--engine", "sandbox", *more, cache=own)
        assert result.code == 0, result.out
        made.append("making the environment of requirements.txt" in result.err)
    assert made == [True, False, True]
    assert len(list(own.glob("prefixes/*/environment.json"))) == 1
    assert report["software"]["prefix"]


def test_a_storage_plugin_that_a_profile_names_is_there(
    make_repository: Make, confirm: Confirm
) -> None:
    require_engine("docker")
    storage = "default-storage-provider: fs\ndefault-storage-prefix: store\n"
    files = {
        "Snakefile": snakefile("echo 1 > {output}"),
        "profiles/a/config.yaml": f"cores: 1\n{storage}",
        "profiles/b/config.yaml": f"cores: 2\n{storage}",
    }
    result, report = confirm(make_repository(files=files), "--engine", "docker")
    names = {package["name"] for package in report["software"]["packages"]}
    assert "snakemake-storage-plugin-fs" in names, result.out
    assert {run["status"] for run in report["runs"]} == {"completed"}
    assert result.code == 0, json.dumps(report["reasons"])
