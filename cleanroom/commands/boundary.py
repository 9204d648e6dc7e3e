"""Where every end of the program becomes an exit code: expected errors, bugs, and the person's own
stop.
"""

import argparse
import errno
import importlib
import os
import platform
import sys
import tempfile
import traceback
from pathlib import Path

import platformdirs

from cleanroom import __version__
from cleanroom.commands.stopping import STOPPED, heeded, left_in_order
from cleanroom.errors import CleanroomError, ExitCode
from cleanroom.report.visible import spoken


def cache_folder(arguments: argparse.Namespace) -> Path:
    """Where mirrors, rooms and evidence are."""
    named = arguments.cache or os.environ.get("CLEANROOM_CACHE")
    return (
        Path(named).expanduser().resolve()
        if named
        else Path(platformdirs.user_cache_dir("cleanroom"))
    )


def say(text: str) -> None:
    """A line for the person, on standard error."""
    print(spoken(text), file=sys.stderr, flush=True)


_CACHE_FAULTS = {errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EDQUOT, errno.ENOTDIR}


def guarded(arguments: argparse.Namespace) -> int:
    """Run a verb. An expected error is one sentence; a bug leaves a log ready to paste; ^C and
    SIGTERM end in order, or at once.
    """
    with heeded():
        code = _guarded(arguments)
        if code == ExitCode.INTERRUPTED:
            left_in_order()
        return code


def _guarded(arguments: argparse.Namespace) -> int:
    try:
        verb = importlib.import_module(f"cleanroom.commands.{arguments.verb}")
        return int(verb.command(arguments))
    except CleanroomError as error:
        if arguments.verbose:
            say(traceback.format_exc())
        say(f"cleanroom: {error}")
        return int(error.exit_code)
    except KeyboardInterrupt:
        say(f"cleanroom: {STOPPED}")
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitCode.INTERNAL)
    except Exception as error:
        if isinstance(error, OSError) and _of_the_cache(error, cache := cache_folder(arguments)):
            say(
                f"cleanroom: The cache {cache} cannot be written ({error.strerror}). Set --cache "
                "to a folder that can."
            )
            return int(ExitCode.INCONCLUSIVE)
        say(f"cleanroom: This is a bug in cleanroom. Please report it with {_log(arguments)}.")
        return int(ExitCode.INTERNAL)


def _of_the_cache(error: OSError, cache: Path) -> bool:
    """Whether an error is about a cache that cannot be written: at a file in it or on the way to
    it.
    """
    if not isinstance(error.filename, str | bytes) or (
        error.errno not in _CACHE_FAULTS and cache.is_dir()
    ):
        return False
    place = Path(os.fsdecode(error.filename)).resolve()
    return place.is_relative_to(cache) or cache.is_relative_to(place)


def _log(arguments: argparse.Namespace) -> str:
    """Write what a report of a bug needs; returns where."""
    text = "\n".join(
        [
            f"cleanroom {__version__}, Python {platform.python_version()}, {platform.platform()}",
            f"arguments: {vars(arguments)}",
            traceback.format_exc(),
        ]
    )
    with tempfile.NamedTemporaryFile(
        "w", prefix="cleanroom-", suffix=".log", delete=False, encoding="utf-8"
    ) as stream:
        stream.write(text)
    if arguments.verbose:
        say(text)
    return stream.name
