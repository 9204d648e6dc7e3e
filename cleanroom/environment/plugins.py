"""Plug-ins of Snakemake that a commit names: storage and loggers. Pure.

Executors are not among them: a room runs jobs by itself, and says so. Read as data, never run.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import yaml

from cleanroom.environment.find import Found
from cleanroom.values.environment import DEFAULT_SNAKEMAKE, Recipe

PLUGIN_OF_SLURM = "snakemake-executor-plugin-slurm"
_KEYS = {"default-storage-provider": "storage", "logger": "logger"}
_NONE = ("none", "")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
_PROVIDER = re.compile(
    r"^\s*storage\b[^\n:]*:(?:\s*\n)?(?:[^\n]*\n){0,6}?\s*provider\s*=\s*[\"']([\w-]+)[\"']", re.M
)
_CALLED = re.compile(r"\bstorage\.([a-z0-9_]+)\s*\(")


def plugins_of(profiles: Mapping[str, str], code: Mapping[str, str]) -> dict[str, str]:
    """{package: the file that names it} of the texts of profiles and of code, by their paths.

    What `storage.x(…)` calls may be a tag as well as a plug-in: one with a tag names its plug-in.
    """
    found: dict[str, str] = {}
    for path, text in profiles.items():
        for kind, name in _of_profile(text):
            found.setdefault(f"snakemake-{kind}-plugin-{name}", path)
    for path, text in code.items():
        stated = _PROVIDER.findall(text)
        tags = set(re.findall(r"^\s*storage\s+(\w+)\s*:", text, re.M))
        called = [name for name in _CALLED.findall(text) if name not in tags]
        for name in (*stated, *called):
            found.setdefault(f"snakemake-storage-plugin-{name.replace('_', '-')}", path)
    return found


def _of_profile(text: str) -> Iterable[tuple[str, str]]:
    try:
        said: Any = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError):
        return
    for key, kind in _KEYS.items():
        value = said.get(key) if isinstance(said, dict) else None
        for name in value if isinstance(value, list) else [value]:
            if isinstance(name, str) and name not in _NONE and _NAME.fullmatch(name):
                yield kind, name


def with_plugins(found: Found, plugins: Mapping[str, str]) -> Found:
    """The software with these plug-ins in it; they are left out where they do not fit."""
    if not plugins:
        return found
    names, files = tuple(sorted(plugins)), tuple(dict.fromkeys(plugins.values()))
    if found.conda is not None:
        return found._replace(pip=(*found.pip, *names))
    if found.recipe is not None:
        return found._replace(recipe=msgspec.structs.replace(found.recipe, plugins=names))
    recipe = Recipe(asked=(), files={}, snakemake=f"snakemake=={DEFAULT_SNAKEMAKE}", plugins=names)
    return found._replace(recipe=recipe, taken=files)
