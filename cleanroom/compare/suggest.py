"""The narrowest equivalences that would cover what a control showed, each tried before it is said.
Not here: whether to accept them.
"""

import datetime
import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import yaml

from cleanroom.compare.artifacts import ComparisonContext
from cleanroom.compare.bundles import BUNDLE
from cleanroom.compare.difference_kinds import STAMPS
from cleanroom.compare.equivalences import meets, over_wide
from cleanroom.compare.formats.registry import Question
from cleanroom.compare.paths import literally
from cleanroom.values.base import Value
from cleanroom.values.comparison import Comparison, Difference, Sameness, with_labels
from cleanroom.values.declared import CompareOptions, Equivalence
from cleanroom.values.run import Evidence

_DAYS = 180
_NONE = CompareOptions()
_OF_A_RUN = re.compile(
    r"(?:^|[^a-z])(?:time|date|stamp|created|made|seconds?|elapsed|duration|runtime|clock|uptime|"
    r"host|user|node|pid|uuid|seed|version|command|cwd|memory|rss)",
    re.I,
)
"""Names of columns and fields that tell of a run, whatever stands there."""
_VALUES = (
    "what differs are values, not stamps of a run, so no column or field is offered to be ignored; "
    "where they are random, give their generator a seed"
)
_NO_FOLD = 2**31
"""A long text stays in its line: the rest of a folded one could begin with `::`, which CI systems
obey.
"""
_COMMAND = re.compile(r"##(?=\w*\[)")
"""What CI systems obey anywhere in a line; written with an escape, it stands in double quotes or in
a comment.
"""


class Suggestion(Value, frozen=True):
    """Files of one kind, the comparator and options under which they would be the same in every
    comparison that was seen.
    """

    comparator: str
    options: CompareOptions
    paths: tuple[str, ...]
    rule: str = ""
    """Set where these are all files that a rule left."""


class Uncovered(Value, frozen=True):
    """A file for which no narrow equivalence is known, and why."""

    path: str
    why: str


def suggest(
    comparisons: Sequence[Comparison], ground: ComparisonContext, baseline: Evidence
) -> tuple[tuple[Suggestion, ...], tuple[Uncovered, ...]]:
    """(what would cover the differences of these comparisons that decide, what nothing narrow
    covers).
    """
    by_path: dict[str, list[Difference]] = {}
    for comparison in comparisons:
        for d in comparison.artifacts:
            if d.decides:
                by_path.setdefault(d.path, []).append(d)
    covered: dict[tuple[str, str], dict[str, None]] = {}
    rules: dict[str, CompareOptions] = {}
    uncovered = []
    for path, differences in sorted(by_path.items()):
        found, why = _narrowest(differences, ground)
        if found is None:
            uncovered.append(Uncovered(path=path, why=why))
            continue
        key = found.comparator, msgspec.json.encode(found.options).decode()
        rules[key[1]] = found.options
        covered.setdefault(key, {})[found.paths[0]] = None
    suggestions = [
        Suggestion(
            comparator=comparator,
            options=rules[options],
            paths=tuple(paths),
            rule=_rule(tuple(paths), baseline),
        )
        for (comparator, options), paths in covered.items()
    ]
    return tuple(suggestions), tuple(uncovered)


def _narrowest(
    differences: Sequence[Difference], ground: ComparisonContext
) -> tuple[Suggestion | None, str]:
    """What covers one file in all comparisons, or why nothing does."""
    first = differences[0]
    if any(d.in_one for d in differences):
        return None, f"{first.note}; no equivalence makes a missing file pass"
    if not all(
        ground.locate(sha256).is_file()
        for d in differences
        for sha256 in (d.left_sha256, d.right_sha256)
    ):
        return None, "its content is no longer kept"
    if first.bundle:
        if all(d.sameness is Sameness.CANONICAL for d in differences):
            return Suggestion(comparator=BUNDLE, options=_NONE, paths=(first.bundle,)), ""
        return None, first.note
    name = first.comparator.rpartition(" > ")[2].partition("/")[0]
    asked = [d.suggestion if d.sameness is Sameness.DIFFERENT else _NONE for d in differences]
    if not name or any(rules is None for rules in asked):
        return None, first.note
    options = _merged([rules for rules in asked if rules is not None])
    if not all(_only_stamps(d, options.ignore) for d in differences):
        return None, f"{first.note}; {_VALUES}"
    tried = Equivalence(
        comparator=name,
        reason="",
        owner="",
        expires=ground.today,
        paths=(first.path,),
        options=options,
    )
    if why := over_wide(tried):
        return None, why
    questions = [
        Question(
            left=str(ground.locate(d.left_sha256)),
            right=str(ground.locate(d.right_sha256)),
            name=d.path.rpartition("/")[2],
            comparator=name,
            rules=options,
        )
        for d in differences
    ]
    for found in ground.examiner.examine(questions):
        if not meets(found):
            said = with_labels(found.note, "the first run", "the second run")
            return None, said if found.compared else "it would leave nothing to compare"
    return Suggestion(comparator=name, options=options, paths=(first.path,)), ""


def _only_stamps(difference: Difference, ignored: Sequence[str]) -> bool:
    """Whether places that would be ignored hold what tells of a run, as far as it shows in what
    differs there or in their names.
    """
    if difference.kinds and STAMPS.issuperset(difference.kinds):
        return True
    return all(_OF_A_RUN.search(place) for place in ignored)


def _merged(all_rules: Iterable[CompareOptions]) -> CompareOptions:
    """Options under which each of several would be covered."""
    found = _NONE
    for rules in all_rules:
        found = CompareOptions(
            ignore=tuple(sorted({*found.ignore, *rules.ignore})),
            mask=tuple(sorted({*found.mask, *rules.mask})),
            order="any" if "any" in (found.order, rules.order) else "kept",
            absolute=max(found.absolute, rules.absolute),
            relative=max(found.relative, rules.relative),
            appearance=found.appearance or rules.appearance,
            delimiter=found.delimiter or rules.delimiter,
        )
    return found


def _rule(paths: Sequence[str], baseline: Evidence) -> str:
    """The rule that left exactly these files, where they are several."""
    made: dict[str, set[str]] = {}
    for artifact in baseline.artifacts:
        if artifact.job >= 0:
            made.setdefault(baseline.attempts[artifact.job].job.rule, set()).add(artifact.path)
    return (
        next((rule for rule, files in made.items() if files == set(paths)), "")
        if len(paths) > 1
        else ""
    )


def as_yaml(
    suggestions: Sequence[Suggestion], uncovered: Sequence[Uncovered], today: datetime.date
) -> str:
    """The part of `cleanroom.yaml`, with reason and owner left blank: as it stands, it is
    refused.
    """
    entries: list[dict[str, Any]] = []
    for s in suggestions:
        where: dict[str, Any] = (
            {"rule": s.rule}
            if s.rule
            else {"paths": [literally(path) + "/**" * (s.comparator == BUNDLE) for path in s.paths]}
        )
        options = {
            name: value
            for name, value in msgspec.to_builtins(s.options).items()
            if value != getattr(_NONE, name) and value
        }
        entries.append(
            where
            | {"comparator": s.comparator}
            | ({"options": options} if options else {})
            | {"reason": "", "owner": "", "expires": today + datetime.timedelta(days=_DAYS)}
        )
    text = (
        yaml.dump(
            {"equivalences": entries},
            Dumper=_Dumper,
            sort_keys=False,
            allow_unicode=True,
            width=_NO_FOLD,
        )
        if entries
        else ""
    )
    for one in uncovered:
        text += f"# not covered: {one.path!r}: {_printable(one.why)}\n"
    return _COMMAND.sub(r"#\\x23", text)


class _Dumper(yaml.SafeDumper):
    """YAML in which a text that would act on a terminal or a CI system is escaped, in double
    quotes.
    """

    def represent_str(self, data: str) -> yaml.ScalarNode:
        acts = not data.isprintable() or _COMMAND.search(data)
        return self.represent_scalar("tag:yaml.org,2002:str", data, style='"' if acts else None)

    def write_double_quoted(self, text: str, split: bool = True) -> None:
        allowed, self.allow_unicode = self.allow_unicode, text.isprintable()
        super().write_double_quoted(text, split)
        self.allow_unicode = allowed


_Dumper.add_representer(str, _Dumper.represent_str)


def _printable(text: str) -> str:
    """One line of text that acts on no terminal."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in " ".join(text.split()))
