"""Changed settings of one profile between two commits. Pure. Not here: what the code changed."""

from collections.abc import Iterator

from cleanroom.audit.decide import audit_settings
from cleanroom.profiles.table import look_up
from cleanroom.review.claims import claim_of
from cleanroom.review.routes import Routes
from cleanroom.values.audit import AuditedSetting, Decided
from cleanroom.values.base import canonical
from cleanroom.values.comparison import PlanDifference
from cleanroom.values.review import Drift, Pair, ReviewChange
from cleanroom.values.setup import SettingClass


def setting_changes(
    pair: Pair, through_profile: tuple[PlanDifference, ...] | None, routes: Routes
) -> Iterator[ReviewChange]:
    """Every setting that was added, removed or changed; `through_profile` is what these changes do
    to the plan, None if unknown.
    """
    before = {s.key: s for s in audit_settings(pair.base)} if pair.base else {}
    after = {s.key: s for s in audit_settings(pair.head)} if pair.head else {}
    for key in sorted(before.keys() | after.keys()):
        left, right = before.get(key), after.get(key)
        if left and right and canonical(left.value) == canonical(right.value):
            continue
        yield _change(pair.profile, key, left, right, through_profile, routes)


def _change(
    profile: str,
    key: str,
    left: AuditedSetting | None,
    right: AuditedSetting | None,
    through_profile: tuple[PlanDifference, ...] | None,
    routes: Routes,
) -> ReviewChange:
    here = right or left
    assert here is not None
    option = look_up(key)
    drift, why = _drift(left, right, through_profile)
    meaning = drift in (Drift.SEMANTIC, Drift.UNKNOWN)
    decided = {s.decided for s in (left, right) if s}
    question, proof = routes.of_setting(key, profile, drift, decided, here.rules)
    values = left.value if left else None, right.value if right else None
    claim = claim_of(
        key,
        option.evidence if option else "",
        *values,
        meaning=meaning,
        settled=decided == {Decided.POLICY},
    )
    topic = (option.topic if option else "") or "setting"
    return ReviewChange(
        topic=topic,
        name=key,
        drift=drift,
        before=_value(left),
        after=_value(right),
        why=why,
        claim=claim,
        question=question,
        proof=proof,
        profiles=(profile,),
        file=here.file,
        line=here.line,
    )


def _drift(
    left: AuditedSetting | None,
    right: AuditedSetting | None,
    through_profile: tuple[PlanDifference, ...] | None,
) -> tuple[Drift, str]:
    """Evidence first: what the change did to the plan of the head's code; then what the setting is
    by itself.
    """
    here = right or left
    assert here is not None
    decided = {s.decided for s in (left, right) if s}
    deciding = [d for d in through_profile or () if d.decides]
    if Decided.ACTION in decided:
        return Drift.SEMANTIC, here.why
    if Decided.MEANING in decided:
        one = next(s for s in (right, left) if s and s.decided is Decided.MEANING)
        if through_profile is None and one.setting_class is not SettingClass.MEANING:
            return Drift.UNKNOWN, f"{one.why} The plans could not be compared."
        shown = f" With it, {_fields(deciding)} changed." if deciding else ""
        return Drift.SEMANTIC, one.why + shown
    if here.setting_class is None:
        return Drift.UNKNOWN, "The table of settings does not know it."
    if (
        here.setting_class is SettingClass.CONDITIONAL
        and through_profile is None
        and Decided.OPEN in decided
    ):
        return Drift.UNKNOWN, f"{here.why} The plans could not be compared."
    return Drift.POLICY, here.why


def _fields(deciding: list[PlanDifference]) -> str:
    names = list(dict.fromkeys(f"{d.field} of {d.rule}" if d.rule else d.field for d in deciding))
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _value(setting: AuditedSetting | None) -> str:
    if setting is None:
        return "(not set)"
    return setting.value if isinstance(setting.value, str) else canonical(setting.value).decode()
