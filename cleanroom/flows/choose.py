"""From what was asked for to what is to be run: commit, settings, profiles.
Not here: what is done with runs.
"""

import datetime
import os
import posixpath
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

from cleanroom import config as configuration
from cleanroom.compare.equivalences import check_equivalences
from cleanroom.entry.learn import learn_entries, options_of
from cleanroom.environment.base import Base, find_base
from cleanroom.environment.find import Found, Read, find_environment
from cleanroom.environment.plugins import PLUGIN_OF_SLURM, plugins_of, with_plugins
from cleanroom.environment.reaches import code_of, reaches
from cleanroom.errors import SourceError, UsageError
from cleanroom.profiles.find import (
    NONE,
    choose_baseline,
    choose_profiles,
    elsewhere,
    enters,
    find_profiles,
    find_snakefile,
    has_profile,
    is_usual,
    reads_like_profile,
)
from cleanroom.room.engines.interface import GIB, Limits, Network
from cleanroom.source import Patience, Reach, Repository, open_repository, pointers
from cleanroom.values.audit import Acceptance
from cleanroom.values.base import Value, escape_path
from cleanroom.values.declared import Declared
from cleanroom.values.environment import Input, PassedOver
from cleanroom.values.setup import Entry, Learnt, Profile, Source

_MOST_LOOKED_AT = 50
Environments = Literal["auto", "declared", "default"]
Deployments = Literal["auto", "declared", "conda", "apptainer", "none", "profile"]


class Request(Value, frozen=True):
    """What is asked for; all but the repository and the ref has a default.
    Empty means: as `cleanroom.yaml` says.

    `repeats` is how many control runs there are at least; without it there is one, and only where
    something differs.
    `explain_cause` runs hybrids of two profiles where several settings are open. `against` names an
    earlier confirmation, a folder of results or a ref to compare the baseline with. `climb` names
    rungs that are climbed only when asked for; `diffoscope` asks that program where differences
    begin.
    `environment` says whether packages that the commit declares are made and used: `auto` does so
    unless an image is given. `deployment` says what rules run in: `declared` is the conda
    environments and images that they declare, `auto` too, unless an image is given. `refresh` makes
    and fetches anew what the cache holds of all that.
    `snakemakes` are versions of it: the first runs the profiles, the others the baseline once more.
    `executor`: a profile that names it is run by it, in a room that has one.
    `today` decides which acceptances are in force; None is the day of the call. `fetch_limit` is
    for how many seconds git may make no progress, `local_submodules` whether a submodule may be any
    repository of this machine, `private_sources` whether files that the workflow reads from other
    places may lie on it or in a network around it. `secrets` are variables of every room, by name,
    whose values nothing shows. `prefix_limit` is how many bytes of prefixes the cache keeps; those
    used least recently go first, and none that a confirmation uses.
    """

    repo: str
    ref: str
    cache: str
    profiles: tuple[str, ...] = ()
    baseline_profile: str = ""
    engine: str = "auto"
    image: str = ""
    environment: Environments = "auto"
    deployment: Deployments = "auto"
    snakemakes: tuple[str, ...] = ()
    executor: Literal["", "slurm"] = ""
    refresh: bool = False
    entry: Entry = Entry()
    config: str = ""
    limits: Limits = Limits()
    network: Network = "none"
    jobs_in_parallel: int | None = None
    keep_rooms: bool = False
    repeats: int = 0
    against: str = ""
    diffoscope: bool = False
    explain_cause: bool = False
    climb: frozenset[str] = frozenset()
    today: datetime.date | None = None
    fetch_limit: float = 600.0
    local_submodules: bool = False
    private_sources: bool = False
    prefix_limit: int = 50 * GIB
    secrets: dict[str, str] = msgspec.field(default_factory=dict)

    @property
    def reach(self) -> Reach:
        """How its repository is followed."""
        return Reach(Patience(self.fetch_limit), self.local_submodules, self.limits.disk)


@dataclass(frozen=True)
class Chosen:
    """A commit and what is to be done with it, before any engine was asked."""

    source: Source
    entry: Entry
    profiles: tuple[Profile, ...]
    acceptances: tuple[Acceptance, ...]
    declared: Declared
    delivered: frozenset[str]
    """The tracked paths of the commit."""
    software: Found
    """Which files of it declare packages."""
    slurm: bool = False
    """Whether a profile for Slurm has one in its room."""
    base: Base = field(default_factory=Base)
    """The image that it asks for under its rooms."""
    content: Callable[[str], bytes] = lambda path: b""
    """What reads a tracked file, by its path."""
    others: dict[str, Found] = field(default_factory=dict)
    """The same with another Snakemake, by its version."""
    reaches: bool = False
    """Whether its code may take files of other places, or environments of conda."""
    inputs: tuple[Input, ...] = ()
    """Data that it needs and does not hold."""
    variables: dict[str, str] = field(default_factory=dict)
    """Variables that the commit gives every room."""
    named: dict[str, str] = field(default_factory=dict)
    """The texts of environments of conda that rules know by their names."""
    learnt: Learnt | None = None
    """What of it says how it is entered, where nobody else does."""


def choose(request: Request, *, lenient: bool = False) -> Chosen:
    """The commit, its configuration and its profiles, the baseline first.
    `lenient`: a profile that it lacks is left out.

    Raises: UsageError, SourceError.
    """
    repository = open_repository(request.repo, Path(request.cache), request.reach)
    source = repository.resolve(request.ref)
    text = (
        Path(request.config).read_bytes()
        if request.config
        else repository.read(source.commit, configuration.FILENAME)
    )
    settings = configuration.read_settings(text or b"", request.config or configuration.FILENAME)
    check_equivalences(settings.declared, request.config or configuration.FILENAME)
    entry = _entry(request.entry, settings.workflow)
    tracked = repository.files(source.commit)
    names, read = [os.fsdecode(path) for path in tracked], _reader(repository, source.commit)
    learnt = None
    if entry == Entry(cores=entry.cores):
        learnt = _learnt(tracked, names, read)
        if learnt is not None:
            entry = msgspec.structs.replace(learnt.entry, cores=entry.cores)
            learnt = learnt if learnt.entry != Entry() else None
    elif entry.folder in (".", "./"):  # said, so that nothing is learnt
        entry = msgspec.structs.replace(entry, folder="")
    find_snakefile(tracked, entry.folder, entry.snakefile, entry.directory)
    links = repository.links(source.commit)
    found = find_profiles(tracked, entry.folder, links)
    stated = (NONE,) if settings.profiles == () else settings.profiles or ()
    wanted = request.profiles or stated
    if lenient:
        wanted = tuple(name for name in wanted if has_profile(found, name, tracked, entry.folder))
    profiles = choose_profiles(found, wanted, tracked, entry.folder)
    baseline = request.baseline_profile or settings.baseline_profile or ""
    first = choose_baseline(
        profiles,
        baseline if not lenient or any(baseline in (p.name, p.path) for p in profiles) else "",
    )
    profiles = [profiles[first], *profiles[:first], *profiles[first + 1 :]]
    used = {f"{entry.folder}/{p.path}".lstrip("/") for p in profiles}
    passed_over = [
        path
        for path in elsewhere(tracked, entry.folder)[:_MOST_LOOKED_AT]
        if path not in used and path.rpartition("/")[0] not in used
        if reads_like_profile(read(path) or "")
    ]
    inputs = _inputs(settings.inputs, names, own=bool(request.config))
    away = pointers(names, links, [one.target for one in inputs])
    source = msgspec.structs.replace(
        source, passed_over=tuple(passed_over), pointers=tuple(away[:_MOST_LOOKED_AT])
    )
    code = code_of(names, read)
    slurm = "slurm" in (request.executor, settings.room)
    plugins = plugins_of(_profile_texts(profiles, names, entry.folder, read), code)

    if slurm:
        plugins[PLUGIN_OF_SLURM] = "what a profile for Slurm needs"

    def holding(snakemake: str) -> Found:
        stated = settings.environment
        if snakemake:
            stated = msgspec.structs.replace(stated, snakemake=snakemake)
        found = find_environment(names, read, entry.folder, stated)
        return _software(request, with_plugins(found, plugins))

    base = _base(request, find_base(names, read, entry.folder, settings.environment))
    first_version, *other_versions = _versions(request.snakemakes) or ("",)
    software = holding(first_version)
    others = {version: holding(version) for version in other_versions}
    return Chosen(
        source=source,
        entry=entry,
        learnt=learnt,
        profiles=tuple(profiles),
        acceptances=settings.accept,
        declared=settings.declared,
        delivered=frozenset(map(escape_path, tracked)),
        reaches=reaches(code),
        variables=settings.environment.variables,
        inputs=inputs,
        named=_named(settings.environment.conda, read),
        software=software._replace(passed_over=(*software.passed_over, *base.passed_over)),
        slurm=slurm,
        base=base,
        content=lambda path: repository.read(source.commit, path) or b"",
        others=others,
    )


def _profile_texts(
    profiles: Sequence[Profile], tracked: list[str], folder: str, read: Read
) -> dict[str, str]:
    """The texts of the files of profiles, by their paths."""
    places = [posixpath.join(folder, profile.path) for profile in profiles if profile.path]
    files = [p for p in tracked if p in places or posixpath.dirname(p) in places]
    return {path: read(path) or "" for path in files if path.endswith(".yaml")}


def _software(request: Request, found: Found) -> Found:
    """What the commit declares of its packages, as far as it was asked for: nothing of it is taken
    where an image is given.
    """
    asked = request.environment == "declared" or bool(request.snakemakes or request.executor)
    if asked or (request.environment == "auto" and not request.image):
        return found
    first = "--image" if request.environment == "auto" else f"--environment {request.environment}"
    passed = tuple(PassedOver(file=file, why=f"{first} comes first") for file in found.taken)
    declined = found.any
    return Found(passed_over=(*passed, *found.passed_over), declined=declined)


def _versions(stated: Sequence[str]) -> tuple[str, ...]:
    """The versions of Snakemake that were asked for, each once. Raises: UsageError for what is
    none.
    """
    for version in stated:
        if not re.fullmatch(r"\d+(\.\d+)+", version):
            raise UsageError(
                f"'{version}' is no version of Snakemake.", "Give one in full, such as 8.30.0."
            )
    return tuple(dict.fromkeys(stated))


def _base(request: Request, found: Base) -> Base:
    """The image that the commit asks for, as far as it was asked for."""
    if not request.image and request.environment != "default":
        return found
    first = "--image" if request.image else "--environment default"
    passed = [PassedOver(file=file, why=f"{first} comes first") for file in found.taken]
    return Base(passed_over=(*passed, *found.passed_over))


def _inputs(stated: tuple[Input, ...], tracked: list[str], *, own: bool) -> tuple[Input, ...]:
    """The inputs, none of which the commit holds.
    Raises: UsageError also for a path of this machine that a commit names.
    """
    for one in stated:
        target = one.target.rstrip("/")
        if target in tracked or any(path.startswith(f"{target}/") for path in tracked):
            raise UsageError(
                f"cleanroom.yaml: inputs: the commit itself has '{one.target}'.",
                "Name another target, or leave it out.",
            )
        if one.path and not own:
            raise UsageError(
                f"cleanroom.yaml: inputs: '{one.target}' is to come from a path of this machine, "
                "which a commit cannot ask for.",
                "Say it in a file of your own, with --config.",
            )
    return stated


def _named(stated: dict[str, str], read: Read) -> dict[str, str]:
    """The text of the file of each environment that `cleanroom.yaml` describes.
    Raises: UsageError for one that the commit does not have.
    """
    found = {}
    for name, file in stated.items():
        text = read(file)
        if text is None:
            raise UsageError(
                f"cleanroom.yaml: environment: conda: the commit has no file '{file}'.",
                "Commit it, or name another one.",
            )
        found[name] = text
    return found


def _reader(repository: Repository, commit: str) -> Read:
    """What reads the files of a commit; nothing of one that is too large."""

    def read(path: str) -> str | None:
        try:
            content = repository.read(commit, path)
        except SourceError:
            return None
        return None if content is None else content.decode("utf-8", "replace")

    return read


def _learnt(tracked: list[bytes], names: list[str], read: Read) -> Learnt | None:
    """How the repository's own continuous integration enters the workflow, where that is a call of
    the whole workflow that the commit has what it takes for.

    Raises: UsageError where there is no other way in, naming the calls that the repository tells
    of.
    """
    own, told = learn_entries(names, read)
    whole = [one for one in own if not one.entry.targets and enters(tracked, one.entry)]
    if enters(tracked, Entry()):  # a call of another Snakefile is not of this workflow
        whole = [one for one in whole if is_usual(tracked, one.entry)]
        return whole[0] if whole else None
    if whole:
        return whole[0]
    ways = [one for one in (*own, *told) if enters(tracked, one.entry)]
    if ways:
        one = ways[0]
        raise UsageError(
            f"There is no Snakefile at the top of the repository; {one.file}, line {one.line} "
            f"calls `{one.text}`.",
            f"Say the same: {' '.join(options_of(one.entry))}",
        )
    return None


def _entry(asked: Entry, written: Entry) -> Entry:
    """What was asked for, and where nothing was, what `cleanroom.yaml` says."""
    values = {
        name: getattr(asked, name) or getattr(written, name) for name in Entry.__struct_fields__
    }
    entry = Entry(**values)
    configuration.check_entry(entry, "the call")
    return entry
