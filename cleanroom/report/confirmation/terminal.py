"""The verdict on a terminal: a panel with the sentence, the reasons, the findings, and where the
reports are.
"""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cleanroom.report.confirmation.sentence import leads
from cleanroom.report.confirmation.view import Report
from cleanroom.report.panel import print_panel
from cleanroom.report.visible import LINE, one_line, visible
from cleanroom.values.verdict import VerdictName

VERDICT_STYLE = {
    VerdictName.HELD: "green",
    VerdictName.DRIFTED: "red",
    VerdictName.FAILED: "red",
    VerdictName.INCONCLUSIVE: "yellow",
}
_CELL = {
    "same": "green",
    "differs": "bold red",
    "noise": "yellow",
    "unknown": "yellow",
    "informs": "dim",
}
_SHOWN = 8


def show(report: Report, paths: Sequence[Path], console: Console) -> None:
    """Print the result."""
    style = VERDICT_STYLE[report.verdict]
    parts: list[Text | Table] = [Text(one_line(report.sentence), style="bold"), Text("")]
    parts += [Text(visible(reason, LINE).rstrip()) for reason in report.reasons[:_SHOWN]]
    if len(report.reasons) > _SHOWN:
        parts.append(Text(f"… and {len(report.reasons) - _SHOWN} more reasons", style="dim"))
    parts += [Text(""), _matrix(report)]
    if report.agreement:
        parts += [Text(""), Text(f"all against all: {one_line(report.agreement)}")]
    for run in report.runs:
        if run.interrupted or (run.control and run.status == report.runs[0].status):
            continue  # it says the same again, or the ladder says it
        if lines := visible(run.why).splitlines()[1:]:
            parts += [
                Text(""),
                Text(f"the last lines of {one_line(run.label)}:", style="dim"),
                *(Text(f"  {line}") for line in lines),
            ]
    plan = [d for d in report.plan_differences if d.decides]
    if plan:
        parts.append(Text(""))
    for p in plan[:_SHOWN]:
        also = f" and {p.also} more" if p.also else ""
        of = f" of {one_line(p.job)}" if p.rule else ""
        parts.append(
            Text(
                f"✕ plan: {one_line(p.field)}{of}{also}  ({one_line(p.left)} / "
                f"{one_line(p.right)})",
                style="red",
            )
        )
    files = [d for d in report.differences if d.decides or leads(d)]
    if files:
        parts.append(Text(""))
    for d in files[:_SHOWN]:
        origin = "origin" if d.origin else "derived"
        noise = ", not reproducible" if d.noise else ""
        rule = f", rule {one_line(d.rule)}" if d.rule else ""
        parts.append(
            Text(
                f"✕ {one_line(d.path)}  ({one_line(d.left)} / {one_line(d.right)}, "
                f"{origin}{rule}{noise})",
                style="red",
            )
        )
        if d.origin and d.excerpts:
            e = d.excerpts[0]
            kinds = f"; {one_line(', '.join(d.kinds))}" if d.kinds else ""
            said = f"{one_line(e.where)}: {one_line(e.left)[:60]} / {one_line(e.right)[:60]}{kinds}"
            parts.append(Text(f"    {said}", style="dim"))
        elif d.origin and (d.note or d.kinds):
            said = "; ".join(one_line(text) for text in (d.note, *d.kinds) if text)
            parts.append(Text(f"    {said}", style="dim"))
    if len(files) > _SHOWN:
        parts.append(Text(f"… and {len(files) - _SHOWN} more differences", style="dim"))
    if report.causes:
        parts.append(Text(""))
    for cause in report.causes[:_SHOWN]:
        values = ", ".join(
            f"{one_line(run)} {one_line(value)[:60]}" for run, value in cause.values.items()
        )
        parts.append(
            Text(
                f"cause: {one_line(cause.name)}{f' ({values})' if values else ''}: "
                f"{one_line(cause.found)}"
            )
        )
    notable = [f for f in report.findings if f.severity != "note"]
    if notable:
        parts.append(Text(""))
    for f in notable[:_SHOWN]:
        place = f" [{one_line(f.file)}{f':{f.line}' if f.line else ''}]" if f.file else ""
        parts.append(Text(f"{f.code} {one_line(f.text)}{place}", style="yellow"))
    if len(notable) > _SHOWN:
        parts.append(Text(f"… and {len(notable) - _SHOWN} more findings", style="dim"))
    climbed = ", ".join(f"{rung.name} {rung.state}" for rung in report.rungs if rung.verdict)
    if climbed:
        parts += [Text(""), Text(f"checked: {climbed}", style="dim")]
    open_rungs = ", ".join(rung.name for rung in report.rungs if rung.verdict is None)
    if open_rungs:
        parts += [Text(f"not checked: {open_rungs}", style="dim")]
    if report.learnt:
        place = f"{report.learnt.file}, line {report.learnt.line}"
        parts += [Text(f"entered as {one_line(place)} does it", style="dim")]
    held = report.software
    if held.prefix or held.passed_over or held.of_rules or held.inputs:
        parts += [Text(f"software: {one_line(report.software.sentence)}", style="dim")]
    subtitle = f"{report.source.commit[:12]} · {report.isolation} · {report.seconds:.1f} s"
    then = report.next.why, report.next.command
    print_panel(console, report.verdict, style, parts, subtitle, paths, then)


def _matrix(report: Report) -> Table:
    table = Table.grid(padding=(0, 3))
    layers = ("run", "plan", "attempts", "results", "logs")
    table.add_row(*(Text(name, style="dim") for name in ("", *layers)))
    for row in report.matrix:
        cells = [row.cells.get(layer) for layer in layers]
        texts = [
            Text(c.text, style=_CELL.get(c.state, "")) if c else Text("–", style="dim")
            for c in cells
        ]
        table.add_row(Text(one_line(row.run), style="bold"), *texts)
    return table
