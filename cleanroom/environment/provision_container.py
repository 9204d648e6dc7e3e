"""Images that rules run in, fetched once: by the engine where it runs images, else by skopeo, as a
prefix with their files. Not here: which ones, and how a command is run in one.
"""

import re

from cleanroom.environment.inside.installed import READERS, installed
from cleanroom.environment.making import Maker, Work, make_once
from cleanroom.environment.sources import check_public
from cleanroom.errors import ImageError, Unprovided
from cleanroom.room.host_settings import index_settings
from cleanroom.values.base import digest
from cleanroom.values.environment import ContainerImage, Package
from cleanroom.values.supplies import ContainerWanted

_SCHEME = "docker://"
_REFERENCE = re.compile(
    r"(?P<host>[a-z0-9.-]+(?::\d+)?/)?[a-z0-9._/-]+"
    r"(?::(?P<tag>[\w.-]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_REGISTRY = re.compile(r"(?P<host>localhost|[a-z0-9-]*[.:][a-z0-9.:-]*)/", re.IGNORECASE)
_REPAIR = (
    "Name an image that a registry has, by docker://; --deployment none runs the rules in the "
    "room's own software."
)


def provision_container(
    wanted: ContainerWanted, maker: Maker, *, private: bool = False
) -> ContainerImage:
    """An image of rules, fetched where it is not there yet. `private`: its registry may lie on this
    machine or in a network around it.

    Raises: Unprovided where it cannot be fetched, Interrupted.
    """
    reference = _reference(wanted.url)
    check_registry(reference, private=private)
    tagged = _REFERENCE.fullmatch(reference)
    moves = tagged is None or not tagged["digest"]
    if maker.engine.has_images:
        return _by_engine(wanted.url, reference, maker, moves=moves)
    prefix = digest({"image": reference})
    work = Work(
        called=f"the image {reference}",
        module="image",
        asked={
            "recipe": {
                "url": f"{_SCHEME}{reference}",
                "plain": _is_this_machine(_registry(reference)),
            }
        },
        env=index_settings(maker.environ),
        repair=f"{_REPAIR} The sandbox needs skopeo: apt-get install skopeo.",
    )
    made = make_once(prefix, work, maker)
    return ContainerImage(
        url=wanted.url,
        digest=made.digest,
        prefix=prefix,
        env=made.env,
        packages=made.packages,
        inventory=digest(made.packages),
        moves=moves,
    )


def provision_packages(maker: Maker) -> str:
    """The prefix with Snakemake's own packages of Python, of a base that has Snakemake.

    Raises: as `provision_container`.
    """
    prefix = digest({"packages of": maker.base})
    work = Work(
        called="what scripts in containers need of Snakemake",
        module="packages",
        asked={"recipe": {}},
        repair="Give an image with Snakemake, or none.",
        fixed=True,
    )
    make_once(prefix, work, maker)
    return prefix


def _by_engine(url: str, reference: str, maker: Maker, *, moves: bool) -> ContainerImage:
    maker.say(f"fetching the image {reference}")
    try:
        image = maker.engine.resolve(reference, anew=maker.anew is not None)
        facts = maker.engine.facts(image, list(READERS))
    except ImageError as error:
        raise Unprovided(error.what, _REPAIR) from None
    packages = tuple(Package(**one) for one in installed(facts.texts))
    return ContainerImage(
        url=url,
        digest=image.digest,
        env=facts.env,
        packages=packages,
        inventory=digest(packages),
        moves=moves,
    )


def _reference(url: str) -> str:
    """What a registry knows an image by.

    Raises: Unprovided for an image that is no registry's.
    """
    reference = url.removeprefix(_SCHEME)
    if reference == url or not _REFERENCE.fullmatch(reference):
        raise Unprovided(
            f"Rules run in the image '{url}', which is no image of a registry.", _REPAIR
        )
    return reference


def check_registry(reference: str, *, private: bool) -> None:
    """Raises: Unprovided for a registry of this machine or of a network around it, unless
    `private`.
    """
    host = _registry(reference)
    if host and not private:
        check_public(f"{_SCHEME}{host}/")


def _registry(reference: str) -> str:
    """The host of a registry, where a reference names one."""
    found = _REGISTRY.match(reference)
    return found["host"] if found else ""


def _is_this_machine(host: str) -> bool:
    """Whether a registry is spoken to without encryption, as engines do on their own machine."""
    return host.partition(":")[0] in ("localhost", "127.0.0.1")
