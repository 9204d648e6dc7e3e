"""The codes of findings: permanent, never reused; each with its severity, why it matters and the
repair.

Not here: where they are observed.
"""

import functools
import tomllib
from pathlib import Path

import msgspec

from cleanroom.values.audit import Finding, Severity
from cleanroom.values.base import Value


class Code(Value, frozen=True):
    """What one code says, whatever the place.
    `severity` is the usual one; a finding may weigh less where its text says why.
    """

    severity: Severity
    title: str
    why: str
    repair: str


@functools.cache
def codes() -> dict[str, Code]:
    """Every code with what it says, from the table beside this file."""
    data = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return msgspec.convert(data, dict[str, Code])


def finding(
    code: str,
    text: str,
    *,
    file: str = "",
    line: int = 0,
    profile: str = "",
    key: str = "",
    severity: Severity | None = None,
    repair: str = "",
) -> Finding:
    """A finding with its code's own severity and repair; `text` says what was seen, where the title
    says what it is.
    """
    entry = codes()[code]
    return Finding(
        code=code,
        severity=severity or entry.severity,
        text=f"{entry.title}: {text}",
        file=file,
        line=line,
        profile=profile,
        key=key,
        why=entry.why,
        repair=repair or entry.repair,
    )


def ordered(findings: dict[Finding, None]) -> tuple[Finding, ...]:
    """Errors first, then by code; each once."""
    order = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}
    return tuple(sorted(findings, key=lambda f: (bool(f.accepted), order[f.severity], f.code)))


def accepted(found: Finding, by: str) -> Finding:
    """The same finding, with who accepts it and why."""
    return msgspec.structs.replace(found, accepted=by)
