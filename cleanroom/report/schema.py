"""The JSON Schemas of report.json, audit.json and review.json, made from the view models: `make
schema` writes them beside this file.

Not here: the view models.
"""

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from cleanroom.report.audit.view import AuditReport
from cleanroom.report.confirmation.view import Report
from cleanroom.report.review.view import ReviewReport

_MODELS: dict[str, type[Any]] = {"report": Report, "audit": AuditReport, "review": ReviewReport}
NAMES = tuple(_MODELS)


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
        (Path(sys.argv[1]) / f"{name}.schema.json").write_text(text, encoding="utf-8")
