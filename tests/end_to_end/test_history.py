"""What confirmations leave in the store: their record, the ledger over them, and their history."""

from pathlib import Path
from typing import Any

import msgspec

from cleanroom.evidence.store import Store
from cleanroom.flows.records import concluded_again
from cleanroom.values.verdict import Confirmation
from tests.conftest import Cli, Confirm, Make, commit_all, require_engine, snakefile

PROFILES = {"profiles/a/config.yaml": "cores: 1\n", "profiles/b/config.yaml": "cores: 2\n"}
BY_THREADS = snakefile("echo {threads} > {output}", threads=2)
FIXED = snakefile("echo 1 > {output}", threads=2)


def again(report: dict[str, Any], cache: Path) -> Confirmation:
    store = Store(cache / "store")
    return concluded_again(store.record(report["record"])[1], store)


def test_a_regression_is_told_with_what_changed(
    make_repository: Make, confirm: Confirm, cli: Cli, tmp_path: Path
) -> None:
    require_engine("sandbox")
    cache = tmp_path / "cache"
    repo = make_repository(files=PROFILES | {"Snakefile": FIXED})
    result, first = confirm(repo, "--engine", "sandbox", ref="main", cache=cache)
    assert result.code == 0, result.out
    (repo / "Snakefile").write_text(BY_THREADS)
    commit = commit_all(repo)
    result, second = confirm(repo, "--engine", "sandbox", ref="main", cache=cache)
    assert result.code == 1, result.out
    for report in (first, second):
        judgement = again(report, cache).judgement
        assert (judgement.verdict, list(judgement.reasons)) == (
            report["verdict"],
            report["reasons"],
        )
    told = cli("history", repo, cache=cache)
    assert told.code == 0, told.err
    said = " ".join(told.out.split())
    assert f"{commit[:12]} DRIFTED Regression. Changed: commit." in said
    assert "main DRIFTED, held last on " in said
    found = cli("history", repo, "--format", "json", cache=cache).json()
    assert [entry["record"] for entry in found["entries"]] == [second["record"], first["record"]]
    assert [entry["regression"] for entry in found["entries"]] == [True, False]
    assert "differed between runs" in cli("history", repo, "--path", "out.txt", cache=cache).out
    assert f"{repo}\n  main  DRIFTED, held last on " in cli("history", cache=cache).out
    made = cli("ledger", "rebuild", cache=cache)
    assert made.code == 0 and made.err.startswith("2 confirmations taken in"), made.err
    assert cli("history", repo, "--format", "json", cache=cache).json() == found
    unknown = cli("history", tmp_path / "nothing", cache=cache)
    assert (unknown.code, str(repo) in unknown.err) == (2, True)


def test_what_a_folder_of_results_decided_is_concluded_again_without_it(
    make_repository: Make, confirm: Confirm, tmp_path: Path
) -> None:
    """The folder may be gone by then: what it held that decides is kept."""
    require_engine("sandbox")
    folder, cache = tmp_path / "results", tmp_path / "cache"
    folder.mkdir()
    (folder / "out.txt").write_text("2\n")
    repo = make_repository(files=PROFILES | {"Snakefile": FIXED})
    result, report = confirm(repo, "--engine", "sandbox", "--against", str(folder), cache=cache)
    assert result.code == 1, result.out
    assert (folder / "out.txt").stat().st_nlink == 1, "it was copied, not taken"
    (folder / "out.txt").unlink()
    found = again(report, cache)
    assert found.judgement.verdict == "DRIFTED"
    assert list(found.judgement.reasons) == report["reasons"]
    (difference,) = [d for c in found.comparisons for d in c.artifacts if d.decides]
    assert difference.excerpts, "both contents are there"


def test_a_record_holds_no_secret(make_repository: Make, confirm: Confirm, tmp_path: Path) -> None:
    require_engine("sandbox")
    cache = tmp_path / "cache"
    shell = "echo $TOKEN >&2; exit 3"
    repo = make_repository(files=PROFILES | {"Snakefile": snakefile(shell)})
    secret = "tr0ub4dor-and-3"
    result, report = confirm(
        repo, "--engine", "sandbox", "--env", "TOKEN", cache=cache, env={"TOKEN": secret}
    )
    assert result.code == 3, result.out
    record = Store(cache / "store").record(report["record"])[1]
    assert secret not in msgspec.json.encode(record).decode()
    assert again(report, cache).judgement.verdict == "FAILED"
