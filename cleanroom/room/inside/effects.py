"""What settings do to a plan: the plan without them, compared in the room.
Not here: whether that is a change of meaning.
"""

from __future__ import annotations

import json
import os
from typing import Any, Iterable

from .export import Outlet
from .protocol import Record, Spec
from .snakemake_api import Snakemake
from .stack import write_profile
from .steps import plan_step

MOST_SINGLE = 12  # plans without one setting each
MOST_CHANGES = 20
QUIET = ("threads", "resources")


def identity(job: Record) -> tuple[Any, ...]:
    return (
        job["rule"],
        tuple(sorted(job["wildcards"].items())),
        tuple(f["path"] for f in job["output"]),
    )


def changes(plan: Record, other: Record) -> list[Record]:
    """[(job or rule, field)] of what differs between two plans, a label once for each rule and
    field.
    """
    found = {}
    if plan["config"] != other["config"]:
        found["", "config"] = 1
    left, right = (
        {identity(job): job for job in p["jobs"] if job["needed"]} for p in (plan, other)
    )
    for key in sorted(left.keys() ^ right.keys()):
        found[key[0], "job"] = found.get((key[0], "job"), 0) + 1
    for rule in sorted(plan["rules"].keys() & other["rules"].keys()):
        for field in ("code", "software"):
            if plan["rules"][rule][field] != other["rules"][rule][field]:
                found[rule, field] = 1
    for key in sorted(left.keys() & right.keys()):
        for field in ("input", "output", "params", "command", "threads", "resources"):
            if left[key][field] != right[key][field]:
                found[key[0], field] = found.get((key[0], field), 0) + 1
    return [
        {"rule": rule, "field": field, "jobs": count}
        for (rule, field), count in sorted(found.items())
    ]


def loud(found: Iterable[Record]) -> bool:
    """Whether a field changed that may decide; a command whose rule has other threads or resources
    may just show them.
    """
    quiet = {change["rule"] for change in found if change["field"] in QUIET}
    return any(
        c["field"] not in QUIET and not (c["field"] == "command" and c["rule"] in quiet)
        for c in found
    )


def suspects(spec: Spec, keys: list[str], together: Record) -> list[str]:
    """The settings that need a plan of their own: all where a loud change may be any one's, those
    of threads where only threads moved.
    """
    if together["code"] or loud(together["changes"]):
        return keys
    moved = any(change["field"] == "threads" for change in together["changes"])
    return [key for key in keys if moved and key in spec["threads_keys"]]


def without_step(
    spec: Spec,
    snakemake: Snakemake,
    cores: str | int,
    generous: str | int,
    stated: tuple[Record, Record, str],
    outlet: Outlet,
) -> int:
    """Plan once more without every setting in question; where several may have done what that
    shows, once without each, the last ones together.

    A plan that changes without any setting would be blamed on one. So where something changed, or
    no setting is in question, it is planned once more as it is: what that shows is another one each
    time.

    `stated` is (the runnable profile, the plan under it, the cores that it states).
    """
    profile, plan, stated_cores = stated
    keys = [key for key in profile if key in spec["questioned"]]
    if stated_cores and generous != cores:
        keys.append("cores")

    def without(some: list[str]) -> tuple[int, list[Record]]:
        of = generous if "cores" in some else cores
        return planned(spec, snakemake, plan, profile, some, of)

    together = without(keys)
    again: tuple[int, list[Record]] = (0, [])
    if any(together) or not keys:
        again = without([]) if keys else together
    noise = again[1]
    found = [effect([], *again, [])] if any(again) else []
    if keys:
        first = effect(keys, *together, noise)
        found.append(first)
        asked = suspects(spec, keys, first)
        if len(asked) > 1:
            rest = asked[MOST_SINGLE:]
            found += [effect([key], *without([key]), noise) for key in asked[:MOST_SINGLE]]
            found += [effect(rest, *without(rest), noise)] if rest else []
    outlet.say("effects", found)
    return 0


def effect(keys: list[str], code: int, differing: list[Record], noise: list[Record]) -> Record:
    """What a plan without some settings shows, but for what is another one in each plan."""
    found = [c for c in differing if not any(of_same_field(c, n) for n in noise)]
    return {
        "keys": keys,
        "code": code,
        "changes": found[:MOST_CHANGES],
        "more": max(0, len(found) - MOST_CHANGES),
    }


def of_same_field(change: Record, other: Record) -> bool:
    return (change["rule"], change["field"]) == (other["rule"], other["field"])


def planned(
    spec: Spec,
    snakemake: Snakemake,
    plan: Record,
    profile: Record,
    keys: list[str],
    cores: str | int,
) -> tuple[int, list[Record]]:
    """(exit code, what differs from the plan) of one plan without some settings, in a process of
    its own.
    """
    write_profile(
        snakemake, {key: value for key, value in profile.items() if key not in keys}, "without"
    )
    said, pipe = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(said)
            code = plan_step(spec, snakemake, cores, Outlet(pipe), profile="without")
        finally:
            os._exit(code if code in range(256) else 1)
    os.close(pipe)
    with os.fdopen(said, "rb") as stream:
        claims = [json.loads(line) for line in stream]
    status = os.waitpid(child, 0)[1]
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 1
    jobs = [claim["value"] for claim in claims if claim["claim"] == "job"]
    other = next(
        (dict(claim["value"], jobs=jobs) for claim in claims if claim["claim"] == "plan"), None
    )
    if code or not other:
        return code or 1, []
    return 0, changes(plan, other)
