"""What every value is: frozen, JSON in and out, named by the digest of its canonical JSON.

Paths are strings relative to the clone in a reversible form: a backslash is doubled and a byte that
is not UTF-8 is `\\xNN`.
Times are seconds since the epoch, durations seconds, sizes bytes, digests full SHA-256 in
hexadecimal.
"""

import hashlib
import re
from typing import Any

import msgspec

SCHEMA_VERSION = "1.0"
"""Of reports."""
EVIDENCE_VERSION = 5
"""Of evidence. What was ever written is read for ever: see `evidence/versions.py`."""
RECORD_VERSION = 1
"""Of the record of a confirmation, which is read for ever too."""


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """The base of every value: immutable, compared by content."""


def canonical(value: Any) -> bytes:
    """The canonical JSON of a value: sorted keys, no white space, UTF-8."""
    return msgspec.json.encode(value, order="deterministic")


def digest(value: Any) -> str:
    """The name of a value: SHA-256 of its canonical JSON, in full."""
    return hashlib.sha256(canonical(value)).hexdigest()


def escape_path(raw: bytes) -> str:
    """A path as the model writes it; the inverse of `raw_path`."""
    return raw.replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")


def raw_path(path: str) -> bytes:
    """The bytes that the file system knows; the inverse of `escape_path`."""
    return re.sub(
        rb"\\(\\|x[0-9a-f]{2})",
        lambda m: b"\\" if m[1] == b"\\" else bytes([int(m[1][1:], 16)]),
        path.encode(),
    )
