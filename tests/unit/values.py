"""Small whole values for tests of what only decides."""

from typing import Any

import msgspec

from cleanroom.values.audit import Audit
from cleanroom.values.comparison import Comparison, Difference, PlanDifference, Sameness
from cleanroom.values.plan import FileRef, Job, Plan, Rule
from cleanroom.values.run import (
    Artifact,
    Attempt,
    Evidence,
    Kind,
    Role,
    RunStatus,
    Step,
    StepStatus,
)
from cleanroom.values.setup import Entry, Image, Profile, Source

SOURCE = Source(url="https://example.org/w.git", ref="main", commit="a" * 40)
IMAGE = Image(
    reference="room:latest", digest="sha256:" + "b" * 64, engine="docker", isolation="container"
)


def job(
    rule: str = "count", output: str = "out.txt", *, inputs: tuple[str, ...] = (), **values: Any
) -> Job:
    outputs = (FileRef(path=output),) if output else ()
    return Job(rule=rule, output=outputs, input=tuple(FileRef(path=p) for p in inputs), **values)


def attempt(of: Job, number: int = 1, *, ok: bool | None = True) -> Attempt:
    return Attempt(job=of, number=number, started=0.0, ended=1.0, ok=ok)


def artifact(
    path: str = "out.txt",
    content: str = "1",
    *,
    role: Role = Role.OUTPUT,
    index: int = 0,
    **values: Any,
) -> Artifact:
    return Artifact(
        path=path,
        kind=values.pop("kind", Kind.FILE),
        size=1,
        mode=0o644,
        sha256=content * 64,
        role=role,
        job=index,
        **values,
    )


def evidence(name: str = "local", **values: Any) -> Evidence:
    """A completed run of one job that left one result."""
    only = job()
    whole = Evidence(
        attempt_id=f"id-{name}",
        source=SOURCE,
        entry=Entry(),
        profile=Profile(name=name, path=f"profiles/{name}"),
        context={},
        image=IMAGE,
        status=RunStatus.COMPLETED,
        plan=Plan(jobs=(only,), rules={"count": Rule()}),
        attempts=(attempt(only),),
        artifacts=(artifact(),),
        lints=(),
        steps=tuple(
            Step(name=n, status=StepStatus.OK) for n in ("settings", "lint", "plan", "run")
        ),
    )
    return msgspec.structs.replace(whole, **values)


NO_AUDIT = Audit(baseline="", profiles=(), settings=(), plans=(), findings=(), answers=())


def comparison(left: str = "local", right: str = "ci", **values: Any) -> Comparison:
    values.setdefault("counts", {Sameness.BYTES: 1})
    return Comparison(left=left, right=right, **values)


def difference(**values: Any) -> Difference:
    return Difference(
        **{
            "path": "out.txt",
            "sameness": Sameness.DIFFERENT,
            "decides": True,
            "origin": True,
            **values,
        }
    )


def plan_difference(**values: Any) -> PlanDifference:
    return PlanDifference(
        **{"job": "count", "field": "params", "left": "1", "right": "2", "decides": True, **values}
    )
