"""Secrets that a person passes to a room are in nothing that is kept or shown of it, but in the
results themselves: there they are the workflow's to keep. Pure.
"""

import json
import re
import shlex
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from cleanroom.config import check_variable
from cleanroom.errors import UsageError

MASK = "***"
LEAST = 6
"""Characters of a secret: a shorter one would mask what only looks like it."""
_DIGEST = re.compile(r"[0-9a-f]{32,64}")

V = TypeVar("V")


def masked(value: V, secrets: Mapping[str, str]) -> V:
    """The same value without the secrets, which are by name: in every text of it, and in nothing
    else.
    """
    if not secrets:
        return value
    spelt = {way for secret in secrets.values() for way in _spellings(secret)}
    longest_first = sorted(map(re.escape, spelt), key=len, reverse=True)
    pattern = re.compile("|".join(longest_first))

    def without(text: str) -> str:
        # A digest names a content, and holds a short secret by luck only.
        return text if _DIGEST.fullmatch(text) and text not in spelt else pattern.sub(MASK, text)

    found: V = _walked(value, without)
    return found


def _walked(value: Any, change: Callable[[str], str]) -> Any:
    """A value with every text of it changed; names of fields and states are none."""
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return change(value)
    if isinstance(value, msgspec.Struct):
        fields = {name: _walked(one, change) for name, one in msgspec.structs.asdict(value).items()}
        return type(value)(**fields)
    if isinstance(value, dict):
        return {_walked(key, change): _walked(one, change) for key, one in value.items()}
    if isinstance(value, tuple | list | frozenset | set):
        return type(value)(_walked(one, change) for one in value)
    return value


def _spellings(secret: str) -> set[str]:
    """A text as programs print it: as it is, as JSON, Python, a shell and an address have it."""
    return {
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        shlex.quote(secret).strip("'"),
        quote(secret),
        quote(secret, safe=""),
    }


def checked(secrets: Mapping[str, str] | None) -> dict[str, str]:
    """The same secrets. Raises: as `check_secret`."""
    return {name: check_secret(name, value) for name, value in (secrets or {}).items()}


def check_secret(name: str, value: str | None) -> str:
    """The value of a secret that a person names.
    Raises: UsageError where there is none, or it is too short to be masked.
    """
    check_variable(name, "--env")
    if value is None:
        raise UsageError(f"--env: there is no variable '{name}'.", "Set it before the call.")
    if len(value) < LEAST:
        raise UsageError(
            f"--env: the value of '{name}' has fewer than {LEAST} characters, so that it cannot be "
            "masked in a report.",
            "Where it is no secret, write it in cleanroom.yaml: `environment: {variables: …}`.",
        )
    return value
