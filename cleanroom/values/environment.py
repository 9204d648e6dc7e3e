"""The software that rooms hold beside the clone: what a repository declares, and what that came
to.
"""

from cleanroom.values.base import Value, digest

DEFAULT_SNAKEMAKE = "9.27.1"
"""The newest Snakemake that was tested; what a prefix gets where nothing asks for another one."""

USE_DEFAULT = "default"
"""What `use:` says where the room's own software is to be taken."""


class PassedOver(Value, frozen=True):
    """A file of the repository that declares software and was not taken, and why."""

    file: str
    why: str


def place_of(prefix: str) -> str:
    """Where rooms see the prefix of that digest, or nothing."""
    return f"/room/env/{prefix[:16]}" if prefix else ""


class EnvironmentSettings(Value, frozen=True, forbid_unknown_fields=True):
    """`environment:` in `cleanroom.yaml`: the image under the rooms, or the Dockerfile or packages
    of Debian that it is built of; files and packages of Python, and which Snakemake.
    `use: default` takes the room's own software, whatever the repository declares. `conda` says
    which file describes an environment that rules know by its name only, `variables` are variables
    of every room, which are no secrets.
    """

    use: str = ""
    image: str = ""
    dockerfile: str = ""
    apt: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    snakemake: str = ""
    conda: dict[str, str] = {}
    variables: dict[str, str] = {}


class Recipe(Value, frozen=True):
    """All that decides what a prefix holds: the text of each file, by its path in the repository.

    `asked` are the files that a resolver starts from, `packages` requirements beside them, `base`
    is what the prefix is made on, by its digest. A prefix is named by the digest of its recipe.
    """

    asked: tuple[str, ...]
    files: dict[str, str]
    packages: tuple[str, ...] = ()
    base: str = ""
    snakemake: str = ""
    """A requirement; empty where a file names Snakemake itself."""
    plugins: tuple[str, ...] = ()
    """Plug-ins of Snakemake, left out where they do not fit what else is asked for."""

    @property
    def digest(self) -> str:
        return digest(self)


class CondaRecipe(Value, frozen=True):
    """All that decides what a prefix of conda holds. `explicit` are addresses of packages, each
    with its digest; where there are any, nothing is solved. `pip` are requirements, `deploy` is
    the script that is run in it at the end, `base` what it is made on, by its digest.
    """

    channels: tuple[str, ...] = ()
    specs: tuple[str, ...] = ()
    explicit: tuple[str, ...] = ()
    pip: tuple[str, ...] = ()
    snakemake: tuple[str, ...] = ()
    """Where rooms live in it and it brings none: which Snakemake to install, the first that fits
    its Python.
    """
    deploy: str = ""
    base: str = ""

    @property
    def digest(self) -> str:
        return digest(self)


class Package(Value, frozen=True):
    """One installed package. Of Python: `sha256` is that of its record, which holds the digests of
    its files, but for programs, which name their place; `source` is empty where it came from the
    index. Of conda: its build, the digest of its archive, and its address.
    """

    name: str
    version: str
    build: str = ""
    sha256: str = ""
    source: str = ""


class CondaPrefix(Value, frozen=True):
    """An environment of conda that rules ran in: what the workflow calls it, how a room finds it,
    and the prefix with what it holds. `inventory` is the digest of `packages`.
    """

    name: str
    key: str
    prefix: str
    packages: tuple[Package, ...] = ()
    inventory: str = ""
    unpinned: bool = False
    """Whether another day may solve it otherwise."""
    named: bool = False
    """Whether rules know it by its name only."""


class ContainerImage(Value, frozen=True):
    """An image that rules run in: what the workflow calls it, and the digest of its configuration,
    which holds those of its layers. Where the engine runs no images, its files lie in a `prefix`.
    `inventory` is the digest of `packages`; `moves` where its name is a tag.
    """

    url: str
    digest: str
    prefix: str = ""
    env: dict[str, str] = {}
    packages: tuple[Package, ...] = ()
    inventory: str = ""
    moves: bool = False


class RemoteSource(Value, frozen=True):
    """A file of another place that the workflow reads: a wrapper, a module, an include. `sha256`
    is empty where there is no such file. `moves` where its address is not that of a commit or a
    tag.
    """

    uri: str
    sha256: str = ""
    size: int = 0
    moves: bool = False


class Input(Value, frozen=True, forbid_unknown_fields=True):
    """`inputs:` in `cleanroom.yaml`: data that is not in git. It comes from an address, or from a
    path of this machine where a person says so in a file of their own; `target` is where the
    workflow finds it, from the top of the clone. `unpack`: it is an archive (zip or tar), and the
    target is a folder with what it holds.
    """

    target: str
    sha256: str
    url: str = ""
    path: str = ""
    unpack: bool = False


class HeldInput(Value, frozen=True):
    """An input that rooms held: where, its digest and its size in bytes, where it came from. What
    was unpacked lies in a `prefix`.
    """

    target: str
    sha256: str
    size: int
    source: str
    prefix: str = ""


class Environment(Value, frozen=True):
    """What rooms hold: `prefix` is the digest of a recipe, empty for the base's own software.

    `taken` are the files that it was made from, `inventory` is the digest of `packages`, which
    decides identity: the same recipe may come to other packages on another day.
    """

    prefix: str = ""
    taken: tuple[str, ...] = ()
    passed_over: tuple[PassedOver, ...] = ()
    python: str = ""
    packages: tuple[Package, ...] = ()
    inventory: str = ""
    declined: bool = False
    """Whether packages are declared, and somebody asked for the base's own software."""
    built_from: tuple[str, ...] = ()
    """What the image under the rooms was made of, where the commit says so."""
    system: tuple[Package, ...] = ()
    """The packages that the image lists; nothing in the sandbox."""
    unpinned: tuple[str, ...] = ()
    """Requirements that another day may resolve otherwise."""
    conda: tuple[CondaPrefix, ...] = ()
    containers: tuple[ContainerImage, ...] = ()
    scripts: str = ""
    """The prefix with the packages of Python that scripts in containers need of Snakemake."""
    sources: tuple[RemoteSource, ...] = ()
    inputs: tuple[HeldInput, ...] = ()
    variables: dict[str, str] = {}
    """Variables that the commit gives every room."""
    secrets: tuple[str, ...] = ()
    """The names of those that a person passed."""

    @property
    def place(self) -> str:
        """Where rooms see the prefix, or nothing."""
        return place_of(self.prefix)

    def differing(self, other: "Environment") -> list[str]:
        """A line for each package that only one holds, or in another version or build, and for
        each remote file that is not the same.
        """
        found = _differing(self.packages, other.packages)
        if self.system and other.system:  # the sandbox lists none, nor did evidence before
            found += [f"{line} in the image" for line in _differing(self.system, other.system)]
        ours, theirs = ({one.name: one for one in side.conda} for side in (self, other))
        for name in sorted(ours.keys() & theirs.keys()):
            more = _differing(ours[name].packages, theirs[name].packages)
            found += [f"{line} in {name}" for line in more]
        first, second = ({one.url: one for one in side.containers} for side in (self, other))
        for url in sorted(first.keys() & second.keys()):
            more = _differing(first[url].packages, second[url].packages)
            changed = first[url].digest != second[url].digest
            found += [f"{line} in {url}" for line in more] or [f"the image {url}"] * changed
        before, after = ({one.uri: one.sha256 for one in s.sources} for s in (self, other))
        both = sorted(before.keys() & after.keys())
        return found + [f"the text of {uri}" for uri in both if before[uri] != after[uri]]


def _differing(first: tuple[Package, ...], second: tuple[Package, ...]) -> list[str]:
    ours, theirs = ({p.name: p for p in side} for side in (first, second))
    found = []
    for name in sorted(ours.keys() | theirs.keys(), key=lambda name: (name != "snakemake", name)):
        a, b = ours.get(name), theirs.get(name)
        if a != b:
            old, new = (p.version if p else "none" for p in (a, b))
            same = f"{name} {old}, another build"
            found.append(f"{name} {old} → {new}" if old != new else same)
    return found
