"""Calls of the command line, each in a process of its own that has nothing left to import: a fork of
one that has done so, which has run nothing.
"""

import io
import multiprocessing
import os
import sys
from pathlib import Path

PRELOADED = (
    "cleanroom.cli",
    "cleanroom.commands.audit",
    "cleanroom.commands.confirm",
    "cleanroom.commands.review",
    "cleanroom.report.schema",
    "cleanroom.room.engines.docker",
    "cleanroom.room.engines.sandbox",
)
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload([*PRELOADED, __name__])


class Overdue(Exception):  # noqa: N818 - it is an end
    """The call did not end in time."""


def call(
    arguments: list[str], cwd: Path, env: dict[str, str], folder: Path, seconds: float
) -> tuple[int, str, str]:
    """(exit code, standard output, standard error) of one call; `folder` is for its output.

    Raises: Overdue.
    """
    out, err = folder / "out", folder / "err"
    process = _PROCESSES.Process(target=_enter, args=(arguments, str(cwd), env, str(out), str(err)))
    process.start()
    process.join(seconds)
    if process.exitcode is None:
        process.kill()
        process.join()
        raise Overdue(" ".join(arguments))
    texts = (path.read_bytes().decode(errors="replace") for path in (out, err))
    return process.exitcode, *texts  # type: ignore[return-value]


def _enter(arguments: list[str], cwd: str, env: dict[str, str], out: str, err: str) -> None:
    """What the interpreter would have done before the command line is entered."""
    os.setsid()
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    for number, place in ((1, out), (2, err)):
        opened = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(opened, number)
        os.close(opened)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    sys.stdin = os.fdopen(0)
    sys.stdout = io.TextIOWrapper(io.FileIO(1, "w"), encoding="utf-8", write_through=True)
    sys.stderr = io.TextIOWrapper(io.FileIO(2, "w"), encoding="utf-8", write_through=True)
    sys.argv = ["cleanroom", *arguments]
    from cleanroom.cli import main

    sys.exit(main(arguments))
