"""What a workflow takes from beyond its commit: files of other places, and environments of conda.
What was provided lies in the room, and takes the place of fetching and making.

Not here: fetching or making anything.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from functools import partial
from typing import Any, Container

from .deployment import asks_for, first_on_path
from .export import IN, Outlet, attempt, clean, name, place
from .plan import graph_of, jobs_of
from .protocol import Record, Spec

SOURCES = os.path.join(IN, "sources")
PROGRAMS = os.path.join(IN, "conda", "bin")
WHEN = 946684800.0  # the time that files of other places have in every room
MOST_TEXT = 1 << 20


def asks_for_conda(settings: Record) -> bool:
    """Whether these settings have rules run in environments of conda."""
    return asks_for(settings, ("conda",), ("use-conda",))


def offer_conda(spec: Spec, settings: Record) -> None:
    """A `conda` that knows the environments of this room, for settings that ask for one, and where
    it is only asked what rules declare.
    """
    wanted = spec["survey"] or asks_for_conda(settings)
    if wanted and (spec["conda"] or not shutil.which("conda")):
        first_on_path(PROGRAMS)


def activate(prefix: str) -> None:
    """Have the variables of an activated environment of conda in this process and all others."""
    script = '. /room/in/conda/bin/activate "$0" >&2; exec env -0'
    said = subprocess.run(["bash", "-c", script, prefix], stdout=subprocess.PIPE, check=True).stdout
    for line in said.split(b"\0"):
        key, found, value = os.fsdecode(line).partition("=")
        if found and key not in ("_", "SHLVL", "PWD", "OLDPWD"):
            os.environ[key] = value


class NotYet(BaseException):
    """A file that the next plan will have; what would be looked for in its place is not wanted."""


class Supplies:
    """The supplies of one step: what was provided is served, what was not is remembered."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._missing: dict[str, None] = {}
        self._one_of_several = False

    def serve(self) -> None:
        """Put what lies in the room in the place of what Snakemake would fetch and make."""
        from snakemake import wrapper
        from snakemake.deployment.conda import Env
        from snakemake.sourcecache import SourceCache

        fetch, create, find = SourceCache._do_cache, Env.create, wrapper.get_script

        def do_cache(cache: Any, file: Any, entry: Any, *more: Any, **how: Any) -> Any:
            uri = remote(file)
            if not uri:
                return fetch(cache, file, entry, *more, **how)
            kept = os.path.join(SOURCES, hashlib.sha256(uri.encode()).hexdigest())
            if os.path.exists(kept):
                os.makedirs(os.path.dirname(str(entry)), exist_ok=True)
                shutil.copyfile(kept, str(entry))
                os.utime(str(entry), (WHEN, WHEN))
                return None
            if os.path.exists(kept + ".none"):
                raise FileNotFoundError("%s is not there" % uri)
            self._missing[uri] = None
            if self._spec["survey"] and self._one_of_several:
                raise NotYet
            if self._spec["survey"]:
                raise FileNotFoundError("%s was not provided yet" % uri)
            return fetch(cache, file, entry, *more, **how)

        def made(env: Any, dryrun: bool = False) -> Any:
            where = self._spec["conda"].get(attempt(lambda: key_of(env), ""))
            if dryrun or where is None or getattr(env, "is_containerized", False):
                return create(env, dryrun) if where is None else env.address
            address = env.address
            if not os.path.lexists(address):
                os.makedirs(os.path.dirname(address), exist_ok=True)
                os.symlink(where, address)
                with open(os.path.splitext(address)[0] + ".env_setup_done", "w"):
                    pass
            return address

        def found(path: Any, cache: Any, prefix: Any = None) -> Any:
            # One of several files, looked for in order: the first that may be there is asked for.
            self._one_of_several = True
            try:
                return find(path, cache, prefix=prefix)
            except NotYet:
                return wrapper.get_path(path, prefix=prefix)
            finally:
                self._one_of_several = False

        SourceCache._do_cache, Env.create, wrapper.get_script = do_cache, made, found

    def survey(self, workflow: Any) -> list[Record]:
        """The environments of conda that jobs declare; behind a checkpoint every rule may have
        jobs that no plan shows.
        """
        found: dict[str, Record] = {}
        rules = set()
        for job in jobs_of(graph_of(workflow)):
            rules.add(job.rule.name)
            spec = attempt(lambda: job.conda_env_spec)  # noqa: B023 - called at once
            if spec is not None:
                self._add(found, partial(spec.get_conda_env, workflow))
        grows = any(getattr(rule, "is_checkpoint", False) for rule in workflow.rules)
        for rule in workflow.rules if grows else ():
            env = getattr(rule, "conda_env", None)
            if env is not None and rule.name not in rules:
                spec = attempt(lambda: rule.expand_conda_env({}))  # noqa: B023
                if spec is not None:
                    self._add(found, partial(spec.get_conda_env, workflow))
        fetch_wrappers(workflow, None if grows else rules)
        return list(found.values())

    def _add(self, found: dict[str, Record], make: Any) -> None:
        env = attempt(make)
        if env is None:
            return
        named = getattr(env, "name", None) or getattr(env, "dir", None)
        if named or not getattr(env, "file", None):
            found.setdefault(str(named), {"name": clean(str(named))})
            return
        texts = attempt(lambda: texts_of(env))
        if texts is None:
            return
        texts = [text[: MOST_TEXT + 1] for text in texts]  # longer than that is refused
        called = clean(str(env.file.get_path_or_uri(**secret_free(env.file))))
        local = place(called) if os.path.isabs(called) else name(called)
        record = {"name": local, "key": key_of(env)}
        found[record["key"]] = dict(record, text=texts[0], pin=texts[1], deploy=texts[2])

    def say(self, outlet: Outlet, wanted: dict[str, list[Record]]) -> None:
        outlet.say("wants", {**wanted, "sources": sorted(map(clean, self._missing))})


def fetch_wrappers(workflow: Any, rules: Container[str] | None = None) -> None:
    """Have the scripts of wrappers, of these rules or of all, in Snakemake's cache, where the
    processes of their jobs find them.
    """
    from snakemake import wrapper

    prefix = getattr(workflow, "wrapper_prefix", None)
    if prefix is None:
        prefix = getattr(getattr(workflow, "workflow_settings", None), "wrapper_prefix", None)
    for rule in workflow.rules:
        path = getattr(rule, "wrapper", None)
        if isinstance(path, str) and (rules is None or rule.name in rules):
            attempt(partial(wrapper.get_script, path, workflow.sourcecache, prefix=prefix))


def secret_free(file: Any) -> dict[str, bool]:
    """Snakemake 9 puts tokens into an address unless it is told not to."""
    import inspect

    known = inspect.signature(file.get_path_or_uri).parameters
    return {"secret_free": True} if "secret_free" in known else {}


def remote(file: Any) -> str:
    """The address of a file of another place; nothing for one of this room."""
    uri = str(attempt(lambda: file.get_path_or_uri(**secret_free(file)), ""))
    return uri if uri.startswith(("http://", "https://")) else ""


def texts_of(env: Any) -> list[str]:
    """The texts of an environment: its file, its pins, its script."""
    raws = [env.content, env.content_pin, env.content_deploy]
    return [raw.decode("utf-8", "replace") if raw else "" for raw in raws]


def key_of(env: Any) -> str:
    return hashlib.sha256(json.dumps(texts_of(env)).encode()).hexdigest()
