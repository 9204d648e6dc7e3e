"""Plans differ in fields; some decide and some inform."""

import datetime

import msgspec
import pytest

from cleanroom.compare.plans import as_declared, compare_attempts, compare_plans
from cleanroom.values.declared import Declared
from cleanroom.values.plan import Plan, Rule
from tests.unit.values import attempt, evidence, job


def one(**values: object) -> Plan:
    rules = values.pop("rules", {"count": Rule(code={"shellcmd": "wc {input}"})})
    config = values.pop("config", {"a": 1})
    return Plan(jobs=(job(**values),), rules=rules, config=config)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("left", "right", "field", "decides"),
    [
        (one(), one(), "", False),
        (one(), one(output="other.txt"), "job", True),
        (one(), Plan(config={"a": 1}), "job", True),
        (one(inputs=("a",)), one(inputs=("b",)), "input", True),
        (one(params=[["n", 1]]), one(params=[["n", 2]]), "params", True),
        (one(params=[["n", 1]]), one(params=[["n", "1"]]), "params", True),
        (one(config={"a": 1}), one(config={"a": 2}), "config: a", True),
        (one(config={"a": 1}), one(config={}), "config: a", True),
        (one(), one(rules={"count": Rule(code={"shellcmd": "wc -l {input}"})}), "code", True),
        (
            one(),
            one(
                rules={
                    "count": Rule(code={"shellcmd": "wc {input}"}, software={"conda": "env.yaml"})
                }
            ),
            "software",
            True,
        ),
        (one(threads=1), one(threads=4), "threads", False),
        (one(resources={"mem_mb": 1}), one(resources={"mem_mb": 2}), "resources", False),
        (one(threads=1, command="x -t 1"), one(threads=4, command="x -t 4"), "command", False),
        (one(threads=1, command="x -t1 a1"), one(threads=4, command="x -t4 a1"), "command", False),
        (
            one(resources={"m": 9}, command="x 9m"),
            one(resources={"m": 7}, command="x 7m"),
            "command",
            False,
        ),
        (
            one(threads=1, command="x 1=1.bam"),
            one(threads=2, command="x 1=2.bam"),
            "command",
            False,
        ),
        (one(threads=1, command="x -k31"), one(threads=2, command="x -k32"), "command", True),
        (one(threads=1, command="x 0.1"), one(threads=2, command="x 0.2"), "command", True),
        (
            one(threads=1, command="x -t 1 --chunks 8"),
            one(threads=4, command="x -t 4 --chunks 16"),
            "command",
            True,
        ),
        (one(command="x /a"), one(command="x /b"), "command", True),
        (one(threads=1, command="x"), one(threads=4, command="x 4"), "command", True),
    ],
)
def test_fields(left: Plan, right: Plan, field: str, decides: bool) -> None:
    found = compare_plans(left, right)
    assert {
        d.field for d in found if d.field not in {"threads", "resources"} or field == d.field
    } == ({field} if field else set())
    assert any(d.decides for d in found) is decides
    assert len(compare_plans(right, left)) == len(found)


def test_a_job_that_is_not_needed_is_not_planned() -> None:
    assert compare_plans(one(needed=False), Plan(config={"a": 1})) == ()


def test_attempts_are_counted_and_what_the_plans_say_is_not_said_twice() -> None:
    first, second = job("a", "a.txt"), job("b", "b.txt")
    plan = Plan(jobs=(first, second))
    left = evidence("l", plan=plan, attempts=(attempt(first), attempt(second)))
    right = evidence(
        "r", plan=plan, attempts=(attempt(first, ok=False), attempt(first, 2), attempt(second))
    )
    (found,) = compare_attempts(left, right)
    assert (found.job, found.field, found.left, found.right, found.decides) == (
        "a",
        "attempts",
        "1 attempts",
        "2 attempts",
        True,
    )
    assert compare_attempts(left, left) == ()
    fewer = evidence("f", plan=Plan(jobs=(first,)), attempts=(attempt(first),))
    assert compare_attempts(left, fewer) == ()


def test_a_job_that_only_a_run_shows_decides() -> None:
    first, found_later = job("a", "a.txt"), job("bin", "bins/3.txt")
    left = evidence("l", plan=Plan(jobs=(first,)), attempts=(attempt(first), attempt(found_later)))
    right = evidence("r", plan=Plan(jobs=(first,)), attempts=(attempt(first),))
    (found,) = compare_attempts(left, right)
    assert (found.field, found.decides) == ("job", True)


@pytest.mark.parametrize(
    ("expires", "field", "decides"),
    [
        ("2030-01-02", "params", False),
        ("2030-01-01", "params", True),
        ("2030-01-02", "input", True),
    ],
)
def test_a_declared_field_does_not_decide_until_it_expires(
    expires: str, field: str, decides: bool
) -> None:
    found = compare_plans(Plan(jobs=(job(params=["x"]),)), Plan(jobs=(job(params=["y"]),)))
    declared = msgspec.convert(
        {
            "plan": [
                {"rule": "count", "field": field, "reason": "r", "owner": "o", "expires": expires}
            ]
        },
        Declared,
    )
    (one,) = as_declared(found, declared, datetime.date(2030, 1, 2))
    assert (one.decides, one.note) == (decides, "" if decides else "declared: r")
