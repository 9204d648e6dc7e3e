"""A recipe made into a prefix, once: in a room with a network, which holds nothing but the recipe.

A prefix lies in the cache under the digest of its recipe; who wants one that is being made waits
for it. Rooms see it read-only, at the place where it was made. Not here: which packages.
"""

import json
import os
import platform
import re
import shutil
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from cleanroom.environment.find import Found
from cleanroom.environment.prefixes import (
    KEPT,
    LOCK,
    PART,
    TREE,
    Made,
    folder_of,
    guard_of,
    parts_of,
    use,
)
from cleanroom.errors import Interrupted, Unprovided
from cleanroom.locks import held
from cleanroom.room import rooms
from cleanroom.room.engines.interface import Engine, Limits, Mount, RoomJob
from cleanroom.room.host_settings import certificates, index_settings
from cleanroom.room.spending import Spending
from cleanroom.values.base import digest
from cleanroom.values.environment import Environment, Recipe
from cleanroom.values.setup import Image

_MAKE = Path(__file__).with_name("make.py")
_SECONDS = 3600.0
_MOST_SAID = 64 * 2**20
_SHOWN = 6


class Maker(NamedTuple):
    """Where prefixes are made and kept: the engine and its image, the cache, whose rooms they are,
    and how a stop is heard.
    """

    engine: Engine
    image: Image
    cache: Path
    owner: rooms.Owner
    stopped: Callable[[], bool] = lambda: False
    limits: Limits = Limits()
    environ: Mapping[str, str] = os.environ
    say: Callable[[str], None] = lambda _: None


def mount_of(cache: Path, environment: Environment) -> Iterator[Mount]:
    """How a room sees its prefix, if it has one."""
    if environment.prefix:
        tree = folder_of(cache, environment.prefix) / TREE
        yield Mount(host=str(tree), room=environment.place)


def python_of(environment: Environment) -> str:
    """The Python of a prefix, in rooms; nothing where there is none."""
    return f"{environment.place}/bin/python" if environment.prefix else ""


def provision(found: Found, maker: Maker) -> Environment:
    """The environment that was found, made where it is not there yet.

    Raises: Unprovided where it cannot be made, Interrupted.
    """
    blank = Environment(
        taken=found.taken,
        passed_over=found.passed_over,
        unpinned=found.unpinned,
        declined=found.declined,
    )
    if found.recipe is None:
        return blank
    recipe = msgspec.structs.replace(found.recipe, base=_base(maker.image))
    prefix = recipe.digest
    kept = folder_of(maker.cache, prefix) / KEPT
    kept.parent.parent.mkdir(parents=True, exist_ok=True)
    with held(guard_of(maker.cache, prefix), maker.stopped):
        if not kept.exists():
            maker.say(f"making an environment of {', '.join(found.taken) or 'cleanroom.yaml'}")
            _make(recipe, maker, kept.parent)
        made = use(maker.cache, prefix, maker.owner)
    return msgspec.structs.replace(
        blank,
        prefix=prefix,
        python=made.python,
        packages=made.packages,
        inventory=digest(made.packages),
    )


def _base(image: Image) -> str:
    """What a prefix is made on: an image by its digest, or the Python of this host."""
    if not image.shared:
        return image.digest
    return f"{sys.base_prefix} {platform.python_version()} {platform.machine()}"


def _make(recipe: Recipe, maker: Maker, folder: Path) -> None:
    """Make a prefix beside its place, and move it there when it is whole."""
    attempt = f"{recipe.digest[:16]}-{os.getpid()}"
    place = Environment(prefix=recipe.digest).place
    with rooms.fresh(maker.cache, maker.owner.name, attempt) as room:
        tree = room.folder / "tree"
        tree.mkdir()
        _lay_in(recipe, room, place, maker.environ)
        if os.geteuid() == 0:
            for mine in (room.out, room.tmp, tree):
                os.chown(mine, *maker.engine.owner)
        said = bytearray()
        env = {
            "HOME": "/tmp",  # noqa: S108 - the room's own
            "LANG": "C.UTF-8",
            "UV_CACHE_DIR": "/tmp/uv",  # noqa: S108
            "UV_LINK_MODE": "copy",
            "UV_NO_CONFIG": "1",
            "UV_PYTHON_DOWNLOADS": "never",
            **({"SSL_CERT_FILE": "/room/in/ca.pem"} if (room.inside / "ca.pem").exists() else {}),
            **index_settings(maker.environ),
        }
        job = RoomJob(
            name=attempt,
            owner=maker.owner.mark,
            image=maker.image,
            command=(maker.engine.python, "-B", "-I", "/room/in/make.py"),
            env=env,
            mounts=(
                Mount(host=str(room.inside), room="/room/in"),
                Mount(host=str(room.out), room="/room/out", writable=True),
                Mount(host=str(room.tmp), room="/tmp", writable=True),  # noqa: S108
                Mount(host=str(tree), room=place, writable=True),
            ),
            limits=maker.limits,
            network="host",
        )
        ended = maker.engine.run(job, _stop(room, maker), lambda block: _hear(said, block))
        if maker.stopped():
            raise Interrupted("Stopped.")
        if ended.stopped or ended.reached:
            raise Unprovided(
                f"The environment was not made: {ended.stopped or ended.reached}.",
                "Give it more with --memory or --disk, or declare less.",
            )
        made = _read(bytes(said), ended.output)
        if made.refused:
            raise Unprovided(
                f"The environment cannot be made: {_shortened(made.refused)}.",
                "Mend what the repository declares, or say under `environment:` in cleanroom.yaml "
                "what to take; --environment default takes the room's own software.",
            )
        for stale in (folder, *parts_of(maker.cache, recipe.digest)):
            rooms.Room(stale).remove()  # of one that was killed
        part = folder.with_name(f"{PART}{attempt}")
        part.mkdir()
        tree.rename(part / TREE)
        (part / LOCK).write_text(made.lock)
        (part / KEPT).write_bytes(msgspec.json.encode(made))
        part.rename(folder)


def _lay_in(recipe: Recipe, room: rooms.Room, place: str, environ: Mapping[str, str]) -> None:
    """The recipe and what makes it."""
    for path, text in recipe.files.items():
        file = room.inside / "recipe" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    asked = {"recipe": msgspec.to_builtins(recipe), "place": place}
    (room.inside / "recipe.json").write_text(json.dumps(asked))
    if bundle := certificates(environ):
        (room.inside / "ca.pem").write_bytes(bundle)
    shutil.copyfile(_MAKE, room.inside / "make.py")
    uv = uv_program()
    if uv is None:
        raise Unprovided("The program uv is missing.", "Install cleanroom again, which brings it.")
    shutil.copy2(uv, room.inside / "uv")


def uv_program() -> Path | None:
    """The program that came with this installation, or one on PATH."""
    for found in (Path(sysconfig.get_path("scripts")) / "uv", Path(shutil.which("uv") or "/-")):
        if found.is_file():
            return found
    return None


def _stop(room: rooms.Room, maker: Maker) -> Callable[[], str]:
    """Why a provisioning room must end now, asked several times a second."""
    deadline = time.monotonic() + _SECONDS
    spending = Spending(room, maker.limits.disk)

    def stop() -> str:
        if maker.stopped():
            return "stopped"
        if time.monotonic() > deadline:
            return "the room's time limit was reached"
        return spending.fault()

    return stop


def _hear(said: bytearray, block: bytes) -> None:
    if len(said) < _MOST_SAID:
        said += block


def _read(said: bytes, output: str) -> Made:
    try:
        return msgspec.json.decode(said, type=Made)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        last = " ".join(output.split())[-300:]
        raise Unprovided(
            f"The environment was not made: its room ended before that ({last}).",
            "The base needs a Python of 3.8 or newer and a C library that uv runs on.",
        ) from None


def _shortened(text: str) -> str:
    """What the resolver explains, without addresses that could hold a secret."""
    lines = [re.sub(r"\s+", " ", line).strip(" ╰─▶│×├╭") for line in text.splitlines()]
    kept = [line for line in lines if line and not line.startswith(("warning:", "hint:"))]
    return re.sub(r"://[^/@\s]+@", "://", " ".join(kept[:_SHOWN])).rstrip(".")
