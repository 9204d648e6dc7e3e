"""Findings as SARIF 2.1.0, which code hosts show beside the line. Source: OASIS SARIF 2.1.0, sections 3.13 to 3.27."""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from cleanroom import __version__
from cleanroom.findings import codes
from cleanroom.model import Finding, Severity, Source

_LEVEL = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


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
        "tool": {"driver": {"name": "cleanroom", "version": __version__, "semanticVersion": __version__, "rules": rules}},
        "versionControlProvenance": [{"repositoryUri": _uri(source.url), "revisionId": source.commit}],
        "columnKind": "unicodeCodePoints",
        "results": [_result(f, used.index(f.code)) for f in findings],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _uri(url: str) -> str:
    return url if "://" in url else "file://" + quote(url)


def _result(found: Finding, index: int) -> dict[str, Any]:
    text = (f"{found.profile}: " if found.profile else "") + found.text + (f". Repair: {found.repair}." if found.repair else "")
    result: dict[str, Any] = {"ruleId": found.code, "ruleIndex": index, "level": _LEVEL[found.severity], "message": {"text": text}}
    if found.file:
        physical: dict[str, Any] = {"artifactLocation": {"uri": quote(found.file), "uriBaseId": "%SRCROOT%"}}
        if found.line:
            physical["region"] = {"startLine": found.line}
        result["locations"] = [{"physicalLocation": physical}]
    if found.accepted:
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": found.accepted}]
    return result
