"""Secrets that a person passes to a room are in nothing that is kept or shown of it, but in the
results themselves: there they are the workflow's to keep. Pure.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

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
    for secret in sorted(set(secrets.values()), key=len, reverse=True):
        raw = raw.replace(msgspec.json.encode(secret)[1:-1], MASK.encode())
    found: V = msgspec.json.decode(raw, type=kind or type(value))
    return found


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
