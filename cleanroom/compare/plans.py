"""Two plans, deciding field by deciding field. Texts of dry-runs are never compared.
Not here: artifacts.

Deciding: job set, inputs, outputs, params, code, software, configuration. Informing: threads,
resources, and resolved command lines where only threads or resources explain the difference.
"""

import datetime
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from cleanroom.values.base import canonical
from cleanroom.values.comparison import PlanDifference
from cleanroom.values.declared import Declared
from cleanroom.values.plan import Job, Plan
from cleanroom.values.run import Evidence

_MAX_TEXT = 400
_Identity = tuple[str, tuple[tuple[str, str], ...], tuple[str, ...]]


def compare_plans(left: Plan, right: Plan) -> tuple[PlanDifference, ...]:
    """Every difference between two plans, the deciding ones first."""
    found = list(_differences(left, right))
    return tuple(sorted(found, key=lambda d: not d.decides))


def as_declared(
    differences: tuple[PlanDifference, ...], declared: Declared, today: datetime.date
) -> tuple[PlanDifference, ...]:
    """The same differences; what the commit declares of a field, and until when, does not
    decide.
    """
    in_force = {(p.rule, p.field): p for p in declared.plan if p.expires >= today}

    def one(difference: PlanDifference) -> PlanDifference:
        by = in_force.get((difference.rule, difference.kind))  # type: ignore[arg-type]
        if by is None or not difference.decides:
            return difference
        return msgspec.structs.replace(difference, decides=False, note=f"declared: {by.reason}")

    return tuple(map(one, differences))


def plans_of_one_seed(left: Evidence, right: Evidence) -> tuple[Plan, Plan]:
    """The plans of two runs, of the first one under the hash seed of the second: what is no effect
    of a seed is compared.

    Both must have a plan.
    """
    assert left.plan is not None and right.plan is not None
    same = left.hash_seed == right.hash_seed
    return (left.plan if same else left.replan or left.plan), right.plan


def _differences(left: Plan, right: Plan) -> Iterator[PlanDifference]:
    if canonical(left.config) != canonical(right.config):
        yield from _config(left.config, right.config)
    jobs_left, jobs_right = _by_identity(left), _by_identity(right)
    for identity in sorted(jobs_left.keys() - jobs_right.keys()):
        yield _difference(jobs_left[identity], "job", "planned", "not planned")
    for identity in sorted(jobs_right.keys() - jobs_left.keys()):
        yield _difference(jobs_right[identity], "job", "not planned", "planned")
    for name in sorted(left.rules.keys() & right.rules.keys()):
        for field in ("code", "software"):
            values = getattr(left.rules[name], field), getattr(right.rules[name], field)
            if canonical(values[0]) != canonical(values[1]):
                yield _difference(Job(rule=name), field, *values)
    for identity in sorted(jobs_left.keys() & jobs_right.keys()):
        yield from _jobs(jobs_left[identity], jobs_right[identity])


def _by_identity(plan: Plan) -> dict[_Identity, Job]:
    return {job.identity: job for job in plan.jobs if job.needed}


def _config(left: Any, right: Any) -> Iterator[PlanDifference]:
    left, right = left or {}, right or {}
    for key in sorted(left.keys() | right.keys()):
        if key not in left or key not in right or canonical(left[key]) != canonical(right[key]):
            yield _difference(
                None,
                f"config: {key}",
                left.get(key, "(absent)"),
                right.get(key, "(absent)"),
            )


def _jobs(left: Job, right: Job) -> Iterator[PlanDifference]:
    inputs = [f.path for f in left.input], [f.path for f in right.input]
    if inputs[0] != inputs[1]:
        yield _difference(left, "input", *inputs)
    if canonical(left.params) != canonical(right.params):
        yield _difference(left, "params", left.params, right.params)
    if left.command != right.command:
        explained = _explained(left, right)
        note = f"only {' and '.join(explained)} differ" if explained else ""
        yield _difference(
            left, "command", left.command, right.command, decides=not explained, note=note
        )
    for field in ("log", "benchmark"):
        if getattr(left, field) != getattr(right, field):
            yield _difference(
                left, field, getattr(left, field), getattr(right, field), decides=False
            )
    if left.threads != right.threads:
        yield _difference(left, "threads", left.threads, right.threads, decides=False)
    if canonical(left.resources) != canonical(right.resources):
        yield _difference(left, "resources", left.resources, right.resources, decides=False)


def _explained(left: Job, right: Job) -> list[str]:
    """The threads and resources that account for every difference between two command lines; empty
    where they do not.
    """
    values: dict[str, tuple[str, str]] = {"threads": (str(left.threads), str(right.threads))}
    for name in left.resources.keys() | right.resources.keys():
        values[name] = (str(left.resources.get(name)), str(right.resources.get(name)))
    values = {name: pair for name, pair in values.items() if pair[0] != pair[1]}
    words_left, words_right = left.command.split(), right.command.split()
    if len(words_left) != len(words_right):
        return []
    used: dict[str, None] = {}
    for a, b in zip(words_left, words_right, strict=True):
        if a == b:
            continue
        names = [name for name, pair in values.items() if _becomes(a, b, *pair)]
        if not names:
            return []
        used.setdefault(names[0])
    return list(used)


def _becomes(word: str, other: str, value: str, new: str) -> bool:
    """Whether `other` is `word` with a value replaced in some places where it is no part of a
    longer number.
    """
    parts = re.split(rf"(?<!\d)(?<!\d\.){re.escape(value)}(?!\.?\d)", word)
    return (
        re.fullmatch(f"(?:{re.escape(value)}|{re.escape(new)})".join(map(re.escape, parts)), other)
        is not None
    )


def _difference(
    job: Job | None, field: str, left: Any, right: Any, *, decides: bool = True, note: str = ""
) -> PlanDifference:
    """`job` is None for what is of the configuration."""
    return PlanDifference(
        job=job.label if job else "configuration",
        rule=job.rule if job else "",
        field=field,
        left=_text(left),
        right=_text(right),
        decides=decides,
        note=note,
    )


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else canonical(value).decode()
    return text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 1] + "…"


def compare_attempts(left: Evidence, right: Evidence) -> tuple[PlanDifference, ...]:
    """Jobs that needed another number of attempts, and jobs that only one of the runs had beyond
    its plan.
    """
    needed = _attempts_needed(left), _attempts_needed(right)
    planned = [{j.identity for j in e.plan.jobs} if e.plan else set() for e in (left, right)]
    found = []
    for identity in sorted(needed[0].keys() | needed[1].keys()):
        job = (needed[0].get(identity) or needed[1][identity])[0]
        here, there = (n.get(identity, (job, 0))[1] for n in needed)
        only_one = not here or not there
        if here == there or (only_one and identity in planned[0] ^ planned[1]):
            continue  # what the plans already say is not said twice
        field = "job" if only_one else "attempts"
        found.append(_difference(job, field, f"{here} attempts", f"{there} attempts"))
    return tuple(found)


def _attempts_needed(evidence: Evidence) -> dict[_Identity, tuple[Job, int]]:
    needed: dict[_Identity, tuple[Job, int]] = {}
    for attempt in evidence.attempts:
        _, before = needed.get(attempt.job.identity, (attempt.job, 0))
        needed[attempt.job.identity] = (attempt.job, before + 1)
    return needed
