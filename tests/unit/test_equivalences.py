"""Equivalences, the boundary, and what is found about them: a wrong one never makes anything
pass.
"""

import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cleanroom.compare.artifacts import ComparisonContext, compare_artifacts
from cleanroom.compare.boundary import Boundary, unmatched
from cleanroom.compare.equivalences import check_equivalences, equivalence_findings
from cleanroom.compare.examiner import Examiner
from cleanroom.errors import UsageError
from cleanroom.values.comparison import Difference, Sameness
from cleanroom.values.declared import CompareOptions, Declared, Equivalence, Publish, Scratch
from cleanroom.values.run import Artifact, Kind, Role
from tests.unit.values import artifact, attempt, comparison, evidence, job, plan_difference

TODAY = datetime.date(2030, 1, 1)


def equivalence(comparator: str = "table", **values: Any) -> Equivalence:
    options = values.pop("options", {})
    whole = {
        "paths": ("out.csv",),
        "reason": "so it is",
        "owner": "ada",
        "expires": datetime.date(2031, 1, 1),
        **values,
    }
    return Equivalence(comparator=comparator, options=CompareOptions(**options), **whole)


def compared(
    tmp_path: Path, left: str, right: str, *declared: Equivalence, path: str = "out.csv"
) -> Difference:
    """One file of two runs under what is declared."""
    sides = []
    for name, content in (("l", left), ("r", right)):
        (tmp_path / (name * 64)).write_text(content)
        sides.append(
            evidence(
                name, artifacts=(artifact(path, name),), attempts=(attempt(job("count", path)),)
            )
        )
    ground = ComparisonContext(
        lambda sha256: tmp_path / sha256, Examiner(1), Declared(equivalences=declared), TODAY
    )
    (found,), *_ = compare_artifacts(sides[0], sides[1], ground)
    return found


ROWS = "id,seconds\n1,2\n", "id,seconds\n1,3\n"


@pytest.mark.parametrize(
    ("declared", "sameness", "decides"),
    [
        ((), Sameness.DIFFERENT, True),
        ((equivalence(options={"ignore": ("seconds",)}),), Sameness.TOLERANCE, False),
        (
            (equivalence(paths=("*.csv",), options={"ignore": ("seconds",)}),),
            Sameness.TOLERANCE,
            False,
        ),
        (
            (equivalence(paths=(), rule="count", options={"ignore": ("seconds",)}),),
            Sameness.TOLERANCE,
            False,
        ),
        (
            (equivalence(paths=("other.csv",), options={"ignore": ("seconds",)}),),
            Sameness.DIFFERENT,
            True,
        ),
        ((equivalence(options={"ignore": ("id",)}),), Sameness.DIFFERENT, True),
        ((equivalence(options={"ignore": ("id", "seconds")}),), Sameness.DIFFERENT, True),
        (
            (equivalence(expires=datetime.date(2029, 12, 31), options={"ignore": ("seconds",)}),),
            Sameness.DIFFERENT,
            True,
        ),
        (
            (equivalence(expires=TODAY, options={"ignore": ("seconds",)}),),
            Sameness.TOLERANCE,
            False,
        ),
        ((equivalence(options={"relative": 0.5}),), Sameness.TOLERANCE, False),
        ((equivalence(options={"relative": 1.0}),), Sameness.DIFFERENT, True),
        ((equivalence(options={"absolute": float("inf")}),), Sameness.DIFFERENT, True),
        ((equivalence("text", options={"mask": (".*",)}),), Sameness.DIFFERENT, True),
        ((equivalence("text", options={"mask": (r",\d+$",)}),), Sameness.TOLERANCE, False),
        ((equivalence("text", options={"mask": ("^id.*$", r"^\d.*$")}),), Sameness.DIFFERENT, True),
        ((equivalence("existence"),), Sameness.EXISTENCE, False),
        ((equivalence("existence", paths=("**",)),), Sameness.DIFFERENT, True),
        ((equivalence("existence", paths=("**/*.csv",)),), Sameness.DIFFERENT, True),
        ((equivalence("json"),), Sameness.DIFFERENT, True),
    ],
)
def test_what_an_equivalence_accepts(
    tmp_path: Path, declared: tuple[Equivalence, ...], sameness: Sameness, decides: bool
) -> None:
    found = compared(tmp_path, *ROWS, *declared)
    assert (found.sameness, found.decides) == (sameness, decides), found


def test_canonical_decides_unless_it_is_declared(tmp_path: Path) -> None:
    pair = '{"a": 1, "b": 2}', '{"b": 2, "a": 1}'
    found = compared(tmp_path, *pair, path="x.json")
    assert (found.sameness, found.decides) == (Sameness.CANONICAL, True)
    found = compared(tmp_path, *pair, equivalence("json", paths=("x.json",)), path="x.json")
    assert (found.sameness, found.decides) == (Sameness.CANONICAL, False)


def test_no_equivalence_makes_a_missing_file_pass(tmp_path: Path) -> None:
    declared = Declared(
        equivalences=(equivalence("existence"), equivalence(options={"ignore": ("seconds",)}))
    )
    ground = ComparisonContext(lambda _: tmp_path / "none", Examiner(1), declared, TODAY)
    (found,), *_ = compare_artifacts(
        evidence("l", artifacts=(artifact("out.csv"),)), evidence("r", artifacts=()), ground
    )
    assert (found.sameness, found.decides) == (Sameness.MISSING, True)


def test_findings(tmp_path: Path) -> None:
    declared = Declared(
        equivalences=(
            equivalence(expires=datetime.date(2029, 1, 1)),
            equivalence("text", options={"mask": (".*",)}),
            equivalence(paths=("never.csv",)),
            equivalence("existence"),
            equivalence(options={"ignore": ("id", "seconds")}, paths=("rows.csv",)),
        )
    )
    seen = [
        Difference(path="out.csv", sameness=Sameness.EXISTENCE, decides=False, equivalence=3),
        msgspec.structs.replace(
            compared(tmp_path, *ROWS, declared.equivalences[4], path="rows.csv"), equivalence=4
        ),
    ]
    found = [
        (f.code, f.text)
        for f in equivalence_findings(
            declared, [comparison(artifacts=tuple(seen))], TODAY, "cleanroom.yaml"
        )
    ]
    assert [code for code, _ in found] == ["CR-041", "CR-042", "CR-043", "CR-044", "CR-042"]
    assert "never.csv" in found[2][1]
    static = [f.code for f in equivalence_findings(declared, (), TODAY, "cleanroom.yaml")]
    assert static == ["CR-041", "CR-042"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (equivalence("tabel"), "no comparator 'tabel'"),
        (equivalence(paths=()), "no path and no rule"),
        (equivalence(reason=" "), "no reason"),
        (equivalence(options={"mask": ("x",)}), "has no option 'mask'"),
        (equivalence("text", options={"mask": ("(",)}), "no regular expression"),
        (equivalence("existence", options={"order": "any"}), "no option 'order'"),
    ],
)
def test_what_cannot_work_is_refused(wrong: Equivalence, said: str) -> None:
    with pytest.raises(UsageError, match=said.replace("(", r"\(")):
        check_equivalences(Declared(equivalences=(wrong,)), "cleanroom.yaml")


def sides(declared: Declared) -> dict[str, bool]:
    run = evidence(
        declared=declared,
        attempts=(attempt(job("count", "results/a")), attempt(job("other", "results/b"))),
        artifacts=(
            artifact("results/a"),
            artifact("results/b", index=1),
            artifact("scratch/x", index=-1, role=Role.UNDECLARED),
            artifact("a.log", role=Role.LOG),
            artifact("x.pyc", role=Role.CACHE, index=-1),
        ),
    )
    return {a.path: Boundary(run).decides(a) for a in run.artifacts}


def test_the_boundary() -> None:
    usual = {
        "results/a": True,
        "results/b": True,
        "scratch/x": True,
        "a.log": False,
        "x.pyc": False,
    }
    assert sides(Declared()) == usual
    assert sides(Declared(scratch=(Scratch(path="scratch/**", reason="x"),))) == {
        **usual,
        "scratch/x": False,
    }
    assert sides(Declared(publish=(Publish(path="results/a"),))) == {
        **dict.fromkeys(usual, False),
        "results/a": True,
    }
    assert sides(Declared(publish=(Publish(rule="other"), Publish(path="*.log")))) == {
        **dict.fromkeys(usual, False),
        "results/b": True,
        "a.log": True,
    }
    assert sides(Declared(publish=(Publish(path="**"),)))["x.pyc"] is False


def test_what_matches_nothing_is_named() -> None:
    declared = Declared(
        publish=(Publish(path="out.txt"), Publish(rule="nobody")),
        scratch=(Scratch(path="tmp/**", reason="x"),),
    )
    assert unmatched([evidence(declared=declared)], declared) == (["rule nobody"], ["tmp/**"])


def test_an_undeclared_file_belongs_to_the_only_job_at_work() -> None:
    def run(name: str, content: str, during: tuple[int, ...]) -> Any:
        stray = Artifact(
            path="stray",
            kind=Kind.FILE,
            size=1,
            mode=0o644,
            sha256=content * 64,
            role=Role.UNDECLARED,
            written_during=during,
        )
        return evidence(
            name, artifacts=(stray,), attempts=(attempt(job("one", "a")), attempt(job("two", "b")))
        )

    ground = ComparisonContext(lambda _: Path("/nonexistent"), Examiner(1))
    for during, rule in (((1,), "two"), ((0, 1), ""), ((), "")):
        *_, (origin,) = compare_artifacts(run("l", "1", during), run("r", "2", during), ground)
        assert (origin.rule, origin.by_time, origin.paths) == (rule, bool(rule), ("stray",))


def test_what_follows_is_folded_under_its_origin() -> None:
    jobs = (
        job("first", "a"),
        job("second", "b", inputs=("a",)),
        job("third", "c", inputs=("b",)),
        job("apart", "d"),
    )
    left, right = (
        evidence(
            n,
            artifacts=tuple(artifact(p, c, index=i) for i, p in enumerate("abcd")),
            attempts=tuple(map(attempt, jobs)),
        )
        for n, c in (("l", "1"), ("r", "2"))
    )
    *_, origins = compare_artifacts(
        left, right, ComparisonContext(lambda _: Path("/nonexistent"), Examiner(1))
    )
    assert [(o.rule, o.paths, o.derived) for o in origins] == [
        ("first", ("a",), ("b", "c")),
        ("apart", ("d",), ()),
    ]


def test_a_job_without_a_twin_is_an_origin() -> None:
    jobs = job("split", "a"), job("only_here", "b", inputs=("a",)), job("sum", "c", inputs=("b",))
    left = evidence(
        "l",
        artifacts=tuple(artifact(p, "1", index=i) for i, p in enumerate("abc")),
        attempts=tuple(map(attempt, jobs)),
    )
    pair = jobs[0], job("sum", "c", inputs=("a",))
    right = evidence(
        "r",
        artifacts=(artifact("a", "1"), artifact("c", "2", index=1)),
        attempts=tuple(map(attempt, pair)),
    )
    *_, (origin,) = compare_artifacts(
        left, right, ComparisonContext(lambda _: Path("/nonexistent"), Examiner(1))
    )
    assert (origin.rule, origin.right, origin.derived) == ("only_here", None, ("c",))
    assert origin.left is not None


def test_what_may_be_about_a_stamp_is_unused_only_where_a_run_had_another_clock() -> None:
    declared = Declared(
        equivalences=(
            equivalence("text", options={"mask": ("made .*",)}, paths=("a.txt",)),
            equivalence("table", options={"relative": 0.1}, paths=("b.csv",)),
        )
    )

    def unused(*, clocks: bool) -> list[str]:
        found = equivalence_findings(declared, [comparison()], TODAY, "cleanroom.yaml", clocks)
        return [f.text.partition(" of ")[2].partition(",")[0] for f in found if f.code == "CR-043"]

    assert unused(clocks=True) == ["a.txt", "b.csv"]
    assert unused(clocks=False) == ["b.csv"]


def test_what_is_declared_of_a_plan_expires_and_may_be_unused() -> None:
    def one(field: str, expires: str) -> dict[str, str]:
        return {"rule": "count", "field": field, "reason": "r", "owner": "o", "expires": expires}

    declared = msgspec.convert(
        {
            "plan": [
                one("params", "2029-01-01"),
                one("command", "2099-01-01"),
                one("input", "2099-01-01"),
            ]
        },
        Declared,
    )
    seen = comparison(plan=(plan_difference(rule="count", field="command", decides=False),))
    found = equivalence_findings(declared, [seen], TODAY, "cleanroom.yaml")
    assert [(f.code, f.key) for f in found] == [("CR-041", "params"), ("CR-043", "input")]
    nobodys = msgspec.structs.replace(declared.plan[1], owner=" ")
    with pytest.raises(UsageError, match="no owner"):
        check_equivalences(Declared(plan=(nobodys,)), "cleanroom.yaml")
