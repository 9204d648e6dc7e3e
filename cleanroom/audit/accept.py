"""Findings that somebody answers for, until a day. Pure."""

import datetime
from collections.abc import Sequence

from cleanroom.findings.codes import accepted, finding, ordered
from cleanroom.values.audit import Acceptance, Finding

_FILE = "cleanroom.yaml"


def accept(
    findings: Sequence[Finding], acceptances: Sequence[Acceptance], today: datetime.date
) -> tuple[Finding, ...]:
    """The findings, accepted where one in force matches; one that has expired or matches nothing is
    itself a finding.
    """
    found = list(findings)
    more: list[Finding] = []
    for acceptance in acceptances:
        matches = [i for i, f in enumerate(found) if _matches(acceptance, f)]
        who = f"{acceptance.reason} ({acceptance.owner}, until {acceptance.expires.isoformat()})"
        about = f"{acceptance.finding}{_place(acceptance)}, owner {acceptance.owner}"
        if acceptance.expires < today:
            more.append(
                finding(
                    "CR-037",
                    f"{about}, on {acceptance.expires.isoformat()}",
                    file=_FILE,
                    key=acceptance.finding,
                )
            )
        elif not matches:
            more.append(finding("CR-038", about, file=_FILE, key=acceptance.finding))
        else:
            for index in matches:
                found[index] = accepted(found[index], who)
    return ordered(dict.fromkeys((*found, *more)))


def _matches(acceptance: Acceptance, found: Finding) -> bool:
    places = (
        (acceptance.profile, found.profile),
        (acceptance.key, found.key),
        (acceptance.file, found.file),
    )
    return acceptance.finding == found.code and all(
        not wanted or wanted == seen for wanted, seen in places
    )


def _place(acceptance: Acceptance) -> str:
    places = [p for p in (acceptance.profile, acceptance.key, acceptance.file) if p]
    return f" of {', '.join(places)}" if places else ""
