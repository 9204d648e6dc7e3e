"""What a commit declares of the image under its rooms: an image by name, a Dockerfile, packages of
the system. Pure. Not here: building anything.
"""

import json
import posixpath
import re
import shlex
from collections.abc import Sequence
from typing import NamedTuple

from cleanroom.environment.find import Read
from cleanroom.errors import UsageError
from cleanroom.room.debian import check_packages
from cleanroom.values.environment import EnvironmentSettings, PassedOver
from cleanroom.wording import counted

PACKAGES_OF_SLURM = ("slurmctld", "slurmd", "slurm-client")
_APT, _DOCKERFILE = "apt.txt", "Dockerfile"
_STATED = "cleanroom.yaml: environment: apt"
_COPIED = re.compile(r"^\s*(?:COPY|ADD)\s+(.+)$", re.IGNORECASE | re.MULTILINE)
_MOST_FILES = 500
_UNNAMED = (
    "no image is built of it unless cleanroom.yaml names it, under `environment: dockerfile:`; or "
    "give its image with --image"
)


class Base(NamedTuple):
    """The image that a commit asks for: by its name, or the text of a Dockerfile with the `context`
    that it copies from (paths in its folder), or packages of Debian on the default image. `taken`
    are the files that say so.
    """

    image: str = ""
    dockerfile: str = ""
    context: tuple[str, ...] = ()
    apt: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()
    passed_over: tuple[PassedOver, ...] = ()

    @property
    def called(self) -> tuple[str, ...]:
        """What it is made of, for a person."""
        packages = (f"{counted(len(self.apt), 'package')} of the system",) if self.apt else ()
        return (*((self.image,) if self.image else ()), *self.taken, *packages)

    @property
    def any(self) -> bool:
        return bool(self.image or self.dockerfile or self.apt)


def find_base(
    tracked: Sequence[str], read: Read, folder: str, settings: EnvironmentSettings
) -> Base:
    """What the commit declares of it. Raises: UsageError for what `cleanroom.yaml` says and the
    commit does not have, or cannot be.
    """
    stated = [key for key in ("image", "dockerfile", "apt") if getattr(settings, key)]
    if len(stated) > 1 and not (stated == ["dockerfile", "apt"] or stated == ["image", "apt"]):
        raise UsageError(
            f"cleanroom.yaml: environment: {' and '.join(stated)} contradict each other.",
            "Name one image, or one Dockerfile.",
        )
    places = list(dict.fromkeys((folder, "")))
    there = [
        path
        for name in (_APT, _DOCKERFILE)
        for place in places
        if (path := posixpath.join(place, name)) in tracked
    ]
    check_packages(settings.apt, _STATED)
    if settings.image:
        return Base(image=settings.image, apt=settings.apt, passed_over=_passed(there))
    if settings.dockerfile:
        path = settings.dockerfile
        text = read(path) if path in tracked else None
        if text is None:
            raise UsageError(
                f"cleanroom.yaml: environment: the commit has no file '{path}'.",
                "Commit it, or name another one.",
            )
        return Base(
            dockerfile=text,
            context=_context(posixpath.dirname(path), text, tracked),
            apt=settings.apt,
            taken=(path,),
            passed_over=_passed([one for one in there if one != path]),
        )
    files = [path for path in there if path.endswith(_APT)]
    taken = tuple(files[:1]) if not settings.apt else ()
    apt = settings.apt or tuple(_packages(read(taken[0]) or "")) if taken or settings.apt else ()
    check_packages(apt, taken[0] if taken else _STATED)
    return Base(apt=apt, taken=taken, passed_over=_passed([p for p in there if p not in taken]))


def _passed(paths: Sequence[str]) -> tuple[PassedOver, ...]:
    return tuple(
        PassedOver(
            file=path,
            why=_UNNAMED if path.endswith(_DOCKERFILE) else "another one comes first",
        )
        for path in paths
    )


def _packages(text: str) -> list[str]:
    return [word for line in text.splitlines() for word in line.partition("#")[0].split()]


def _context(folder: str, text: str, tracked: Sequence[str]) -> tuple[str, ...]:
    """The tracked files that a Dockerfile copies, from its folder."""
    prefix = f"{folder}/" if folder else ""
    wanted = [
        word for said in _COPIED.findall(text.replace("\\\n", " ")) for word in _sources(said)
    ]
    inside = [path.removeprefix(prefix) for path in tracked if path.startswith(prefix)]
    found = [path for path in inside if any(_covers(word, path) for word in wanted)]
    return tuple(found[:_MOST_FILES])


def _sources(said: str) -> list[str]:
    """What one instruction copies: all its words but options and the last one."""
    try:
        words = json.loads(said) if said.lstrip().startswith("[") else shlex.split(said)
    except ValueError:
        return []
    if any(str(word).startswith("--from") for word in words):
        return []
    names = [str(word) for word in words if not str(word).startswith("--")]
    return [posixpath.normpath(name) for name in names[:-1] if "://" not in name]


def _covers(word: str, path: str) -> bool:
    pattern = re.escape(word.lstrip("/")).replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
    return word == "." or re.fullmatch(rf"{pattern}(?:/.*)?", path) is not None
