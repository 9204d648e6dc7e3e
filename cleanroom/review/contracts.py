"""Changed contracts of rules, publish paths and recovery of rules between two commits. Pure.
Not here: settings.
"""

from collections.abc import Iterator, Sequence

from cleanroom.compare.plans import compare_plans, plans_of_one_seed
from cleanroom.review.routes import Routes
from cleanroom.values.comparison import PlanDifference
from cleanroom.values.plan import Plan, Rule
from cleanroom.values.review import Drift, Pair, ReviewChange
from cleanroom.values.run import Evidence
from cleanroom.wording import listed

_MOST_TEXT = 200


def plan_change(left: Evidence | None, right: Evidence | None) -> tuple[PlanDifference, ...] | None:
    """What differs between two plans; None where one is missing."""
    if left is None or right is None or left.plan is None or right.plan is None:
        return None
    return compare_plans(*plans_of_one_seed(left, right))


def contract_changes(pairs: Sequence[Pair], routes: Routes) -> Iterator[ReviewChange]:
    """What code and configuration changed, under unchanged profiles: declared.
    The same change under several profiles once.
    """
    found: dict[tuple[str, str, str, str], ReviewChange] = {}
    for pair in pairs:
        for change in _of_pair(pair, routes):
            key = change.topic, change.name, change.before, change.after
            seen = found.get(key)
            profiles = (*seen.profiles, pair.profile) if seen else (pair.profile,)
            found[key] = ReviewChange(
                **{
                    **{f: getattr(change, f) for f in change.__struct_fields__},
                    "profiles": profiles,
                }
            )
    yield from found.values()


def _of_pair(pair: Pair, routes: Routes) -> Iterator[ReviewChange]:
    differences = plan_change(pair.base, pair.between)
    if differences is None or pair.base is None or pair.between is None:
        return
    left, right = pair.base.plan, pair.between.plan
    assert left is not None and right is not None
    yield from _published(left, right, routes)
    by_rule: dict[str, list[PlanDifference]] = {}
    for difference in differences:
        if difference.decides:
            by_rule.setdefault(difference.rule, []).append(difference)
    for rule, found in sorted(by_rule.items()):
        yield _contract(rule, found, right, routes)
    for name in sorted(left.rules.keys() & right.rules.keys()):
        yield from _policy(name, left.rules[name], right.rules[name], routes)


def _contract(rule: str, found: list[PlanDifference], plan: Plan, routes: Routes) -> ReviewChange:
    fields = list(dict.fromkeys(d.field for d in found))
    best = next(
        (d for field in ("code", "params", "input", "command") for d in found if d.field == field),
        found[0],
    )
    place = plan.rules.get(rule, Rule())
    configuration = not rule
    question, proof = routes.of_rule(rule)
    if configuration:
        question, proof = (
            "Is the new configuration intended, and do all profiles agree on it?",
            routes.confirm(),
        )
    return ReviewChange(
        topic="configuration" if configuration else "rule",
        name=", ".join(fields) if configuration else rule,
        drift=Drift.DECLARED,
        before=_short(best.left),
        after=_short(best.right),
        why=f"The commit changes {listed(fields)}{'' if configuration else f' of rule {rule}'}.",
        claim="to be shown again: all profiles leave the same results",
        question=question,
        proof=proof,
        file=place.file,
        line=place.line,
    )


def _published(left: Plan, right: Plan, routes: Routes) -> Iterator[ReviewChange]:
    gone, new = (
        sorted(set(left.targets) - set(right.targets)),
        sorted(set(right.targets) - set(left.targets)),
    )
    if not gone and not new:
        return
    claim = (
        "weaker: every result that was published still is"
        if gone
        else "stronger: more results are published"
    )
    yield ReviewChange(
        topic="publish path",
        name="targets",
        drift=Drift.DECLARED,
        before=_paths(gone),
        after=_paths(new),
        why=f"The commit publishes {len(new)} new and {len(gone)} fewer paths.",
        claim=claim,
        question="Does anybody read the paths that are gone?"
        if gone
        else "Who reads the new paths?",
        proof=routes.confirm(),
    )


def _policy(name: str, left: Rule, right: Rule, routes: Routes) -> Iterator[ReviewChange]:
    """What a rule itself says of recovery and staging; no meaning, but a claim."""
    for topic, field, claim in (
        ("recovery", "retries", "a job that ended well needed no second attempt"),
        ("staging", "shadow", "jobs touch only what they declare"),
        ("recovery", "logs", "what a failed job printed is kept"),
    ):
        values = getattr(left, field), getattr(right, field)
        declared = field != "retries" or left.declares_retries or right.declares_retries
        if values[0] != values[1] and declared:
            more = bool(values[1]) if field != "retries" else (values[1] or 0) > (values[0] or 0)
            stronger = more if field != "retries" else not more
            yield ReviewChange(
                topic=topic,
                name=f"{field} of rule {name}",
                drift=Drift.POLICY,
                before=str(values[0]),
                after=str(values[1]),
                why=f"The commit changes {field} of rule {name}.",
                claim=f"{'stronger' if stronger else 'weaker'}: {claim}",
                question=f"Is rule {name} allowed to fail?"
                if field == "retries"
                else f"Is it meant for rule {name}?",
                proof=routes.confirm() if field == "shadow" else "",
                file=right.file,
                line=right.line,
            )


def _paths(paths: list[str]) -> str:
    return (
        _short(", ".join(paths[:5]) + (f" and {len(paths) - 5} more" if len(paths) > 5 else ""))
        or "–"
    )


def _short(text: str) -> str:
    return text if len(text) <= _MOST_TEXT else text[: _MOST_TEXT - 1] + "…"
