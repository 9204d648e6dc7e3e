"""The stack of profiles as this Snakemake reads it, and the same stack made runnable here.
Not here: how it is made runnable, and what a setting means.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
from typing import Any

from .export import OUT, WORK, Outlet, attempt, clean, digest_of_file, place, plain, raw
from .protocol import Record, Spec
from .runnable import IDLE, Unreadable, runnable, truthy
from .snakemake_api import Snakemake

MOST_BYTES, MOST_TEXT, MOST_VALUES = 1 << 20, 1 << 18, 100000
PROFILE_FILE = re.compile(r"(config|profile)(?:\.v(\d+)\+)?\.yaml")


def stack_of(spec: Spec, snakemake: Snakemake) -> list[str]:
    """The profile files of a run, weakest first: the asked-for profile, then the workflow's default
    one.
    """
    profiles = [raw(spec["profile"])] if spec["profile"] else []
    snakefile = spec["snakefile"] or next(
        (p for p in spec["snakefile_choices"] if os.path.exists(p)), ""
    )
    for default in (
        "profiles/default",
        os.path.join(os.path.dirname(snakefile), "profiles/default"),
    ):
        if os.path.exists(default):
            if os.path.realpath(default) not in [os.path.realpath(p) for p in profiles]:
                profiles.append(default)
            break
    files = []
    for profile in profiles:
        file = snakemake.profile_file(profile)
        if file is None:
            names = "config.yaml" if snakemake.major < 8 else "config.yaml, config.vN+.yaml"
            text = "no profile file that Snakemake %s reads (%s)" % (snakemake.version, names)
            raise Unreadable(profile, 0, text)
        files.append(os.path.normpath(file))
    return files


def layer_of(file: str, major: int) -> Record:
    """A file of the stack as it is read: digest, text, and the files beside it that have an equal
    claim to be read.
    """
    full = os.path.realpath(file)
    if not full.startswith(WORK + os.sep):
        raise Unreadable(file, 0, "it leads out of the repository")
    if not os.path.isfile(full):
        raise Unreadable(file, 0, "it is not a file")
    if os.path.getsize(full) > MOST_BYTES:
        raise Unreadable(
            file, 0, "it has %d bytes; at most %d are read" % (os.path.getsize(full), MOST_BYTES)
        )
    with open(full, encoding="utf-8", errors="backslashreplace") as stream:
        text = stream.read()
    folder = os.path.dirname(file)
    ranks = {entry: rank_of(entry, major) for entry in sorted(os.listdir(folder))}
    rank = ranks.get(os.path.basename(file))
    rivals = [
        place(os.path.join(folder, e))
        for e, r in ranks.items()
        if r is not None and r == rank and e != os.path.basename(file)
    ]
    return {
        "file": place(file),
        "sha256": digest_of_file(file),
        "text": text[:MOST_TEXT],
        "rivals": rivals,
    }


def rank_of(filename: str, major: int) -> int | None:
    """Which file of a profile's folder this Snakemake prefers: the greater; None for one that it
    does not read.
    """
    match = PROFILE_FILE.fullmatch(filename)
    if not match or (match.group(1) == "profile" and major < 9) or (match.group(2) and major < 8):
        return None
    least = int(match.group(2) or 0)
    return least if least <= major else None


def values_in(text: str, most: int) -> int:
    """How many values a YAML text unfolds into, aliases included; stops at `most`.
    Raises: yaml.YAMLError.
    """
    import yaml

    counts: dict[Any, int] = {}
    open_nodes: list[list[Any]] = []
    total = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        more = 0
        if isinstance(event, yaml.AliasEvent):
            more = counts.get(event.anchor, 1)
        elif isinstance(event, yaml.ScalarEvent):
            more = 1
            if event.anchor:
                counts[event.anchor] = 1
        elif isinstance(event, (yaml.SequenceStartEvent, yaml.MappingStartEvent)):
            open_nodes.append([event.anchor, 1])
        elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
            anchor, more = open_nodes.pop()
            if anchor:
                counts[anchor] = more
        if open_nodes:
            open_nodes[-1][1] += more
        else:
            total += more
        if more > most or total > most:
            return most
    return total


class TolerantPath(type(pathlib.Path())):  # type: ignore[misc]
    """A path whose name may be longer than a file system allows: then there is no such file."""

    def exists(self, **options: Any) -> bool:
        try:
            return super().exists(**options)
        except OSError:
            return False


def read_profile(file: str) -> tuple[Record, list[str]]:
    """({key: value as Snakemake's parser yields it}, [keys of maps that its parser drops in
    silence]).
    """
    import yaml
    from snakemake.profiles import ProfileConfigFileParser

    try:
        with open(file, encoding="utf-8") as stream:
            text = stream.read()
    except (OSError, UnicodeDecodeError) as error:
        raise Unreadable(file, 0, str(error)) from None
    if not text.strip() or all(
        line.lstrip().startswith("#") or not line.strip() for line in text.splitlines()
    ):
        return {}, []
    if attempt(lambda: values_in(text, MOST_VALUES), 0) >= MOST_VALUES:
        raise Unreadable(file, 0, "its YAML unfolds into more than %d values" % MOST_VALUES)
    try:
        with open(file) as stream:
            try:
                settings = dict(ProfileConfigFileParser().parse(stream))
            except OSError:
                # Snakemake 8 and 9 look for every value as a file beside the profile, and stumble
                # over a long one.
                import snakemake.profiles

                snakemake.profiles.Path = TolerantPath
                stream.seek(0)
                settings = dict(ProfileConfigFileParser().parse(stream))
    except Exception as error:
        try:
            yaml.safe_load(text)
        except yaml.MarkedYAMLError as fault:
            mark = fault.problem_mark or fault.context_mark
            raise Unreadable(
                file, mark.line + 1 if mark else 0, "broken YAML: %s" % (fault.problem or fault)
            ) from None
        except yaml.YAMLError as fault:
            raise Unreadable(file, 0, "broken YAML: %s" % fault) from None
        except RecursionError:
            raise Unreadable(file, 0, "its values are nested too deeply") from None
        raise Unreadable(file, 0, str(error)) from None
    written = attempt(lambda: yaml.safe_load(text), None)
    lost = (
        [k for k, v in written.items() if isinstance(v, dict) and k not in settings]
        if isinstance(written, dict)
        else []
    )
    return settings, [clean(str(k)) for k in lost if not str(k).startswith("__")]


def check_keys_and_depth(file: str, settings: Record) -> None:
    """Refuse what YAML can say and no command line can: keys that are no text, values within
    themselves or without end.
    """
    odd = [key for key in settings if not isinstance(key, str)]
    if odd:
        raise Unreadable(file, 0, "the key %r is not a text" % (odd[0],))
    for key, value in settings.items():
        try:
            json.dumps(value, default=str)
        except (ValueError, RecursionError):
            raise Unreadable(
                file,
                line_of(file, key),
                "the value of '%s' is nested without end, or too deeply" % key,
            ) from None


def line_of(file: str, key: str) -> int:
    with open(file) as stream:
        for number, line in enumerate(stream, 1):
            if re.match(r"[\"']?%s[\"']?\s*:" % re.escape(key), line):
                return number
    return 0


def settings_step(spec: Spec, snakemake: Snakemake, outlet: Outlet) -> int:
    """Say what is in force, and the profile that can run here."""
    record: Record = {
        "stack": [],
        "settings": [],
        "overrides": [],
        "replaced": [],
        "lost": [],
        "actions": [],
        "error": None,
    }
    try:
        runnable = _resolve(spec, snakemake, record)
    except Unreadable as error:
        record["error"] = error.record
        outlet.say("settings", record)
        return 1
    outlet.say("settings", record)
    outlet.say("profile", runnable)
    return 0


def write_profile(snakemake: Snakemake, settings: Record, profile: str = "profile") -> None:
    """A profile that this Snakemake reads, outside the clone."""
    folder = os.path.join(OUT, profile)
    os.makedirs(folder, exist_ok=True)
    filename = "config.yaml" if snakemake.major < 8 else "config.v8+.yaml"
    part = os.path.join(folder, ".part")
    with open(part, "w") as stream:
        json.dump(settings, stream, indent=1)
    os.replace(part, os.path.join(folder, filename))


def _resolve(spec: Spec, snakemake: Snakemake, record: Record) -> Record:
    force, lines, chain = _forces(spec, snakemake, record)
    graft = spec.get("graft")
    if graft:
        other: Record = {"stack": [], "lost": []}
        given, places, _ = _forces(_with_profile(spec, graft["profile"]), snakemake, other)
        record["stack"] += [layer for layer in other["stack"] if layer not in record["stack"]]
        for key in graft["keys"]:
            force.pop(key, None)
            if key in given:
                force[key], lines[key] = given[key], places[key]
    for key in sorted(force):
        file, line = lines[key]
        shadows = chain.get(key, [])
        record["settings"].append(
            {
                "key": clean(key),
                "value": plain(force[key]),
                "file": file,
                "line": line,
                "shadows": shadows,
            }
        )
    for key in sorted(force):
        if key in spec["action_keys"] and truthy(force[key]):
            record["actions"].append({"key": key, "file": lines[key][0], "line": lines[key][1]})
    if force.get("executor") in IDLE:
        record["actions"].append(
            {
                "key": "executor: %s" % force["executor"],
                "file": lines["executor"][0],
                "line": lines["executor"][1],
            }
        )
    return runnable(spec, snakemake, record, force, lines)


def _with_profile(spec: Spec, profile: str) -> Spec:
    other = spec.copy()
    other["profile"] = profile
    return other


def _forces(
    spec: Spec, snakemake: Snakemake, record: Record
) -> tuple[Record, dict[str, tuple[str, int]], dict[str, list[str]]]:
    """({key: value in force}, {key: (file, line)}, {key: files that it shadows}) of the stack."""
    force: Record = {}
    lines: dict[str, tuple[str, int]] = {}
    chain: dict[str, list[str]] = {}
    for file in stack_of(spec, snakemake):
        record["stack"].append(layer_of(file, snakemake.major))
        settings, lost = read_profile(file)
        check_keys_and_depth(file, settings)
        record["lost"] += [
            {"key": key, "file": place(file), "line": line_of(file, key)} for key in lost
        ]
        for written, value in settings.items():
            key = snakemake.canonical(written)
            if key in force:
                chain.setdefault(key, []).append(lines[key][0])
            force[key], lines[key] = value, (place(file), line_of(file, written))
    return force, lines, chain


def arguments(spec: Spec, cores: str | int, profile: str = "profile") -> list[str]:
    """The command line of every step; targets first, because Snakemake appends a profile's settings
    to what it was given.
    """
    argv = list(spec["targets"])
    argv += [
        "--profile",
        os.path.join(OUT, profile),
        "--workflow-profile",
        "none",
        "--cores",
        str(cores),
    ]
    if spec["snakefile"]:
        argv += ["--snakefile", spec["snakefile"]]
    if spec["directory"]:
        argv += ["--directory", spec["directory"]]
    if spec["configfiles"]:
        argv += ["--configfile"] + spec["configfiles"]
    return argv
