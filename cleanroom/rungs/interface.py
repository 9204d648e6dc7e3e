"""What a rung is: a named, bounded way to answer one question. Not here: any of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from cleanroom.values.audit import Audit, Finding
from cleanroom.values.comparison import Cause, Comparison, Relation
from cleanroom.values.purpose import Purpose
from cleanroom.values.run import Evidence
from cleanroom.values.verdict import VerdictName


class Wanted(NamedTuple):
    """A run that a rung asks for: of the baseline, or of the profile of a run `of` that is there,
    with that one's hash seed.
    """

    purpose: Purpose
    label: str = ""
    of: Evidence | None = None


class Asked(NamedTuple):
    """What somebody asked for: the rungs by name, the baseline's name, how many controls at least,
    under which other Snakemakes.
    """

    climb: frozenset[str]
    baseline: str
    repeats: int = 0
    snakemakes: tuple[str, ...] = ()


class Seen(NamedTuple):
    """All that a confirmation has found when its rungs are judged.
    `proven`: nothing stands in the way of a verdict; `climb`: the rungs that were asked for.
    """

    runs: Sequence[Evidence]
    comparisons: Sequence[Comparison]
    audit: Audit
    earlier: Evidence | None
    proven: bool
    climb: frozenset[str] = frozenset()

    @property
    def profiles(self) -> list[Evidence]:
        """The runs that stand for profiles."""
        return [run for run in self.runs if run.of_profile]

    def of(self, relation: Relation) -> list[Comparison]:
        return [c for c in self.comparisons if c.relation is relation]


class Climbed(NamedTuple):
    """How a rung was climbed; no verdict where it was not.
    What is left empty is as the rung says of itself; `state` is how that is called.
    """

    verdict: VerdictName | None = None
    proves: str = ""
    unproven: str = ""
    decides: bool | None = None
    state: str = ""


class Rung:
    """The base of every rung: one that asks for no run and is never climbed.
    Each says what it proves and what stays open without it.
    """

    name: str
    decides = True
    on_demand = False
    """Whether it is answered, or decides, only when somebody asks for it by name."""
    explains = False
    """Whether its cause is searched for by runs, without being asked."""
    proves: str
    unproven: str
    relation: Relation | None = None
    """What the runs that it compares are to each other; None where it compares none of its own."""

    def at_once(self, asked: Asked) -> Iterable[Wanted]:
        """Runs beside those of the profiles."""
        return ()

    def afterwards(self, asked: Asked, runs: Sequence[Evidence]) -> Iterable[Wanted]:
        """Runs that need those of the profiles first."""
        return ()

    def judged(self, seen: Seen) -> Climbed:
        """Whether it was climbed, and what that showed."""
        return Climbed()

    def findings(self, run: Evidence) -> Iterable[Finding]:
        """What the run of a profile shows of its question, each with a permanent code."""
        return ()

    def deciding(self, audit: Audit, climb: frozenset[str]) -> Sequence[Finding]:
        """The findings that say that meaning drifted, though no two runs were compared."""
        return ()

    def told(self, findings: Sequence[Finding]) -> str:
        """What it says where nothing but such findings decided."""
        return ""

    def lacking(self, seen: Seen) -> Iterable[str]:
        """Why it shows nothing though somebody asked for it: then the verdict in all is never
        HELD.
        """
        return ()

    def causes(self, runs: Mapping[str, Evidence], comparison: Comparison) -> Iterable[Cause]:
        """What made the two runs of a comparison of its own differ, as far as the evidence shows it
        by itself; `runs` by label.
        """
        return ()

    def drifted(self, comparison: Comparison, causes: Sequence[str]) -> str:
        """What it says when the two runs of a comparison of its own differ; `causes` are those that
        are certain, by name.
        """
        return ""


def verdict_of(proven: bool, differs: bool) -> VerdictName:
    """A rung that decides by one question."""
    if not proven:
        return VerdictName.INCONCLUSIVE
    return VerdictName.DRIFTED if differs else VerdictName.HELD


def compared(proven: bool, comparisons: Sequence[Comparison]) -> VerdictName:
    """A rung that decides by comparisons.
    What is not reproducible proves nothing of what it was compared with.
    """
    verdict = verdict_of(proven, any(c.differs for c in comparisons))
    return (
        VerdictName.INCONCLUSIVE
        if verdict is VerdictName.HELD and any(c.noisy for c in comparisons)
        else verdict
    )


def first_line(text: str) -> str:
    """The first line of a text that is not empty."""
    return next((line for line in text.splitlines() if line.strip()), "")
