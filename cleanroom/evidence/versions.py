"""Evidence and records of every version that was ever written, read as those of today.
Not here: whether its bytes are what its name says.

1: why a run was made is in flags (`control`, `repeat`, `varied`, `interrupted`, `staged`,
`folder`), and no version is written down. What decides may be said in a sentence only: why a
setting was replaced, that a profile cannot be read; the configuration stands for a rule.
2: why a run was made is one value, `purpose`; what decides is a field of its own.
3: `environment` says which packages the room held beside the image, `learnt` what of the repository
said how it is entered.
4: `environment` says too which environments of conda and which files of other places rooms held,
`wants` what the workflow asked for of these.
5: the images that rules ran in are part of both; `environment` says too what the image under the
rooms was made of and lists, `source` what the commit only points to.
"""

import re
from typing import Any

import msgspec

from cleanroom.errors import StoreError
from cleanroom.values.base import EVIDENCE_VERSION, RECORD_VERSION
from cleanroom.values.record import Record
from cleanroom.values.run import Evidence
from cleanroom.values.setup import OverrideCause

_INTERRUPTED = re.compile(r"SIG(KILL|TERM) (at the start of|in the middle of|after) job (\d+)")
_MOMENTS = {"at the start of": "start", "in the middle of": "middle", "after": "after"}


class _Versioned(msgspec.Struct):
    schema_version: int = 1


def read_evidence(raw: bytes) -> Evidence:
    """Raises: StoreError for evidence of a newer cleanroom, or what is none."""
    try:
        version = _version(raw, "evidence", EVIDENCE_VERSION)
        if version == EVIDENCE_VERSION:
            return msgspec.json.decode(raw, type=Evidence)
        old = msgspec.json.decode(raw)
        second = _from_first(old) if version == 1 else old
        return msgspec.convert(second | {"schema_version": EVIDENCE_VERSION}, Evidence)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise StoreError(f"This is no evidence: {error}.", "Confirm again.") from None


def read_record(raw: bytes) -> Record:
    """Raises: StoreError for a record of a newer cleanroom, or what is none."""
    try:
        _version(raw, "confirmation", RECORD_VERSION)
        return msgspec.json.decode(raw, type=Record)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise StoreError(f"This is no confirmation: {error}.", "Confirm again.") from None


def _version(raw: bytes, what: str, newest: int) -> int:
    """The version that a document says it is of. Raises: StoreError for one newer than `newest`;
    msgspec's errors for what is no document.
    """
    version = msgspec.json.decode(raw, type=_Versioned).schema_version
    if version > newest:
        raise StoreError(
            f"This {what} is of version {version}, and this cleanroom reads versions up to "
            f"{newest}.",
            "Use the cleanroom that wrote it, or a newer one.",
        )
    return version


def _from_first(old: dict[str, Any]) -> dict[str, Any]:
    """Version 1, in which at most one flag was set."""
    new = {key: value for key, value in old.items() if key not in _FLAGS}
    image = old.get("image", {})
    seed = str(old.get("context", {}).get("hash seed", ""))
    return new | {
        "purpose": _purpose(old),
        "hash_seed": int(seed) if seed.isdigit() else 0,
        "image": image | {"shared": image.get("isolation", "").startswith("sandbox")},
        "overrides": [o | {"cause": _cause(o)} for o in old.get("overrides", [])],
        "effects": [_effect(effect) for effect in old.get("effects", [])],
        "unreadable": _unreadable(old),
    }


_FLAGS = {"control", "repeat", "varied", "interrupted", "staged", "folder", "unknown_key"}
_CAUSES = {
    "how the room runs jobs: locally": OverrideCause.LOCAL,
    "a folder of another machine": OverrideCause.ELSEWHERE,
    "the minimum that was asked for": OverrideCause.MINIMUM,
}
_UNREADABLE = "The profile cannot be read: "


def _cause(override: dict[str, Any]) -> OverrideCause | None:
    return _CAUSES.get(override.get("why", ""))


def _effect(effect: dict[str, Any]) -> dict[str, Any]:
    changes = [
        c | {"rule": "" if c.get("rule") == "configuration" else c.get("rule")}
        for c in effect.get("changes", [])
    ]
    return effect | {"changes": changes}


def _unreadable(old: dict[str, Any]) -> dict[str, Any] | None:
    why, key = old.get("why", ""), old.get("unknown_key", "")
    if not key and not why.startswith(_UNREADABLE):
        return None
    return {"key": key, "file": "", "text": why.removeprefix(_UNREADABLE)}


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
