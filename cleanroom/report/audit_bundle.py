"""The review bundle of an audit: reports, summary, and the profiles as read with their settings and plans. Not here: what they show."""

import json
from pathlib import Path

import msgspec

from cleanroom.model import Audited
from cleanroom.report.audit_view import AuditReport, summary
from cleanroom.report.render import render_template, safe_name, write_files
from cleanroom.report.sarif import sarif


def audit_json(report: AuditReport) -> str:
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"


def write_bundle(audited: Audited, report: AuditReport, folder: Path) -> list[Path]:
    """Write the bundle, each file whole or not at all; returns the reports. Raises: StoreError."""
    reports = {
        "audit.html": render_template("audit.html.j2", a=report),
        "audit.md": render_template("audit.md.j2", a=report),
        "audit.json": audit_json(report),
        "audit.sarif": sarif(audited.source, report.findings),
        "summary.json": json.dumps(summary(report.settings), indent=2, ensure_ascii=False) + "\n",
    }
    evidence: dict[str, str | bytes] = {}
    for run in audited.runs:
        place = f"profiles/{safe_name(run.label)}"
        for number, layer in enumerate(run.stack, 1):
            evidence[f"{place}/{number}-{safe_name(layer.file)}"] = layer.text
        evidence[f"{place}/settings.json"] = msgspec.json.format(msgspec.json.encode(run.settings), indent=2)
        if run.plan is not None:
            evidence[f"{place}/plan.json"] = msgspec.json.format(msgspec.json.encode(run.plan), indent=2)
    paths = write_files({**reports, **evidence}, folder)
    return paths[: len(reports)]
