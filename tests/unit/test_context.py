"""What surrounds a run: each factor has two values, and only what a room really changes is said to
be varied.
"""

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cleanroom.evidence.context import FACTORS
from cleanroom.evidence.outcome import outcome
from cleanroom.room.claims import Claims
from cleanroom.room.engines.interface import RoomExit
from cleanroom.room.inside import listing
from cleanroom.values.purpose import Varied
from cleanroom.values.run import Evidence
from tests.unit.values import evidence


def test_what_a_room_cannot_change_is_not_said_to_be_varied() -> None:
    """Without libfaketime the date stays; where there is one processor, there are no fewer."""
    run = evidence(
        "a",
        purpose=Varied(factors=("date", "processors", "user")),
        context={"date": "+400d", "processors": "1", "user": "somebody"},
    )

    def seen(**versions: Any) -> Evidence:
        return outcome(run, Claims(versions=versions, done=True), RoomExit())

    assert seen(faketime=False, processors=1).context == {"user": "somebody"}
    assert seen(faketime=False, processors=2).purpose == Varied(factors=("processors", "user"))
    whole = seen(faketime=True, processors=2)
    assert (whole.context, whole.purpose) == (run.context, run.purpose)


def test_python_lists_folders_in_reverse_and_keeps_its_own_start(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / "data" / name).mkdir(parents=True)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "sitecustomize.py").write_text("import builtins\nbuiltins.own = True\n")
    code = (
        "import glob, os, sys; from pathlib import Path; own; assert not "
        "any(p.endswith('listing') for p in sys.path); os.chdir('data');"
        "print([os.listdir(), glob.glob('*'), [p.name for p in Path().iterdir()], "
        "next(os.walk('.'))[1], [e.name for e in os.scandir()]])"
    )

    def listed(*path: str) -> list[list[str]]:
        env = {"PATH": os.defpath, "PYTHONPATH": os.pathsep.join((*path, str(tmp_path / "own")))}
        told = subprocess.run(
            [sys.executable, "-c", code],
            env=env,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        found = ast.literal_eval(told)
        assert isinstance(found, list)
        return found

    assert listed(str(Path(listing.__file__).parent)) == [names[::-1] for names in listed()]


@pytest.mark.parametrize("factor", sorted(FACTORS))
def test_every_factor_has_two_values(factor: str) -> None:
    assert FACTORS[factor].usual != FACTORS[factor].varied
