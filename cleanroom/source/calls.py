"""One call of git: exact environment, bounded output, and an end when it makes no progress or a
person stops it.

GitPython starts the process. Not here: what git is asked for.
"""

import os
import select
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault(
    "GIT_PYTHON_REFRESH", "quiet"
)  # a missing git is our error to tell, not one of importing
import git

from cleanroom import children
from cleanroom.errors import Interrupted, SourceError

_MOST = 16 * 2**20
_TAIL = 64 * 1024
_POLL_SECONDS = 0.2
_CHECK_SECONDS = 1.0
FETCH_SECONDS = 600.0
"""How long a call may go on without a sign of progress, unless something else is asked for."""


class GitError(Exception):
    """Git ended with an error: what it said of it, in one line."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


class Patience(NamedTuple):
    """How long a call may be silent (seconds), and whether somebody wants it to end."""

    seconds: float = FETCH_SECONDS
    stopped: Callable[[], bool] = lambda: False


def call(
    env: dict[str, str],
    folder: Path,
    arguments: list[str],
    patience: Patience,
    most: int = _MOST,
    check: Callable[[], None] = lambda: None,
) -> bytes:
    """Run git in `folder` with exactly this environment; returns what it printed.

    `check` is asked each second while it runs, and when it has ended; git is ended where it raises.

    Raises: GitError; SourceError where git is missing, silent for too long, or prints more than
    `most` bytes; Interrupted; what `check` raises.
    """
    if shutil.which("git") is None:
        raise SourceError("git is not installed.", "Install it: apt-get install git")
    # GitPython adds to the environment that it inherits, so that what is not passed on is taken
    # away.
    command = [
        "env",
        *(word for key in os.environ if key not in env for word in ("-u", key)),
        "git",
        *arguments,
    ]
    process = git.Git(folder).execute(command, env=env, as_process=True, start_new_session=True)
    running = process.proc
    assert running is not None and running.stdout is not None and running.stderr is not None
    out, said = [], b""
    size, heard = 0, time.monotonic()
    checked = heard
    with children.known(running):
        streams = [running.stdout, running.stderr]
        while streams:
            for stream in select.select(streams, [], [], _POLL_SECONDS)[0]:
                block = os.read(stream.fileno(), 2**20)
                heard = time.monotonic()
                if not block:
                    streams.remove(stream)
                elif stream is running.stdout:
                    out.append(block)
                    size += len(block)
                else:
                    said = (said + block)[-_TAIL:]
            if patience.stopped():
                raise Interrupted("Stopped.")
            if time.monotonic() - checked > _CHECK_SECONDS:
                check()
                checked = time.monotonic()
            if size > most:
                raise SourceError(
                    f"git {arguments[0]} printed more than {most} bytes.",
                    "Is the repository what it should be?",
                )
            if time.monotonic() - heard > patience.seconds:
                raise SourceError(
                    f"git {arguments[0]} made no progress for {patience.seconds:.0f} s and "
                    "was ended.",
                    "Is the other side alive? Run again, or give it more time with --fetch-limit.",
                )
        code = running.wait()
    check()
    for stream in (running.stdout, running.stderr):
        stream.close()
    if code:
        raise GitError(_said(said, code))
    return b"".join(out)


def _said(stderr: bytes, code: int) -> str:
    """What git itself said, in one line."""
    text = stderr.decode("utf-8", "backslashreplace").replace("\r", "\n")
    lines = [
        line.strip() for line in text.splitlines() if line.strip() and not line.startswith("hint:")
    ]
    wanted = [line for line in lines if line.startswith(("fatal:", "error:"))] or lines
    return (
        wanted[0].removeprefix("fatal: ").removeprefix("error: ")
        if wanted
        else f"git ended with {code}"
    )
