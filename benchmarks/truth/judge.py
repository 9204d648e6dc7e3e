"""One case confirmed, and its report held against the truth. Not here: many cases, tables."""

import re
import time
from pathlib import Path
from typing import NamedTuple

import msgspec

from benchmarks.truth.cases import Case, build
from cleanroom.errors import CleanroomError, ExitCode
from cleanroom.evidence.store import Store
from cleanroom.flows.choose import Request
from cleanroom.flows.confirm import confirm
from cleanroom.flows.records import concluded_again
from cleanroom.report import build_report
from cleanroom.report.confirmation.view import Report
from cleanroom.values.verdict import VerdictName


class Answer(NamedTuple):
    """What was said of a case, and which of it is right; None where the truth names nothing to be
    right about.
    """

    case: Case
    verdict: str
    origins: tuple[str, ...]
    causes: tuple[str, ...]
    differs: tuple[str, ...]
    seconds: float
    why: str = ""
    broke: bool = False

    @property
    def verdict_right(self) -> bool:
        return self.verdict == self.case.verdict and not self.broke

    @property
    def paths_right(self) -> bool | None:
        return (
            None
            if self.case.differs is None or self.case.verdict != "DRIFTED"
            else set(self.differs) == set(self.case.differs)
        )

    @property
    def origin_right(self) -> bool | None:
        if self.case.verdict != "DRIFTED" or not self.case.origin:
            return None
        return bool(self.origins) and set(self.origins) <= self.case.origins

    @property
    def cause_right(self) -> bool | None:
        """The causes that are named are right ones, and no innocent setting is among them."""
        return (
            bool(self.causes) and set(self.causes) <= self.case.causes if self.case.causes else None
        )


def ask(case: Case, folder: Path, cache: Path, engine: str) -> Answer:
    """Confirm one case in a folder of its own."""
    begin = time.monotonic()
    repo = build(case, folder)
    names = tuple(case.profiles) or ("a", "b")
    request = Request(
        repo=str(repo),
        ref="HEAD",
        cache=str(cache),
        engine=engine,
        profiles=names,
        baseline_profile="a",
        explain_cause=True,
        deployment=case.deployment,
        climb=frozenset(
            name for name in ("vary", "recover", "stage", "nodes") if getattr(case, name)
        ),
        against="HEAD~1" if case.has_before else "",
    )
    try:
        found = confirm(request)
        report = build_report(found)
    except CleanroomError as error:
        broke = error.exit_code is not ExitCode.INCONCLUSIVE
        verdict = "" if broke else VerdictName.INCONCLUSIVE
        spent = time.monotonic() - begin
        return Answer(case, verdict, (), (), (), spent, str(error), broke=broke)
    store = Store(cache / "store")
    again = concluded_again(store.record(found.record)[1], store)
    broke = msgspec.structs.replace(again, record=found.record) != found
    return Answer(
        case,
        report.verdict,
        tuple(_origins(report)),
        tuple(_causes(report)),
        tuple(_paths(report)),
        time.monotonic() - begin,
        "concluded otherwise from the store" if broke else next(iter(report.reasons), ""),
        broke=broke,
    )


def _paths(report: Report) -> list[str]:
    return sorted({d.path for d in report.differences if d.decides})


def _origins(report: Report) -> list[str]:
    """The rules that the report leads with."""
    return list(dict.fromkeys(o.rule for o in report.origins))


def _causes(report: Report) -> list[str]:
    """What a reader takes for the cause: what is said with certainty, else all that is not told
    apart; for a run that proves nothing, the settings that its findings name.
    """
    if report.verdict is VerdictName.INCONCLUSIVE:
        said = [f.key for f in report.findings if f.key and f.severity == "error"]
        return list(dict.fromkeys(said)) or re.findall(r"'([\w-]+)'", report.reasons[0])
    certain = [c.name for c in report.causes if c.certain]
    return list(
        dict.fromkeys(
            certain
            or [c.name for c in report.causes]
            or [f.key for f in report.findings if f.code == "CR-016"]
        )
    )
