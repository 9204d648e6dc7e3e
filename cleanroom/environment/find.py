"""Which files of a commit declare its Python packages, and which of them are taken: a recipe. Pure.

First match wins, and what is passed over is named. Files are read as data, never run.
Not here: making anything.
"""

import posixpath
import re
import tomllib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from packaging.requirements import InvalidRequirement, Requirement

from cleanroom.environment.conda_files import Channels, read_conda
from cleanroom.errors import Unprovided, UsageError
from cleanroom.values.environment import (
    DEFAULT_SNAKEMAKE,
    USE_DEFAULT,
    EnvironmentSettings,
    PassedOver,
    Recipe,
)
from cleanroom.values.supplies import CondaWanted

Read = Callable[[str], str | None]
"""The text of a tracked file, by its path from the top of the repository; None for what is none."""

_MOST_FILES = 50
_MOST_CHARACTERS = 2**20
_CONDA = ("pixi.lock", "pixi.toml", "conda-lock.yml", "environment.yml", "environment.yaml")
_USUAL = (*_CONDA, "uv.lock", "pylock.toml", "requirements.txt", "pyproject.toml")
_MORE = re.compile(r"(?:.*[-_.])?requirements(?:[-_.].*)?\.(?:txt|in)")
_INCLUDED = re.compile(r"(?:-r|--requirement|-c|--constraint)[= ]\s*(\S+)")
_LOCAL = re.compile(r"(?:-e|--editable)\b|\.{1,2}(?:/|$|\[)|file:|/")


class Found(NamedTuple):
    """The recipe that was taken, if any (`taken`: its files), and what was passed over."""

    recipe: Recipe | None = None
    taken: tuple[str, ...] = ()
    passed_over: tuple[PassedOver, ...] = ()
    unpinned: tuple[str, ...] = ()
    declined: bool = False
    """Whether packages are declared, and somebody asked for the base's own software."""
    conda: CondaWanted | None = None
    """The environment of conda that rooms live in, with `pip` packages of Python beside it, and the
    first `snakemake` that fits its Python, where it has none.
    """
    pip: tuple[str, ...] = ()
    snakemake: tuple[str, ...] = ()

    @property
    def any(self) -> bool:
        """Whether there is something to make."""
        return self.recipe is not None or self.conda is not None


def find_environment(
    tracked: Sequence[str], read: Read, folder: str, settings: EnvironmentSettings
) -> Found:
    """What the commit declares, from the folder where it is entered and from its top.

    Raises: UsageError for what `cleanroom.yaml` says and the commit does not have, or cannot be
    read. A file that nobody named and that cannot be read is passed over.
    """
    here = list(dict.fromkeys((folder, "")))
    passed: list[PassedOver] = []
    stated = settings.requirements or settings.packages
    usual = [p for place in here for p in _declaring(place, tracked, read)]
    if settings.use == USE_DEFAULT and not stated and not settings.snakemake:
        why = "cleanroom.yaml takes the default environment"
        passed = [*(PassedOver(file=p, why=why) for p in usual), *passed]
        return Found(passed_over=tuple(passed), declined=bool(usual))
    for path in settings.requirements:
        if path not in tracked:
            raise UsageError(
                f"cleanroom.yaml: environment: the commit has no file '{path}'.",
                "Commit it, or name another one.",
            )
    if stated:
        first = [
            PassedOver(file=path, why="cleanroom.yaml comes first")
            for path in usual
            if path not in settings.requirements
        ]
        return _taken(settings.requirements, read, settings, first + passed)
    for number, path in enumerate(usual):
        try:
            others = [PassedOver(file=p, why=f"{path} comes first") for p in usual[number + 1 :]]
            return _taken((path,), read, settings, others + passed)
        except UsageError as error:
            passed = [PassedOver(file=path, why=error.what.rstrip(".")), *passed]
    if settings.snakemake:
        return _taken((), read, settings, passed)
    return Found(passed_over=tuple(passed))


def _declaring(place: str, tracked: Sequence[str], read: Read) -> list[str]:
    """The files of a folder that declare packages, the one that is taken first."""
    found = [p for name in _USUAL if (p := posixpath.join(place, name)) in tracked]
    found = [p for p in found if not p.endswith("pyproject.toml") or _dependencies(read(p) or "")]
    locks = [p for p in found if p.endswith("uv.lock")]
    if locks and posixpath.join(place, "pyproject.toml") not in tracked:
        found.remove(locks[0])
    more = [
        path
        for path in sorted(tracked)
        if posixpath.dirname(path) == place and _MORE.fullmatch(posixpath.basename(path))
    ]
    return found + [path for path in more if path not in found]


def _taken(
    taken: tuple[str, ...],
    read: Read,
    settings: EnvironmentSettings,
    passed: list[PassedOver],
) -> Found:
    """What these files come to: packages of Python, on an environment of conda if one is named."""
    conda = [path for path in taken if is_conda(path)]
    if not conda:
        return _recipe(taken, read, settings, passed)
    if len(conda) > 1:
        raise UsageError(
            f"cleanroom.yaml: environment: {' and '.join(conda)} are both environments of conda.",
            "Name one of them.",
        )
    wanted = CondaWanted(name=conda[0], text=_text(conda[0], read))
    try:
        recipe = read_conda(wanted, Channels())
    except Unprovided as error:
        raise UsageError(error.what, error.next_step) from None
    _, more = _gathered([path for path in taken if path not in conda], read, settings, passed)
    unpinned = [str(one) for one in more if not _pinned(one)]
    return Found(
        taken=taken,
        passed_over=tuple(passed),
        unpinned=tuple(sorted({*recipe.specs, *unpinned})),
        conda=wanted,
        pip=tuple(map(str, more)),
        snakemake=_snakemakes(settings.snakemake),
    )


def is_conda(path: str) -> bool:
    """Whether a file describes an environment of conda, by its name."""
    return posixpath.basename(path) in _CONDA or path.endswith((".yml", ".yaml"))


def _snakemakes(stated: str) -> tuple[str, ...]:
    """Which Snakemake an environment of conda gets: the one that is asked for, else the newest that
    its Python takes.
    """
    older = "{} pulp<2.8 setuptools<81"
    newer = "{} snakemake-executor-plugin-cluster-generic"
    if stated:
        how = older if stated.partition(".")[0] in ("5", "6", "7") else newer
        return (how.format(f"snakemake=={stated}"),)
    newest = f"snakemake=={DEFAULT_SNAKEMAKE}"
    return newer.format(newest), newer.format("snakemake"), older.format("snakemake<8")


def _recipe(
    taken: tuple[str, ...],
    read: Read,
    settings: EnvironmentSettings,
    passed: list[PassedOver],
) -> Found:
    files, requirements = _gathered(taken, read, settings, passed)
    names = {r.name.lower() for r in requirements}
    if settings.snakemake:
        snakemake = f"snakemake=={settings.snakemake}"
    else:
        snakemake = "" if "snakemake" in names else f"snakemake=={DEFAULT_SNAKEMAKE}"
    locked = any(path.endswith(("uv.lock", "pylock.toml")) for path in taken)
    return Found(
        Recipe(
            asked=tuple(path if path in files else f"{path}.txt" for path in taken),
            files=files,
            packages=settings.packages,
            snakemake=snakemake,
        ),
        taken,
        tuple(passed),
        () if locked else tuple(sorted({str(r) for r in requirements if not _pinned(r)})),
    )


def _gathered(
    taken: Sequence[str], read: Read, settings: EnvironmentSettings, passed: list[PassedOver]
) -> tuple[dict[str, str], list[Requirement]]:
    """(the text of each file, every package that they or `cleanroom.yaml` name)."""
    files: dict[str, str] = {}
    requirements: list[Requirement] = []
    for path in taken:
        if path.endswith((".toml", "uv.lock")):
            _add_toml(path, read, files, requirements)
        else:
            _add_requirements(path, read, files, requirements, passed, ())
    return files, [*requirements, *map(_stated, settings.packages)]


def _stated(text: str) -> Requirement:
    try:
        return Requirement(text)
    except InvalidRequirement:
        raise UsageError(
            f"cleanroom.yaml: environment: '{text}' is no requirement of Python.",
            "Write it as pip takes it, such as `pandas==2.2.3`.",
        ) from None


def _add_toml(path: str, read: Read, files: dict[str, str], found: list[Requirement]) -> None:
    """A lock or a `pyproject.toml`; a lock of uv needs the project beside it."""
    files[path] = _text(path, read)
    project = posixpath.join(posixpath.dirname(path), "pyproject.toml")
    if path.endswith("uv.lock"):
        files[project] = _text(project, read)
    if path == project or path.endswith("uv.lock"):
        found += filter(None, map(_requirement, _dependencies(files[project])))
    if path.endswith("uv.lock"):
        found += filter(None, map(_requirement, _locked(files[path], "package")))
    if path.endswith("pylock.toml"):
        lines = _locked(files.pop(path), "packages")
        files[f"{path}.txt"] = "\n".join(lines) + "\n"
        found += filter(None, map(_requirement, lines))


def _locked(text: str, key: str) -> list[str]:
    """Every package of a lock, as a requirement of its version."""
    packages = _toml(text).get(key, [])
    named = [p for p in packages if isinstance(p, dict)] if isinstance(packages, list) else []
    return [f"{p.get('name')}=={p.get('version')}" for p in named if p.get("version")]


def _add_requirements(
    path: str,
    read: Read,
    files: dict[str, str],
    found: list[Requirement],
    passed: list[PassedOver],
    above: tuple[str, ...],
) -> None:
    """A file of requirements and those that it includes.
    What names the repository itself is left out, and named.
    """
    if path in above:
        raise UsageError(
            f"{path} includes itself ({' → '.join((*above, path))}).", "Mend the includes."
        )
    if path in files or len(files) >= _MOST_FILES:
        return
    kept = []
    for line in _text(path, read).replace("\\\n", " ").splitlines():
        text = re.sub(r"(?:^|\s)#.*", "", line).strip()
        if included := _INCLUDED.match(text):
            other = posixpath.normpath(posixpath.join(posixpath.dirname(path), included[1]))
            if "://" in included[1] or other.startswith(("/", "../")):
                passed.append(PassedOver(file=path, why=f"'{text}' leads out of the repository"))
                continue
            _add_requirements(other, read, files, found, passed, (*above, path))
        elif _LOCAL.match(text):
            why = f"'{text}' is not installed: it names the repository, or something to be edited"
            passed.append(PassedOver(file=path, why=why))
            continue
        elif text and not text.startswith("-") and (one := _requirement(text)):
            found.append(one)
        kept.append(text)
    files[path] = "\n".join(kept) + "\n"


def _text(path: str, read: Read) -> str:
    text = read(path)
    if text is None or len(text) > _MOST_CHARACTERS:
        what = "is no file of the commit" if text is None else "is larger than a file of packages"
        raise UsageError(f"'{path}', which declares packages, {what}.", "Commit it, or shorten it.")
    return text


def _toml(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def _dependencies(text: str) -> list[str]:
    """`project.dependencies` of a `pyproject.toml`."""
    project = _toml(text).get("project")
    found = project.get("dependencies") if isinstance(project, dict) else None
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _requirement(text: str) -> Requirement | None:
    """One line; None for what only an installer understands."""
    try:
        return Requirement(re.sub(r"\s--hash[= ]\S+", "", text).strip())
    except InvalidRequirement:
        return None


def _pinned(requirement: Requirement) -> bool:
    """Whether any day resolves it to the same."""
    if requirement.url:
        return bool(re.search(r"@[0-9a-f]{40}|sha256=", requirement.url))
    exact = [s for s in requirement.specifier if s.operator in ("==", "===")]
    return any(not s.version.endswith(".*") for s in exact)
