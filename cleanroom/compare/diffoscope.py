"""What the external program diffoscope says of two files, for a person to read; it decides nothing.
Only where it is asked for.

It runs as a process of its own under limits of time and memory, on copies. Not here: when it is
asked.
"""

import functools
import resource
import shutil
import subprocess
import tempfile
from pathlib import Path

from cleanroom.errors import UsageError

PROGRAM = "diffoscope"
_SECONDS = 60
_MEMORY = 2 * 2**30
_LARGEST = 256 * 2**20
_SHOWN = 8000
"""Characters that are kept."""


def require_diffoscope() -> None:
    """Raises: UsageError where it is not installed."""
    if shutil.which(PROGRAM) is None:
        raise UsageError(
            "diffoscope is not installed.",
            "Type: sudo apt-get install diffoscope (or diffoscope-minimal)",
        )


@functools.lru_cache(
    maxsize=256
)  # the same two files are compared more than once on the way to a verdict
def diffoscope(left: Path, right: Path, name: str) -> str:
    """Its text for two files that are called `name`, bounded; or why there is none."""
    if max(left.stat().st_size, right.stat().st_size) > _LARGEST:
        return f"(not asked: larger than {_LARGEST} bytes)"
    with tempfile.TemporaryDirectory(prefix="cleanroom-") as folder:
        sides = []
        for side, file in (("left", left), ("right", right)):
            place = Path(folder) / side / Path(name).name
            place.parent.mkdir()
            shutil.copyfile(file, place)
            sides.append(f"{side}/{place.name}")
        command = [
            PROGRAM,
            "--text",
            "-",
            "--text-color",
            "never",
            "--no-progress",
            "--exclude-directory-metadata",
            "yes",
            *sides,
        ]
        try:
            ended = subprocess.run(
                command,
                cwd=folder,
                env={
                    "PATH": "/usr/local/bin:/usr/bin:/bin",
                    "HOME": folder,
                    "TMPDIR": folder,
                    "LANG": "C.UTF-8",
                },
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_SECONDS,
                preexec_fn=_limit,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"(it took longer than {_SECONDS} s)"
    text = ended.stdout.decode("utf-8", "backslashreplace")
    if ended.returncode not in (0, 1):
        return f"(it ended with exit code {ended.returncode})"
    return (
        text
        if len(text) <= _SHOWN
        else f"{text[:_SHOWN]}\n… and {len(text) - _SHOWN} more characters"
    )


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
