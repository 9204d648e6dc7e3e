"""Which profiles a commit has.
Only names are read here: a profile is code, and is rendered inside a room.
"""

import difflib
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from types import MappingProxyType

from cleanroom.errors import UsageError
from cleanroom.profiles.table import look_up
from cleanroom.values.base import escape_path
from cleanroom.values.setup import Entry, Profile

_NAMED = r"(config|profile)(\.v\d+\+)?\.yaml"
_FILE = re.compile(_NAMED)
_ALONE = re.compile(rf"(?!{_NAMED})([^.].*?)(\.v\d+\+)?\.yaml")
"""A file that is a profile by itself, as Snakemake takes one since version 9.19."""
_MOST_LINKS = 40
NONE = "none"
"""What somebody asks for who wants no profile, as Snakemake's own `--workflow-profile none`."""
_LEAST_KEYS = 2
FOLDERS = ("profiles", "workflow/profiles")
"""Where profiles are looked for; `--profile` names those that lie elsewhere."""


def find_profiles(
    tracked: list[bytes], folder: str = "", links: Mapping[str, str] = MappingProxyType({})
) -> list[Profile]:
    """Every profile of a commit, a folder or a file, as seen from the folder where the workflow is
    entered.

    Names are the folder's or the file's; where two share one, the path is the name. Paths are
    relative to `folder`. `links` are the links of the commit and their targets: a profile may be
    one, and one that leads to nothing of the commit is found too, because a person would miss it;
    its room says what is wrong.
    """
    paths = sorted(map(escape_path, tracked))
    files = set(paths)
    holders = {
        str(PurePosixPath(path).parent)
        for path in paths
        if _FILE.fullmatch(PurePosixPath(path).name)
    }
    there = {
        str(parent)
        for path in paths
        for parent in (PurePosixPath(path), *PurePosixPath(path).parents)
    }
    found: dict[str, None] = {}
    for base in (_join(folder, f) for f in FOLDERS):
        place = follow(base, links)
        children = {
            path.removeprefix(f"{place}/").partition("/")[0]
            for path in paths
            if place and path.startswith(f"{place}/")
        }
        for child in sorted(children):
            end = follow(f"{place}/{child}", links)
            lost = f"{place}/{child}" in links and (end is None or end not in there)
            alone = _ALONE.fullmatch(child) and end in files
            if end in holders or alone or lost:
                found.setdefault(f"{base}/{child}")
    inside = [str(PurePosixPath(p).relative_to(folder or ".")) for p in found]
    names = [_ALONE.sub(r"\3", PurePosixPath(p).name) for p in inside]
    return [
        Profile(name=n if names.count(n) == 1 else p, path=p)
        for n, p in zip(names, inside, strict=True)
    ]


def elsewhere(tracked: list[bytes], folder: str = "") -> list[str]:
    """Files of a commit that are named like a profile's and lie where none is looked for."""
    places = tuple(f"{_join(folder, base)}/" for base in FOLDERS)
    return [
        path
        for path in sorted(map(escape_path, tracked))
        if _FILE.fullmatch(PurePosixPath(path).name) and not path.startswith(places)
    ]


def reads_like_profile(text: str) -> bool:
    """Whether the keys of a YAML file are options of Snakemake, most of them and at least two."""
    keys = {
        match[1]
        for line in text.splitlines()
        if (match := re.match(r"[\"']?([A-Za-z][\w-]*)[\"']?\s*:", line))
    }
    known = {key for key in keys if look_up(key)}
    return len(known) >= _LEAST_KEYS and 2 * len(known) > len(keys)


def follow(path: str, links: Mapping[str, str]) -> str | None:
    """Where a path of a commit leads, every link on the way followed; None where that is out of the
    commit, or in a circle.
    """
    left = list(PurePosixPath(path).parts)
    at: list[str] = []
    followed = 0
    while left:
        part, *left = left
        if part == "..":
            if not at:
                return None
            at.pop()
            continue
        at.append(part)
        target = links.get("/".join(at))
        if target is not None:
            followed += 1
            if followed > _MOST_LINKS or target.startswith("/"):
                return None
            at.pop()
            left = [*PurePosixPath(target).parts, *left]
    return "/".join(at)


def choose_profiles(
    found: list[Profile], wanted: tuple[str, ...], tracked: list[bytes], folder: str = ""
) -> list[Profile]:
    """The profiles to confirm: those asked for by name or path, else all; a repository without any
    runs as it is, and so does one of which `none` is wanted.

    Raises: UsageError for an unknown one, with near names.
    """
    if not wanted:
        return found or [Profile(name="(no profile)")]
    if wanted == (NONE,) and not any(NONE in (p.name, p.path) for p in found):
        return [Profile(name="(no profile)")]
    chosen: list[Profile] = []
    paths = {escape_path(p) for p in tracked}
    for name in dict.fromkeys(wanted):
        clean = name.rstrip("/")
        match = [p for p in found if clean in {p.name, p.path}]
        inside = (
            any(p.startswith(_join(folder, clean) + "/") for p in paths)
            or _join(folder, clean) in paths
        )
        if match:
            chosen += [p for p in match[:1] if p not in chosen]
        elif inside and ".." not in PurePosixPath(clean).parts:
            chosen.append(Profile(name=clean, path=clean))
        else:
            names = [p.name for p in found]
            near = difflib.get_close_matches(clean, names, n=2, cutoff=0.5)
            hint = (
                f"Did you mean {' or '.join(near)}?"
                if near
                else f"It has: {', '.join(names)}."
                if names
                else "It has none."
            )
            raise UsageError(f"The commit has no profile '{name}'.", hint)
    return chosen


def has_profile(found: list[Profile], name: str, tracked: list[bytes], folder: str = "") -> bool:
    """Whether a commit has a profile of that name or path."""
    try:
        return bool(choose_profiles(found, (name,), tracked, folder))
    except UsageError:
        return False


def choose_baseline(profiles: list[Profile], wanted: str) -> int:
    """The index of the profile that the others are compared with: the one asked for, else `local`,
    `default`, or the first.

    Raises: UsageError.
    """
    names = [p.name for p in profiles]
    if wanted:
        matches = [i for i, p in enumerate(profiles) if wanted.rstrip("/") in {p.name, p.path}]
        if not matches:
            raise UsageError(
                f"The baseline profile '{wanted}' is not among those confirmed.",
                f"They are: {', '.join(names)}.",
            )
        return matches[0]
    return next((names.index(n) for n in ("local", "default") if n in names), 0)


def find_snakefile(tracked: list[bytes], folder: str, snakefile: str, directory: str) -> None:
    """Check that there is something to run.

    Raises: UsageError, naming the option that a person needs.
    """
    paths = {escape_path(p) for p in tracked}
    if folder and not any(p.startswith(folder.rstrip("/") + "/") for p in paths):
        raise UsageError(
            f"The commit has no folder '{folder}'.", "Give --folder a folder of the repository."
        )
    if directory and not any(p.startswith(_join(folder, directory) + "/") for p in paths):
        raise UsageError(
            f"The commit has no folder '{_join(folder, directory)}'.",
            "Give --directory a folder of the repository.",
        )
    if snakefile:
        if _join(folder, snakefile) not in paths:
            near = difflib.get_close_matches(
                _join(folder, snakefile), sorted(paths), n=2, cutoff=0.6
            )
            raise UsageError(
                f"The commit has no file '{_join(folder, snakefile)}'.",
                f"Did you mean {' or '.join(near)}?" if near else "See --snakefile.",
            )
        return
    if any(_join(folder, choice) in paths for choice in SNAKEFILES):
        return
    inner = sorted(
        p
        for p in paths
        if PurePosixPath(p).name in {"Snakefile", "snakefile"} or p.endswith(".smk")
    )
    places = []
    for path in inner[:3]:
        parent = PurePosixPath(path).parent
        named = PurePosixPath(path).name in {"Snakefile", "snakefile"}
        usual = parent.name == "workflow"
        home = parent.parent if usual else parent
        places.append(f"--folder {home}" if named else f"--snakefile {path}")
        if named and not usual:
            # where configuration and data lie at the top, and only the Snakefile deeper
            places.append(f"--snakefile {path} (and --configfile where its configuration lies)")
    where = f"in '{folder}'" if folder else "at the top of the repository"
    hint = (
        f"Try {' or '.join(places)} (or `workflow:` in cleanroom.yaml)."
        if places
        else "Is this a Snakemake workflow? See --snakefile."
    )
    raise UsageError(f"There is no Snakefile {where}.", hint)


def enters(tracked: list[bytes], entry: Entry) -> bool:
    """Whether a commit has all files that an entry names."""
    paths = {escape_path(p) for p in tracked}
    try:
        find_snakefile(tracked, entry.folder, entry.snakefile, entry.directory)
    except UsageError:
        return False
    return all(_join(entry.folder, file) in paths for file in entry.configfiles)


def is_usual(tracked: list[bytes], entry: Entry) -> bool:
    """Whether an entry is at the top, with the Snakefile that Snakemake itself would find there."""
    paths = {escape_path(p) for p in tracked}
    found = next((name for name in SNAKEFILES if name in paths), "")
    return not entry.folder and entry.snakefile in ("", found)


SNAKEFILES = ("Snakefile", "snakefile", "workflow/Snakefile", "workflow/snakefile")


def _join(folder: str, path: str) -> str:
    return str(PurePosixPath(folder or ".") / path)
