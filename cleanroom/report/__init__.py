"""One view model, and its renderings: HTML, Markdown, JSON, JUnit and the terminal."""

from cleanroom.report.confirmation.build import build_report
from cleanroom.report.confirmation.view import Report

__all__ = ["Report", "build_report"]
