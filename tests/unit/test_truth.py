"""The truth bench itself: enough cases, none that contradicts itself, and figures that fall when an
answer is wrong.
"""

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.truth.cases import Case, TruthError, read_cases
from benchmarks.truth.judge import Answer
from benchmarks.truth.run import fallen, score, wrong


def test_there_are_enough_and_half_of_those_that_can_be_told_are_held() -> None:
    cases = read_cases()
    verdicts = Counter(case.verdict for case in cases)
    assert len(cases) >= 260
    assert verdicts["HELD"] >= verdicts["DRIFTED"]
    assert verdicts["DRIFTED"] >= 50
    assert len({case.family for case in cases}) == 16
    assert len({case.story for case in cases}) >= 0.9 * len(cases)
    assert all(case.causes for case in cases if case.verdict == "DRIFTED")


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ('verdict = "MAYBE"\nshell = "x"', "no verdict MAYBE"),
        ('verdict = "HELD"\nshell = "x"\ncause = "cores"', "and yet something differs"),
        ('verdict = "DRIFTED"\nshell = "x"', "without a cause"),
        ('verdict = "DRIFTED"\nshell = "x"\ncause = "c"\ndiffers = ["a"]', "no rule is its origin"),
        ('verdict = "HELD"', "needs a snakefile"),
        ('verdict = "HELD"\nshell = "x"\nsnakefile = "y"', "needs a snakefile"),
        ('verdict = "HELD"\nshell = "x"\nspelt_wrong = 1', "spelt_wrong"),
        ("shell = 3", "shell"),
    ],
)
def test_a_case_that_contradicts_itself_is_refused_by_name(
    tmp_path: Path, fields: str, why: str
) -> None:
    (tmp_path / "family.toml").write_text(
        f'[[case]]\nname = "odd"\nstory = "It is so."\n{fields}\n'
    )
    with pytest.raises(TruthError, match="family/odd") as refused:
        read_cases(tmp_path)
    assert why in str(refused.value)


def test_a_name_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "family.toml").write_text(
        '[[case]]\nname = "x"\nstory = "S."\nverdict = "HELD"\nshell = "y"\n' * 2
    )
    with pytest.raises(TruthError, match="family/x is there twice"):
        read_cases(tmp_path)


DRIFT = Case(
    family="f",
    name="d",
    story="S.",
    verdict="DRIFTED",
    shell="x",
    differs=["out.txt"],
    origin="one",
    cause="cores",
)
HELD = Case(family="f", name="h", story="S.", verdict="HELD", shell="x")
RIGHT = (
    Answer(DRIFT, "DRIFTED", ("one",), ("cores",), ("out.txt",), 1.0),
    Answer(HELD, "HELD", (), (), (), 1.0),
)


@pytest.mark.parametrize(
    ("answer", "figure"),
    [
        (RIGHT[0]._replace(verdict="HELD", origins=(), causes=(), differs=()), "held_wrongly"),
        (RIGHT[0]._replace(verdict="INCONCLUSIVE"), "recall"),
        (RIGHT[0]._replace(causes=("cores", "retries")), "cause"),
        (RIGHT[0]._replace(causes=()), "cause"),
        (RIGHT[0]._replace(origins=("two",)), "origin"),
        (RIGHT[0]._replace(differs=("out.txt", "b.txt")), "paths"),
        (RIGHT[0]._replace(broke=True), "broken"),
        (RIGHT[1]._replace(verdict="DRIFTED"), "false_alarms"),
        (RIGHT[1]._replace(verdict="INCONCLUSIVE"), "verdict"),
    ],
)
def test_every_wrong_answer_makes_a_figure_fall(answer: Answer, figure: str) -> None:
    best = score(RIGHT)
    assert fallen(best, best) == []
    others = [a for a in RIGHT if a.case.name != answer.case.name]
    assert figure in fallen(score([*others, answer]), best)
    assert wrong([answer]) != [] or answer.broke
    assert wrong(RIGHT) == []


def test_a_case_less_makes_a_figure_fall() -> None:
    assert "cases" in fallen(score(RIGHT[:1]), score(RIGHT))
