"""The codes of findings: permanent, never reused. Not here: where they are observed."""

from cleanroom.model import Finding, Severity

_TABLE = {
    "CR-001": (Severity.WARNING, "the profile does not run as it is"),
    "CR-002": (Severity.ERROR, "the profile replaces the run"),
    "CR-003": (Severity.WARNING, "outputs are committed to git"),
    "CR-004": (Severity.WARNING, "reading the workflow writes files"),
    "CR-005": (Severity.NOTE, "uncommitted changes are not part of this confirmation"),
    "CR-006": (Severity.NOTE, "the sandbox isolates less than a container"),
    "CR-007": (Severity.WARNING, "a map of the profile is dropped in silence"),
    "CR-008": (Severity.NOTE, "Snakemake's lint has remarks"),
    "CR-009": (Severity.WARNING, "a step did not finish"),
    "CR-010": (Severity.WARNING, "a job needed more than one attempt"),
    "CR-011": (Severity.WARNING, "a profile joins every run"),
    "CR-012": (Severity.WARNING, "the run overwrites files that git tracks"),
    "CR-013": (Severity.ERROR, "the profile cannot be read"),
    "CR-014": (Severity.NOTE, "a file could not be examined"),
    "CR-015": (Severity.WARNING, "declared outputs are gone at the end"),
}


def finding(code: str, text: str, *, file: str = "", line: int = 0, profile: str = "") -> Finding:
    """A finding with its code's own severity; `text` says what was seen, where the title says what it is."""
    severity, title = _TABLE[code]
    return Finding(code=code, severity=severity, text=f"{title}: {text}", file=file, line=line, profile=profile)


def codes() -> dict[str, tuple[Severity, str]]:
    """Every code with its severity and title."""
    return dict(_TABLE)
