"""What rooms get of the supplies of a workflow: prefixes, environments of conda by their keys,
images, files of other places, data, and the programs by which Snakemake asks for conda and for
containers.

Not here: making or fetching them.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import structs

from cleanroom.beneath import Beneath
from cleanroom.environment.conda_files import PLATFORM
from cleanroom.environment.prefixes import TREE, folder_of
from cleanroom.room.broker import Offered
from cleanroom.room.engines.interface import Mount
from cleanroom.room.inside.apptainer import VERSIONS
from cleanroom.room.inside.beside import Indexed
from cleanroom.room.rooms import Room
from cleanroom.values.environment import CondaPrefix, Environment, HeldInput, place_of
from cleanroom.values.setup import Image

PROGRAMS = Path(__file__).with_name("programs")
NAMED = "name:"
_PROGRAM = """#!/bin/sh
exec {} -I -S -c "import sys; sys.path.insert(0, '/room/in')
from cleanroom_room.{} import main
sys.exit(main({}))" "$@"
"""


def places_of(environment: Environment) -> dict[str, str]:
    """Where a room finds each environment of conda, by its key, or by its name."""
    return {
        f"{NAMED}{one.name}" if one.named else one.key: place_of(one.prefix)
        for one in environment.conda
    }


def input_of(cache: Path, sha256: str) -> Path:
    """Where a cache keeps data that git does not hold."""
    return cache / "inputs" / sha256


def _place_of_input(one: HeldInput) -> str:
    return place_of(one.prefix) or f"/room/inputs/{one.sha256[:16]}"


def mounts_of(cache: Path, environment: Environment) -> Iterator[Mount]:
    """How a room sees its prefixes, and data that were not unpacked into one."""
    inputs = environment.inputs
    of_rules, of_data = ([o.prefix for o in environment.conda], [o.prefix for o in inputs])
    held = (environment.prefix, *of_rules, *of_data)
    for prefix in dict.fromkeys(filter(None, held)):
        yield Mount(host=str(folder_of(cache, prefix) / TREE), room=place_of(prefix))
    files = {one.sha256: _place_of_input(one) for one in inputs if not one.prefix}
    for sha256, place in files.items():
        yield Mount(host=str(input_of(cache, sha256)), room=place)


def lay_inputs(work: Path, inputs: Sequence[HeldInput]) -> None:
    """Links in a clone to where its room sees each input."""
    with Beneath(work) as here:
        for one in inputs:
            here.link(os.fsencode(one.target), os.fsencode(_place_of_input(one)))


def source_of(cache: Path, sha256: str) -> Path:
    """Where a cache keeps a file of another place."""
    return cache / "sources" / sha256


def _exported(one: CondaPrefix) -> str:
    """What `conda env export` says of an environment."""
    lines = [f"  - {p.name}={p.version}={p.build}".rstrip("=") for p in one.packages]
    return "\n".join([f"name: {one.name}", "dependencies:", *lines]) + "\n"


def images_of(cache: Path, environment: Environment, base: Image) -> dict[str, Offered]:
    """The images that a room may have commands run in, by their addresses."""
    return {
        one.url: Offered(base, root=str(folder_of(cache, one.prefix) / TREE))
        if one.prefix
        else Offered(structs.replace(base, reference=one.url, digest=one.digest))
        for one in environment.containers
    }


def packages_of(cache: Path, environment: Environment) -> Path | None:
    """The folder of this host with what scripts in containers need of Snakemake."""
    if not environment.scripts:
        return None
    tree = folder_of(cache, environment.scripts) / TREE
    return next(tree.glob("lib/python3*/site-packages"), tree)


def _furnish_containers(room: Room, environment: Environment, python: str) -> None:
    folder = room.inside / "containers"
    folder.mkdir()
    index = {one.url: Indexed(digest=one.digest, env=one.env) for one in environment.containers}
    (folder / "index.json").write_text(json.dumps(index))
    for name in VERSIONS:
        _lay_program(folder / "bin" / name, python, "apptainer", f"'{name}', sys.argv[1:]")


def _lay_program(file: Path, python: str, module: str, arguments: str) -> None:
    """A program of a room that is a module of the driver's."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(_PROGRAM.format(python, module, arguments))
    file.chmod(0o755)


def furnish(
    room: Room, environment: Environment, cache: Path, python: str, *, slurm: bool = False
) -> None:
    """Lay the programs, the names and the files into a room; `python` runs the programs."""
    _furnish_containers(room, environment, python)
    if slurm:
        _lay_program(room.inside / "slurm" / "bin" / "sacct", python, "sacct", "sys.argv[1:]")
    programs = room.inside / "conda" / "bin"
    programs.mkdir(parents=True)
    for program, like in (("conda", "conda"), ("mamba", "conda"), ("activate", "activate")):
        shutil.copyfile(PROGRAMS / f"{like}.sh", programs / program)
        (programs / program).chmod(0o755)
    (room.inside / "conda" / "platform").write_text(f"{PLATFORM}\n")
    names = room.inside / "conda" / "envs"
    names.mkdir()
    for one in environment.conda:
        if one.named:
            (names / one.name).symlink_to(place_of(one.prefix))
            (names / f"{one.name}.yaml").write_text(_exported(one))
    folder = room.inside / "sources"
    folder.mkdir()
    for file in environment.sources:
        kept = folder / hashlib.sha256(file.uri.encode()).hexdigest()
        if file.sha256:
            shutil.copyfile(source_of(cache, file.sha256), kept)
        else:
            kept.with_suffix(".none").touch()
