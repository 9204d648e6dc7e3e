"""Inside a provisioning room: a prefix with the packages that a recipe asks for, and what came of
it.

Standard library only, for any Python from 3.8 on; started by the Python that the prefix is made on.
It prints one object of JSON at its end: all of it is a claim of the room.

Not here: which packages, and what the host believes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from typing import Any, Callable

IN, OUT = "/room/in", "/room/out"
RECIPE = os.path.join(IN, "recipe")
UV = os.path.join(IN, "uv")
BESIDE = (
    ("snakemake-executor-plugin-cluster-generic", "pandas", "numpy", "peppy", "eido"),
    ("snakemake-executor-plugin-cluster-generic",),
    ("pulp<2.8", "setuptools<81"),
    (),
)
"""What people have beside Snakemake; less where it contradicts what a repository asks for, and what
Snakemake 7 needs of its time.
"""
MOST_SAID = 20000

INVENTORY = """
import hashlib, importlib.metadata, json, sys
found = {}
for one in importlib.metadata.distributions():
    name = (one.metadata["Name"] or "").lower()
    url = json.loads(one.read_text("direct_url.json") or "{}")
    commit = url.get("vcs_info", {}).get("commit_id", "")
    lines = (one.read_text("RECORD") or "").splitlines()
    kept = [x for x in lines if not x.startswith("../") and ".dist-info/" not in x]
    record = "\\n".join(sorted(kept))
    found[name] = {
        "name": name,
        "version": one.version,
        "sha256": hashlib.sha256(record.encode()).hexdigest(),
        "source": url.get("url", "") + ("@" + commit if commit else ""),
    }
packages = [found[name] for name in sorted(found)]
print(json.dumps({"python": ".".join(map(str, sys.version_info[:3])), "packages": packages}))
"""


class Refused(Exception):  # noqa: N818 - what uv says, not a fault of ours
    pass


def call(*command: str) -> str:
    """Standard output of a command. Raises: Refused, with what it says."""
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if ended.returncode:
        raise Refused((ended.stderr or ended.stdout)[-MOST_SAID:])
    return ended.stdout


def resolved(recipe: dict[str, Any], beside: tuple[str, ...]) -> str:
    """The lock: every package with its version and hashes, as `uv pip compile` writes it."""
    inputs = []
    for path in recipe["asked"]:
        place = os.path.join(RECIPE, path)
        if path.endswith("uv.lock"):
            exported = os.path.join(OUT, "exported.txt")
            folder = os.path.dirname(place)
            call(
                UV,
                "export",
                "--quiet",
                "--frozen",
                "--no-emit-project",
                "--no-dev",
                "--project",
                folder,
                "--output-file",
                exported,
            )
            place = exported
        inputs.append(place)
    more = os.path.join(OUT, "more.in")
    asked = [recipe["snakemake"], *recipe["packages"], *beside]
    with open(more, "w") as stream:
        stream.write("\n".join(filter(None, asked)) + "\n")
    lock = os.path.join(OUT, "lock.txt")
    call(
        UV,
        "pip",
        "compile",
        "--quiet",
        "--generate-hashes",
        "--no-header",
        "--no-annotate",
        "--python",
        sys.executable,
        "--output-file",
        lock,
        more,
        *inputs,
    )
    with open(lock) as stream:
        return stream.read()


def make(recipe: dict[str, Any], place: str) -> dict[str, Any]:
    """Make the prefix at its place."""
    refused = []
    plugins = tuple(recipe["plugins"])
    for beside in [(*plugins, *more) for more in BESIDE] + list(BESIDE) * bool(plugins):
        try:
            lock = resolved(recipe, beside)
            break
        except Refused as error:
            refused.append(error)
    else:
        raise refused[0]
    call(
        UV, "venv", "--quiet", "--allow-existing", "--no-project", "--python", sys.executable, place
    )
    python = os.path.join(place, "bin", "python")
    call(
        UV,
        "pip",
        "install",
        "--quiet",
        "--python",
        python,
        "--requirements",
        os.path.join(OUT, "lock.txt"),
    )
    compile_all(python, os.path.join(place, "lib"))
    return dict(json.loads(call(python, "-I", "-c", INVENTORY)), lock=lock)


def compile_all(python: str, folder: str) -> None:
    """Once, for rooms that read it and cannot write; not what packages bring to test themselves,
    which is nearly half of a large one. A file of another Python stays as it is.
    """
    how = ["-qq", "-j", "0", "-x", "/tests?/", "--invalidation-mode", "unchecked-hash"]
    subprocess.run([python, "-I", "-m", "compileall", *how, folder], check=False)


def end_with_host() -> None:
    """End this process, and with it the room, when the host is gone: then standard input closes."""
    while os.read(0, 4096):
        pass
    os._exit(4)


def main(maker: Callable[[dict[str, Any], str], dict[str, Any]]) -> None:
    """Make what the recipe of this room says by a function of it and of its place."""
    threading.Thread(target=end_with_host, daemon=True).start()
    said_to = os.dup(1)
    os.dup2(2, 1)  # what anything else prints is no answer
    with open(os.path.join(IN, "recipe.json")) as stream:
        asked = json.load(stream)
    try:
        said = maker(asked["recipe"], asked["place"])
    except (Refused, OSError) as error:
        said = {"refused": str(error)}
    with open(said_to, "w") as stream:
        stream.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main(make)
