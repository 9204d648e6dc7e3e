"""What rooms get of the supplies of a workflow: environments of conda by their keys, files of other
places, and the programs by which Snakemake asks for conda. Not here: making or fetching them.
"""

import hashlib
import shutil
from pathlib import Path

from cleanroom.room.rooms import Room
from cleanroom.values.environment import CondaPrefix, Environment, place_of

PROGRAMS = Path(__file__).with_name("programs")
NAMED = "name:"


def places_of(environment: Environment) -> dict[str, str]:
    """Where a room finds each environment of conda, by its key, or by its name."""
    return {
        f"{NAMED}{one.name}" if one.named else one.key: place_of(one.prefix)
        for one in environment.conda
    }


def source_of(cache: Path, sha256: str) -> Path:
    """Where a cache keeps a file of another place."""
    return cache / "sources" / sha256


def _exported(one: CondaPrefix) -> str:
    """What `conda env export` says of an environment."""
    lines = [f"  - {p.name}={p.version}={p.build}".rstrip("=") for p in one.packages]
    return "\n".join([f"name: {one.name}", "dependencies:", *lines]) + "\n"


def furnish(room: Room, environment: Environment, cache: Path) -> None:
    """Lay the programs, the names and the files into a room."""
    programs = room.inside / "conda" / "bin"
    programs.mkdir(parents=True)
    for program, like in (("conda", "conda"), ("mamba", "conda"), ("activate", "activate")):
        shutil.copyfile(PROGRAMS / f"{like}.sh", programs / program)
        (programs / program).chmod(0o755)
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
