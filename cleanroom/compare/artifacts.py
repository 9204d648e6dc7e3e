"""The artifacts of two runs, path by path: the same bytes, the same in a weaker sense, different,
or there only once.

Not here: what a format means (comparators say), and whether a difference is noise.
"""

import datetime
import stat
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from cleanroom.compare.boundary import Boundary
from cleanroom.compare.bundles import BUNDLE, bundle_of, bundle_roots, lay_out
from cleanroom.compare.diffoscope import diffoscope
from cleanroom.compare.equivalences import COVERED, Equivalences
from cleanroom.compare.examiner import Examiner
from cleanroom.compare.formats.interface import Found
from cleanroom.compare.formats.registry import EXISTENCE, Question
from cleanroom.compare.origins import find_origins
from cleanroom.values.comparison import (
    LEFT,
    RIGHT,
    Comparison,
    Difference,
    Origin,
    Sameness,
    with_labels,
)
from cleanroom.values.declared import CompareOptions, Declared
from cleanroom.values.run import Artifact, Evidence, Kind, Role

Locate = Callable[[str], Path]
"""Where the content of a digest is kept."""
_DETAILED = 200
"""How many differences keep their excerpts; a report shows no more."""
_PICTURED = 12
_EXPLAINED = 8
"""How many differences diffoscope is asked about."""
_NOTHING_LEFT = "the equivalence leaves nothing to compare, so it would accept any content"
_UNSEEN = {Role.LOG, Role.BENCHMARK, Role.CACHE}


class ComparisonContext:
    """What every comparison of a confirmation stands on: contents, workers, and what the commit
    declares on a day.
    """

    def __init__(
        self,
        locate: Locate,
        examiner: Examiner,
        declared: Declared | None = None,
        today: datetime.date | None = None,
        *,
        diffoscope: bool = False,
    ) -> None:
        self.locate, self.examiner, self.diffoscope = locate, examiner, diffoscope
        self.declared = declared or Declared()
        self.today = today or datetime.datetime.now(datetime.UTC).date()
        self.equivalences = Equivalences(self.declared, self.today)
        self.compared: dict[tuple[str, ...], Comparison] = {}
        """What was compared already, by the attempts and labels of both runs: once is enough."""


class _Bundles:
    """The folders of two runs that are one thing each, laid out when the first file of one
    differs.
    """

    def __init__(self, left: Evidence, right: Evidence, ground: ComparisonContext) -> None:
        self._sides, self._ground = (left, right), ground
        self._roots = bundle_roots(left, right)
        self._laid: dict[str, tuple[Path, ...]] = {}

    def question(self, path: str, rules: CompareOptions) -> tuple[str, Question | None]:
        """(the folder that a file is a part of or nothing, what is asked of it)."""
        root = bundle_of(path, self._roots)
        if root and root not in self._laid:
            folders = tuple(self._ground.examiner.folder() for _ in self._sides)
            kept = [
                lay_out(root, side, self._ground.locate, to)
                for side, to in zip(self._sides, folders, strict=True)
            ]
            self._laid[root] = folders if all(kept) else ()
        if not root or not self._laid[root]:
            return "", None
        left, right = map(str, self._laid[root])
        return root, Question(
            left=left, right=right, name=root.rpartition("/")[2], comparator=BUNDLE, rules=rules
        )


def compare_artifacts(
    left: Evidence, right: Evidence, ground: ComparisonContext
) -> tuple[tuple[Difference, ...], dict[str, int], int, tuple[Origin, ...]]:
    """(differences, deciding artifacts by sameness, number of informing artifacts, origins)."""
    here = {a.path: a for a in left.artifacts}
    there = {a.path: a for a in right.artifacts}
    bounds = Boundary(left, ground.declared), Boundary(right, ground.declared)
    bundles = _Bundles(left, right, ground)
    pending: list[_Pending] = []
    counts: Counter[str] = Counter()
    informing = 0
    for path in sorted(here.keys() | there.keys()):
        a, b = here.get(path), there.get(path)
        decides = bool((a and bounds[0].decides(a)) or (b and bounds[1].decides(b)))
        informing += not decides
        sameness, note = _sameness(a, b)
        if sameness is Sameness.BYTES:
            counts[sameness] += decides
            continue
        difference = _difference(path, a, b, left, right, sameness, decides, note)
        asked = (
            _ask(difference, a, b, ground, bundles)
            if sameness is Sameness.DIFFERENT and not note and a and b
            else None
        )
        pending.append(asked or _Pending(difference))
    labels = left.label, right.label
    differences = [_labelled(d, *labels) for d in _examine(pending, ground)]
    for before, difference in zip(pending, differences, strict=True):
        counts[difference.sameness] += before.difference.decides
    marked, origins = find_origins(left, right, differences, ground.locate)
    return _bounded(_told(marked, ground)), dict(+counts), informing, origins


def _labelled(d: Difference, left: str, right: str) -> Difference:
    """With the names of the two runs in a comparator's words."""
    facts = tuple(with_labels(fact, left, right) for fact in d.facts)
    return msgspec.structs.replace(d, note=with_labels(d.note, left, right), facts=facts)


class _Pending(NamedTuple):
    """A difference, what is asked of a comparator, and which equivalence is in force for it."""

    difference: Difference
    question: Question | None = None
    chosen: int = -1


def _sameness(a: Artifact | None, b: Artifact | None) -> tuple[Sameness, str]:
    """What the records of two artifacts say; no note where their contents must be looked at."""
    if a is None or b is None:
        sameness, which, one = (
            (Sameness.EXTRA, RIGHT, b) if a is None else (Sameness.MISSING, LEFT, a)
        )
        verb = (
            "removed"
            if one and one.kind is Kind.REMOVED
            else "overwrote"
            if one and one.role is Role.TRACKED
            else "left"
        )
        return sameness, f"only {which} {verb} it"
    if a.kind != b.kind:
        return Sameness.DIFFERENT, f"a {a.kind} in {LEFT}, a {b.kind} in {RIGHT}"
    if a.unexamined or b.unexamined:
        return Sameness.DIFFERENT, f"not examined: {a.unexamined or b.unexamined}"
    if a.kind is Kind.FILE and a.mode & stat.S_IXUSR != b.mode & stat.S_IXUSR:
        return (
            Sameness.DIFFERENT,
            f"executable in {LEFT}, not in {RIGHT}"
            if a.mode & stat.S_IXUSR
            else f"not executable in {LEFT}, but in {RIGHT}",
        )
    if a.sha256 == b.sha256:
        return Sameness.BYTES, ""
    if a.kind is Kind.LINK:
        return Sameness.DIFFERENT, f"links to '{a.target}' in {LEFT}, to '{b.target}' in {RIGHT}"
    return Sameness.DIFFERENT, ""


def _ask(
    d: Difference, a: Artifact, b: Artifact, ground: ComparisonContext, bundles: _Bundles
) -> _Pending | None:
    """The question to a comparator, where the contents are there and somebody wants to know."""
    files = ground.locate(a.sha256), ground.locate(b.sha256)
    if (a.role in _UNSEEN and not d.decides) or not all(file.is_file() for file in files):
        return None
    chosen = ground.equivalences.index(d.path, d.rule) if d.decides else -1
    equivalence = ground.equivalences[chosen] if chosen >= 0 else None
    if equivalence is None or equivalence.comparator == BUNDLE:
        root, question = bundles.question(
            d.path, equivalence.options if equivalence else CompareOptions()
        )
        if question is not None:
            return _Pending(msgspec.structs.replace(d, bundle=root), question, chosen)
    question = Question(left=str(files[0]), right=str(files[1]), name=d.path.rpartition("/")[2])
    if equivalence is not None and equivalence.comparator != EXISTENCE:
        question = msgspec.structs.replace(
            question, comparator=equivalence.comparator, rules=equivalence.options
        )
    return _Pending(d, question, chosen)


def _examine(pending: list[_Pending], ground: ComparisonContext) -> list[Difference]:
    answers = iter(ground.examiner.examine([one.question for one in pending if one.question]))
    found = [
        _answered(one.difference, next(answers), one.chosen, ground)
        if one.question
        else _unasked(one.difference)
        for one in pending
    ]
    shown: set[str] = set()
    for i, d in enumerate(found):
        if d.bundle:
            note = f"a part of {d.bundle}: {d.note}"
            found[i] = msgspec.structs.replace(
                d, note=note, excerpts=() if d.bundle in shown else d.excerpts
            )
            shown.add(d.bundle)
    return found


def _unasked(d: Difference) -> Difference:
    if d.note:
        return d
    informs = d.role in _UNSEEN and not d.decides
    note = (
        "bytes differ; it only informs"
        if informs
        else "the content is no longer kept; only the digests were compared"
    )
    return msgspec.structs.replace(d, note=note)


def _answered(d: Difference, found: Found, chosen: int, ground: ComparisonContext) -> Difference:
    """A difference with what a comparator found, accepted where it is the payload or an equivalence
    in force covers it.
    """
    sameness, note = found.sameness, found.note
    emptied = False
    if (
        chosen >= 0
        and ground.equivalences[chosen].comparator == EXISTENCE
        and sameness is not Sameness.PAYLOAD
    ):
        sameness, note = (
            Sameness.EXISTENCE,
            f"both are there; what they hold was not asked ({note})",
        )
    elif chosen >= 0 and found.compared == 0 and sameness is not Sameness.PAYLOAD:
        sameness, note, emptied = Sameness.DIFFERENT, _NOTHING_LEFT, True
    accepted = sameness is Sameness.PAYLOAD or (chosen >= 0 and sameness in COVERED)
    return msgspec.structs.replace(
        d,
        sameness=sameness,
        note=note,
        decides=d.decides and not accepted,
        comparator=found.comparator,
        facts=found.facts,
        excerpts=found.excerpts,
        kinds=found.kinds,
        pictures=found.pictures,
        suggestion=found.suggestion,
        equivalence=chosen if sameness is not Sameness.PAYLOAD else -1,
        emptied=emptied,
    )


def _difference(
    path: str,
    a: Artifact | None,
    b: Artifact | None,
    left: Evidence,
    right: Evidence,
    sameness: Sameness,
    decides: bool,
    note: str,
) -> Difference:
    artifact, evidence = (
        (a, left) if a is not None and a.job >= 0 else (b, right) if b is not None else (a, left)
    )
    assert artifact is not None
    job = evidence.attempts[artifact.job].job if artifact.job >= 0 else None
    return Difference(
        path=path,
        sameness=sameness,
        decides=decides,
        note=note,
        role=artifact.role,
        rule=job.rule if job else "",
        wildcards=job.wildcards if job else {},
        examined=not any(side is not None and side.unexamined for side in (a, b)),
        left_sha256=a.sha256 if a else "",
        right_sha256=b.sha256 if b else "",
    )


def _told(differences: list[Difference], ground: ComparisonContext) -> list[Difference]:
    """The first origins with what diffoscope says of them, where it was asked for."""
    if not ground.diffoscope:
        return differences
    found, left = list(differences), _EXPLAINED
    for i, d in enumerate(found):
        files = [ground.locate(sha256) for sha256 in (d.left_sha256, d.right_sha256) if sha256]
        if (
            left
            and d.decides
            and d.origin
            and len(files) == 2
            and all(file.is_file() for file in files)
        ):
            found[i] = msgspec.structs.replace(d, diffoscope=diffoscope(files[0], files[1], d.path))
            left -= 1
    return found


def _bounded(differences: list[Difference]) -> tuple[Difference, ...]:
    """Details of the first differences only, origins before others: a comparison of many files
    stays small.
    """
    found = list(differences)
    order = sorted(range(len(found)), key=lambda i: (not found[i].decides, not found[i].origin, i))
    pictured = 0
    for rank, index in enumerate(order):
        d = found[index]
        pictured += bool(d.pictures)
        if rank >= _DETAILED and (d.excerpts or d.pictures):
            found[index] = msgspec.structs.replace(d, excerpts=(), pictures=())
        elif d.pictures and pictured > _PICTURED:
            found[index] = msgspec.structs.replace(d, pictures=())
    return tuple(found)
