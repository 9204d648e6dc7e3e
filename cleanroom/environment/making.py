"""A folder made once, in a room with a network that holds nothing but what it is made of: a prefix.

A prefix lies in the cache under the digest of its recipe; who wants one that is being made waits
for it. Rooms see it read-only, at the place where it was made. Not here: what goes into one.
"""

import json
import os
import platform
import re
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from cleanroom.environment.prefixes import (
    KEPT,
    LOCK,
    PART,
    TREE,
    Made,
    folder_of,
    forget,
    guard_of,
    parts_of,
    use,
)
from cleanroom.errors import Interrupted, Unprovided
from cleanroom.locks import held
from cleanroom.room import rooms
from cleanroom.room.engines.interface import Engine, Limits, Mount, RoomJob
from cleanroom.room.host_settings import certificates
from cleanroom.room.spending import Spending
from cleanroom.values.environment import place_of
from cleanroom.values.setup import Image

_INSIDE = Path(__file__).with_name("inside")
_START = (
    "import runpy, sys; sys.path.insert(0, '/room/in'); "
    "runpy.run_module('inside.{}', None, '__main__')"
)
SECONDS = 3600.0
"""How long one prefix may take, unless a run may take less."""
_MOST_SAID = 64 * 2**20
_SHOWN = 6


class Maker(NamedTuple):
    """Where prefixes are made and kept: the engine and its image, the cache, whose rooms they are,
    and how a stop is heard. One prefix may take `seconds`.
    """

    engine: Engine
    image: Image
    cache: Path
    owner: rooms.Owner
    stopped: Callable[[], bool] = lambda: False
    limits: Limits = Limits()
    environ: Mapping[str, str] = os.environ
    say: Callable[[str], None] = lambda _: None
    seconds: float = SECONDS
    anew: set[str] | None = None
    """The prefixes that were made anew in this call, where everything is to be; None where what is
    there already is taken.
    """

    @property
    def base(self) -> str:
        """What a prefix is made on."""
        return base_of(self.image)


def base_of(image: Image) -> str:
    """What a prefix is made on: an image by its digest, or the Python of this host."""
    if not image.shared:
        return image.digest
    return f"{sys.base_prefix} {platform.python_version()} {platform.machine()}"


class Work(NamedTuple):
    """How one prefix is made: the program that does it, what it is told, what it gets beside that.

    `module` of `inside` is started; it says one object at its end, as `Made` has it. `files` are
    texts by their path in the folder `recipe` of the room, `programs` what lies beside it.
    """

    called: str
    """What it is, for a person who waits."""
    module: str
    asked: dict[str, Any]
    files: Mapping[str, str] = {}
    programs: Sequence[Path] = ()
    env: Mapping[str, str] = {}
    mounts: Sequence[Mount] = ()
    repair: str = ""
    """What a person can do where it is refused."""
    fixed: bool = False
    """Whether another day makes the same of it, so that it is never made anew."""


def make_once(prefix: str, work: Work, maker: Maker) -> Made:
    """What the prefix of that digest holds, made where it is not there yet, and marked as used.

    Raises: Unprovided where it cannot be made, Interrupted.
    """
    kept = folder_of(maker.cache, prefix) / KEPT
    kept.parent.parent.mkdir(parents=True, exist_ok=True)
    with held(guard_of(maker.cache, prefix), maker.stopped):
        if maker.anew is not None and not work.fixed and prefix not in maker.anew:
            maker.anew.add(prefix)
            if not forget(maker.cache, prefix, maker.owner):
                raise Unprovided(
                    f"{work.called.capitalize()} is used by another confirmation and cannot be "
                    "made anew.",
                    "Wait until that one has ended.",
                )
        if not kept.exists():
            maker.say(f"making {work.called}")
            _make(prefix, work, maker, kept.parent)
        return use(maker.cache, prefix, maker.owner)


def _make(prefix: str, work: Work, maker: Maker, folder: Path) -> None:
    """Make a prefix beside its place, and move it there when it is whole."""
    attempt = f"{prefix[:16]}-{os.getpid()}"
    place = place_of(prefix)
    with rooms.fresh(maker.cache, maker.owner.name, attempt) as room:
        tree = room.folder / "tree"
        tree.mkdir()
        _lay_in(work, room, place, maker.environ)
        if os.geteuid() == 0:
            for mine in (room.out, room.tmp, tree):
                os.chown(mine, *maker.engine.owner)
        said = bytearray()
        trusted = (room.inside / "ca.pem").exists()
        env = {
            "HOME": "/tmp",  # noqa: S108 - the room's own
            "LANG": "C.UTF-8",
            **({"SSL_CERT_FILE": "/room/in/ca.pem"} if trusted else {}),
            **work.env,
        }
        job = RoomJob(
            name=attempt,
            owner=maker.owner.mark,
            image=maker.image,
            command=(maker.engine.python, "-B", "-I", "-c", _START.format(work.module)),
            env=env,
            mounts=(
                Mount(host=str(room.inside), room="/room/in"),
                Mount(host=str(room.out), room="/room/out", writable=True),
                Mount(host=str(room.tmp), room="/tmp", writable=True),  # noqa: S108
                Mount(host=str(tree), room=place, writable=True),
                *work.mounts,
            ),
            limits=maker.limits,
            network="host",
        )
        ended = maker.engine.run(job, _stop(room, maker), lambda block: _hear(said, block))
        if maker.stopped():
            raise Interrupted("Stopped.")
        if ended.stopped or ended.reached:
            raise Unprovided(
                f"{work.called.capitalize()} was not made: {ended.stopped or ended.reached}.",
                "Give it more with --memory or --disk, or declare less.",
            )
        made = _read(bytes(said), ended.output, work)
        if made.refused:
            raise Unprovided(
                f"{work.called.capitalize()} cannot be made: {_shortened(made.refused)}.",
                work.repair,
            )
        for stale in (folder, *parts_of(maker.cache, prefix)):
            rooms.Room(stale).remove()  # of one that was killed
        part = folder.with_name(f"{PART}{attempt}")
        part.mkdir()
        tree.rename(part / TREE)
        (part / LOCK).write_text(made.lock)
        size = rooms.Room(part).usage()[0]
        (part / KEPT).write_bytes(msgspec.json.encode(msgspec.structs.replace(made, size=size)))
        part.rename(folder)


def _lay_in(work: Work, room: rooms.Room, place: str, environ: Mapping[str, str]) -> None:
    """The recipe and what makes it."""
    for path, text in work.files.items():
        file = room.inside / "recipe" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (room.inside / "recipe.json").write_text(json.dumps({**work.asked, "place": place}))
    if bundle := certificates(environ):
        (room.inside / "ca.pem").write_bytes(bundle)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(_INSIDE, room.inside / "inside", ignore=ignored)
    for program in work.programs:
        shutil.copy2(program, room.inside / program.name)


def _stop(room: rooms.Room, maker: Maker) -> Callable[[], str]:
    """Why a provisioning room must end now, asked several times a second."""
    deadline = time.monotonic() + maker.seconds
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


def _read(said: bytes, output: str, work: Work) -> Made:
    try:
        return msgspec.json.decode(said, type=Made)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        last = " ".join(output.split())[-300:]
        raise Unprovided(
            f"{work.called.capitalize()} was not made: its room ended before that ({last}).",
            "The base needs a Python of 3.10 or newer and a C library that uv runs on.",
        ) from None


def _shortened(text: str) -> str:
    """What the resolver explains, without addresses that could hold a secret."""
    lines = [re.sub(r"\s+", " ", line).strip(" ╰─▶│├└┌×╭") for line in text.splitlines()]
    kept = [line for line in lines if line and not line.startswith(("warning:", "hint:"))]
    told = re.sub(r"://[^/@\s]+@", "://", " ".join(kept[:_SHOWN]))
    return re.sub(r"/t/[^/\s]+/", "/t/…/", told).rstrip(".")
