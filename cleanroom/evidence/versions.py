"""Evidence of every version that was ever written, read as the one of today.
Not here: whether its bytes are what its name says.

1: why a run was made is in flags (`control`, `repeat`, `varied`, `interrupted`, `staged`,
`folder`), and no version is written down.
2: it is one value, `purpose`.
"""

import re
from typing import Any

import msgspec

from cleanroom.errors import StoreError
from cleanroom.values.base import EVIDENCE_VERSION
from cleanroom.values.run import Evidence

_INTERRUPTED = re.compile(r"SIG(KILL|TERM) (at the start of|in the middle of|after) job (\d+)")
_MOMENTS = {"at the start of": "start", "in the middle of": "middle", "after": "after"}


class _Versioned(msgspec.Struct):
    schema_version: int = 1


def read_evidence(raw: bytes) -> Evidence:
    """Raises: StoreError for evidence of a newer cleanroom, or what is none."""
    try:
        version = msgspec.json.decode(raw, type=_Versioned).schema_version
        if version > EVIDENCE_VERSION:
            raise StoreError(
                f"This evidence is of version {version}, and this cleanroom reads versions up to "
                f"{EVIDENCE_VERSION}.",
                "Use the cleanroom that wrote it, or a newer one.",
            )
        if version == EVIDENCE_VERSION:
            return msgspec.json.decode(raw, type=Evidence)
        return msgspec.convert(_from_flags(msgspec.json.decode(raw)), Evidence)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise StoreError(f"This is no evidence: {error}.", "Confirm again.") from None


def _from_flags(old: dict[str, Any]) -> dict[str, Any]:
    """Version 1, in which at most one flag was set."""
    new = {key: value for key, value in old.items() if key not in _FLAGS}
    return new | {"schema_version": EVIDENCE_VERSION, "purpose": _purpose(old)}


_FLAGS = {"control", "repeat", "varied", "interrupted", "staged", "folder"}


def _purpose(old: dict[str, Any]) -> dict[str, Any]:
    if old.get("folder"):
        return {"kind": "folder", "path": old["folder"]}
    if found := _INTERRUPTED.fullmatch(old.get("interrupted", "")):
        return {
            "kind": "interrupted",
            "signal": found[1],
            "moment": _MOMENTS[found[2]],
            "job": int(found[3]) - 1,
        }
    if old.get("staged"):
        return {"kind": "staged"}
    if old.get("varied"):
        return {"kind": "varied", "factors": old["varied"]}
    if old.get("control"):
        return {"kind": "control", "repeat": old.get("repeat", 1)}
    return {"kind": "profile"}
