"""`audit`, the whole way: source, profiles, rooms that only plan, audit, outcome.
Not here: how its bundle looks.
"""

import time

from cleanroom.audit import audit
from cleanroom.compare.equivalences import equivalence_findings
from cleanroom.config import FILENAME
from cleanroom.evidence.masking import masked
from cleanroom.evidence.supervise import Watch
from cleanroom.findings.codes import ordered
from cleanroom.findings.observed import observe
from cleanroom.flows.choose import Request, choose
from cleanroom.flows.open import opened
from cleanroom.flows.replan import with_replan
from cleanroom.flows.run_factory import PLANNING, RunFactory
from cleanroom.values.audit import Audited
from cleanroom.values.run import Evidence
from cleanroom.verdict import judge_audit


def audit_profiles(request: Request, watch: Watch | None = None) -> Audited:
    """Audit the profiles of one commit; no job of the workflow is run.

    Raises: UsageError before anything runs; SourceError, EngineError or ImageError where nothing
    can be said; Interrupted.
    """
    watch = watch or Watch()
    started, clock = time.time(), time.monotonic()
    with opened(request, [choose(request)], watch, running=False) as (ready,):
        runs = ready.runner.run_all(ready.requests(PLANNING), watch)
        runs = with_replan(ready, runs, watch)
    found = concluded(ready, runs, request.repo, started, time.monotonic() - clock)
    return masked(found, request.secrets)


def concluded(
    ready: RunFactory, runs: list[Evidence], repo: str, started: float, seconds: float
) -> Audited:
    """What evidence of planning says, and the outcome."""
    seen = dict.fromkeys(
        (
            *observe(ready.base.source, runs),
            *equivalence_findings(ready.base.declared, (), ready.today, FILENAME),
        )
    )
    found = audit(runs, ready.acceptances, ready.today, ordered(seen))
    outcome, exit_code, reasons = judge_audit(runs, found)
    return Audited(
        source=ready.base.source,
        repo=repo,
        entry=ready.base.entry,
        runs=tuple(runs),
        audit=found,
        outcome=outcome,
        exit_code=exit_code,
        reasons=reasons,
        started=started,
        seconds=seconds,
    )
