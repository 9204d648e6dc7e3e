"""Where every end of the program becomes an exit code: expected errors, bugs, and the person's own stop."""

import argparse
import os
import platform
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import platformdirs

from cleanroom import __version__
from cleanroom.errors import CleanroomError, ExitCode
from cleanroom.report.visible import spoken


def cache_folder(arguments: argparse.Namespace) -> Path:
    """Where mirrors, rooms and evidence are."""
    named = arguments.cache or os.environ.get("CLEANROOM_CACHE")
    return Path(named).expanduser().resolve() if named else Path(platformdirs.user_cache_dir("cleanroom"))


def say(text: str) -> None:
    """A line for the person, on standard error."""
    print(spoken(text), file=sys.stderr, flush=True)


def guarded(command: Callable[[argparse.Namespace], int], arguments: argparse.Namespace) -> int:
    """Run a verb. An expected error is one sentence; a bug leaves a log ready to paste; ^C and SIGTERM end in order."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # a second ^C must not leave a room behind
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    try:
        return int(command(arguments))
    except CleanroomError as error:
        if arguments.verbose:
            say(traceback.format_exc())
        say(f"cleanroom: {error}")
        return int(error.exit_code)
    except KeyboardInterrupt:
        say("cleanroom: Stopped. No room is left, and there is no verdict.")
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitCode.INTERNAL)
    except Exception:
        say(f"cleanroom: This is a bug in cleanroom. Please report it with {_log(arguments)}.")
        return int(ExitCode.INTERNAL)


def _log(arguments: argparse.Namespace) -> str:
    """Write what a report of a bug needs; returns where."""
    text = "\n".join(
        [
            f"cleanroom {__version__}, Python {platform.python_version()}, {platform.platform()}",
            f"arguments: {vars(arguments)}",
            traceback.format_exc(),
        ]
    )
    with tempfile.NamedTemporaryFile("w", prefix="cleanroom-", suffix=".log", delete=False, encoding="utf-8") as stream:
        stream.write(text)
    if arguments.verbose:
        say(text)
    return stream.name
