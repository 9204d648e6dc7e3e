"""Findings of workflow code that reads context which no profile shows. Pure.
Not here: finding such lines, which a room does.
"""

from collections.abc import Iterator, Sequence

from cleanroom.findings.codes import finding
from cleanroom.values.audit import Finding, Severity
from cleanroom.values.plan import Hidden
from cleanroom.values.run import Evidence

_KINDS = {
    # kind: (what it reads, severity)
    "environment": ("environment variables", Severity.NOTE),
    "host": ("the name of the host", Severity.WARNING),
    "path": ("an absolute path", Severity.WARNING),
    "arguments": ("the command line, which names the profile", Severity.NOTE),
    "cores": ("the number of cores of the run or the machine", Severity.WARNING),
    "order": ("the contents of a folder in no sure order", Severity.WARNING),
    "date": ("the clock", Severity.NOTE),
}


def code_findings(runs: Sequence[Evidence]) -> Iterator[Finding]:
    """One finding for each file and kind, at its first line."""
    groups: dict[tuple[str, str], list[Hidden]] = {}
    for run in runs:
        for hidden in run.plan.hidden if run.plan else ():
            lines = groups.setdefault((hidden.file, hidden.kind), [])
            if hidden not in lines:
                lines.append(hidden)
    for (file, kind), lines in sorted(groups.items()):
        what, severity = _KINDS.get(kind, (kind, Severity.NOTE))
        more = f", and {len(lines) - 1} more lines" if len(lines) > 1 else ""
        rule = f" (rule {lines[0].rule})" if lines[0].rule else ""
        yield finding(
            "CR-033",
            f"{what}{rule}: {lines[0].text}{more}",
            file=file,
            line=lines[0].line,
            severity=severity,
            key=kind,
        )
