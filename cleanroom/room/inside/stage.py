"""Jobs that see only what they declare: each works in a folder of its own with links to its inputs
(Snakemake's `shadow: minimal`).

Snakemake runs such a job in a process of its own, which reads the workflow again: that one enters
here too (`--staged`).
Not here: which files are shown though no job declares them.
"""

from __future__ import annotations

import inspect
import json
import os
import sys
from typing import Any, Iterable, NoReturn

from .export import IN, OUT, WORK, clean, raw
from .plan import key_of
from .protocol import Spec
from .snakemake_api import Snakemake

START, STAGED = os.path.join(IN, "start.py"), "--staged"
_RECORD = os.path.join(OUT, "staged.jsonl")
_IN_PLACE = {"pipe", "service", "update"}  # flags of outputs that must be where they are
_MINIMAL = ("minimal", "copy-minimal")


def stage(spec: Spec, snakemake: Snakemake) -> None:
    """From here on, every job is staged, but those that work on a file in place or through a
    pipe.
    """
    _enter_here(snakemake.local_executor())
    _declared_only(snakemake.rule, snakemake.job)
    asked = spec["staged"] or {"shown": [], "strays": []}
    _when_prepared(snakemake.job, asked["shown"], set(asked["strays"]))


def unstaged(keys: Iterable[tuple[Any, ...]]) -> list[str]:
    """The rules of those jobs that made something and did not say that they were staged."""
    try:
        with open(_RECORD) as stream:
            staged = set(stream.read().splitlines())
    except OSError:
        staged = set()
    return sorted({clean(key[0]) for key in keys if key[2] and json.dumps(key) not in staged})


def enter_staged(snakemake: Snakemake) -> NoReturn:
    """The process of one job, as Snakemake called it."""
    with open(os.path.join(IN, "spec.json")) as stream:
        stage(json.load(stream), snakemake)
    argv = sys.argv[sys.argv.index(STAGED) + 1 :]
    sys.path.insert(0, os.getcwd())  # as under `python -m`
    sys.exit(snakemake.main(argv))


def _enter_here(executor: Any) -> None:
    original = executor.format_job_exec

    def format_job_exec(self: Any, job: Any) -> str:
        return original(self, job).replace(" -m snakemake ", " -B %s %s " % (START, STAGED), 1)

    executor.format_job_exec = format_job_exec


def _declared_only(rule_class: Any, job_class: Any) -> None:
    def keeps(rule: Any) -> bool:
        flags = {
            flag
            for file in rule.output
            for flag, value in (getattr(file, "flags", None) or {}).items()
            if value
        }
        return bool(flags & _IN_PLACE) or bool(getattr(rule, "template_engine", None))

    def depth(self: Any) -> Any:
        own = self.__dict__.get("shadow_depth")
        return own if own in _MINIMAL or getattr(self, "norun", False) or keeps(self) else "minimal"

    def set_depth(self: Any, value: Any) -> None:
        self.__dict__["shadow_depth"] = value

    def is_shadow(self: Any) -> bool:
        within = not any(str(f).startswith("..") for f in [*self.input, *self.output, *self.log])
        return within and self.rule.shadow_depth is not None

    rule_class.shadow_depth = property(depth, set_depth)
    job_class.is_shadow = property(is_shadow)


def _when_prepared(job_class: Any, shown: list[str], strays: set[str]) -> None:
    """A staged job says so, and gets links to more files.
    Those to strays are made before there is such a file: what it writes stays.
    """
    original = job_class.prepare

    def prepared(self: Any) -> None:
        if not self.shadow_dir or self.rule.shadow_depth not in _MINIMAL:
            return
        with open(_RECORD, "a") as stream:
            stream.write(json.dumps(key_of(self)) + "\n")
        own = {os.path.abspath(str(f)) for f in [*self.output, *self.log]}
        for path in shown:
            full = os.path.join(WORK, raw(path))
            link = os.path.join(self.shadow_dir, os.path.relpath(full))
            if any(
                full == output or full.startswith(output + os.sep) for output in own
            ) or os.path.lexists(link):
                continue
            if path in strays:
                os.makedirs(os.path.dirname(full), exist_ok=True)
            if path in strays or os.path.lexists(full):
                os.makedirs(os.path.dirname(link), exist_ok=True)
                os.symlink(full, link)

    async def prepare(self: Any, *args: Any, **kwargs: Any) -> None:
        await original(self, *args, **kwargs)
        prepared(self)

    def prepare_at_once(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        prepared(self)

    job_class.prepare = prepare if inspect.iscoroutinefunction(original) else prepare_at_once
