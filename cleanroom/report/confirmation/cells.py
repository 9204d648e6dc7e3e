"""The matrix of a report: each layer of each run against the baseline, as cells with a state and a
few words. Not here: details.
"""

from collections.abc import Iterator

from cleanroom.compare.equivalences import covers
from cleanroom.values.base import Value
from cleanroom.values.comparison import Comparison, PlanDifference, Relation, Sameness
from cleanroom.values.run import Evidence, RunStatus
from cleanroom.values.verdict import Confirmation


class Cell(Value, frozen=True):
    """One layer of one run against the baseline."""

    state: str
    text: str


class MatrixRow(Value, frozen=True):
    run: str
    against: str
    cells: dict[str, Cell]


def matrix(confirmation: Confirmation) -> Iterator[MatrixRow]:
    """A row for each run, the earlier one last; each layer against the baseline."""
    by_run = {
        c.left if c.relation is Relation.EARLIER else c.right: c for c in confirmation.comparisons
    }
    for run in (*confirmation.runs, *filter(None, [confirmation.earlier])):
        comparison = by_run.get(run.label)
        cells = {"run": _status_cell(run), "lint": _lint_cell(run)}
        if comparison:
            cells["plan"] = _plan_cell(comparison)
            cells["attempts"] = _count_cell(
                [d for d in comparison.attempts if d.decides], "same", "differ"
            )
            cells["results"] = _results_cell(comparison)
            informing = [
                d
                for d in comparison.artifacts
                if not d.decides and d.sameness is not Sameness.PAYLOAD and not covers(d)
            ]
            cells["logs"] = Cell(
                state="informs", text=f"{len(informing)} differ" if informing else "same"
            )
        against = (
            ""
            if comparison is None
            else comparison.right
            if comparison.relation is Relation.EARLIER
            else comparison.left
        )
        yield MatrixRow(run=run.label, against=against, cells=cells)


def agreement(groups: tuple[tuple[str, ...], ...]) -> str:
    """The groups in a line, where there are three profiles or more."""
    return (
        " ≠ ".join(" = ".join(members) for members in groups) if sum(map(len, groups)) > 2 else ""
    )


def _status_cell(run: Evidence) -> Cell:
    states = {RunStatus.COMPLETED: "same", RunStatus.FAILED: "differs", RunStatus.BROKEN: "unknown"}
    return Cell(state=states[run.status], text=run.status.value)


def _lint_cell(run: Evidence) -> Cell:
    if run.lints is None:
        return Cell(state="unknown", text="not known")
    return Cell(state="informs", text=f"{len(run.lints)} remarks" if run.lints else "clean")


def _plan_cell(comparison: Comparison) -> Cell:
    deciding = [d for d in comparison.plan if d.decides]
    if deciding:
        return _count_cell(deciding, "same", "deciding fields differ")
    return Cell(
        state="same", text=f"same ({len(comparison.plan)} inform)" if comparison.plan else "same"
    )


def _count_cell(differences: list[PlanDifference], same: str, word: str) -> Cell:
    if not differences:
        return Cell(state="same", text=same)
    noise = all(d.noise for d in differences)
    return Cell(state="noise" if noise else "differs", text=f"{len(differences)} {word}")


def _results_cell(comparison: Comparison) -> Cell:
    files = [d for d in comparison.artifacts if d.decides]
    total = sum(comparison.counts.values())
    if files:
        noise = all(d.noise for d in files)
        return Cell(state="noise" if noise else "differs", text=f"{len(files)} of {total} differ")
    weaker = [
        f"{count} by {level}"
        for level, count in sorted(comparison.counts.items())
        if level != Sameness.BYTES
    ]
    return Cell(state="same", text=f"{total} same" + (f" ({', '.join(weaker)})" if weaker else ""))
