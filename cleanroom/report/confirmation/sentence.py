"""The verdict as a sentence that a reviewer understands, and where a difference began.
Not here: details.
"""

from typing import Protocol

from cleanroom.rungs.registry import RUNGS
from cleanroom.values.comparison import Comparison, Relation, Sameness
from cleanroom.values.run import Role, RunStatus
from cleanroom.values.verdict import Confirmation, VerdictName
from cleanroom.wording import listed


class _Difference(Protocol):
    """One file that differs, as a comparison or a report has it."""

    @property
    def origin(self) -> bool: ...
    @property
    def decides(self) -> bool: ...
    @property
    def role(self) -> str: ...
    @property
    def sameness(self) -> Sameness: ...


_SHOWN = 3


def sentence(confirmation: Confirmation) -> str:
    """The verdict as a reviewer understands it; where meaning held, also what was not tried."""
    judgement = confirmation.judgement
    said = _sentence(confirmation)
    if judgement.verdict is not VerdictName.HELD or not judgement.untried:
        return said
    return f"{said} Not tried: {listed(judgement.untried, _SHOWN)}."


def _sentence(confirmation: Confirmation) -> str:
    profiles = [run.profile.name for run in confirmation.runs if run.of_profile]
    match confirmation.judgement.verdict:
        case VerdictName.HELD:
            count = sum(confirmation.comparisons[0].counts.values())
            results = "result" if count == 1 else f"{count} results"
            if confirmation.runs[0].folder:
                return f"The same: {listed(profiles)} hold the same {results}."
            as_did = f", as did {confirmation.earlier.label}" if confirmation.earlier else ""
            if len(profiles) > 1:
                return (
                    f"Meaning held: {listed(profiles)} plan the same work and leave the same "
                    f"{results}{as_did}."
                )
            if confirmation.earlier:
                return f"Meaning held: {profiles[0]} leaves the same {results}{as_did}."
            return f"Meaning held: two runs plan the same work and leave the same {results}."
        case VerdictName.DRIFTED:
            differing = [c for c in confirmation.comparisons if c.differs]
            noisy = [c for c in differing if c.relation is Relation.CONTROL]
            drift = [c for c in differing if c.of_profile]
            since = [c for c in differing if c.relation is Relation.EARLIER]
            if noisy and noisy == differing:
                return (
                    "Meaning is not stable: repeated runs differ, with no change of profile. "
                    f"{_origin(noisy)}"
                )
            for rung in RUNGS if not drift else ():
                if own := [c for c in differing if c.relation is rung.relation]:
                    names = [
                        cause.name
                        for cause in confirmation.causes
                        if cause.certain and own[0].right in cause.values
                    ]
                    if said := rung.drifted(own[0], names):
                        return f"Meaning drifted: {said} {_origin(own)}"
            if not drift:
                audit, climb = confirmation.audit, frozenset(confirmation.climb)
                told = (rung.told(f) for rung in RUNGS if (f := rung.deciding(audit, climb)))
                return f"Meaning drifted: {next(told)}"
            which = listed([c.right for c in drift])
            again = " Repeated runs differ elsewhere too." if noisy else ""
            again += f" {since[0].left} differs too." if since else ""
            return (
                f"Meaning drifted: {which} {_do(len(drift))} not mean the same as "
                f"{drift[0].left}. {_origin(drift)}{again}"
            )
        case VerdictName.FAILED:
            failed = [
                run.label
                for run in confirmation.runs
                if run.status is RunStatus.FAILED and not run.on_trial
            ]
            return (
                f"The workflow failed under {listed(failed)}, so that its results cannot be "
                "compared."
            )
        case VerdictName.INCONCLUSIVE:
            return f"Nothing was proven. {confirmation.judgement.reasons[0].splitlines()[0]}"


def _do(count: int) -> str:
    return "does" if count == 1 else "do"


def leads(difference: _Difference) -> bool:
    """Whether a difference may be where something began: an origin that is a result, or a temporary
    file on the way to one.
    """
    return difference.origin and (
        difference.decides
        or (difference.role == Role.TEMP and difference.sameness is not Sameness.PAYLOAD)
    )


def _origin(comparisons: list[Comparison]) -> str:
    """Where it begins: in the plan, else in the first job that wrote something else from the same
    inputs.
    """
    plans = [d for c in comparisons for d in c.plan if d.decides and not d.noise]
    if plans:
        return f"It begins in the plan, with {plans[0].place}."
    files = [d for c in comparisons for d in c.artifacts if not d.noise]
    origins = (
        [d for d in files if leads(d) and d.decides]
        or [d for d in files if leads(d)]
        or [d for d in files if d.decides]
    )
    if not origins:
        return ""
    # A job is known by what it declares, where it left more than that.
    first = min(origins, key=lambda d: d.role == Role.UNDECLARED)
    where = f"in rule {first.rule}, with {first.path}" if first.rule else f"with {first.path}"
    return f"It begins {where}."
