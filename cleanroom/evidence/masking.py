"""Secrets that a person passes to a room are in nothing that is kept or shown of it, but in the
results themselves: there they are the workflow's to keep. Pure.
"""

import json
import shlex
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from cleanroom.config import check_variable
from cleanroom.errors import UsageError
from cleanroom.values.base import canonical

MASK = "***"
LEAST = 6
"""Characters of a secret: a shorter one would mask what only looks like it."""

V = TypeVar("V")


def masked(value: V, secrets: Mapping[str, str], kind: Any = None) -> V:
    """The same value, of the same type or of `kind`, without the secrets, which are by name."""
    if not secrets:
        return value
    raw = canonical(value)
    spelt = {way for secret in secrets.values() for way in _spellings(secret)}
    for secret in sorted(spelt, key=len, reverse=True):
        raw = raw.replace(msgspec.json.encode(secret)[1:-1], MASK.encode())
    found: V = msgspec.json.decode(raw, type=kind or type(value))
    return found


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
