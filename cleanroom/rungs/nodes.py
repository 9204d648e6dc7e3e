"""The rung `nodes`: do the results depend on jobs that share one process?

Executors of clusters start Snakemake again for each job, which then reads the workflow again, when
files are there that were not, in another process. A profile that names such an executor is run that
way without being asked.
"""

from collections.abc import Iterable, Mapping

from cleanroom.rungs.interface import Asked, Climbed, Rung, Seen, Wanted, compared, first_line
from cleanroom.values.comparison import Cause, Comparison, Relation
from cleanroom.values.purpose import Nodes
from cleanroom.values.run import Evidence
from cleanroom.values.verdict import VerdictName


class NodesRung(Rung):
    name = "nodes"
    on_demand = True
    proves = "jobs that are processes of their own, and read the workflow again, leave the same"
    unproven = "whether jobs on nodes, which read the workflow again, would leave the same results"
    relation = Relation.NODES

    def at_once(self, asked: Asked) -> Iterable[Wanted]:
        return [Wanted(Nodes(), f"{asked.baseline} (nodes)")] if self.name in asked.climb else ()

    def judged(self, seen: Seen) -> Climbed:
        run = _asked_run(seen)
        if run is not None:
            lacking = _not_apart(run)
            verdict = compared(seen.proven and not lacking, seen.of(Relation.NODES))
            return Climbed(verdict, unproven=f"{self.unproven}; {lacking}" if lacking else "")
        apart = {run.label for run in seen.profiles if run.apart}
        between = [c for c in seen.of(Relation.PROFILE) if {c.left, c.right} & apart]
        if not between:
            return Climbed()
        verdict = compared(seen.proven, between)
        # What differs there is told by the rung `run`; whether the executor did it, by its cause.
        return Climbed(verdict if verdict is VerdictName.HELD else VerdictName.INCONCLUSIVE)

    def lacking(self, seen: Seen) -> Iterable[str]:
        run = _asked_run(seen)
        if run is not None and (why := _not_apart(run)):
            yield why

    def causes(self, runs: Mapping[str, Evidence], comparison: Comparison) -> Iterable[Cause]:
        values = {
            comparison.left: "jobs in one process",
            comparison.right: "each job a process of its own",
        }
        text = "nothing else was another one between the two runs"
        yield Cause(name="executor", values=values, found=text, certain=True)

    def drifted(self, comparison: Comparison, causes: Iterable[str]) -> str:
        return (
            f"what {comparison.left} leaves depends on its executor: jobs that are processes of "
            "their own read the workflow again."
        )


def _asked_run(seen: Seen) -> Evidence | None:
    return next((run for run in seen.runs if isinstance(run.purpose, Nodes)), None)


def _not_apart(run: Evidence) -> str:
    """Why a run shows nothing of jobs that are processes of their own."""
    if not run.comparable:
        return f"{run.label} did not end well: {first_line(run.why)}"
    if not run.apart:
        return (
            "the room has no executor for it; install snakemake-executor-plugin-cluster-generic "
            "there"
        )
    return ""


RUNG = NodesRung()
