"""Causes are named with certainty only where nothing else could have done it."""

from cleanroom.cause import read_causes
from cleanroom.model import Override, Setting
from tests.unit.values import comparison, difference, evidence


def settings(**values: object) -> tuple[Setting, ...]:
    return tuple(Setting(key=k, value=v, file="p") for k, v in values.items())


DIFFERS = comparison(artifacts=(difference(),))


def test_the_only_setting_that_differs() -> None:
    runs = evidence("local", settings=settings(cores="2", quiet="x")), evidence("ci", settings=settings(cores="8", quiet="x"))
    (cause,) = read_causes(runs, [DIFFERS])
    assert (cause.name, cause.certain, cause.values) == ("cores", True, {"local": "2", "ci": "8"})


def test_several_are_not_told_apart() -> None:
    runs = evidence("local", settings=settings(cores="2")), evidence("ci", settings=settings(cores="8", config=["a=1"]))
    causes = read_causes(runs, [DIFFERS])
    assert {c.name for c in causes} == {"cores", "config"}
    assert not any(c.certain for c in causes)


def test_what_the_room_replaced_cannot_have_done_it() -> None:
    dropped = (Override(key="executor", was="slurm", now=None, why=""), Override(key="cores", was=None, now=4, why=""))
    runs = evidence("local", settings=settings(cores="2")), evidence("ci", settings=settings(executor="slurm"), overrides=dropped)
    assert [c.name for c in read_causes(runs, [DIFFERS])] == ["cores"]


def test_a_control_that_differs_blames_no_profile() -> None:
    run = evidence("local")
    (cause,) = read_causes([run], [comparison(right="local (control)", control=True, artifacts=(difference(),))])
    assert (cause.name, cause.certain) == ("not deterministic", True)


def test_no_difference_has_no_cause() -> None:
    assert read_causes([evidence("local"), evidence("ci")], [comparison()]) == ()
