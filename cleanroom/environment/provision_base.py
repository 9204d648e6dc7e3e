"""The image under the rooms, as a commit asks for it: fetched, or built once and kept by the engine
under the digest of all that decides it. Not here: which one.
"""

from collections.abc import Callable
from pathlib import Path

import msgspec

from cleanroom.environment.base import Base
from cleanroom.environment.inside.installed import READERS, installed
from cleanroom.environment.making import Maker
from cleanroom.environment.provision_container import check_registry
from cleanroom.errors import ImageError, Interrupted, Unprovided
from cleanroom.room.debian import install
from cleanroom.room.host_settings import PROXY
from cleanroom.values.base import digest
from cleanroom.values.environment import Package, PassedOver
from cleanroom.values.setup import Image
from cleanroom.wording import counted

Content = Callable[[str], bytes]
"""The content of a tracked file, by its path."""

_REPAIR = (
    "Mend what the repository declares; --environment default takes the default image, and --image "
    "another one."
)


def provision_base(
    base: Base, maker: Maker, content: Content, *, private: bool = False
) -> tuple[Image, list[PassedOver]]:
    """(the image of the rooms, what of the commit's wishes an engine without images passes over).
    `private`: its registry may lie on this machine or in a network around it.

    Raises: Unprovided where it cannot be had, Interrupted.
    """
    if not base.any:
        return maker.image, []
    if not maker.engine.has_images:
        why = "the sandbox has the host's software, and gets no packages of the system"
        names = base.taken or ("cleanroom.yaml",)
        return maker.image, [PassedOver(file=name, why=why) for name in names]
    anew = maker.anew is not None
    try:
        image = maker.image
        if base.image:
            maker.say(f"fetching the image {base.image}")
            check_registry(base.image, private=private)
            image = maker.engine.resolve(base.image, anew=anew)
        if base.dockerfile:
            files = {path: content(path) for path in base.context}
            image = _built(base.dockerfile, files, base.taken[0], maker)
        if base.apt:
            text = f"FROM {image.digest}\n{install(base.apt, 'environment: apt')}"
            image = _built(text, {}, f"{counted(len(base.apt), 'package')} of the system", maker)
    except ImageError as error:
        raise Unprovided(error.what, _REPAIR) from None
    return image, []


def _built(text: str, files: dict[str, bytes], called: str, maker: Maker) -> Image:
    """An image by its recipe, built where the engine does not have it yet."""
    named = {path: digest(raw.hex()) for path, raw in files.items()}
    tag = f"cleanroom-made:{digest({'dockerfile': text, 'files': named})[:32]}"
    if maker.anew is None:
        try:
            return maker.engine.resolve(f"{tag}")
        except ImageError:
            pass
    maker.say(f"building an image of {called}")
    args = {key: maker.environ[key] for key in PROXY if maker.environ.get(key)}
    for line in maker.engine.build(text.encode(), tag, args, "host", files):
        if maker.stopped():
            raise Interrupted("Stopped.")
        maker.say(line)
    return maker.engine.resolve(tag)


def system_packages(image: Image, maker: Maker) -> tuple[Package, ...]:
    """What the package manager of an image lists; nothing where it has none, or there is no image.

    Raises: Unprovided.
    """
    if not maker.engine.has_images:
        return ()
    kept = Path(maker.cache) / "images" / f"{image.digest.partition(':')[2]}.json"
    if kept.exists():
        return msgspec.json.decode(kept.read_bytes(), type=tuple[Package, ...])
    try:
        texts = maker.engine.facts(image, list(READERS)).texts
    except ImageError as error:
        raise Unprovided(error.what, error.next_step) from None
    found = tuple(Package(**one) for one in installed(texts))
    kept.parent.mkdir(parents=True, exist_ok=True)
    part = kept.with_suffix(f".{maker.owner.name}")
    part.write_bytes(msgspec.json.encode(found))
    part.replace(kept)
    return found
