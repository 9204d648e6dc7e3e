"""The renderings of a confirmation's report, and where they go. Not here: what is shown."""

from pathlib import Path

from cleanroom.report.confirmation.view import Report
from cleanroom.report.render import render_template, write_files
from cleanroom.report.visible import json_text

FORMATS = {"html": "report.html", "md": "report.md", "json": "report.json", "junit": "junit.xml"}


def render(report: Report, form: str) -> str:
    """A report in one of `FORMATS`."""
    if form == "json":
        return json_text(report)
    return render_template(FORMATS[form] + ".j2", r=report)


def write_reports(
    report: Report, folder: Path, forms: tuple[str, ...] = tuple(FORMATS)
) -> list[Path]:
    """Write the renderings, each whole or not at all. Raises: StoreError."""
    return write_files({FORMATS[form]: render(report, form) for form in forms}, folder)
