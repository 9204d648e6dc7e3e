"""The JSON Schemas of evidence, report.json, audit.json and review.json, made from the values and
view models: `make schema` writes each of them beside the folder that owns it.

Not here: the view models.
"""

import json
from pathlib import Path
from typing import Any

import msgspec

import cleanroom
from cleanroom.report.audit.view import AuditReport
from cleanroom.report.confirmation.view import Report
from cleanroom.report.review.view import ReviewReport
from cleanroom.values.run import Evidence

_MODELS: dict[str, type[Any]] = {
    "report": Report,
    "audit": AuditReport,
    "review": ReviewReport,
    "evidence": Evidence,
}
NAMES = tuple(_MODELS)


def place(name: str) -> Path:
    """Where a schema is kept."""
    folder = "evidence" if name == "evidence" else "report"
    return Path(cleanroom.__file__).parent / folder / f"{name}.schema.json"


def schema(name: str = "report") -> dict[str, Any]:
    """One of the schemas, draft 2020-12."""
    made = msgspec.json.schema(_MODELS[name])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"cleanroom {name}",
        **made,
    }


if __name__ == "__main__":
    for name in NAMES:
        text = json.dumps(schema(name), indent=2, sort_keys=True) + "\n"
        place(name).write_text(text, encoding="utf-8")
