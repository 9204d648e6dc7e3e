"""A review says of each change whether it is policy, declared, or semantic drift, and how to answer
the question it raises.
"""

from typing import Any

import pytest

from cleanroom.review.reviewing import judge_review, notes_of, review
from cleanroom.review.routes import Routes
from cleanroom.values.plan import Change, Effect, Plan, Rule
from cleanroom.values.review import Drift, History, Pair, ReviewOutcome
from cleanroom.values.run import Evidence, RunStatus
from cleanroom.values.setup import Layer, Setting
from tests.unit.values import evidence, job

ROUTES = Routes(repo="r", commit="c" * 40, baseline="profiles/local")
NOTHING = History(ancestor=True, changed={})
PLAIN = Rule(code={"shellcmd": "x"}, logs=True)
SEMANTIC, UNKNOWN, DECLARED, POLICY = Drift.SEMANTIC, Drift.UNKNOWN, Drift.DECLARED, Drift.POLICY


def planned(
    settings: dict[str, Any] | None = None,
    *,
    rule: Rule = PLAIN,
    effects: tuple[Effect, ...] = (),
    **values: Any,
) -> Evidence:
    plan = values.pop("plan", Plan(jobs=(job(),), rules={"count": rule}, targets=("out.txt",)))
    found = tuple(
        Setting(key=k, value=v, file="profiles/ci/config.yaml", line=1)
        for k, v in (settings or {}).items()
    )
    return evidence(
        "ci",
        plan=plan,
        settings=found,
        effects=effects,
        attempts=(),
        artifacts=(),
        stack=(Layer(file="p"),),
        **values,
    )


def pair(base: Evidence | None, head: Evidence | None, between: Evidence | None = None) -> Pair:
    return Pair(profile="ci", base=base, between=between or (base if head else None), head=head)


def changed(plan: Plan | None = None) -> Plan:
    return plan or Plan(
        jobs=(job(params=[["x", 2]]),), rules={"count": PLAIN}, targets=("out.txt",)
    )


LOUD = (Effect(keys=("config",), changes=(Change(rule="", field="config"),)),)

TABLE: list[tuple[str, Pair, History, list[tuple[str, Drift]], ReviewOutcome, int]] = [
    ("nothing", pair(planned(), planned()), NOTHING, [], ReviewOutcome.UNCHANGED, 0),
    (
        "policy",
        pair(planned({"jobs": "9", "cores": "1"}), planned({"jobs": "90", "cores": "1"})),
        NOTHING,
        [("jobs", POLICY)],
        ReviewOutcome.POLICY_DRIFT,
        0,
    ),
    (
        "meaning through a profile",
        pair(planned(), planned({"config": ["a=1"]}, effects=LOUD)),
        NOTHING,
        [("config", SEMANTIC)],
        ReviewOutcome.SEMANTIC_DRIFT,
        1,
    ),
    (
        "meaning leaves a profile",
        pair(planned({"until": ["x"]}), planned()),
        NOTHING,
        [("until", SEMANTIC)],
        ReviewOutcome.SEMANTIC_DRIFT,
        1,
    ),
    (
        "an action",
        pair(planned(), planned({"touch": "True"}, plan=None, status=RunStatus.BROKEN)),
        NOTHING,
        [("touch", SEMANTIC)],
        ReviewOutcome.SEMANTIC_DRIFT,
        1,
    ),
    (
        "meaning that the commit declares",
        pair(planned(), planned({"config": ["a=1"]}, effects=LOUD)),
        History(ancestor=True, changed={}, declared=("a new threshold",)),
        [("config", DECLARED)],
        ReviewOutcome.DECLARED,
        0,
    ),
    (
        "a plan that drifts though no setting says so",
        pair(planned({"cores": "1"}), planned({"cores": "1"}, plan=changed())),
        NOTHING,
        [("params of count", SEMANTIC)],
        ReviewOutcome.SEMANTIC_DRIFT,
        1,
    ),
    (
        "code",
        pair(planned(), planned(plan=changed()), planned(plan=changed())),
        NOTHING,
        [("count", DECLARED)],
        ReviewOutcome.DECLARED,
        0,
    ),
    (
        "code and a profile at once",
        pair(
            planned(),
            planned(
                {"config": ["a=1"]},
                effects=LOUD,
                plan=Plan(
                    jobs=(job(params=[["x", 3]]),), rules={"count": PLAIN}, targets=("out.txt",)
                ),
            ),
            planned(plan=changed()),
        ),
        NOTHING,
        [("config", SEMANTIC), ("count", DECLARED)],
        ReviewOutcome.SEMANTIC_DRIFT,
        1,
    ),
    (
        "a new target",
        pair(
            planned(),
            planned(plan=Plan(jobs=(job(),), rules={"count": PLAIN}, targets=("out.txt", "b"))),
            planned(plan=Plan(jobs=(job(),), rules={"count": PLAIN}, targets=("out.txt", "b"))),
        ),
        NOTHING,
        [("targets", DECLARED)],
        ReviewOutcome.DECLARED,
        0,
    ),
    (
        "a proof route",
        pair(planned(), planned()),
        History(ancestor=True, changed={"cleanroom.yaml": "D", "README.md": "M"}),
        [("cleanroom.yaml", POLICY)],
        ReviewOutcome.POLICY_DRIFT,
        0,
    ),
    (
        "a new profile",
        pair(None, planned({"cores": "1"})),
        NOTHING,
        [("ci", POLICY)],
        ReviewOutcome.POLICY_DRIFT,
        0,
    ),
    (
        "a new profile with meaning",
        pair(None, planned({"config": ["a=1"]}, effects=LOUD)),
        NOTHING,
        [("config", SEMANTIC), ("ci", POLICY)],
        ReviewOutcome.SEMANTIC_DRIFT,
        1,
    ),
    (
        "a profile that is gone",
        pair(planned(), None),
        NOTHING,
        [("ci", POLICY)],
        ReviewOutcome.POLICY_DRIFT,
        0,
    ),
    (
        "retries of a rule",
        pair(
            planned(),
            planned(rule=Rule(code={"shellcmd": "x"}, logs=True, retries=3, declares_retries=True)),
            planned(rule=Rule(code={"shellcmd": "x"}, logs=True, retries=3, declares_retries=True)),
        ),
        NOTHING,
        [("retries of rule count", POLICY)],
        ReviewOutcome.POLICY_DRIFT,
        0,
    ),
    (
        "the head cannot be planned",
        pair(
            planned({"quiet": "all"}),
            planned(
                {"quiet": "rules"},
                plan=None,
                status=RunStatus.FAILED,
                why="The plan failed.\nSyntaxError: x",
            ),
        ),
        NOTHING,
        [("quiet", POLICY)],
        ReviewOutcome.FAILED,
        3,
    ),
    (
        "a conditional setting without a plan",
        pair(
            planned({"set-threads": ["a=1"]}),
            planned({"set-threads": ["a=2"]}, plan=None, status=RunStatus.BROKEN, why="x"),
        ),
        NOTHING,
        [("set-threads", UNKNOWN)],
        ReviewOutcome.INCONCLUSIVE,
        4,
    ),
]


@pytest.mark.parametrize(
    ("one", "history", "drifts", "outcome", "code"),
    [row[1:] for row in TABLE],
    ids=[row[0] for row in TABLE],
)
def test_truth_table(
    one: Pair, history: History, drifts: list[tuple[str, Drift]], outcome: ReviewOutcome, code: int
) -> None:
    changes = review([one], history, ROUTES)
    assert sorted((c.name, c.drift) for c in changes) == sorted(drifts)
    assert judge_review([one], changes)[:2] == (outcome, code)
    for change in changes:
        assert change.why
        assert change.claim.startswith(
            ("weaker: ", "stronger: ", "as before: ", "to be shown again: ")
        )
        assert change.question.endswith("?")


@pytest.mark.parametrize(
    ("before", "after", "claim"),
    [
        ({"retries": "1"}, {"retries": "3"}, "weaker"),
        ({"retries": "3"}, {}, "stronger"),
        ({}, {"rerun-incomplete": "True"}, "stronger"),
        ({}, {"keep-going": "True"}, "weaker"),
        ({"latency-wait": "60"}, {"latency-wait": "5"}, "weaker"),
        ({"executor": "slurm"}, {"executor": "lsf"}, "as before"),
    ],
)
def test_claims(before: dict[str, Any], after: dict[str, Any], claim: str) -> None:
    (change,) = review([pair(planned(before), planned(after))], NOTHING, ROUTES)
    assert change.claim.startswith(claim)


def test_the_smallest_proof_route() -> None:
    """Plain policy needs none; what a plan leaves open takes a run of two profiles."""
    follows = Rule(code={"shellcmd": "x"}, threads=4, reads={"threads": ("command",)})
    effects = (Effect(keys=("set-threads",), changes=(Change(rule="count", field="threads"),)),)
    left, right = (
        planned({"set-threads": [f"count={n}"], "quiet": q}, rule=follows, effects=effects)
        for n, q in ((2, "all"), (4, "rules"))
    )
    proofs = {c.name: c.proof for c in review([pair(left, right)], NOTHING, ROUTES)}
    assert proofs == {
        "quiet": "",
        "set-threads": f"cleanroom confirm r {'c' * 40} --profile profiles/local --profile ci",
    }


def test_the_same_change_in_two_profiles_is_told_once() -> None:
    both = [pair(planned({"jobs": "9", "cores": "1"}), planned({"jobs": "10", "cores": "1"}))]
    other = Pair(profile="slurm", base=both[0].base, between=both[0].between, head=both[0].head)
    (change,) = review([*both, other], NOTHING, ROUTES)
    assert change.profiles == ("ci", "slurm")


def test_what_a_reader_must_know() -> None:
    broken = planned(
        plan=None,
        status=RunStatus.FAILED,
        why="The plan failed with exit code 1.\nSyntaxError: Colon expected.\nmore",
    )
    notes = notes_of([pair(broken, planned())], History(ancestor=False, changed={}))
    assert "no ancestor" in notes[0]
    assert "at the base" in notes[1]
    assert "SyntaxError: Colon expected." in notes[1]
