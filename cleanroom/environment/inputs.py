"""Data that a workflow needs and git does not hold: fetched once, verified, kept by its digest, and
seen read-only in every room. Not here: which data.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from cleanroom.environment.making import Maker, Work, make_once
from cleanroom.environment.sources import answered
from cleanroom.environment.supplies import input_of
from cleanroom.errors import Interrupted, Unprovided
from cleanroom.room.engines.interface import Mount
from cleanroom.source.address import public
from cleanroom.values.base import digest
from cleanroom.values.environment import HeldInput, Input

_BLOCK = 2**20
_REPAIR = "Say under `inputs:` in cleanroom.yaml what is there, and its SHA-256."


def provision_inputs(
    wanted: Sequence[Input], maker: Maker, *, private: bool = False
) -> tuple[HeldInput, ...]:
    """Every input, fetched where it is not there yet, and unpacked where that is asked.
    `private`: addresses may lie on this machine or in a network around it.

    Raises: Unprovided for what is not there, or not what its digest says; Interrupted.
    """
    return tuple(_provided(one, maker, private=private) for one in wanted)


def _provided(one: Input, maker: Maker, *, private: bool) -> HeldInput:
    kept = input_of(maker.cache, one.sha256)
    kept.parent.mkdir(parents=True, exist_ok=True)
    if not kept.exists():
        maker.say(f"fetching {one.target}")
        _fetch(one, kept, maker, private=private)
        kept.chmod(0o444)
    prefix = ""
    if one.unpack:
        prefix = digest({"unpacked": one.sha256})
        work = Work(
            called=f"the folder {one.target}",
            module="unpack",
            asked={"recipe": {}},
            mounts=(Mount(host=str(kept), room="/room/archive"),),
            repair=_REPAIR,
            fixed=True,
        )
        make_once(prefix, work, maker)
    source = _public(one.url) or Path(one.path).name
    size = kept.stat().st_size
    return HeldInput(target=one.target, sha256=one.sha256, size=size, source=source, prefix=prefix)


def _public(url: str) -> str:
    """An address without what may let one in."""
    return public(urlsplit(url)._replace(query="").geturl())


def _fetch(one: Input, kept: Path, maker: Maker, *, private: bool) -> None:
    import pooch  # here, because it takes time and few workflows need it

    try:
        if one.path:
            _copy(Path(one.path), one.sha256, kept)
        else:
            pooch.retrieve(
                url=one.url,
                known_hash=f"sha256:{one.sha256}",
                fname=kept.name,
                path=kept.parent,
                downloader=_downloader(maker, private=private),
            )
    except OSError as error:  # as all of requests
        raise Unprovided(
            f"The input {one.target} cannot be fetched from {_public(one.url) or one.path} "
            f"({type(error).__name__}).",
            _REPAIR,
        ) from None
    except ValueError:  # what pooch raises for another digest
        raise Unprovided(
            f"The input {one.target} is not what its SHA-256 says, at "
            f"{_public(one.url) or one.path}.",
            _REPAIR,
        ) from None


def _copy(path: Path, sha256: str, kept: Path) -> None:
    """Raises: OSError, ValueError."""
    part = kept.with_name(f".{kept.name}.{os.getpid()}")
    shutil.copyfile(path, part)
    with part.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != sha256:
        part.unlink()
        raise ValueError(found)
    part.replace(kept)


def _downloader(maker: Maker, *, private: bool) -> Callable[[str, str, object], None]:
    """What pooch calls to have a file: it ends where a person stops, or the file is larger than a
    room's disk.
    """

    def download(url: str, output: str, _: object) -> None:
        left = maker.limits.disk
        with answered(url, private=private) as answer, Path(output).open("wb") as stream:
            answer.raise_for_status()
            for block in answer.iter_content(_BLOCK):
                left -= len(block)
                if maker.stopped():
                    raise Interrupted("Stopped.")
                if left < 0:
                    raise Unprovided("An input is larger than --disk allows.", _REPAIR)
                stream.write(block)

    return download
