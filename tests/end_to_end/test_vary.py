"""`confirm --vary`: all that surrounds a run is changed at once; what moves a result is named, and
nothing else.
"""

from cleanroom.evidence.context import FACTORS
from tests.conftest import Confirm, Make

ONE = {"profiles/a/config.yaml": "cores: 2\n"}


def workflow(**shells: str) -> dict[str, str]:
    rules = "".join(
        f'rule {name}:\n    output: "{name}.txt"\n    shell: "{shell} > {{output}}"\n'
        for name, shell in shells.items()
    )
    return ONE | {
        "Snakefile": f"rule all:\n    input: {[f'{name}.txt' for name in shells]}\n{rules}"
    }


def test_results_that_hang_on_nothing_are_proven_in_one_more_run(
    make_repository: Make, confirm: Confirm, engine: str
) -> None:
    result, report = confirm(
        make_repository(files=workflow(one="echo 1")), "--engine", engine, "--vary"
    )
    assert result.code == 0, result.out
    varied = set(FACTORS)
    assert [(run["label"], set(run["varied"])) for run in report["runs"]] == [
        ("a", set()),
        ("a (varied)", varied),
    ]
    rung = next(r for r in report["rungs"] if r["name"] == "vary")
    assert (rung["verdict"], "time zone" in rung["proves"], "date" in rung["proves"]) == (
        "HELD",
        True,
        True,
    )
    context = report["runs"][1]["context"]
    assert {name: value for name, value in context.items() if name in FACTORS} == {
        name: FACTORS[name].varied for name in varied
    }
    assert "--vary" in report["reproduce"]


def test_each_factor_that_moves_a_result_is_named_with_both_values(
    make_repository: Make, confirm: Confirm
) -> None:
    files = workflow(zone="date -d @0 +%H", who="id -un", calm="echo 1")
    result, report = confirm(make_repository(files=files), "--engine", "sandbox", "--vary")
    assert result.code == 1, result.out
    assert {(c["name"], c["certain"], tuple(c["values"].items())) for c in report["causes"]} == {
        ("time zone", True, (("a", "UTC"), ("a (varied)", "CHT-12:45"))),
        ("user", True, (("a", "cleanroom"), ("a (varied)", "somebody"))),
    }
    assert {d["path"] for d in report["differences"]} == {"zone.txt", "who.txt"}
    assert report["causes"][0]["steps"][-1].endswith(")")
    assert "depends on time zone and user" in report["sentence"]
    assert next(run for run in report["runs"] if run["control"])["only"] == ["who.txt", "zone.txt"]


def test_noise_is_not_blamed_on_the_surroundings(make_repository: Make, confirm: Confirm) -> None:
    result, report = confirm(
        make_repository(files=workflow(one="head -c 9 /dev/urandom | base64")),
        "--engine",
        "sandbox",
        "--vary",
    )
    assert result.code == 1
    assert [c["name"] for c in report["causes"]] == ["not deterministic"]
    assert {r["name"]: r["verdict"] for r in report["rungs"]}["vary"] == "INCONCLUSIVE"
