"""The review bundle of an audit: reports, summary, and the profiles as read with their settings and
plans. Not here: what they show.
"""

from pathlib import Path

from cleanroom.report.audit.view import AuditReport, summary
from cleanroom.report.render import render_template, safe_name, write_files
from cleanroom.report.sarif import sarif
from cleanroom.report.visible import json_text
from cleanroom.values.audit import Audited


def audit_json(report: AuditReport) -> str:
    return json_text(report)


def write_bundle(audited: Audited, report: AuditReport, folder: Path) -> list[Path]:
    """Write the bundle, each file whole or not at all; returns the reports. Raises: StoreError."""
    reports = {
        "audit.html": render_template("audit.html.j2", a=report),
        "audit.md": render_template("audit.md.j2", a=report),
        "audit.json": audit_json(report),
        "audit.sarif": sarif(audited.source, report.findings),
        "summary.json": json_text(summary(report.settings)),
    }
    evidence: dict[str, str | bytes] = {}
    for run in audited.runs:
        place = f"profiles/{safe_name(run.label)}"
        for number, layer in enumerate(run.stack, 1):
            evidence[f"{place}/{number}-{safe_name(layer.file)}"] = layer.text
        evidence[f"{place}/settings.json"] = json_text(run.settings)
        if run.plan is not None:
            evidence[f"{place}/plan.json"] = json_text(run.plan)
    paths = write_files({**reports, **evidence}, folder)
    return paths[: len(reports)]
