"""The steps that enter Snakemake: lint, plan and run.
Not here: in which order, or what they cost.
"""

from __future__ import annotations

import itertools
import json
import os
from functools import partial
from typing import Any

from .containers import images_of
from .export import WORK, Here, Outlet, attempt, clean, clock_of_files, name
from .guard import Guard
from .interrupt import Interruption
from .plan import (
    asked_for,
    graph_of,
    job_record,
    jobs_of,
    key_of,
    mask_folders,
    plan_record,
    rule_record,
)
from .protocol import Record, Spec
from .snakemake_api import Snakemake
from .stack import arguments
from .stage import stage, unstaged
from .supplies import Supplies, fetch_wrappers

REASON = 500  # characters of a reason that are kept


def place_of(named: Any) -> str:
    """A Snakefile relative to the clone, or a rule's name."""
    text = str(getattr(named, "path", named))
    return name(text[len(WORK) + 1 :] if text.startswith(WORK + os.sep) else text)


def lint_step(spec: Spec, snakemake: Snakemake, cores: str | int, outlet: Outlet) -> int:
    asked = []

    def lint(workflow: Any, json: bool = False) -> bool:
        from snakemake.linting.rules import RuleLinter
        from snakemake.linting.snakefiles import SnakefileLinter

        included = workflow.included() if callable(workflow.included) else workflow.included
        found = []
        for kind, result in (
            ("snakefile", SnakefileLinter(workflow, list(included)).lint(json=True)[0]),
            ("rule", RuleLinter(workflow, list(workflow.rules)).lint(json=True)[0]),
        ):
            for item in result or []:
                about = item.get("for") or {}
                place = about.get(kind, "") if isinstance(about, dict) else about
                for fault in item.get("lints", []):
                    fault = fault if isinstance(fault, dict) else vars(fault)
                    text = " ".join(str(fault.get("title", "")).split())
                    found.append(
                        {"place": clean("%s %s" % (kind, place_of(place))), "text": clean(text)}
                    )
        outlet.say("lint", found)
        asked.append(True)
        return bool(found)

    snakemake.workflow.lint = lint
    code = snakemake.main(arguments(spec, cores) + ["--lint"])
    return 0 if asked else code or 1


def plan_step(
    spec: Spec,
    snakemake: Snakemake,
    cores: str | int,
    outlet: Outlet,
    supplies: Supplies | None = None,
    profile: str = "profile",
) -> int:
    """Each job of the plan as a claim, then all the rest of it."""
    original = snakemake.scheduler.__init__
    wanted: dict[str, list[Record]] = {}

    def init(self: Any, workflow: Any, *args: Any, **kwargs: Any) -> Any:
        Here.keep()
        mask_folders(workflow)
        jobs, rest = plan_record(workflow)
        for job in jobs:
            outlet.say("job", job)
        outlet.say("plan", rest)
        if supplies and spec["survey"]:
            wanted.update(conda=supplies.survey(workflow), containers=images_of(workflow))
        return original(self, workflow, *args, **kwargs)

    snakemake.scheduler.__init__ = init
    code = snakemake.main(arguments(spec, cores, profile) + ["--dry-run"])
    if supplies and spec["survey"]:
        supplies.say(outlet, wanted)
    return code


def rest_step(spec: Spec, snakemake: Snakemake, cores: str | int, outlet: Outlet) -> int:
    """What a second call would run, and Snakemake's own reason for each job.

    Where there is nothing to be done, no scheduler is made.
    """
    found = []
    original = snakemake.scheduler.__init__

    def init(self: Any, workflow: Any, *args: Any, **kwargs: Any) -> Any:
        Here.keep()
        mask_folders(workflow)
        dag = graph_of(workflow)
        for job in jobs_of(dag):
            if dag.needrun(job):
                record = job_record(job, dag)
                asked = {key: record[key] for key in ("rule", "wildcards", "output")}
                found.append(dict(asked, reason=clean(str(dag.reason(job)))[:REASON]))
        return original(self, workflow, *args, **kwargs)

    snakemake.scheduler.__init__ = init
    code = snakemake.main(arguments(spec, cores) + ["--dry-run"])
    if not code:
        outlet.say("rest", found)
    return code


def bare(record: Record) -> str:
    """A job without what only says whether it is to run."""
    return json.dumps(dict(record, needed=True), sort_keys=True)


def run_step(
    spec: Spec,
    snakemake: Snakemake,
    cores: str | int,
    outlet: Outlet,
    planned: list[Record],
    first: int = 0,
    interruption: Interruption | None = None,
) -> int:
    """Every started attempt and its end go out as claims; at the end, the jobs of the final graph
    that did not run.

    `planned` are the jobs of the plan: one that is as planned is named by its place there. `first`
    is the number of the first attempt; an `interruption` may end it all before.
    """
    if spec.get("staged"):
        stage(spec, snakemake)
    places = {bare(job): place for place, job in enumerate(planned)}
    guard = Guard()
    if first:
        guard.close()  # jobs of the interrupted run were here
    started, under_way, seen, workflows, numbers = set(), {}, set(), [], itertools.count(first)
    scheduler, job_class = snakemake.scheduler, snakemake.job
    init, register = scheduler.__init__, job_class.register
    finish, fail = scheduler._finish_jobs, scheduler._handle_error
    announcement = snakemake.announcement()
    announce = getattr(*announcement)

    def on_init(self: Any, workflow: Any, *args: Any, **kwargs: Any) -> Any:
        Here.keep()
        mask_folders(workflow)
        workflows.append(workflow)
        fetch_wrappers(workflow)
        jobs = list(jobs_of(graph_of(workflow)))
        dag = graph_of(workflow)
        outlet.say(
            "planned",
            {"jobs": sum(1 for job in jobs if attempt(partial(dag.needrun, job), True))},
        )
        return init(self, workflow, *args, **kwargs)

    def begun(job: Any) -> None:
        guard.close()
        try:
            number = under_way[key_of(job)] = next(numbers)
            started.add(key_of(job))
            record = job_record(job, job.dag)
            rule = {} if job.rule.name in seen else {"rule": rule_record(job.rule)}
            seen.add(job.rule.name)
            place = places.get(bare(record))
            which = {"job": record} if place is None else {"planned": place}
            outlet.say(
                "start",
                dict(rule, attempt=int(getattr(job, "attempt", 1) or 1), number=number, **which),
                clock_of_files(),
            )
        except Exception as error:  # a job that cannot be described is itself a fact
            outlet.say("undescribed", {"rule": clean(job.rule.name), "text": clean(repr(error))})

    def on_announce(self: Any, job: Any, *args: Any, **kwargs: Any) -> Any:
        # The last that Snakemake does before it hands a job on, to a thread or to a cluster.
        done = announce(self, job, *args, **kwargs)
        for member in job.jobs if job.is_group() else [job]:
            begun(member)
        return done

    def on_register(self: Any, *args: Any, **kwargs: Any) -> Any:
        if key_of(self) not in under_way:  # an executor that announces nothing
            begun(self)
        done = register(self, *args, **kwargs)  # marks the job's outputs as incomplete
        if interruption:
            interruption.started(self)
        return done

    def ended(job: Any, ok: bool) -> None:
        # A job whose output is missing or refused fails while Snakemake finishes it: the first word
        # on an attempt is its end.
        for member in job.jobs if job.is_group() else [job]:
            number = under_way.pop(key_of(member), None)
            if number is not None:
                outlet.say("end", {"number": number, "ok": ok})

    def on_finish(self: Any) -> None:
        jobs = list(self._tofinish)
        finish(self)
        for job in jobs:
            ended(job, True)
            if interruption:
                interruption.ended(job)

    def on_error(self: Any, job: Any, *args: Any, **kwargs: Any) -> Any:
        ended(job, False)
        return fail(self, job, *args, **kwargs)

    setattr(*announcement, on_announce)
    scheduler.__init__, job_class.register = on_init, on_register
    scheduler._finish_jobs, scheduler._handle_error = on_finish, on_error
    code = snakemake.main(arguments(spec, cores))
    final = []
    if workflows:
        dag = graph_of(workflows[-1])
        wanted = asked_for(dag)
        for job in jobs_of(dag):
            if key_of(job) not in started and (wanted is None or key_of(job) in wanted):
                final.append(job_record(job, dag))
    outlet.say(
        "final",
        {"idle": final, "code": code, "unstaged": unstaged(started) if spec.get("staged") else []},
    )
    return code
