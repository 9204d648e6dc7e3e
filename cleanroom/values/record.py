"""A confirmation as the store keeps it: what was concluded, when and from which evidence, so that
anyone can conclude it again later.
"""

import datetime

from cleanroom.values.audit import Acceptance
from cleanroom.values.base import RECORD_VERSION, Value
from cleanroom.values.comparison import Cause
from cleanroom.values.setup import Source
from cleanroom.values.verdict import Judgement


class KeptRun(Value, frozen=True):
    """One run of a confirmation, by what its report calls it and the digest of its evidence."""

    label: str
    evidence: str


class KeptDifference(Value, frozen=True):
    """A result that decided that meaning differs, between two runs by their labels."""

    left: str
    right: str
    path: str
    rule: str = ""


class Record(Value, frozen=True):
    """One confirmation. Contents and findings are not part of it: they follow from the evidence."""

    cleanroom: str
    """The version that concluded it."""
    source: Source
    repo: str
    baseline: str
    wanted: tuple[str, ...]
    runs: tuple[KeptRun, ...]
    judgement: Judgement
    today: datetime.date
    """The day on which what the commit accepts was in force, or not."""
    schema_version: int = RECORD_VERSION
    earlier: KeptRun | None = None
    """The earlier run, commit or folder that the baseline was compared with."""
    climb: tuple[str, ...] = ()
    acceptances: tuple[Acceptance, ...] = ()
    causes: tuple[Cause, ...] = ()
    """Those that were found, by runs too: which evidence of these was, is not kept."""
    differences: tuple[KeptDifference, ...] = ()
    """Of all comparisons, so that they need not be made again to know which results differ."""
    started: float = 0.0
    seconds: float = 0.0
