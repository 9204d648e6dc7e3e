"""How much memory a call of cleanroom takes at most, as the kernel counts it for that program
alone.

`ru_maxrss` will not do: it outlives `exec`, so that a child of a large process looks as large as
its parent.
"""

import re
import subprocess
import sys
from pathlib import Path

MOST = 500 * 2**10
"""KiB that the main process may take."""
_PROGRAM = (
    "import sys\nfrom cleanroom.cli import main\ncode = main(sys.argv[1:])\n"
    "print(open('/proc/self/status').read(), file=sys.stderr)\nsys.exit(code)\n"
)


def peak(tmp_path: Path, *arguments: str | Path) -> tuple[int, int, str]:
    """(exit code, KiB of memory at most, standard error) of a call of its own."""
    command = [sys.executable, "-c", _PROGRAM, *map(str, arguments)]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    said, _, status = ended.stderr.rpartition("Name:")
    (most,) = re.findall(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    return ended.returncode, int(most), said
