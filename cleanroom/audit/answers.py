"""The questions that a reviewer of profiles asks, answered for one repository. Pure."""

from collections.abc import Sequence

from cleanroom.findings.codes import codes
from cleanroom.values.audit import Answer, Audit, Decided, Finding
from cleanroom.values.run import Evidence
from cleanroom.wording import named


def answer(audit: Audit, runs: Sequence[Evidence]) -> tuple[Answer, ...]:
    """Every question, in the order in which a review goes; `good` is None where the evidence does
    not tell.
    """
    return (
        _reads(runs),
        _meaning(audit),
        _open(audit),
        _plans(audit, runs),
        _recovery(audit),
        _staging(audit),
        _code(audit),
    )


def _say(question: str, answer: str, good: bool | None) -> Answer:
    return Answer(question=question, answer=answer, good=good)


def _reads(runs: Sequence[Evidence]) -> Answer:
    question = "Does every profile load, as it is, in this Snakemake?"
    broken = [run.label for run in runs if run.plan is None]
    replaced = [run.label for run in runs if run.replaced]
    if broken:
        return _say(question, f"No: there is no plan under {', '.join(broken)}.", False)
    if replaced:
        return _say(
            question,
            f"Not as it is: the room replaced settings of {', '.join(replaced)} by local "
            "execution.",
            None,
        )
    return _say(question, "Yes.", True)


def _meaning(audit: Audit) -> Answer:
    question = "Does a profile setting change what the workflow means?"
    found = [f for f in audit.findings if f.code == "CR-016"]
    if not found:
        return _say(question, "No setting does, as far as a plan shows.", True)
    return _say(
        question,
        "Yes: " + ", ".join(dict.fromkeys(f"'{f.key}' in {f.profile}" for f in found)) + ".",
        not any(f.counts for f in found),
    )


def _open(audit: Audit) -> Answer:
    question = "Which settings may reach a result where no plan shows it?"
    found = [s for s in audit.settings if s.decided is Decided.OPEN]
    if not found:
        return _say(question, "None is left open.", True)
    rules = sorted({rule for s in found for rule in s.rules})
    keys = ", ".join(dict.fromkeys(f"'{s.key}'" for s in found))
    return _say(
        question, f"{keys}{f', by {named(rules)}' if rules else ''}. Only a run can tell.", None
    )


def _plans(audit: Audit, runs: Sequence[Evidence]) -> Answer:
    question = "Do all profiles plan the same work?"
    drifting = [p.profile for p in audit.plans if p.drifts]
    caveat = next((f" {p.caveat}" for p in audit.plans if p.caveat), "")
    if len(audit.plans) < len(runs) or not audit.plans:
        return _say(question, "It is not known: a profile has no plan.", None)
    if drifting:
        verb = "differs" if len(drifting) == 1 else "differ"
        return _say(
            question, f"No: {', '.join(drifting)} {verb} from {audit.baseline}.{caveat}", False
        )
    if len(audit.plans) < 2:
        return _say(
            question, f"There is one profile only, with {audit.plans[0].jobs} jobs.{caveat}", None
        )
    return _say(
        question, f"Yes: the same {audit.plans[0].jobs} jobs.{caveat}", None if caveat else True
    )


def _by_code(audit: Audit, codes: set[str]) -> list[Finding]:
    return [f for f in audit.findings if f.code in codes]


def _listed(question: str, found: list[Finding], none: str) -> Answer:
    """The titles of findings with where they are; only an error that counts is a plain no."""
    if not found:
        return _say(question, none, True)
    places: dict[str, dict[str, None]] = {}
    for f in found:
        places.setdefault(codes()[f.code].title, {})[f.profile or f.file] = None
    text = "; ".join(f"{title} ({', '.join(list(where)[:4])})" for title, where in places.items())
    if any(f.counts for f in found):
        return _say(question, f"{_cap(text)}.", False)
    return _say(
        question, f"{_cap(text)}{'; accepted' if all(f.accepted for f in found) else ''}.", None
    )


def _cap(text: str) -> str:
    return text[:1].upper() + text[1:]


def _recovery(audit: Audit) -> Answer:
    found = _by_code(audit, {"CR-010", "CR-024", "CR-025", "CR-028"})
    return _listed(
        "Can a failure pass for a result?",
        found,
        "No setting keeps partial results or hides failures.",
    )


def _staging(audit: Audit) -> Answer:
    found = _by_code(audit, {"CR-029", "CR-030", "CR-031", "CR-032"})
    return _listed(
        "Do files come to jobs the same way everywhere?",
        found,
        "No profile moves files another way.",
    )


def _code(audit: Audit) -> Answer:
    found = _by_code(audit, {"CR-033", "CR-034"})
    return _listed(
        "Does code read context that no profile shows?",
        found,
        "No line of the kinds that are looked for.",
    )
