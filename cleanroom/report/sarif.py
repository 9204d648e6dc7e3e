"""Findings as SARIF 2.1.0, which code hosts show beside the line.
Source: OASIS SARIF 2.1.0, sections 3.13 to 3.27.
"""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from cleanroom import __version__
from cleanroom.findings.codes import codes
from cleanroom.report.visible import one_line
from cleanroom.values.audit import Finding, Severity
from cleanroom.values.base import raw_path
from cleanroom.values.setup import Source

_LEVEL = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_SCHEMES = {"https", "http", "ssh", "git", "file"}
_MESSAGE = 1000
"""The most characters of a message; code hosts cut longer ones."""


def sarif(source: Source, findings: Sequence[Finding]) -> str:
    """One run of one tool; accepted findings are suppressed, with who accepts them."""
    used = sorted({f.code for f in findings})
    rules = [
        {
            "id": code,
            "shortDescription": {"text": codes()[code].title},
            "fullDescription": {"text": codes()[code].why},
            "help": {"text": codes()[code].repair},
            "defaultConfiguration": {"level": _LEVEL[codes()[code].severity]},
        }
        for code in used
    ]
    run = {
        "tool": {
            "driver": {
                "name": "cleanroom",
                "version": __version__,
                "semanticVersion": __version__,
                "rules": rules,
            }
        },
        **(
            {"versionControlProvenance": [{"repositoryUri": uri, "revisionId": source.commit}]}
            if (uri := _uri(source.url))
            else {}
        ),
        "columnKind": "unicodeCodePoints",
        "results": [_result(f, used.index(f.code)) for f in findings],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _uri(url: str) -> str:
    """The address of a repository; empty where it is no address that a git remote can have."""
    if "://" not in url:
        return "file://" + quote(url, errors="backslashreplace")
    scheme = url.partition("://")[0].lower()
    return (
        quote(url, safe=":/?#[]@!$&'()*+,;=%~", errors="backslashreplace")
        if scheme in _SCHEMES and _whole(url)
        else ""
    )


def _whole(url: str) -> bool:
    """Whether it can be taken apart as an address."""
    try:
        return bool(urlsplit(url))
    except ValueError:
        return False


def _place(file: str) -> str:
    """A path of the repository as a relative reference; empty where it leads out of it."""
    raw = raw_path(file.encode("utf-8", "backslashreplace").decode())
    inside = raw and not raw.startswith(b"/") and b".." not in raw.split(b"/")
    return quote(raw) if inside else ""


def _text(text: str) -> str:
    """A message without links: `[text](address)` is one in SARIF's plain texts too (section
    3.11.6).
    """
    return one_line(text.replace("](", "] ("), _MESSAGE)


def _result(found: Finding, index: int) -> dict[str, Any]:
    place = _place(found.file)
    text = (
        (f"{found.profile}: " if found.profile else "")
        + found.text
        + (f". Repair: {found.repair}." if found.repair else "")
    )
    text += f" ({found.file})" if found.file and not place else ""
    result: dict[str, Any] = {
        "ruleId": found.code,
        "ruleIndex": index,
        "level": _LEVEL[found.severity],
        "message": {"text": _text(text)},
    }
    if place:
        physical: dict[str, Any] = {"artifactLocation": {"uri": place, "uriBaseId": "%SRCROOT%"}}
        if found.line:
            physical["region"] = {"startLine": found.line}
        result["locations"] = [{"physicalLocation": physical}]
    if found.accepted:
        result["suppressions"] = [
            {"kind": "external", "status": "accepted", "justification": _text(found.accepted)}
        ]
    return result
