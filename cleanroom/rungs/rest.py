"""The rung `rest`: right after a run, would a second call run anything?

It informs, unless somebody asks for it by name: what would run again need not mean anything else,
but each call then may leave other results than the one that was confirmed.
"""

from collections.abc import Iterable, Sequence

from cleanroom.findings.codes import finding
from cleanroom.rungs.interface import Climbed, Rung, Seen, verdict_of
from cleanroom.values.audit import Audit, Finding
from cleanroom.values.run import Evidence, RunStatus
from cleanroom.values.verdict import VerdictName
from cleanroom.wording import counted, listed

_CODE = "CR-048"
_SHOWN = 10
"""How many jobs of one profile are named."""


class Rest(Rung):
    name = "rest"
    on_demand = True
    decides = False
    proves = "a second call of the same profile would run nothing"
    unproven = "whether a second call would run jobs again"

    def judged(self, seen: Seen) -> Climbed:
        asked = self.name in seen.climb
        runs = _completed(seen)
        if not runs or any(run.rest is None for run in runs):
            return Climbed(VerdictName.INCONCLUSIVE, decides=True) if asked else Climbed()
        jobs = sum(len(run.rest or ()) for run in runs)
        unproven = f"a second call would run {counted(jobs, 'job')} again" if jobs else ""
        if asked:
            # Where somebody accepted that, it does not decide, and it is as open as before.
            drifted = bool(self.deciding(seen.audit, seen.climb))
            return Climbed(verdict_of(seen.proven, drifted), unproven=unproven, decides=True)
        state = "does not hold" if jobs else "holds"
        return Climbed(VerdictName.HELD, unproven=unproven, state=state)

    def lacking(self, seen: Seen) -> Iterable[str]:
        if self.name in seen.climb and any(run.rest is None for run in _completed(seen)):
            yield "what a second call would run could not be asked; see the step `rest`"

    def findings(self, run: Evidence) -> Iterable[Finding]:
        jobs = run.rest or ()
        for job in jobs[:_SHOWN]:
            yield finding(
                _CODE, f"{job.label}: {job.reason}", profile=run.profile.name, key=job.rule
            )
        if len(jobs) > _SHOWN:
            more = f"and {counted(len(jobs) - _SHOWN, 'more job')}"
            yield finding(_CODE, more, profile=run.profile.name)

    def deciding(self, audit: Audit, climb: frozenset[str]) -> Sequence[Finding]:
        if self.name not in climb:
            return ()
        return [f for f in audit.findings if f.code == _CODE and not f.accepted]

    def told(self, findings: Sequence[Finding]) -> str:
        profiles = listed(list(dict.fromkeys(f.profile for f in findings)))
        return f"right after its run, a second call under {profiles} would run jobs again."


def _completed(seen: Seen) -> list[Evidence]:
    """The runs of profiles that there is something to ask of."""
    return [run for run in seen.profiles if run.status is RunStatus.COMPLETED and not run.folder]


RUNG = Rest()
