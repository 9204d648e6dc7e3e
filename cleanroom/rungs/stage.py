"""The rung `stage`: do jobs need files that they do not declare?"""

from collections.abc import Iterable, Mapping, Sequence

from cleanroom.cause.read import UNDECLARED
from cleanroom.rungs.interface import Asked, Climbed, Rung, Seen, Wanted, compared, first_line
from cleanroom.values.comparison import Cause, Comparison, Relation
from cleanroom.values.purpose import Staged
from cleanroom.values.run import Evidence
from cleanroom.values.verdict import VerdictName
from cleanroom.wording import listed


class Stage(Rung):
    name = "stage"
    on_demand = True
    explains = True
    proves = "jobs need no file by a relative path that they do not declare"
    unproven = "whether jobs need files that no rule declares"
    relation = Relation.STAGED

    def at_once(self, asked: Asked) -> Iterable[Wanted]:
        return [Wanted(Staged(), f"{asked.baseline} (staged)")] if self.name in asked.climb else ()

    def judged(self, seen: Seen) -> Climbed:
        run = next((run for run in seen.runs if isinstance(run.purpose, Staged)), None)
        if run is None:
            return Climbed()
        lacking = _not_staged(run)
        verdict = compared(seen.proven and not lacking, seen.of(Relation.STAGED))
        if lacking:
            return Climbed(verdict, unproven=f"{self.unproven}; {lacking}")
        if run.unstaged and verdict in (VerdictName.HELD, VerdictName.DRIFTED):
            return Climbed(
                verdict,
                unproven=f"whether jobs of {', '.join(run.unstaged)} need such files: they "
                "cannot be staged",
            )
        return Climbed(verdict)

    def causes(self, runs: Mapping[str, Evidence], comparison: Comparison) -> Iterable[Cause]:
        text = (
            "jobs that saw only what they declare leave something else, or fail; not told "
            "apart from where they worked"
        )
        yield Cause(name=UNDECLARED, values={}, found=text)

    def drifted(self, comparison: Comparison, causes: Sequence[str]) -> str:
        what = (
            f"what no rule declares: {listed(causes)}"
            if causes
            else "files that no rule declares, or on where a job works"
        )
        return f"what {comparison.left} leaves depends on {what}."


def _not_staged(run: Evidence) -> str:
    """Why a run whose jobs were to be staged shows nothing of what they need."""
    if not run.comparable:
        return f"{run.label} did not end well: {first_line(run.why)}"
    made = {attempt.job.rule for attempt in run.attempts if attempt.job.output}
    return "" if made - set(run.unstaged) else f"no job of {run.label} could be staged"


RUNG = Stage()
