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


class EnvironmentSettings(Value, frozen=True, forbid_unknown_fields=True):
    """`environment:` in `cleanroom.yaml`: files and packages of Python, and which Snakemake.
    `use: default` takes the room's own software, whatever the repository declares.
    """

    use: str = ""
    requirements: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    snakemake: str = ""


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

    @property
    def digest(self) -> str:
        return digest(self)


class Package(Value, frozen=True):
    """One installed package of Python. `sha256` is that of its record, which holds the digests of
    its files, but for programs, which name their place; `source` is empty where it came from the
    index.
    """

    name: str
    version: str
    sha256: str = ""
    source: str = ""


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
    unpinned: tuple[str, ...] = ()
    """Requirements that another day may resolve otherwise."""

    @property
    def place(self) -> str:
        """Where rooms see the prefix, or nothing."""
        return f"/room/env/{self.prefix[:16]}" if self.prefix else ""

    def differing(self, other: "Environment") -> list[str]:
        """A line for each package that only one holds, or in another version or build."""
        ours, theirs = ({p.name: p for p in side.packages} for side in (self, other))
        found = []
        for name in sorted(ours.keys() | theirs.keys()):
            a, b = ours.get(name), theirs.get(name)
            if a != b:
                old, new = (p.version if p else "none" for p in (a, b))
                same = f"{name} {old}, another build"
                found.append(f"{name} {old} → {new}" if old != new else same)
        return found
