"""The verdict is a truth table: each row is one way in which a confirmation can end."""

from collections.abc import Sequence
from typing import Any

import pytest

from cleanroom.values.comparison import Comparison, Relation, Sameness
from cleanroom.values.declared import Declared, Publish
from cleanroom.values.plan import Plan, Rule
from cleanroom.values.purpose import Control, Interrupted, Staged, Varied
from cleanroom.values.run import Evidence, Role, RunStatus, Step, StepStatus
from cleanroom.values.setup import Setting
from cleanroom.values.verdict import VerdictName
from cleanroom.verdict import judge
from tests.unit.values import (
    NO_AUDIT,
    artifact,
    attempt,
    comparison,
    difference,
    evidence,
    job,
    plan_difference,
)

KILLED = Interrupted(signal="KILL", moment="after", job=0)
LOCAL, CI = evidence("local"), evidence("ci")
CONTROL = evidence("local", purpose=Control())
STUCK = evidence(
    "local",
    called="local (killed)",
    purpose=KILLED,
    status=RunStatus.FAILED,
    why="Incomplete files.",
)
RESUMED = evidence("local", called="local (killed)", purpose=KILLED, attempts=())
STAGED = evidence("local", called="local (staged)", purpose=Staged())
LOST = evidence(
    "local",
    called="local (staged)",
    purpose=Staged(),
    status=RunStatus.FAILED,
    why="x",
    attempts=(attempt(job(), ok=False),),
    artifacts=(),
)
UNPLANNED = evidence(
    "local",
    called="local (staged)",
    purpose=Staged(),
    status=RunStatus.FAILED,
    why="The plan failed.",
    attempts=(),
)
VARIED = evidence("local", called="local (varied)", purpose=Varied(factors=("user",)))
HELD, DRIFTED, FAILED, INCONCLUSIVE = (
    VerdictName.HELD,
    VerdictName.DRIFTED,
    VerdictName.FAILED,
    VerdictName.INCONCLUSIVE,
)


def other(**values: Any) -> Evidence:
    return evidence("ci", **values)


UNTIL = (Setting(key="until", value=["a"], file="p"),)
SECOND = job("merge", "merged.txt")
TABLE: list[tuple[str, Sequence[Evidence], Sequence[Comparison], VerdictName, int]] = [
    ("the same by bytes", [LOCAL, CI], [comparison()], HELD, 0),
    ("the same by payload", [LOCAL, CI], [comparison(counts={Sameness.PAYLOAD: 1})], HELD, 0),
    (
        "one profile and its control",
        [LOCAL, CONTROL],
        [comparison(right="local (control)", relation=Relation.CONTROL)],
        HELD,
        0,
    ),
    (
        "only what informs differs",
        [LOCAL, CI],
        [comparison(artifacts=(difference(decides=False),))],
        HELD,
        0,
    ),
    ("a result differs", [LOCAL, CI], [comparison(artifacts=(difference(),))], DRIFTED, 1),
    (
        "a result is missing",
        [LOCAL, CI],
        [comparison(artifacts=(difference(sameness=Sameness.MISSING),))],
        DRIFTED,
        1,
    ),
    ("the plan differs", [LOCAL, CI], [comparison(plan=(plan_difference(),))], DRIFTED, 1),
    (
        "the plan differs in what informs",
        [LOCAL, CI],
        [comparison(plan=(plan_difference(decides=False),))],
        HELD,
        0,
    ),
    (
        "attempts differ",
        [LOCAL, CI],
        [comparison(attempts=(plan_difference(field="attempts"),))],
        DRIFTED,
        1,
    ),
    (
        "the control differs: not deterministic",
        [LOCAL, CONTROL],
        [comparison(right="local (control)", relation=Relation.CONTROL, artifacts=(difference(),))],
        DRIFTED,
        1,
    ),
    (
        "a profile differs only where the control does",
        [LOCAL, CI, CONTROL],
        [
            comparison(artifacts=(difference(noise=True),)),
            comparison(
                right="local (control)", relation=Relation.CONTROL, artifacts=(difference(),)
            ),
        ],
        DRIFTED,
        1,
    ),
    (
        "a resumed run differs",
        [LOCAL, RESUMED],
        [comparison(right="local (killed)", relation=Relation.RESUMED, artifacts=(difference(),))],
        DRIFTED,
        1,
    ),
    (
        "a resumed run is the same",
        [LOCAL, RESUMED],
        [comparison(right="local (killed)", relation=Relation.RESUMED)],
        HELD,
        0,
    ),
    (
        "a staged run is the same",
        [LOCAL, STAGED],
        [comparison(right="local (staged)", relation=Relation.STAGED)],
        HELD,
        0,
    ),
    (
        "a job of a staged run fails: its results are missing",
        [LOCAL, LOST],
        [
            comparison(
                right="local (staged)",
                relation=Relation.STAGED,
                artifacts=(difference(sameness=Sameness.MISSING),),
            )
        ],
        DRIFTED,
        1,
    ),
    (
        "a staged run ends before any job, beside two profiles that agree",
        [LOCAL, CI, UNPLANNED],
        [comparison()],
        HELD,
        0,
    ),
    (
        "a staged run ends before any job, and there is nothing else",
        [LOCAL, UNPLANNED],
        [],
        INCONCLUSIVE,
        4,
    ),
    ("every resumed run asks a person", [LOCAL, CI, STUCK], [comparison()], INCONCLUSIVE, 4),
    (
        "one resumed run asks a person, another comes to its end",
        [LOCAL, CI, STUCK, evidence("local", called="local (ended)", purpose=KILLED)],
        [comparison(), comparison(right="local (ended)", relation=Relation.RESUMED)],
        HELD,
        0,
    ),
    (
        "every resumed run asks a person, and profiles differ",
        [LOCAL, CI, STUCK],
        [comparison(artifacts=(difference(),))],
        DRIFTED,
        1,
    ),
    ("a resumed run asks a person, and there is nothing else", [LOCAL, STUCK], [], INCONCLUSIVE, 4),
    (
        "other surroundings differ",
        [LOCAL, VARIED],
        [comparison(right="local (varied)", relation=Relation.VARIED, artifacts=(difference(),))],
        DRIFTED,
        1,
    ),
    (
        "other surroundings are the same",
        [LOCAL, VARIED],
        [comparison(right="local (varied)", relation=Relation.VARIED)],
        HELD,
        0,
    ),
    ("a run failed", [LOCAL, other(status=RunStatus.FAILED, why="The run failed.")], [], FAILED, 3),
    (
        "a room broke",
        [LOCAL, other(status=RunStatus.BROKEN, why="The engine went away.")],
        [],
        INCONCLUSIVE,
        4,
    ),
    (
        "one failed and one broke: nothing was proven comes first",
        [evidence("local", status=RunStatus.FAILED), other(status=RunStatus.BROKEN)],
        [],
        INCONCLUSIVE,
        4,
    ),
    ("no plan", [LOCAL, other(plan=None)], [comparison()], INCONCLUSIVE, 4),
    ("an empty plan", [LOCAL, other(plan=Plan())], [comparison()], INCONCLUSIVE, 4),
    (
        "nothing to be done",
        [LOCAL, other(plan=Plan(jobs=(job(needed=False),)))],
        [comparison()],
        INCONCLUSIVE,
        4,
    ),
    (
        "only a target without outputs",
        [LOCAL, other(plan=Plan(jobs=(job("all", ""),)))],
        [comparison()],
        INCONCLUSIVE,
        4,
    ),
    ("no job ran", [LOCAL, other(attempts=())], [comparison()], INCONCLUSIVE, 4),
    (
        "a job of the graph never ran",
        [LOCAL, other(idle=(SECOND,))],
        [comparison()],
        INCONCLUSIVE,
        4,
    ),
    (
        "a planned job is lost",
        [LOCAL, other(plan=Plan(jobs=(job(), SECOND), rules={"count": Rule()}))],
        [comparison()],
        INCONCLUSIVE,
        4,
    ),
    (
        "a planned job went away after a checkpoint",
        [LOCAL, other(plan=Plan(jobs=(job(), SECOND), rules={"count": Rule(checkpoint=True)}))],
        [comparison()],
        HELD,
        0,
    ),
    (
        "a job was never seen to end",
        [LOCAL, other(attempts=(attempt(job(), ok=None),))],
        [comparison()],
        INCONCLUSIVE,
        4,
    ),
    (
        "a job could not be recorded",
        [LOCAL, other(undescribed=("x",))],
        [comparison()],
        INCONCLUSIVE,
        4,
    ),
    ("no result", [LOCAL, other(artifacts=())], [comparison()], INCONCLUSIVE, 4),
    (
        "only logs",
        [LOCAL, other(artifacts=(artifact("x.log", role=Role.LOG),))],
        [comparison()],
        INCONCLUSIVE,
        4,
    ),
    (
        "a result could not be read",
        [LOCAL, CI],
        [comparison(artifacts=(difference(examined=False),))],
        INCONCLUSIVE,
        4,
    ),
    (
        "a declared output lies elsewhere",
        [LOCAL, other(away=("/tmp/x",))],
        [comparison()],
        INCONCLUSIVE,
        4,
    ),
    (
        "every profile is cut short",
        [evidence("local", settings=UNTIL), other(settings=UNTIL)],
        [comparison()],
        INCONCLUSIVE,
        4,
    ),
    (
        "one profile is cut short",
        [LOCAL, other(settings=UNTIL)],
        [comparison(plan=(plan_difference(field="job"),))],
        DRIFTED,
        1,
    ),
    ("a profile was not run", [LOCAL], [], INCONCLUSIVE, 4),
    ("nothing was compared", [LOCAL, CI], [], INCONCLUSIVE, 4),
    ("nothing that decides was compared", [LOCAL, CI], [comparison(counts={})], INCONCLUSIVE, 4),
]


@pytest.mark.parametrize(
    ("runs", "comparisons", "verdict", "code"),
    [row[1:] for row in TABLE],
    ids=[row[0] for row in TABLE],
)
def test_truth_table(
    runs: Sequence[Evidence], comparisons: Sequence[Comparison], verdict: VerdictName, code: int
) -> None:
    wanted = [run.label for run in runs] if len(runs) > 1 else ["local", "ci"]
    judgement = judge(runs, comparisons, wanted, NO_AUDIT)
    assert (judgement.verdict, judgement.exit_code) == (verdict, code)
    assert judgement.reasons


def test_nothing_at_all_is_never_held() -> None:
    assert judge([], [], [], NO_AUDIT).verdict is INCONCLUSIVE


def test_a_profile_that_is_wanted_and_not_run_is_named() -> None:
    judgement = judge([LOCAL, CI], [comparison()], ["local", "ci", "slurm"], NO_AUDIT)
    assert judgement.verdict is INCONCLUSIVE
    assert "slurm" in judgement.reasons[0]


def test_a_rung_is_held_only_by_runs_that_were_compared() -> None:
    """One profile failed and another one broke: nothing was compared, and nothing is held."""
    runs = [evidence("local", status=RunStatus.FAILED), other(status=RunStatus.BROKEN)]
    found = judge(runs, [], ["local", "ci"], NO_AUDIT)
    assert found.verdict is INCONCLUSIVE
    assert {r.name: r.verdict for r in found.rungs}["run"] is INCONCLUSIVE


def test_noise_is_never_counted_against_a_profile() -> None:
    control = comparison(
        right="local (control)", relation=Relation.CONTROL, artifacts=(difference(),)
    )
    comparisons = [comparison(artifacts=(difference(noise=True),)), control]
    judgement = judge(
        [LOCAL, CI, CONTROL], comparisons, ["local", "ci", "local (control)"], NO_AUDIT
    )
    assert len(judgement.reasons) == 1
    assert "repeated runs differ" in judgement.reasons[0]
    rungs = {rung.name: rung.verdict for rung in judgement.rungs}
    assert rungs["control"] is DRIFTED
    assert rungs["run"] is INCONCLUSIVE


def test_what_is_not_climbed_says_what_stays_open() -> None:
    judgement = judge([LOCAL, CI], [comparison()], ["local", "ci"], NO_AUDIT)
    for rung in judgement.rungs:
        assert bool(rung.unproven) == (rung.verdict is not HELD), rung


EARLIER = evidence("local", called="local at v1")


@pytest.mark.parametrize(
    ("earlier", "comparisons", "verdict", "rung"),
    [
        (EARLIER, [comparison("local at v1", "local", relation=Relation.EARLIER)], HELD, HELD),
        (
            EARLIER,
            [
                comparison(
                    "local at v1", "local", relation=Relation.EARLIER, artifacts=(difference(),)
                )
            ],
            DRIFTED,
            DRIFTED,
        ),
        (
            EARLIER,
            [
                comparison(
                    "local at v1",
                    "local",
                    relation=Relation.EARLIER,
                    artifacts=(difference(noise=True),),
                )
            ],
            HELD,
            INCONCLUSIVE,
        ),
        (
            evidence("local", called="local at v1", status=RunStatus.FAILED, why="It failed."),
            [],
            INCONCLUSIVE,
            INCONCLUSIVE,
        ),
        (
            evidence("local", called="local at v1", status=RunStatus.BROKEN, why="It broke."),
            [],
            INCONCLUSIVE,
            INCONCLUSIVE,
        ),
        (
            evidence("local", called="local at v1", attempts=()),
            [comparison("local at v1", "local", relation=Relation.EARLIER)],
            INCONCLUSIVE,
            INCONCLUSIVE,
        ),
        (EARLIER, [], INCONCLUSIVE, INCONCLUSIVE),
    ],
)
def test_an_earlier_run(
    earlier: Evidence, comparisons: Sequence[Comparison], verdict: VerdictName, rung: VerdictName
) -> None:
    found = judge([LOCAL], comparisons, ["local"], NO_AUDIT, earlier)
    assert found.verdict is verdict
    assert {r.name: r.verdict for r in found.rungs}["baseline"] is rung


def test_a_published_part_is_missed_though_a_resumed_run_failed() -> None:
    declared = Declared(publish=(Publish(path="out.txt"), Publish(path="no-such/**")))
    runs = [evidence(name, declared=declared) for name in ("local", "ci")]
    found = judge([*runs, STUCK], [comparison()], ["local", "ci"], NO_AUDIT)
    assert found.verdict is INCONCLUSIVE
    assert "no-such/**" in found.reasons[0]


@pytest.mark.parametrize(
    ("status", "rung"),
    [(StepStatus.FAILED, HELD), (StepStatus.OK, INCONCLUSIVE), (StepStatus.TIMEOUT, HELD)],
)
def test_a_run_that_ended_before_it_could_be_killed_proves_nothing_of_recovery(
    status: StepStatus, rung: VerdictName
) -> None:
    killed = evidence(
        "local",
        called="local (killed)",
        purpose=KILLED,
        steps=(Step(name="interrupted", status=status),),
    )
    found = judge(
        [LOCAL, killed],
        [comparison(right="local (killed)", relation=Relation.RESUMED)],
        ["local", "local (killed)"],
        NO_AUDIT,
    )
    recover = next(r for r in found.rungs if r.name == "recover")
    assert (found.verdict, recover.verdict) == (HELD, rung)
    assert ("had ended before it could be killed" in recover.unproven) is (rung is INCONCLUSIVE)


@pytest.mark.parametrize(
    ("unstaged", "rung", "said"),
    [
        ((), HELD, ""),
        (("count",), INCONCLUSIVE, "no job of local (staged) could be staged"),
        (("pipes",), HELD, "jobs of pipes"),
    ],
)
def test_only_jobs_that_were_staged_prove_that_they_need_nothing_else(
    unstaged: tuple[str, ...], rung: VerdictName, said: str
) -> None:
    run = evidence("local", called="local (staged)", purpose=Staged(), unstaged=unstaged)
    found = judge(
        [LOCAL, run],
        [comparison(right="local (staged)", relation=Relation.STAGED)],
        ["local", "local (staged)"],
        NO_AUDIT,
    )
    (stage,) = (r for r in found.rungs if r.name == "stage")
    assert stage.verdict is rung
    assert said in stage.unproven
    assert bool(said) == bool(stage.unproven)
