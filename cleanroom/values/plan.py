"""What Snakemake intends to do, as a room exported it."""

from typing import Any

from cleanroom.values.base import Value


class FileRef(Value, frozen=True):
    path: str
    flags: tuple[str, ...] = ()


class Rule(Value, frozen=True):
    """What a rule does and in which software; the same for all of its jobs."""

    code: dict[str, str] = {}
    software: dict[str, Any] = {}
    checkpoint: bool = False
    shadow: Any = None
    retries: Any = None
    threads: int = 0
    reads: dict[str, tuple[str, ...]] = {}
    """What of its context the rule reads (`threads`, `resources.NAME`, `attempt`, `unread` code),
    and where.
    """
    declares_retries: bool = False
    logs: bool = False
    cached: bool = False
    file: str = ""
    line: int = 0


class Job(Value, frozen=True):
    """One job as Snakemake resolved it.
    `needed`: Snakemake would run it; `target`: it was asked for.
    """

    rule: str
    wildcards: dict[str, str] = {}
    input: tuple[FileRef, ...] = ()
    output: tuple[FileRef, ...] = ()
    log: tuple[str, ...] = ()
    benchmark: str = ""
    params: Any = None
    command: str = ""
    threads: int = 0
    resources: dict[str, Any] = {}
    group: str = ""
    needed: bool = True
    target: bool = False

    @property
    def identity(self) -> tuple[str, tuple[tuple[str, str], ...], tuple[str, ...]]:
        """What makes it the same job in another run."""
        return self.rule, tuple(sorted(self.wildcards.items())), tuple(f.path for f in self.output)

    @property
    def label(self) -> str:
        """The job in words, for a person."""
        wildcards = ", ".join(f"{k}={v}" for k, v in sorted(self.wildcards.items()))
        return f"{self.rule} ({wildcards})" if wildcards else self.rule


class PlannedAgain(Value, frozen=True):
    """A job that a second call, right after a run that completed, would run; `reason` is
    Snakemake's.
    """

    rule: str
    wildcards: dict[str, str] = {}
    output: tuple[FileRef, ...] = ()
    reason: str = ""

    @property
    def label(self) -> str:
        return Job(rule=self.rule, wildcards=self.wildcards).label


class Hidden(Value, frozen=True):
    """A line of workflow code that reads context which no profile shows: environment, host, path,
    arguments, cores, order or date.
    """

    kind: str
    file: str
    line: int
    text: str
    rule: str = ""


_GROWING = {"from_queue", "dynamic"}
"""Flags of inputs whose jobs are found in the run."""


class Plan(Value, frozen=True):
    """What Snakemake intends: every job of its graph, the rules, the resolved configuration."""

    jobs: tuple[Job, ...] = ()
    rules: dict[str, Rule] = {}
    config: Any = None
    targets: tuple[str, ...] = ()
    hooks: tuple[str, ...] = ()
    hidden: tuple[Hidden, ...] = ()

    @property
    def grows(self) -> bool:
        """Whether jobs are found in the run that no plan shows: after a checkpoint, or by inputs
        that come while it runs.
        """
        return any(rule.checkpoint for rule in self.rules.values()) or any(
            _GROWING & set(file.flags) for job in self.jobs for file in (*job.input, *job.output)
        )


class Change(Value, frozen=True):
    """A field that differs in some jobs of a rule."""

    rule: str
    field: str
    jobs: int = 1


class Effect(Value, frozen=True):
    """What a plan without some settings showed; without none, what is another one in each plan.
    `code` is not 0 where there is no plan without them.
    """

    keys: tuple[str, ...]
    code: int = 0
    changes: tuple[Change, ...] = ()
    more: int = 0
