"""The cases: small workflows with their truth, read from `cases/*.toml`, and made into git
repositories.

A file is a family. `[defaults]` are fields of all its cases; a case gives a whole `snakefile`, or
the parts of a workflow with one rule (`shell`, `output`, `threads`, `more`, `resources`, `head`).
`a` and `b` are the profiles: `a` is the baseline, and `b` is added to it unless it states its own
cores. `before_*` is what an earlier commit had; then the case is confirmed against that commit.

Not here: running them.
"""

import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from cleanroom.flows.choose import Deployments

FOLDER = Path(__file__).parent / "cases"
_ENV = {
    "GIT_AUTHOR_NAME": "t",
    "GIT_AUTHOR_EMAIL": "t@example.org",
    "GIT_COMMITTER_NAME": "t",
    "GIT_COMMITTER_EMAIL": "t@example.org",
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
    "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
}


class TruthError(Exception):
    """A case that contradicts itself; it is named."""


class Case(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One workflow and what is true of it.
    `origin` and `cause` may be several that are right; empty where there is none to name.
    """

    family: str
    name: str
    story: str
    verdict: str
    differs: list[str] | None = None
    origin: str | list[str] = ""
    cause: str | list[str] = ""
    snakefile: str = ""
    snakefile_path: str = "Snakefile"
    profiles_path: str = "profiles"
    profiles: list[str] = []
    head: str = ""
    shell: str = ""
    output: str = "out.txt"
    threads: int = 1
    more: str = ""
    resources: str = ""
    files: dict[str, str] = {}
    uncommitted: dict[str, str] = {}
    declared: str = ""
    vary: bool = False
    recover: bool = False
    stage: bool = False
    nodes: bool = False
    deployment: Deployments = "auto"
    a: str = "cores: 2\n"
    b: str = ""
    before_files: dict[str, str] | None = None
    before_shell: str = ""
    before_snakefile: str = ""
    before_output: str = ""
    before_a: str = ""

    @property
    def id(self) -> str:
        return f"{self.family}/{self.name}"

    @property
    def origins(self) -> set[str]:
        return set(self.origin) if isinstance(self.origin, list) else {self.origin}

    @property
    def causes(self) -> set[str]:
        return {c for c in (self.cause if isinstance(self.cause, list) else [self.cause]) if c}

    @property
    def has_before(self) -> bool:
        return self.before_files is not None or any(
            (self.before_shell, self.before_snakefile, self.before_output, self.before_a)
        )


def read_cases(folder: Path = FOLDER) -> list[Case]:
    """Every case of every family.
    Raises: TruthError for one that contradicts itself, with its name.
    """
    found: list[Case] = []
    for file in sorted(folder.glob("*.toml")):
        data = tomllib.loads(file.read_text())
        for entry in data["case"]:
            try:
                case = msgspec.convert(
                    {"family": file.stem, **data.get("defaults", {}), **entry}, Case
                )
            except msgspec.ValidationError as error:
                raise TruthError(f"{file.stem}/{entry.get('name', '?')}: {error}") from None
            _check(case)
            found.append(case)
    names = [case.id for case in found]
    if twice := {name for name in names if names.count(name) > 1}:
        raise TruthError(f"{sorted(twice)[0]} is there twice")
    return found


def _check(case: Case) -> None:
    def refuse(why: str) -> None:
        raise TruthError(f"{case.id}: {why}")

    if case.verdict not in ("HELD", "DRIFTED", "FAILED", "INCONCLUSIVE"):
        refuse(f"there is no verdict {case.verdict}")
    if not case.story.endswith("."):
        refuse("its story is no sentence")
    if bool(case.snakefile) == bool(case.shell) and not case.has_before:
        refuse("it needs a snakefile or a shell command, and not both")
    if case.verdict == "DRIFTED" and not case.causes:
        refuse("it drifts without a cause")
    if case.verdict == "HELD" and (case.causes or case.differs or case.origin):
        refuse("it is held, and yet something differs")
    if case.verdict == "DRIFTED" and case.differs and not case.origin:
        refuse("something differs, and no rule is its origin")


def build(case: Case, folder: Path) -> Path:
    """The case as a git repository, with the commit before it where there is one."""
    folder.mkdir(parents=True)
    _git(folder, "init", "--quiet", "--initial-branch", "main")
    if case.has_before:
        earlier = msgspec.structs.replace(
            case,
            files=case.before_files if case.before_files is not None else case.files,
            shell=case.before_shell or case.shell,
            output=case.before_output or case.output,
            snakefile=case.before_snakefile or case.snakefile,
            a=case.before_a or case.a,
        )
        _commit(folder, dict(_contents(earlier)))
        for path in _git(folder, "ls-files").split():
            (folder / path).unlink()
    _commit(folder, dict(_contents(case)))
    for path, text in case.uncommitted.items():
        (folder / path).write_text(text)
    return folder


def _contents(case: Case) -> Iterator[tuple[str, str]]:
    yield case.snakefile_path, case.snakefile or _snakefile(case)
    yield f"{case.profiles_path}/a/config.yaml", case.a
    more = (
        case.b
        if case.b.startswith("cores:") or "\ncores:" in case.b or "configfile: [config/" in case.b
        else _with_cores(case)
    )
    yield f"{case.profiles_path}/b/config.yaml", more
    yield from case.files.items()
    yield "cleanroom.yaml", case.declared or "{}\n"


def _with_cores(case: Case) -> str:
    """What `b` says, and the cores of `a`, so that nothing but what it says differs."""
    cores = next((line for line in case.a.splitlines() if line.startswith("cores:")), "cores: 2")
    return f"{cores}\n{case.b}"


def _snakefile(case: Case) -> str:
    lines = [
        case.head,
        "rule all:",
        f"    input: {case.output!r}",
        "rule one:",
        f"    output: {case.output!r}",
        f"    threads: {case.threads}",
    ]
    lines += [f"    {case.more}"] if case.more else []
    lines += [f"    resources: {case.resources}"] if case.resources else []
    return "\n".join([*lines, f"    shell: {case.shell!r}", ""])


def _commit(folder: Path, files: dict[str, Any]) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "--allow-empty", "--message", "x")


def _git(folder: Path, *words: str) -> str:
    return subprocess.run(
        ["git", *words], cwd=folder, env=_ENV, check=True, capture_output=True, text=True
    ).stdout
