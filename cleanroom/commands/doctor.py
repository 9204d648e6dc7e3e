"""`cleanroom doctor`: what is here, what is missing, and the command that fixes it."""

import argparse
import importlib.metadata
import json
import platform
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
from rich.console import Console
from rich.text import Text

from cleanroom.commands.boundary import cache_folder
from cleanroom.environment.uv import uv_program
from cleanroom.errors import CleanroomError, ExitCode
from cleanroom.report.visible import one_line
from cleanroom.room.engines.docker import DockerEngine
from cleanroom.room.engines.sandbox import SandboxEngine
from cleanroom.values.base import Value

_LEAST_FREE = 5 * 2**30


class Check(Value, frozen=True):
    """One thing that a confirmation needs (`needed`), or is better with."""

    name: str
    ok: bool
    text: str
    fix: str = ""
    needed: bool = False


def command(arguments: argparse.Namespace) -> int:
    """Exit 0 where a confirmation can run, else 4."""
    checks = list(examine(cache_folder(arguments)))
    able = all(check.ok for check in checks if check.needed)
    if arguments.format == "json":
        print(json.dumps({"able": able, "checks": msgspec.to_builtins(checks)}, indent=2))
    else:
        console = Console(highlight=False)
        for check in checks:
            mark, style = (
                ("✓", "green") if check.ok else ("✕", "red") if check.needed else ("–", "yellow")
            )
            console.print(
                Text(f" {mark} ", style=style),
                Text(f"{check.name:<10} {one_line(check.text)}"),
                soft_wrap=True,
            )
            if check.fix:
                console.print(
                    Text(f"              {one_line(check.fix)}", style="bold"), soft_wrap=True
                )
        console.print(
            Text(
                "A confirmation can run here." if able else "A confirmation cannot run here yet.",
                style="bold",
            )
        )
    return 0 if able else int(ExitCode.INCONCLUSIVE)


def examine(cache: Path) -> Iterator[Check]:
    """Every check, in the order in which a confirmation needs them."""
    version = importlib.metadata.version("snakemake")
    yield Check(
        name="python",
        ok=True,
        text=f"{platform.python_version()}, Snakemake {version} for the sandbox",
        needed=True,
    )
    git = shutil.which("git")
    text = (
        subprocess.run([git, "--version"], capture_output=True, text=True).stdout.strip()
        if git
        else "git is not installed"
    )
    yield Check(
        name="git", ok=bool(git), text=text, fix="" if git else "apt-get install git", needed=True
    )
    uv = uv_program()
    fix = "" if uv else "Install cleanroom again; without uv no declared packages are made."
    yield Check(name="uv", ok=bool(uv), text="installed" if uv else "not installed", fix=fix)
    lfs = shutil.which("git-lfs")
    fix = "" if lfs else "only for repositories that use it: apt-get install git-lfs"
    yield Check(name="git-lfs", ok=bool(lfs), text="installed" if lfs else "not installed", fix=fix)
    yield from _engines()
    yield _disk(cache)


def _engines() -> Iterator[Check]:
    container = sandbox = False
    try:
        engine = DockerEngine()
        container = True
        yield Check(name="engine", ok=True, text=f"Docker {engine.version} answers")
        try:
            image = engine.resolve("")
            yield Check(name="image", ok=True, text=f"{image.reference} {image.digest}")
        except CleanroomError as error:
            container = False
            yield Check(name="image", ok=False, text=error.what, fix=error.next_step)
        finally:
            engine.close()
    except CleanroomError as error:
        yield Check(name="engine", ok=False, text=error.what, fix=error.next_step)
    try:
        SandboxEngine()
        sandbox = True
        yield Check(
            name="sandbox", ok=True, text="bubblewrap can make rooms (weaker than a container)"
        )
    except CleanroomError as error:
        yield Check(name="sandbox", ok=False, text=error.what, fix=error.next_step)
    yield Check(
        name="rooms",
        ok=container or sandbox,
        needed=True,
        text="in containers"
        if container
        else "in the sandbox"
        if sandbox
        else "nothing here can make a room",
    )


def _disk(cache: Path) -> Check:
    place = cache
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    text = f"{free / 2**30:.0f} GiB free for {cache}"
    return Check(
        name="disk",
        ok=free > _LEAST_FREE,
        text=text,
        fix="" if free > _LEAST_FREE else "free space, or set --cache",
    )
