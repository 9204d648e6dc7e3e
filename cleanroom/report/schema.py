"""The JSON Schema of report.json, made from the view model: `make schema` writes it to report.schema.json.

Not here: the view model.
"""

import json
import sys
from typing import Any

import msgspec

from cleanroom.report.view import Report


def schema() -> dict[str, Any]:
    """The schema, draft 2020-12."""
    made = msgspec.json.schema(Report)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "cleanroom report", **made}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(schema(), indent=2, sort_keys=True) + "\n")
