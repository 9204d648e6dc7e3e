"""The room's own Snakemake, entered in-process: versions 7, 8 and 9.
Not here: what it is asked to do.
"""

from __future__ import annotations

import sys
from typing import Any


class Typed:
    """What a person types: their own targets and profile, and cores only where it states none."""

    def __init__(
        self, profile: str = "", targets: tuple[str, ...] = (), *, states_cores: bool = False
    ) -> None:
        self._targets = list(targets)
        self._own = ["--profile", profile] if profile else []
        self._drops = {"--workflow-profile"} | ({"--cores"} if states_cores else set())

    def instead_of(self, argv: list[str]) -> list[str]:
        """Targets come first in `argv`."""
        found, rest = list(self._targets), list(argv)
        while rest and not rest[0].startswith("-"):
            rest.pop(0)
        while rest:
            word = rest.pop(0)
            if word == "--profile":
                found += self._own
                rest.pop(0)
            elif word in self._drops:
                rest.pop(0)
            else:
                found.append(word)
        return found


class Snakemake:
    """The room's own Snakemake, imported once."""

    def __init__(self) -> None:
        import snakemake

        self.version = snakemake.__version__
        self.major = int(self.version.partition(".")[0])
        try:
            # first: `snakemake.workflow` alone is a circular import on 8 and 9
            import snakemake.cli as cli
        except ImportError:
            cli = snakemake
        self.cli = cli
        import snakemake.jobs
        import snakemake.rules
        import snakemake.workflow

        try:
            from snakemake.scheduling.job_scheduler import JobScheduler
        except ImportError:
            from snakemake.scheduler import JobScheduler
        self.scheduler = JobScheduler
        self.job = snakemake.jobs.Job
        self.rule = snakemake.rules.Rule
        self.workflow = snakemake.workflow.Workflow
        self.valued: set[str] = set()
        self.typed = Typed()
        self.options = self._options()

    def _options(self) -> dict[str, str]:
        """{key as a profile may write it: the option's canonical key} of this Snakemake's own
        parser.
        """
        options = {}
        for action in self.cli.get_argument_parser()._actions:
            long = [s[2:] for s in action.option_strings if s.startswith("--")]
            for key in long:
                options[key] = long[0]
                if action.nargs != 0:
                    self.valued.add(key)
        return options

    def canonical(self, key: str) -> str:
        """The option behind a key of a profile: its own name, or a beginning that fits one option
        alone, as argparse takes it.
        """
        if key in self.options:
            return self.options[key]
        found = (
            {self.options[name] for name in self.valued if name.startswith(key)}
            if len(key) > 1
            else set()
        )
        whole = {option for name, option in self.options.items() if name.startswith(key)}
        return found.pop() if len(found) == 1 and len(whole) == 1 else key

    def profile_file(self, profile: str) -> str | None:
        if hasattr(self.cli, "get_profile_dir"):
            found = self.cli.get_profile_dir(profile)
            return found and str(found[1])
        return self.cli.get_profile_file(profile, "config.yaml")

    def local_executor(self) -> Any:
        """The class that runs jobs on this machine."""
        try:
            from snakemake.executors.local import Executor
        except ImportError:
            from snakemake.executors import CPUExecutor as Executor
        return Executor

    def announcement(self) -> tuple[Any, str]:
        """The class of all executors, and what it calls for each job or group before it starts."""
        if self.major < 8:
            from snakemake.executors import AbstractExecutor

            return AbstractExecutor, "_run"
        from snakemake_interface_executor_plugins.executors.base import AbstractExecutor

        return AbstractExecutor, "run_job_pre"

    def executors(self) -> set[str] | None:
        if self.major < 8:
            return None
        from snakemake_interface_executor_plugins.registry import ExecutorPluginRegistry

        return set(ExecutorPluginRegistry().plugins)

    def apart(self) -> dict[str, str] | None:
        """The settings by which each job is a process of its own that reads the workflow again;
        None where this Snakemake cannot do it.

        The submit command ends at once, so that a job has begun when it is said to have.
        """
        submit = 'bash -c \'bash "$0" >&2 & printf "%s\\n" $!\''
        if self.major < 8:
            return {"cluster": submit}
        if "cluster-generic" not in (self.executors() or ()):
            return None
        return {"executor": "cluster-generic", "cluster-generic-submit-cmd": submit}

    def main(self, argv: list[str]) -> int:
        """Snakemake's own exit code.
        A Snakefile sees the arguments that it would see from the command line.
        """
        sys.argv[:] = ["snakemake"] + self.typed.instead_of(argv)
        try:
            self.cli.main(argv)
        except SystemExit as end:
            if end.code is None:
                return 0
            if not isinstance(end.code, int):
                print(end.code, file=sys.stderr)  # as the interpreter would
                return 1
            return end.code
        return 0
