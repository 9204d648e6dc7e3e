"""The view model of a review: what its renderings show, and what review.json is.
Not here: how it looks.
"""

import datetime
import shlex
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from cleanroom import __version__
from cleanroom.report.next_step import NextStep, after_review
from cleanroom.report.panel import print_panel
from cleanroom.report.render import render_template, write_files
from cleanroom.report.visible import json_text, one_line
from cleanroom.values.audit import Finding, Severity
from cleanroom.values.base import SCHEMA_VERSION, Value
from cleanroom.values.review import Drift, ReviewChange, Reviewed, ReviewOutcome
from cleanroom.values.setup import Source
from cleanroom.wording import counted

_STYLE = {
    ReviewOutcome.SEMANTIC_DRIFT: "red",
    ReviewOutcome.FAILED: "red",
    ReviewOutcome.INCONCLUSIVE: "yellow",
}
_MARK = {
    Drift.SEMANTIC: ("✕", "red"),
    Drift.UNKNOWN: ("◐", "yellow"),
    Drift.DECLARED: ("●", "cyan"),
    Drift.POLICY: ("●", "green"),
}
_SHOWN = 15


class ReviewReport(Value, frozen=True):
    """All of review.json. `findings` are those of the head that are errors or warnings."""

    schema_version: str
    cleanroom: str
    outcome: ReviewOutcome
    exit_code: int
    sentence: str
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    url: str
    base: Source
    head: Source
    profiles: tuple[str, ...]
    changes: tuple[ReviewChange, ...]
    findings: tuple[Finding, ...]
    created: str
    seconds: float
    reproduce: str
    next: NextStep


def build_review_report(reviewed: Reviewed) -> ReviewReport:
    created = datetime.datetime.fromtimestamp(reviewed.started, datetime.UTC)
    words = ["cleanroom", "review", reviewed.head.url, reviewed.base.commit, reviewed.head.commit]
    findings = tuple(
        f for f in reviewed.audit.findings if f.severity is not Severity.NOTE and not f.accepted
    )
    return ReviewReport(
        schema_version=SCHEMA_VERSION,
        cleanroom=__version__,
        outcome=reviewed.outcome,
        exit_code=reviewed.exit_code,
        sentence=_sentence(reviewed),
        reasons=reviewed.reasons,
        notes=reviewed.notes,
        url=reviewed.head.url,
        base=reviewed.base,
        head=reviewed.head,
        profiles=reviewed.audit.profiles,
        changes=reviewed.changes,
        findings=findings,
        created=created.strftime("%Y-%m-%d %H:%M:%S UTC"),
        seconds=round(reviewed.seconds, 3),
        reproduce=shlex.join(words),
        next=after_review(reviewed, words),
    )


def _sentence(reviewed: Reviewed) -> str:
    count = {drift: sum(c.drift is drift for c in reviewed.changes) for drift in Drift}
    match reviewed.outcome:
        case ReviewOutcome.SEMANTIC_DRIFT:
            changes = counted(count[Drift.SEMANTIC], "change")
            return f"Meaning changes through a profile, and no commit says so: {changes}."
        case ReviewOutcome.FAILED:
            return (
                "The workflow cannot be planned at the head; its profiles were reviewed all "
                "the same."
            )
        case ReviewOutcome.INCONCLUSIVE:
            return "Not every change could be judged."
        case ReviewOutcome.DECLARED:
            return (
                "Meaning changes in code, configuration or by declaration; no profile hides "
                "a change."
            )
        case ReviewOutcome.POLICY_DRIFT:
            return "Only policy changes: the workflow means the same, as far as plans show."
        case ReviewOutcome.UNCHANGED:
            return "Nothing that a profile or a contract says has changed."


def review_json(report: ReviewReport) -> str:
    return json_text(report)


def review_markdown(report: ReviewReport) -> str:
    """Sized for a comment on a pull request."""
    return render_template("review.md.j2", v=report)


def write_review(report: ReviewReport, folder: Path) -> list[Path]:
    """Write the renderings, each whole or not at all. Raises: StoreError."""
    html = render_template("review.html.j2", v=report)
    return write_files(
        {
            "review.html": html,
            "review.md": review_markdown(report),
            "review.json": review_json(report),
        },
        folder,
    )


def show_review(report: ReviewReport, paths: Sequence[Path], console: Console) -> None:
    """Print the result on a terminal."""
    style = _STYLE.get(report.outcome, "green")
    parts = [Text(one_line(report.sentence), style="bold"), Text("")]
    parts += [Text(one_line(note), style="yellow") for note in report.notes]
    for change in report.changes[:_SHOWN]:
        mark, colour = _MARK[change.drift]
        who = f"  {', '.join(one_line(p) for p in change.profiles)}" if change.profiles else ""
        parts.append(
            Text.assemble(
                (f"{mark} {change.drift}: ", colour), (one_line(change.name), "bold"), (who, "dim")
            )
        )
        parts.append(Text(f"    {one_line(change.before)[:80]} → {one_line(change.after)[:80]}"))
        parts.append(Text(f"    {one_line(change.why)}", style="dim"))
        if change.proof:
            parts.append(Text(f"    $ {one_line(change.proof)}", style="dim"))
    if len(report.changes) > _SHOWN:
        parts.append(
            Text(f"… and {len(report.changes) - _SHOWN} more changes; see review.html", style="dim")
        )
    subtitle = (
        f"{report.base.commit[:12]} → {report.head.commit[:12]} · no job was run · "
        f"{report.seconds:.1f} s"
    )
    then = report.next.why, report.next.command
    print_panel(console, report.outcome, style, parts, subtitle, paths, then)
