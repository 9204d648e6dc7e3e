"""Which claim a setting bears on, and whether a change makes it stronger or weaker.
Pure data and one rule.
"""

from typing import Any

from cleanroom.audit.shown import truthy

_CLAIMS = {
    # key: (claim, what more of it does to the claim)
    "retries": ("a job that ended well needed no second attempt", "weaker"),
    "keep-going": ("a failure ends the run before anything is published", "weaker"),
    "keep-incomplete": ("every file that is there is whole", "weaker"),
    "ignore-incomplete": ("every file that is there is whole", "weaker"),
    "rerun-incomplete": ("an interrupted run is made whole", "stronger"),
    "latency-wait": ("an output that was written is seen", "stronger"),
    "nolock": ("one run at a time writes into the folder", "weaker"),
    "drop-metadata": ("a later run sees that code or params changed", "weaker"),
    "notemp": ("what made a result can be looked at", "stronger"),
    "all-temp": ("every result is there at the end", "weaker"),
}

_BY_EVIDENCE = {
    "threads": "results do not follow the number of threads",
    "resources": "results do not follow resources",
    "software": "jobs run in the software that rules declare",
    "remote": "remote jobs run in the same software",
    "storage": "every path names the same copy of a file",
    "scratch": "results do not follow the scratch folder",
    "rerun": "results are made by the code of the commit",
    "placement": "results do not follow the place where jobs run",
    "environment": "results do not follow variables from outside",
}


def claim_of(
    key: str, evidence: str, before: Any, after: Any, *, meaning: bool, settled: bool
) -> str:
    """The claim with `weaker`, `stronger`, `as before` or `to be shown again`; `settled` where the
    plan shows that it is policy.
    """
    if meaning:
        return "weaker: every profile has the same meaning"
    if key in _CLAIMS:
        claim, direction = _CLAIMS[key]
        more = _amount(after) > _amount(before)
        if _amount(after) == _amount(before):
            return f"as before: {claim}"
        return f"{direction if more else _OTHER[direction]}: {claim}"
    if evidence in _BY_EVIDENCE:
        return f"{'as before' if settled else 'to be shown again'}: {_BY_EVIDENCE[evidence]}"
    return "as before: what the workflow makes"


_OTHER = {"weaker": "stronger", "stronger": "weaker"}


def _amount(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return 1.0 if truthy(value) else 0.0
