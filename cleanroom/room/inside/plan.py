"""The plan, as Snakemake sees it: jobs, rules, configuration. Not here: running anything.

Every field that a version of Snakemake does not have is left out, never guessed.
"""

from __future__ import annotations

import hashlib
import os
import re
from functools import partial
from typing import Any, Iterable, Iterator

from .export import (
    WORK,
    attempt,
    clean,
    digest_of_file,
    masked,
    name,
    place,
    plain,
    tracked_paths,
    unnamed,
)
from .protocol import Record
from .reads import hidden_in, reads_of


def file_refs(files: Iterable[Any]) -> list[Record]:
    refs = []
    for file in files:
        said = getattr(file, "flags", None) or {}
        flags = sorted(k for k, v in said.items() if v not in (None, False))
        stored = stored_here(said.get(STORED))
        if stored:
            flags.remove(STORED)
        refs.append({"path": unnamed(place(stored or file)), "flags": [clean(f) for f in flags]})
    return refs


STORED = "storage_object"


def stored_here(stored: Any) -> str:
    """Where a file lies whose storage is a folder of this room; nothing for any other storage."""
    if not type(stored).__module__.startswith("snakemake_storage_plugin_fs"):
        return ""
    return str(attempt(lambda: stored.query, ""))


def params_of(job: Any) -> list[list[Any]]:
    """[name, value] pairs in order; a positional parameter has no name."""
    positions = {}
    for key, (start, end) in attempt(lambda: list(job.params._get_names()), []):
        positions[start] = (key, end)
    values, pairs, index = list(job.params), [], 0
    while index < len(values):
        key, end = positions.get(index, (None, None))
        if end is not None and end > index:
            pairs.append([clean(key), [plain(v) for v in values[index:end]]])
            index = end
        else:
            pairs.append([key and clean(key), plain(values[index])])
            index += 1
    return pairs


def resolved(rule: Any, path: str) -> str | None:
    """The path of a script, notebook or environment file of a rule, or None where it is not a local
    file.
    """
    base: Any = getattr(rule, "basedir", None)
    joined = base.join(path).get_path_or_uri if hasattr(base, "join") else None
    if joined is None:
        found = os.path.join(str(base or "."), path)
    else:
        try:
            found = str(joined(secret_free=True))
        except TypeError:
            found = str(joined())
    return found if os.path.isfile(found) else None


def rule_record(rule: Any) -> Record:
    """What a rule does and in which software: the same for every job of it."""
    code: dict[str, str] = {}
    for attribute in (
        "shellcmd",
        "script",
        "notebook",
        "wrapper",
        "template_engine",
        "cwl",
        "run_func_src",
    ):
        value = getattr(rule, attribute, None)
        if isinstance(value, str) and value and not (attribute == "run_func_src" and code):
            code[attribute] = clean(
                value
            )  # the source of a rule is that of its `run:` block only where it has one
    if getattr(rule, "is_run", False) and "run_func_src" not in code:
        body = attempt(lambda: rule.run_func.__code__)
        if body is not None:
            constants = [c for c in body.co_consts if not hasattr(c, "co_code")]
            code["run_sha256"] = hashlib.sha256(
                body.co_code + repr((constants, body.co_names)).encode()
            ).hexdigest()
    for attribute in ("script", "notebook"):
        value = getattr(rule, attribute, None)
        found = attempt(partial(resolved, rule, value)) if isinstance(value, str) else None
        if found:
            code[attribute + "_sha256"] = digest_of_file(found)
    info = getattr(rule, "ruleinfo", None)
    software = {}
    env = getattr(rule, "conda_env", None)
    if env is not None:
        software["conda"] = (
            clean(str(getattr(env, "file", env))) if not callable(env) else "decided per job"
        )
        found = attempt(lambda: resolved(rule, str(getattr(env, "file", env))))
        if found:
            software["conda_sha256"] = digest_of_file(found)
    container = getattr(rule, "container_img", None)
    if container:
        software["container"] = plain(container) if not callable(container) else "decided per job"
    modules = attempt(lambda: list(rule.env_modules.names))
    if modules:
        software["modules"] = plain(modules)
    return {
        "code": code,
        "software": software,
        "checkpoint": bool(getattr(rule, "is_checkpoint", False)),
        "shadow": plain(getattr(rule, "shadow_depth", None)),
        "retries": plain(getattr(rule, "restart_times", None)),
        "threads": attempt(lambda: int(rule.resources["_cores"])) or 0,
        "reads": attempt(lambda: reads_of(rule, resolved), {}),
        "declares_retries": getattr(info, "retries", None) is not None,
        "logs": bool(attempt(lambda: len(rule.log), 0)),
        "cached": bool(getattr(info, "cache", None)),
        "file": attempt(lambda: file_of(rule.snakefile), ""),
        "line": attempt(lambda: int(rule.lineno), 0) or 0,
    }


def file_of(path: Any) -> str:
    """A file of the clone by its relative name; nothing for one that lies elsewhere."""
    full = os.path.realpath(str(path))
    return name(full[len(WORK) + 1 :]) if full.startswith(WORK + os.sep) else ""


def group_of(job: Any) -> str:
    """The group that somebody named; those that Snakemake makes for pipes have another id each
    time.
    """
    group = clean(str(getattr(job, "group", None) or ""))
    return "" if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", group) else group


def job_record(job: Any, dag: Any) -> Record:
    return {
        "rule": clean(job.rule.name),
        "wildcards": {clean(k): clean(str(v)) for k, v in dict(job.wildcards_dict).items()},
        "input": file_refs(job.input),
        "output": file_refs(job.output),
        "log": [place(f) for f in job.log],
        "benchmark": place(job.benchmark) if job.benchmark else "",
        "params": attempt(lambda: params_of(job), []),
        "command": clean(attempt(lambda: job.shellcmd) or ""),
        "threads": attempt(lambda: int(job.threads), 0),
        "resources": attempt(
            lambda: {
                clean(k): plain(v)
                for k, v in dict(job.resources.items()).items()
                if k not in ("_cores", "_nodes")
            },
            {},
        ),
        "group": group_of(job),
        "needed": bool(attempt(lambda: dag.needrun(job), True)),
        "target": bool(attempt(lambda: job in set(dag.targetjobs), False)),
    }


def key_of(job: Any) -> tuple[Any, ...]:
    """What tells a job from every other one of the workflow."""
    return (
        job.rule.name,
        tuple(sorted(dict(job.wildcards_dict).items())),
        tuple(str(f) for f in job.output),
    )


def jobs_of(dag: Any) -> Iterator[Any]:
    """Every job of the graph, group jobs opened (Snakemake 7 lists groups, 8 and 9 their
    members).
    """
    for job in dag.jobs:
        if job.is_group():
            for member in job.jobs:
                yield member
        else:
            yield job


def graph_of(workflow: Any) -> Any:
    dag = getattr(workflow, "dag", None)
    return dag if dag is not None else workflow.persistence.dag


def asked_for(dag: Any) -> set[Any] | None:
    """The keys of the jobs that lead to a target: a checkpoint may leave others in the graph. None
    where this Snakemake does not tell.
    """
    found: set[Any] = set()
    try:
        waiting = list(dag.targetjobs)
        while waiting:
            job = waiting.pop()
            if key_of(job) not in found:
                found.add(key_of(job))
                waiting += list(dag.dependencies[job])
    except (AttributeError, KeyError, TypeError):
        return None
    return found


def mask_folders(workflow: Any) -> None:
    """Sources that a rule asks for lie in a folder with a random name."""
    folder = attempt(lambda: str(workflow.sourcecache.runtime_cache_path), "")
    if folder:
        masked[folder] = "(source cache)"


def plan_record(workflow: Any) -> tuple[list[Record], Record]:
    """(every job, all else of the plan)."""
    dag = graph_of(workflow)
    jobs = [job_record(job, dag) for job in jobs_of(dag)]
    jobs.sort(
        key=lambda j: (j["rule"], sorted(j["wildcards"].items()), [f["path"] for f in j["output"]])
    )
    targets = {
        file["path"] for job in jobs if job["target"] for file in job["input"] + job["output"]
    }
    return jobs, {
        "rules": {clean(rule.name): rule_record(rule) for rule in workflow.rules},
        "config": plain(dict(workflow.globals.get("config") or {})),
        "targets": sorted(targets),
        "hooks": [hook for hook in ("onstart", "onsuccess", "onerror") if hook in workflow.globals],
        "hidden": attempt(lambda: hidden_context(workflow), []),
        "workdir": place("."),
    }


def _address(source: Any) -> Any:
    return source.get_path_or_uri(secret_free=True)


def hidden_context(workflow: Any) -> list[Record]:
    """What the code of the workflow reads of its context: every Snakefile and every script that
    lies in the clone.
    """
    included = workflow.included() if callable(workflow.included) else workflow.included
    files: dict[str, str] = {}
    for source in included:
        files.setdefault(
            file_of(attempt(partial(_address, source), source)),
            "",
        )
    for rule in workflow.rules:
        for attribute in ("script", "notebook"):
            value = getattr(rule, attribute, None)
            found = attempt(partial(resolved, rule, value)) if isinstance(value, str) else None
            if found:
                files.setdefault(file_of(found), rule.name)
    records = []
    tracked = attempt(tracked_paths, frozenset())
    for file, rule in files.items():
        if file:
            records += [
                dict(record, file=file, rule=clean(rule))
                for record in hidden_in(os.path.join(WORK, file), tracked)
            ]
    return records
