"""One view model, and its renderings: HTML, Markdown, JSON, JUnit and the terminal."""

from cleanroom.report.confirmation.view import Report, build_report

__all__ = ["Report", "build_report"]
