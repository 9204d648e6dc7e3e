"""An audit on a terminal: what is not plain policy, the findings that count, and where the bundle
is.
"""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cleanroom.report.audit.view import AuditReport
from cleanroom.report.panel import print_panel
from cleanroom.report.visible import one_line, visible
from cleanroom.values.audit import AuditOutcome, Decided, Severity

_STYLE = {
    AuditOutcome.CLEAN: "green",
    AuditOutcome.ERRORS: "red",
    AuditOutcome.FAILED: "red",
    AuditOutcome.INCONCLUSIVE: "yellow",
}
_DECIDED = {
    Decided.POLICY: "green",
    Decided.OPEN: "yellow",
    Decided.MEANING: "bold red",
    Decided.ACTION: "bold red",
}
_SHOWN = 12


def show(report: AuditReport, paths: Sequence[Path], console: Console) -> None:
    """Print the result."""
    style = _STYLE[report.outcome]
    parts: list[Text | Table] = [Text(one_line(report.sentence), style="bold")]
    for profile in report.profiles:
        if lines := visible(profile.why).splitlines():
            parts += [
                Text(""),
                Text(f"{one_line(profile.profile)}:", style="dim"),
                *(Text(f"  {line}") for line in lines[:_SHOWN]),
            ]
    loud = [row for row in report.settings if row.decided is not Decided.POLICY]
    if loud:
        parts += [Text(""), _settings(report)]
    quiet = len(report.settings) - len(loud)
    if quiet:
        verb = "setting is" if quiet == 1 else "settings are"
        parts.append(Text(f"{quiet} {'other ' if loud else ''}{verb} policy", style="dim"))
    for plan in report.plans:
        if plan.decides:
            parts.append(
                Text(
                    f"✕ plan of {one_line(plan.profile)}: {plan.decides} deciding fields differ",
                    style="red",
                )
            )
            for d in [d for d in plan.differences if d.decides][:4]:
                parts.append(
                    Text(
                        f"    {one_line(d.field)} of {one_line(d.job)}  ({one_line(d.left)} / "
                        f"{one_line(d.right)})",
                        style="red",
                    )
                )
    if caveat := next((p.caveat for p in report.plans if p.caveat), ""):
        parts.append(Text(one_line(caveat), style="dim"))
    findings = [f for f in report.findings if not f.accepted and f.severity is not Severity.NOTE]
    if findings:
        parts.append(Text(""))
    for f in findings[:_SHOWN]:
        place = f" [{one_line(f.file)}{f':{f.line}' if f.line else ''}]" if f.file else ""
        parts.append(
            Text(f"{f.code} {one_line(f.text)}{place}", style="red" if f.counts else "yellow")
        )
    if len(findings) > _SHOWN:
        parts.append(Text(f"… and {len(findings) - _SHOWN} more findings", style="dim"))
    notes = sum(f.severity is Severity.NOTE and not f.accepted for f in report.findings)
    accepted = sum(bool(f.accepted) for f in report.findings)
    parts.append(Text(f"{notes} notes, {accepted} accepted; see audit.html", style="dim"))
    subtitle = (
        f"{report.source.commit[:12]} · {report.isolation} · no job was run · "
        f"{report.seconds:.1f} s"
    )
    then = report.next.why, report.next.command
    print_panel(console, report.outcome, style, parts, subtitle, paths, then)


def _settings(report: AuditReport) -> Table:
    table = Table.grid(padding=(0, 2))
    for row in [row for row in report.settings if row.decided is not Decided.POLICY][:_SHOWN]:
        before = ""
        for number, cell in enumerate(row.cells):
            why = one_line(cell.why) if cell.why != before else ""
            before = cell.why
            table.add_row(
                Text(one_line(row.key) if not number else "", style="bold"),
                Text(one_line(cell.profile), style="dim"),
                Text.assemble((cell.decided, _DECIDED[cell.decided]), (f"  {why}", "")),
            )
    return table
