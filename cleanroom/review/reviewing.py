"""The whole review, from evidence alone: changes, what each is, and the outcome.
Pure; tested as a table.
"""

import re
from collections.abc import Iterator, Sequence

import msgspec

from cleanroom.errors import ExitCode
from cleanroom.review.contracts import contract_changes, plan_change
from cleanroom.review.routes import Routes
from cleanroom.review.setting_changes import setting_changes
from cleanroom.values.base import canonical
from cleanroom.values.comparison import PlanDifference
from cleanroom.values.review import Drift, History, Pair, ReviewChange, ReviewOutcome
from cleanroom.values.run import Evidence, RunStatus
from cleanroom.wording import counted

_PROOF_FILES = re.compile(
    r"cleanroom\.ya?ml|Makefile|\.github/workflows/.+|\.gitlab-ci\.yml|\.ci/.+|\.travis\.yml|Jenkinsfile|azure-pipelines\.yml|\.?tests?/.+"
)
_FAULT = re.compile(r"\w+(?:Error|Exception)\b.*")
_ORDER = list(Drift)


def review(pairs: Sequence[Pair], history: History, routes: Routes) -> tuple[ReviewChange, ...]:
    """Every change, semantic drift first. What the commit declares counts as declared."""
    found = [
        *(c for pair in pairs for c in _of_profile(pair, _reference(pairs), routes)),
        *contract_changes(pairs, routes),
        *_proof_routes(history, routes),
    ]
    if history.declared:
        reason = f" The commit declares it: {'; '.join(history.declared)}."
        found = [
            msgspec.structs.replace(c, drift=Drift.DECLARED, why=c.why + reason)
            if c.drift is Drift.SEMANTIC
            else c
            for c in found
        ]
    return tuple(sorted(_merged(found), key=lambda c: (_ORDER.index(c.drift), c.topic, c.name)))


def _merged(changes: Sequence[ReviewChange]) -> list[ReviewChange]:
    """The same change in several profiles once."""
    found: dict[tuple[str, ...], ReviewChange] = {}
    for change in changes:
        key = change.topic, change.name, change.drift.value, change.before, change.after, change.why
        if key in found:
            change = msgspec.structs.replace(
                found[key], profiles=tuple(dict.fromkeys((*found[key].profiles, *change.profiles)))
            )
        found[key] = change
    return list(found.values())


def _reference(pairs: Sequence[Pair]) -> Evidence | None:
    """The head under the first profile that both commits have: what a new profile is measured
    by.
    """
    return next(
        (
            p.head
            for p in pairs
            if p.base is not None and p.head is not None and p.head.plan is not None
        ),
        None,
    )


def _of_profile(pair: Pair, reference: Evidence | None, routes: Routes) -> Iterator[ReviewChange]:
    if pair.base is None and pair.head is not None:
        claim = "stronger: one profile more is checked"
        yield _profile(
            pair.profile, "(absent)", "added", claim, routes.confirm(routes.baseline, pair.profile)
        )
    if pair.head is None:
        yield _profile(pair.profile, "there", "removed", "weaker: one profile fewer is checked", "")
        return
    if pair.base is None:
        # Without a reference there is nothing that it could mean something else than; its own plan
        # says what its settings are.
        through_profile = plan_change(reference, pair.head) or (
            () if pair.head.plan is not None else None
        )
        changes = list(_of_new(pair, reference, through_profile, routes))
    else:
        through_profile = plan_change(pair.between, pair.head)
        changes = list(setting_changes(pair, through_profile, routes))
    yield from changes
    deciding = [d for d in through_profile or () if d.decides]
    if deciding and not any(c.drift is Drift.SEMANTIC for c in changes):
        first = deciding[0]
        under = "the new profile files" if pair.base else "the new profile"
        fields = f"{counted(len(deciding), 'deciding field')} differ{'s' * (len(deciding) == 1)}"
        yield ReviewChange(
            topic="plan",
            name=f"{first.field} of {first.job}",
            drift=Drift.SEMANTIC,
            before=first.left,
            after=first.right,
            why=f"The same code plans other work under {under}: {fields}.",
            claim="weaker: every profile has the same meaning",
            question="Which line of the profile does it, and why is it not in the workflow?",
            proof=routes.audit(pair.profile),
            profiles=(pair.profile,),
        )


def _of_new(
    pair: Pair,
    reference: Evidence | None,
    through_profile: tuple[PlanDifference, ...] | None,
    routes: Routes,
) -> Iterator[ReviewChange]:
    """Of a profile that is new, only what is not plain policy and not in force under the reference
    too.
    """
    shared = {s.key: canonical(s.value) for s in reference.settings} if reference else {}
    here = {s.key: canonical(s.value) for s in pair.head.settings} if pair.head else {}
    for change in setting_changes(pair, through_profile, routes):
        if change.drift in (Drift.SEMANTIC, Drift.UNKNOWN) and shared.get(change.name) != here.get(
            change.name
        ):
            yield change


def _profile(name: str, before: str, after: str, claim: str, proof: str) -> ReviewChange:
    question = (
        "Does it mean the same as the others?"
        if after == "added"
        else "Does nobody run under it any more?"
    )
    return ReviewChange(
        topic="profile",
        name=name,
        drift=Drift.POLICY,
        before=before,
        after=after,
        why=f"The profile was {after}.",
        claim=claim,
        question=question,
        proof=proof,
        profiles=(name,),
    )


def _proof_routes(history: History, routes: Routes) -> Iterator[ReviewChange]:
    words = {"A": ("(absent)", "added"), "D": ("there", "removed")}
    for path, how in sorted(history.changed.items()):
        if not _PROOF_FILES.fullmatch(path):
            continue
        before, after = words.get(how, ("as before", "changed"))
        claim = (
            "weaker: what was proven still is"
            if how == "D"
            else "to be shown again: the checks prove what they did"
        )
        yield ReviewChange(
            topic="proof route",
            name=path,
            drift=Drift.POLICY,
            before=before,
            after=after,
            why=f"{path} was {after}.",
            claim=claim,
            question="Does it still check what it checked before?",
            proof=routes.confirm(),
            file=path,
        )


def judge_review(
    pairs: Sequence[Pair], changes: Sequence[ReviewChange]
) -> tuple[ReviewOutcome, int, tuple[str, ...]]:
    """The outcome, its exit code and the reasons; of the outcomes the first that fits, FAILED where
    the head cannot be planned.
    """
    drift = [
        f"{', '.join(c.profiles)}: '{c.name}' {c.before} → {c.after}. {c.why}"
        for c in changes
        if c.drift is Drift.SEMANTIC
    ]
    if drift:
        return ReviewOutcome.SEMANTIC_DRIFT, int(ExitCode.DRIFTED), tuple(drift)
    failed = [
        f"{_said(p.head)} at the head"
        for p in pairs
        if p.head and p.head.status is RunStatus.FAILED
    ]
    if failed:
        return ReviewOutcome.FAILED, int(ExitCode.FAILED), tuple(dict.fromkeys(failed))
    unknown = [
        f"{', '.join(c.profiles)}: '{c.name}'. {c.why}" for c in changes if c.drift is Drift.UNKNOWN
    ]
    unknown += [f"{_said(p.head)} at the head" for p in pairs if p.head and p.head.plan is None]
    if unknown:
        return ReviewOutcome.INCONCLUSIVE, int(ExitCode.INCONCLUSIVE), tuple(dict.fromkeys(unknown))
    for outcome, drift_kind in (
        (ReviewOutcome.DECLARED, Drift.DECLARED),
        (ReviewOutcome.POLICY_DRIFT, Drift.POLICY),
    ):
        count = sum(c.drift is drift_kind for c in changes)
        if count:
            text = f"{counted(count, drift_kind)}; no meaning changed through a profile undeclared."
            return outcome, int(ExitCode.HELD), (text,)
    return (
        ReviewOutcome.UNCHANGED,
        int(ExitCode.HELD),
        ("No setting, no contract, no publish path and no proof route changed.",),
    )


def notes_of(pairs: Sequence[Pair], history: History) -> tuple[str, ...]:
    """What a reader must know to weigh the outcome."""
    notes = []
    if not history.ancestor:
        notes.append(
            "The base is no ancestor of the head: what only the base's branch holds shows as "
            "removed here."
        )
    for pair in pairs:
        if pair.base is not None and pair.base.plan is None:
            notes.append(
                f"{pair.profile}: there is no plan at the base ({_said(pair.base)}); its code "
                "was not compared, its settings were."
            )
        if pair.head is not None and pair.head.plan is None:
            notes.append(
                f"{pair.profile}: there is no plan at the head ({_said(pair.head)}); its "
                "settings were compared all the same."
            )
    return tuple(notes)


def _said(run: Evidence | None) -> str:
    """The line of a failure that names the fault."""
    lines = [line.strip() for line in (run.why if run else "").splitlines() if line.strip()]
    fault = next((line for line in lines if _FAULT.match(line)), lines[-1] if lines else "")
    return f"{run.label if run else ''}: {fault[:300]}"
