"""Declared equivalences: which one is asked of a file, whether it may be, and what became of each.
Pure. Not here: comparing.
"""

import datetime
import re
from collections.abc import Iterator, Sequence

from cleanroom.compare.formats.interface import Found
from cleanroom.compare.formats.registry import EXISTENCE, comparators
from cleanroom.compare.masks import too_wide
from cleanroom.compare.paths import matches
from cleanroom.errors import UsageError
from cleanroom.findings.codes import finding
from cleanroom.values.audit import Finding
from cleanroom.values.comparison import Comparison, Difference, Sameness
from cleanroom.values.declared import CompareOptions, Declared, Equivalence, PlanEquivalence

_MOST_ABSOLUTE = 1e30
"""No measured number is larger, and what would pass every number has no bound."""
_MOST_RELATIVE = 0.5
"""A relative tolerance of one half takes a number for its double; beyond it, nearly any number of
the same sign passes.
"""
COVERED = (Sameness.CANONICAL, Sameness.TOLERANCE, Sameness.EXISTENCE)


class Equivalences:
    """Those of a commit that are in force on a day."""

    def __init__(self, declared: Declared, today: datetime.date) -> None:
        self._all = declared.equivalences
        self._in_force = [
            i for i, e in enumerate(self._all) if e.expires >= today and not over_wide(e)
        ]

    def index(self, path: str, rule: str) -> int:
        """The first one in force that is about this file, or -1."""
        for index in self._in_force:
            equivalence = self._all[index]
            if (equivalence.rule and equivalence.rule == rule) or any(
                matches(path, p) for p in equivalence.paths
            ):
                return index
        return -1

    def __getitem__(self, index: int) -> Equivalence:
        return self._all[index]


def over_wide(equivalence: Equivalence) -> str:
    """Why an equivalence would accept any content, or nothing."""
    options = equivalence.options
    if equivalence.comparator == EXISTENCE and any(
        not _names_files(pattern) for pattern in equivalence.paths
    ):
        return "existence only for a pattern that names no files, such as all of a folder"
    if why := next(filter(None, map(too_wide, options.mask)), ""):
        return why
    if any(
        not pointer.strip("/") or set(pointer.strip("/").split("/")) <= {"*", "**"}
        for pointer in options.ignore
    ):
        return "it leaves out every key"
    if not options.absolute < _MOST_ABSOLUTE or not options.relative <= _MOST_RELATIVE:
        return f"its tolerance has no bound, or a relative one of more than {_MOST_RELATIVE}"
    return ""


def _names_files(pattern: str) -> bool:
    """Whether the last part of a pattern says more than that there is a file, or one of a kind in
    any folder.
    """
    *folders, last = pattern.rstrip("/").split("/") if not pattern.endswith("/") else [pattern, ""]
    named = re.search(r"[\w-]", re.sub(r"\.\w+$", "", last))
    return bool(named or (re.search(r"\w", last) and re.search(r"[\w-]", "/".join(folders))))


def meets(found: Found) -> bool:
    """Whether what a comparator found is the same under what was declared, and something was left
    to compare.
    """
    return found.sameness in COVERED and found.compared != 0


def covers(d: Difference) -> bool:
    """Whether an equivalence accepts a difference."""
    return d.equivalence >= 0 and not d.decides and d.sameness in COVERED


def _may_be_of_stamps(equivalence: Equivalence) -> bool:
    options = equivalence.options
    return bool(options.mask or options.ignore or equivalence.comparator == EXISTENCE)


def _check_answered(what: str, declared: Equivalence | PlanEquivalence) -> None:
    """Raises: UsageError where nobody answers for it."""
    if not declared.reason.strip() or not declared.owner.strip():
        raise UsageError(f"{what} has no reason or no owner.", "Say why, and who answers for it.")


def check_equivalences(declared: Declared, where: str) -> None:
    """Refuse what cannot work. Raises: UsageError."""
    for one in declared.plan:
        _check_answered(f"{where}: plan: {one.label}", one)
    for equivalence in declared.equivalences:
        what = f"{where}: equivalences: {equivalence.label}"
        if not equivalence.paths and not equivalence.rule:
            raise UsageError(
                f"{what}: no path and no rule is named.", "Say which files it is about."
            )
        _check_answered(what, equivalence)
        names = [*comparators(), EXISTENCE]
        if equivalence.comparator not in names:
            raise UsageError(
                f"{what}: there is no comparator '{equivalence.comparator}'.",
                f"There are: {', '.join(sorted(names))}.",
            )
        heeded = (
            comparators()[equivalence.comparator].options
            if equivalence.comparator != EXISTENCE
            else frozenset()
        )
        for name in CompareOptions.__struct_fields__:
            if (
                getattr(equivalence.options, name) != getattr(CompareOptions(), name)
                and name not in heeded
            ):
                takes = f"It heeds: {', '.join(sorted(heeded))}." if heeded else "It has none."
                raise UsageError(
                    f"{what}: the comparator '{equivalence.comparator}' has no option '{name}'.",
                    takes,
                )
        for mask in equivalence.options.mask:
            try:
                re.compile(mask)
            except (re.error, RecursionError, OverflowError) as error:
                raise UsageError(
                    f"{what}: the mask {mask!r} is no regular expression ({error}).", "Fix it."
                ) from None


def equivalence_findings(
    declared: Declared,
    comparisons: Sequence[Comparison],
    today: datetime.date,
    file: str,
    clocks: bool = True,
) -> Iterator[Finding]:
    """What is expired, over-wide or unused; `comparisons` are empty where nothing was compared, and
    then nothing is unused.

    `clocks`: whether a run had another clock. Where none had, a stamp may agree by luck, and what
    would leave one out is not called unused.
    """
    used = {d.equivalence for c in comparisons for d in c.artifacts if d.equivalence >= 0}
    empty = {
        d.equivalence for c in comparisons for d in c.artifacts if d.equivalence >= 0 and d.emptied
    }
    seen = {(d.rule, d.kind) for c in comparisons for d in c.plan}
    for one in declared.plan:
        about = f"{one.label}, owner {one.owner}"
        if one.expires < today:
            text = f"{about}, on {one.expires.isoformat()}"
            yield finding("CR-041", text, file=file, key=one.field)
        elif comparisons and (one.rule, one.field) not in seen:
            yield finding("CR-043", about, file=file, key=one.field)
    for index, equivalence in enumerate(declared.equivalences):
        about = f"{equivalence.label}, owner {equivalence.owner}"
        if equivalence.expires < today:
            yield finding(
                "CR-041",
                f"{about}, on {equivalence.expires.isoformat()}",
                file=file,
                key=equivalence.comparator,
            )
        elif why := over_wide(equivalence) or (
            "nothing is left to compare" if index in empty else ""
        ):
            yield finding("CR-042", f"{about}: {why}", file=file, key=equivalence.comparator)
        elif comparisons and index not in used and (clocks or not _may_be_of_stamps(equivalence)):
            yield finding("CR-043", about, file=file, key=equivalence.comparator)
        elif equivalence.comparator == EXISTENCE and index in used:
            yield finding("CR-044", about, file=file, key=equivalence.comparator)
