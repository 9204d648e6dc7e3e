"""Calls of Snakemake that a repository's own files make: its continuous integration, its Makefile,
its README. Read as data, never run. Pure.

Not here: which of them is taken.
"""

import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from cleanroom.config import check_entry, read_plain
from cleanroom.environment.find import Read
from cleanroom.errors import UsageError
from cleanroom.values.setup import Entry, Learnt

_ACTION = "snakemake/snakemake-github-action"
_GITHUB, _GITLAB = ".github/workflows/", ".gitlab-ci.yml"
_MAKEFILES, _READMES = ("Makefile", "makefile", "GNUmakefile"), ("README.md", "README.rst")
_CATALOG = ".snakemake-workflow-catalog.yml"
_TESTS, _CONFIG = (".test", ".tests"), r"(?:config/)?config\.ya?ml"
_MOST_FILES = 30
_LEADING = re.compile(
    r"(?:(?:pixi|poetry|uv|pipenv|conda|mamba|micromamba)\s+run\s+(?:-\S+\s+\S+\s+)*|time\s+|"
    r"\w+=\S*\s+|@|-(?=\w))*"
)
_CALL = re.compile(r"(?:^|&&|;|\|\|)\s*(?P<call>(?:python3?\s+-m\s+)?snakemake(?=\s|$)[^;&|\n]*)")
_ELSE = {
    "--lint",
    "--report",
    "--dry-run",
    "--dryrun",
    "--version",
    "--help",
    "--archive",
    "--containerize",
    "--generate-unit-tests",
    "--unlock",
    "--dag",
    "--rulegraph",
    "--filegraph",
    "--summary",
    "--list",
    "--conda-create-envs-only",
    "--delete-all-output",
    "--cleanup-metadata",
    "--touch",
    "-h",
    "-v",
}
"""Calls that run no job."""
_FLAGS = {
    "--use-conda",
    "--use-singularity",
    "--use-apptainer",
    "--use-envmodules",
    "--force",
    "--forceall",
    "--keep-going",
    "--rerun-incomplete",
    "--ri",
    "--printshellcmds",
    "--show-failed-logs",
    "--verbose",
    "--notemp",
    "--nolock",
    "--quiet",
    "--debug-dag",
    "--all-temp",
    "--stats",
    "--nocolor",
    "--no-color",
}
"""Long options without a value that people write; others take the words up to the next option."""
_ONE = {"--directory", "--snakefile", "--profile", "--workflow-profile", "--jobs", "--cores"}
_ONE |= {"--conda-prefix", "--conda-frontend", "--conda-cleanup-pkgs", "--latency-wait"}
_ONE |= {"--executor", "--retries", "--restart-times", "--local-cores", "--scheduler"}
_ONE |= {"--wrapper-prefix", "--shadow-prefix", "--default-storage-provider", "--tmpdir"}
_ONE |= {"--apptainer-args", "--singularity-args", "--apptainer-prefix", "--singularity-prefix"}
_SHORT = {"-d": "--directory", "-s": "--snakefile", "-j": "--jobs", "-c": "--cores"}


class _Said(NamedTuple):
    """A call as a text, and where a person would stand."""

    text: str
    folder: str = ""
    mark: str = ""
    """What its line holds, where that is not its own text."""
    skipped: int = 0
    """Lines with that mark before its own."""


def learn_entries(tracked: Sequence[str], read: Read) -> tuple[list[Learnt], list[Learnt]]:
    """(calls that the repository makes by itself, calls that it tells people to make), in order;
    none that runs no job, or needs a value that only a CI system has.
    """
    own = [p for p in sorted(tracked) if p.startswith(_GITHUB) and p.endswith((".yml", ".yaml"))]
    found: list[Learnt] = []
    for path in own[:_MOST_FILES]:
        found += _learnt(path, read, _of_github)
    if _GITLAB in tracked:
        found += _learnt(_GITLAB, read, _of_gitlab)
    for path in _MAKEFILES:
        if path in tracked:
            found += _learnt(path, read, _of_makefile)
    if _CATALOG in tracked:
        found += _learnt(_CATALOG, read, _of_catalog)
    found += filter(None, (_of_tests(place, tracked) for place in _TESTS))
    told = [one for p in _READMES if p in tracked for one in _learnt(p, read, _of_readme)]
    return _once(found), _once(told)


def _once(found: Sequence[Learnt]) -> list[Learnt]:
    by_entry: dict[Entry, Learnt] = {}
    for one in found:
        by_entry.setdefault(one.entry, one)
    return list(by_entry.values())


def _learnt(path: str, read: Read, calls: Any) -> Iterator[Learnt]:
    text = read(path) or ""
    for said in calls(text):
        entry = entry_of(said.text, said.folder)
        if entry is None:
            continue
        mark = said.mark or said.text.strip().splitlines()[0]
        lines = [n for n, one in enumerate(text.splitlines(), 1) if mark in one]
        line = (lines[said.skipped :] or [0])[0]
        yield Learnt(entry=entry, file=path, line=line, text=" ".join(said.text.split())[:200])


def _of_github(text: str) -> Iterator[_Said]:
    """Steps that use Snakemake's own action, or call it."""
    seen = 0
    for job in _mappings(_mapping(read_plain(text)).get("jobs")).values():
        usual = _mapping(_mapping(job.get("defaults")).get("run")).get("working-directory")
        steps = job.get("steps")
        for step in steps if isinstance(steps, list) else []:
            step = _mapping(step)
            if str(step.get("uses", "")).startswith(_ACTION):
                seen += 1
                given = _mapping(step.get("with"))
                if str(given.get("task", "run")) != "run":
                    continue
                directory, snakefile = (
                    str(given.get(name) or "") for name in ("directory", "snakefile")
                )
                words = ["snakemake", str(given.get("args") or "")]
                words += ["--directory", directory] if directory not in ("", ".") else []
                words += ["--snakefile", snakefile] if snakefile else []
                yield _Said(" ".join(words), mark=_ACTION, skipped=seen - 1)
            else:
                yield from _of_shell(
                    str(step.get("run") or ""), str(step.get("working-directory") or usual or "")
                )


def _of_gitlab(text: str) -> Iterator[_Said]:
    for job in _mappings(read_plain(text)).values():
        script = job.get("script")
        lines = script if isinstance(script, list) else [script or ""]
        yield from _of_shell("\n".join(map(str, lines)))


def _of_makefile(text: str) -> Iterator[_Said]:
    for line in text.replace("\\\n", " ").splitlines():
        if line.startswith("\t"):
            yield from _of_shell(line.strip().lstrip("@-+"))


def _of_catalog(text: str) -> Iterator[_Said]:
    """What the catalogue of workflows is told that every call needs."""
    usage = _mapping(_mapping(read_plain(text)).get("usage"))
    flags = _mapping(usage.get("mandatory-flags")).get("flags")
    if isinstance(flags, str) and flags.strip():
        yield _Said(f"snakemake {flags}", mark=flags)


def _of_tests(place: str, tracked: Sequence[str]) -> Learnt | None:
    """A folder of test data, with a configuration of its own."""
    found = [p for p in sorted(tracked) if re.fullmatch(rf"{re.escape(place)}/{_CONFIG}", p)]
    if not found:
        return None
    return Learnt(entry=Entry(directory=place), file=found[0], text=f"snakemake -d {place}")


def _of_readme(text: str) -> Iterator[_Said]:
    for block in re.findall(r"^```[\w -]*\n(.*?)^```", text, re.M | re.S):
        yield from _of_shell(re.sub(r"^\s*\$ ", "", block, flags=re.M))


def _of_shell(script: str, folder: str = "") -> Iterator[_Said]:
    """Calls in a script; `cd` counts for what follows it."""
    for line in script.replace("\\\n", " ").splitlines():
        for part in re.split(r"&&|;", line):
            part = part.strip()
            if moved := re.fullmatch(r"cd\s+(\S+)", part):
                folder = posixpath.normpath(posixpath.join(folder, moved[1]))
                continue
            part = _LEADING.sub("", part, count=1)
            if call := _CALL.search(part):
                yield _Said(call["call"].strip(), folder)


def entry_of(call: str, folder: str = "") -> Entry | None:
    """How a call of Snakemake enters its workflow; None where it runs no job, cannot be read, or
    leads out of the repository.
    """
    try:
        words = shlex.split(call, comments=True)
    except ValueError:
        return None
    if "$" in call or "{{" in call or "$" in folder or ">" in words:
        return None
    given: dict[str, list[str]] = {"": []}
    option = ""
    for word in words[words.index("snakemake") + 1 :]:
        if word in _ELSE or re.fullmatch(r"-[a-z]*n[a-z]*", word):
            return None
        name, equals, value = word.partition("=")
        if word.startswith("--"):
            option = "" if equals or name in _FLAGS else name
            given.setdefault(name, []).extend([value] if equals else [])
        elif re.fullmatch(r"-[a-zA-Z].*", word):
            option = _SHORT.get(word[:2], "-") if len(word) == 2 else ""
            if word[:2] in _SHORT and len(word) > 2:
                given.setdefault(_SHORT[word[:2]], []).append(word[2:])
        else:
            given.setdefault(option, []).append(word)
            if option in _ONE:
                option = ""
    last = {name: values[-1] for name, values in given.items() if values}
    folder = "" if folder in ("", ".") else posixpath.normpath(folder)
    entry = Entry(
        folder=folder,
        snakefile=_inside(last.get("--snakefile", "")),
        directory=_inside(last.get("--directory", "")),
        configfiles=tuple(
            map(_inside, given.get("--configfile", []) + given.get("--configfiles", []))
        ),
        targets=tuple(given[""]),
    )
    try:
        check_entry(entry, call)
    except UsageError:
        return None
    return entry


def options_of(entry: Entry) -> list[str]:
    """The options that say the same."""
    words: list[str] = []
    for name in ("folder", "snakefile", "directory"):
        if value := getattr(entry, name):
            words += [f"--{name}", value]
    for file in entry.configfiles:
        words += ["--configfile", file]
    for target in entry.targets:
        words += ["--target", target]
    return words


def _inside(path: str) -> str:
    return "" if path in ("", ".") else posixpath.normpath(path)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _mappings(value: Any) -> dict[str, Mapping[str, Any]]:
    return {str(k): v for k, v in _mapping(value).items() if isinstance(v, dict)}
