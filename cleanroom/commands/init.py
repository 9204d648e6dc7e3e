"""`cleanroom init`: a commented cleanroom.yaml, Makefile targets and a CI workflow for a
repository; never overwrites.
"""

import argparse
import os
import re
import subprocess
from pathlib import Path

from cleanroom import __version__
from cleanroom.commands.boundary import say
from cleanroom.entry.learn import learn_entries
from cleanroom.errors import ExitCode, UsageError
from cleanroom.profiles.find import choose_baseline, enters, find_profiles
from cleanroom.report.render import render_template
from cleanroom.values.base import escape_path

_FILES = {
    # template: where it goes
    "init/cleanroom.yaml.j2": "cleanroom.yaml",
    "init/workflow.yml.j2": ".github/workflows/cleanroom.yml",
}
_TARGETS = "init/targets.mk.j2"
_TARGET = re.compile(r"^(profile-audit|confirm)\s*:", re.M)


def command(arguments: argparse.Namespace) -> int:
    """Write what is missing, and say of each file what happened. Raises: UsageError."""
    folder = Path(arguments.folder)
    if not folder.is_dir():
        raise UsageError(f"There is no folder '{folder}'.", "Give the repository's folder.")
    values = _values(folder)
    written = 0
    for template, name in _FILES.items():
        path = folder / name
        if path.exists() or path.is_symlink():
            print(f"kept     {name}")
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as stream:
            stream.write(render_template(template, **values))
        print(f"written  {name}")
        written += 1
    written += _makefile(folder / "Makefile", render_template(_TARGETS, **values))
    if written:
        say("Look at what was written, then commit it. `cleanroom audit .` is a good first call.")
    return int(ExitCode.HELD)


def _makefile(path: Path, targets: str) -> int:
    """Add the targets to a Makefile that has neither of them; what is there stays as it is."""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        print("kept     Makefile (no regular file)")
        return 0
    text = path.read_text(encoding="utf-8", errors="surrogateescape") if path.exists() else ""
    if _TARGET.search(text):
        print("kept     Makefile (it has profile-audit or confirm)")
        return 0
    with path.open("a", encoding="utf-8", errors="surrogateescape") as stream:
        stream.write(
            ("" if not text or text.endswith("\n") else "\n") + ("\n" if text else "") + targets
        )
    print("extended Makefile" if text else "written  Makefile")
    return 1


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None


def _values(folder: Path) -> dict[str, object]:
    """The profiles that the folder has, and the one that the others are compared with."""
    try:
        inside = subprocess.run(
            ["git", "rev-parse", "--show-prefix"], cwd=folder, capture_output=True, check=True
        ).stdout.strip()
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=folder, capture_output=True, check=True
        ).stdout
    except (subprocess.CalledProcessError, FileNotFoundError):
        raise UsageError(
            f"'{folder}' is not a git repository.", "Call it in one, or type: git init"
        ) from None
    if inside:
        raise UsageError(
            f"'{folder}' is a folder inside a repository.",
            "cleanroom.yaml lies at the top. Call it there.",
        )
    tracked = [path for path in listed.split(b"\0") if path]
    places = {path: os.path.join(os.fsencode(folder), path) for path in tracked}
    links = {
        escape_path(path): escape_path(os.readlink(place))
        for path, place in places.items()
        if os.path.islink(place)
    }
    found = find_profiles(tracked, links=links)
    names = [profile.name for profile in found]
    names_of_files = [os.fsdecode(path) for path in tracked]
    own, _ = learn_entries(names_of_files, lambda path: _text(folder / path))
    whole = [one for one in own if enters(tracked, one.entry)]
    return {
        "learnt": whole[0] if whole else None,
        "version": __version__,
        "profiles": names,
        "baseline": names[choose_baseline(found, "")] if found else "",
    }
