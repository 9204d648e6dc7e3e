"""`cleanroom.yaml` of the confirmed commit: how the workflow is entered, what of its results
counts, which findings are accepted.

Not here: whether a comparator exists, profiles of Snakemake.
"""

import re
from pathlib import PurePosixPath
from typing import Any, Literal

import msgspec
import yaml

from cleanroom.errors import UsageError
from cleanroom.findings.codes import codes
from cleanroom.values.audit import Acceptance, Severity
from cleanroom.values.base import Value
from cleanroom.values.declared import Declared, Equivalence, PlanEquivalence, Publish, Scratch
from cleanroom.values.environment import USE_DEFAULT, EnvironmentSettings, Input
from cleanroom.values.setup import Entry

FILENAME = "cleanroom.yaml"
_MAX_BYTES = 2**20
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OF_ROOMS = re.compile(
    r"PATH|HOME|USER|LOGNAME|LANG|LC_\w*|TZ|TMPDIR|TERM|(?:LD_|PYTHON|CONDA_|CLEANROOM_|FAKETIME)\w*|"
    r"SNAKEMAKE_PROFILE"
)


class Settings(Value, frozen=True, forbid_unknown_fields=True):
    """All of `cleanroom.yaml`. An unknown field is an error, so that a misspelt one is never
    without effect.
    """

    workflow: Entry = Entry()
    environment: EnvironmentSettings = EnvironmentSettings()
    room: Literal["", "slurm"] = ""
    """`slurm`: a profile for Slurm has one in its room."""
    inputs: tuple[Input, ...] = ()
    profiles: tuple[str, ...] | None = None
    baseline_profile: str | None = None
    accept: tuple[Acceptance, ...] = ()
    publish: tuple[Publish, ...] = ()
    scratch: tuple[Scratch, ...] = ()
    equivalences: tuple[Equivalence, ...] = ()
    plan: tuple[PlanEquivalence, ...] = ()

    @property
    def declared(self) -> Declared:
        """What is said of results."""
        return Declared(
            publish=self.publish,
            scratch=self.scratch,
            equivalences=self.equivalences,
            plan=self.plan,
        )


class _Loader(yaml.SafeLoader):
    """YAML without anchors: a small file must not unfold into a large one."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.constructor.ConstructorError(
                None, None, "aliases are not allowed", event.start_mark
            )
        return super().compose_node(parent, index)


def read_plain(text: str) -> Any:
    """What a YAML file of somebody else says; nothing where it is too large, broken or unfolds."""
    if len(text) > _MAX_BYTES:
        return None
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def read_settings(text: bytes, name: str = FILENAME) -> Settings:
    """Parse `cleanroom.yaml`.

    Raises: UsageError with the line or the path to the field.
    """
    if len(text) > _MAX_BYTES:
        raise UsageError(
            f"{name} has {len(text)} bytes; at most {_MAX_BYTES} are read.", "Shorten it."
        )
    try:
        data = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f", line {mark.line + 1}" if mark else ""
        raise UsageError(
            f"{name}{place}: broken YAML ({error.problem}).", "Mend the file and commit it."
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise UsageError(
            f"{name}: broken YAML ({error}).", "Mend the file and commit it."
        ) from None
    try:
        settings = msgspec.convert(data if data is not None else {}, Settings)
    except msgspec.ValidationError as error:
        message = str(error).replace(" - at `$", " - at `").replace("`.", "`", 1)
        raise UsageError(
            f"{name}: {message}.", "See docs/configuration.md for every field."
        ) from None
    check_entry(settings.workflow, name)
    _check_environment(settings.environment, name)
    _check_inputs(settings.inputs, name)
    for part in settings.publish:
        if bool(part.path) == bool(part.rule):
            raise UsageError(
                f"{name}: publish: give each part a path or a rule.",
                "Write `- path: results/**` or `- rule: call`.",
            )
    for spot in settings.scratch:
        if not spot.path.strip() or not spot.reason.strip():
            raise UsageError(
                f"{name}: scratch: '{spot.path}' has no path or no reason.",
                "Say which place, and why it does not count.",
            )
    for acceptance in settings.accept:
        if acceptance.finding not in codes():
            raise UsageError(
                f"{name}: accept: there is no finding '{acceptance.finding}'.",
                "See docs/findings.md for every code.",
            )
        if not acceptance.reason.strip() or not acceptance.owner.strip():
            raise UsageError(
                f"{name}: accept: {acceptance.finding} has no reason or no owner.",
                "Say why, and who answers for it.",
            )
        if codes()[acceptance.finding].severity is Severity.ERROR and not (
            acceptance.profile or acceptance.key or acceptance.file
        ):
            raise UsageError(
                f"{name}: accept: {acceptance.finding} is an error, and no profile, key or file "
                "is named.",
                "Name the one that is meant, so that no later error is accepted unseen.",
            )
    return settings


def check_variable(name: str, where: str) -> None:
    """Raises: UsageError for a name that no variable has, or that a room decides itself."""
    if not _NAME.fullmatch(name):
        raise UsageError(f"{where}: '{name}' is no name of a variable.", "Write it as MY_TOKEN.")
    if _OF_ROOMS.fullmatch(name):
        raise UsageError(
            f"{where}: '{name}' is a variable that the room decides.", "Give it another name."
        )


def _check_environment(environment: EnvironmentSettings, name: str) -> None:
    for known in environment.conda:
        if not re.fullmatch(r"[\w.-]+", known) or known.startswith("."):
            raise UsageError(
                f"{name}: environment: conda: '{known}' is no name of an environment.",
                "Write it as rules have it.",
            )
    for variable in environment.variables:
        check_variable(variable, f"{name}: environment: variables")
    if environment.use not in ("", USE_DEFAULT):
        raise UsageError(
            f"{name}: environment: use '{environment.use}' is not known.",
            "Write `use: default`, or leave it out.",
        )
    if not re.fullmatch(r"(?:\d+(?:\.\d+)*)?", environment.snakemake):
        raise UsageError(
            f"{name}: environment: '{environment.snakemake}' is no version of Snakemake.",
            "Write it as `snakemake: 9.27.1`.",
        )


def _check_inputs(inputs: tuple[Input, ...], name: str) -> None:
    for one in inputs:
        parts = PurePosixPath(one.target).parts
        if not parts or one.target.startswith("/") or ".." in parts or parts[0] == ".git":
            raise UsageError(
                f"{name}: inputs: the target '{one.target}' is no place of the repository.",
                "Give a path inside it.",
            )
        if bool(one.url) == bool(one.path) or not re.fullmatch("[0-9a-f]{64}", one.sha256):
            raise UsageError(
                f"{name}: inputs: '{one.target}' needs a url or a path, and the SHA-256 of what is "
                "there.",
                "`sha256sum FILE` prints it.",
            )
        if one.url and not one.url.startswith(("https://", "http://")):
            raise UsageError(
                f"{name}: inputs: '{one.url}' is no address of http or https.",
                "Give one, or a path in a file of your own, with --config.",
            )
    targets = [PurePosixPath(one.target) for one in inputs]
    for place, target in enumerate(targets):
        if any(target.is_relative_to(other) for n, other in enumerate(targets) if n != place):
            raise UsageError(f"{name}: inputs: '{target}' lies in another one.", "Name each once.")


def check_entry(entry: Entry, where: str) -> None:
    """Refuse an entry that leads out of the clone, or whose target Snakemake would read as an
    option.
    """
    paths = [(field, getattr(entry, field)) for field in ("folder", "snakefile", "directory")]
    paths += [("configfile", path) for path in entry.configfiles]
    for field, path in paths:
        if path.startswith("/") or ".." in PurePosixPath(path).parts:
            raise UsageError(
                f"{where}: {field} '{path}' leads out of the repository.", "Give a path inside it."
            )
    for field, value in (*paths, *(("target", target) for target in entry.targets)):
        if value.startswith("-") or "\0" in value:
            raise UsageError(
                f"{where}: {field} {value!r} looks like an option or is no name.",
                "Name a rule or a file of the workflow.",
            )
    if entry.cores is not None and entry.cores < 1:
        raise UsageError(f"{where}: cores must be at least 1, not {entry.cores}.", "")
