"""`confirm --vary`: all that surrounds a run is changed at once; what moves a result is named, and nothing else."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cleanroom.evidence.context import FACTORS
from cleanroom.evidence.gather import _really_varied
from cleanroom.room.inside import listing
from tests.conftest import Confirm, Make
from tests.unit.values import evidence

ONE = {"profiles/a/config.yaml": "cores: 2\n"}


def workflow(**shells: str) -> dict[str, str]:
    rules = "".join(f'rule {name}:\n    output: "{name}.txt"\n    shell: "{shell} > {{output}}"\n' for name, shell in shells.items())
    return ONE | {"Snakefile": f"rule all:\n    input: {[f'{name}.txt' for name in shells]}\n{rules}"}


def test_results_that_hang_on_nothing_are_proven_in_one_more_run(make_repository: Make, confirm: Confirm, engine: str) -> None:
    result, report = confirm(make_repository(files=workflow(one="echo 1")), "--engine", engine, "--vary")
    assert result.code == 0, result.out
    varied = set(FACTORS)
    assert [(run["label"], set(run["varied"])) for run in report["runs"]] == [("a", set()), ("a (varied)", varied)]
    rung = next(r for r in report["rungs"] if r["name"] == "vary")
    assert (rung["verdict"], "time zone" in rung["proves"], "date" in rung["proves"]) == ("HELD", True, True)
    context = report["runs"][1]["context"]
    assert {name: value for name, value in context.items() if name in FACTORS} == {name: FACTORS[name].varied for name in varied}
    assert "--vary" in report["reproduce"]


def test_each_factor_that_moves_a_result_is_named_with_both_values(make_repository: Make, confirm: Confirm) -> None:
    files = workflow(zone="date -d @0 +%H", who="id -un", calm="echo 1")
    result, report = confirm(make_repository(files=files), "--engine", "sandbox", "--vary")
    assert result.code == 1, result.out
    assert {(c["name"], c["certain"], tuple(c["values"].items())) for c in report["causes"]} == {
        ("time zone", True, (("a", "UTC"), ("a (varied)", "CHT-12:45"))),
        ("user", True, (("a", "cleanroom"), ("a (varied)", "somebody"))),
    }
    assert {d["path"] for d in report["differences"]} == {"zone.txt", "who.txt"}
    assert report["causes"][0]["steps"][-1].endswith(")")
    assert "hangs on time zone and user" in report["sentence"]
    assert next(run for run in report["runs"] if run["control"])["only"] == ["who.txt", "zone.txt"]


def test_noise_is_not_blamed_on_the_surroundings(make_repository: Make, confirm: Confirm) -> None:
    result, report = confirm(make_repository(files=workflow(one="head -c 9 /dev/urandom | base64")), "--engine", "sandbox", "--vary")
    assert result.code == 1
    assert [c["name"] for c in report["causes"]] == ["not deterministic"]
    assert {r["name"]: r["verdict"] for r in report["rungs"]}["vary"] == "INCONCLUSIVE"


def test_what_a_room_cannot_change_is_not_said_to_be_varied() -> None:
    """Without libfaketime the date stays; where there is one processor, there are no fewer."""
    run = evidence("a", varied=("date", "processors", "user"), context={"date": "+400d", "processors": "1", "user": "somebody"})
    assert _really_varied(run, {"faketime": False, "processors": 1}).context == {"user": "somebody"}
    assert _really_varied(run, {"faketime": False, "processors": 2}).varied == ("processors", "user")
    assert _really_varied(run, {"faketime": True, "processors": 2}) == run


def test_python_lists_folders_in_reverse_and_keeps_its_own_start(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / "data" / name).mkdir(parents=True)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "sitecustomize.py").write_text("import builtins\nbuiltins.own = True\n")
    code = (
        "import glob, os, sys; from pathlib import Path; own; assert not any(p.endswith('listing') for p in sys.path); os.chdir('data');"
        "print([os.listdir(), glob.glob('*'), [p.name for p in Path().iterdir()], next(os.walk('.'))[1], [e.name for e in os.scandir()]])"
    )

    def listed(*path: str) -> list[list[str]]:
        env = {"PATH": os.defpath, "PYTHONPATH": os.pathsep.join((*path, str(tmp_path / "own")))}
        told = subprocess.run([sys.executable, "-c", code], env=env, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        found = ast.literal_eval(told)
        assert isinstance(found, list)
        return found

    assert listed(str(Path(listing.__file__).parent)) == [names[::-1] for names in listed()]


@pytest.mark.parametrize("factor", sorted(FACTORS))
def test_every_factor_has_two_values(factor: str) -> None:
    assert FACTORS[factor].usual != FACTORS[factor].varied
