"""What a workflow takes from beyond its commit, found out by planning it and provided: files of
other places, then the environments of conda and the images that its rules declare.

Each plan shows what was not there; that is provided, and the plan is made again, until nothing more
is asked for. So no code of the repository ever runs with a network. Not here: fetching and making.
"""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from cleanroom.environment.making import Maker
from cleanroom.environment.provision_conda import provision_conda
from cleanroom.environment.provision_container import provision_container, provision_packages
from cleanroom.environment.sources import fetch
from cleanroom.errors import Unprovided
from cleanroom.evidence.request import RunSpec
from cleanroom.findings.untried import turned_on
from cleanroom.values.environment import CondaPrefix, Environment, RemoteSource
from cleanroom.values.run import Evidence
from cleanroom.values.supplies import CondaWanted, ContainerWanted

_ROUNDS = 20
Plan = Callable[[Sequence[RunSpec]], list[Evidence]]
"""Makes rooms and gives back what they left."""


def supplied(
    base: RunSpec,
    specs: Sequence[RunSpec],
    plan: Plan,
    maker: Maker,
    named: Mapping[str, str] | None,
    *,
    private: bool = False,
) -> Environment:
    """The environment of `base` with all that its profiles, `specs`, ask for.
    `named` are the texts of environments that rules know by their names; None where no job will
    run, and no environment is needed.

    Raises: Unprovided, UsageError, Interrupted.
    """
    environment = base.environment
    wanted: dict[str, CondaWanted] = {}
    images: dict[str, ContainerWanted] = {}
    runs: list[Evidence] = []
    for _ in range(_ROUNDS):
        asked = [_survey(spec, environment) for spec in specs]
        runs = plan(asked)
        found = [run.wants for run in runs if run.wants is not None]
        for wants in found:
            wanted |= {one.key or one.name: one for one in wants.conda}
            images |= {one.url: one for one in wants.containers}
        known = {source.uri for source in environment.sources}
        new = sorted({uri for wants in found for uri in wants.sources} - known)
        if not new:
            break
        more = [_fetched(uri, maker, private=private) for uri in new]
        sources = tuple(sorted((*environment.sources, *more), key=lambda one: one.uri))
        environment = msgspec.structs.replace(environment, sources=sources)
    if named is None:
        return environment
    for_conda = _is_wanted("conda", base, runs)
    conda = [_made(one, maker, named) for _, one in sorted(wanted.items()) if for_conda]
    environment = msgspec.structs.replace(environment, conda=tuple(conda))
    asked_for = base.deployment == "apptainer" or _by_profile("container", runs)
    if not _is_wanted("container", base, runs) or (
        not asked_for and any(image.beside_conda for image in images.values())
    ):
        return environment
    return _with_images(environment, [image for _, image in sorted(images.items())], maker, private)


_DEPLOYED = {"conda": "conda", "container": "apptainer"}


def _is_wanted(kind: str, base: RunSpec, runs: Sequence[Evidence]) -> bool:
    """Whether rules run in that kind of software, where they declare it."""
    if base.deployment == "profile":
        return _by_profile(kind, runs)
    return base.deployment in ("declared", _DEPLOYED[kind])


def _by_profile(kind: str, runs: Sequence[Evidence]) -> bool:
    return any(turned_on(run, kind, as_stated=True) for run in runs)


def _with_images(
    environment: Environment, images: Sequence[ContainerWanted], maker: Maker, private: bool
) -> Environment:
    """The same with these images, and with what scripts in them need of Snakemake."""
    found = tuple(provision_container(one, maker, private=private) for one in images)
    scripts = any(image.scripts for image in images)
    packages = (environment.prefix or provision_packages(maker)) if scripts else ""
    return msgspec.structs.replace(environment, containers=found, scripts=packages)


def _survey(spec: RunSpec, environment: Environment) -> RunSpec:
    return msgspec.structs.replace(
        spec,
        called=f"{spec.profile.name} looked at",
        environment=environment,
        survey=True,
        deployment="none",
        steps=("settings", "plan"),
    )


def _fetched(uri: str, maker: Maker, *, private: bool) -> RemoteSource:
    maker.say(f"fetching {uri}")
    return fetch(uri, maker.cache, maker.stopped, private=private)


def _made(one: CondaWanted, maker: Maker, named: Mapping[str, str]) -> CondaPrefix:
    if one.key:
        return provision_conda(one, maker)
    if one.name not in named:
        raise Unprovided(
            f"Rules run in the conda environment '{one.name}', which is known by its name only.",
            f"Say in cleanroom.yaml which file describes it: `environment: {{conda: {{{one.name}: "
            "FILE}}`; --deployment none runs the rules in the room's own software.",
        )
    described = msgspec.structs.replace(one, text=named[one.name])
    return provision_conda(described, maker, named=True)
