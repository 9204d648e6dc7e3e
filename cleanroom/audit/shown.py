"""What one run's evidence shows of its settings, ready to be asked; and the words in which
decisions are said. Pure.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from cleanroom.values.audit import Decided
from cleanroom.values.base import Value
from cleanroom.values.plan import Effect, Rule
from cleanroom.values.run import Evidence
from cleanroom.values.setup import Setting
from cleanroom.wording import named

NO_EFFECT = "no plan without it could be made"


class Decision(Value, frozen=True):
    decided: Decided
    why: str
    rules: tuple[str, ...] = ()
    silent: bool = False
    """Whether today's plan is the same without the setting."""
    planned: bool = False
    """Whether all that it changes shows in the plan."""


def policy(why: str) -> Decision:
    return Decision(decided=Decided.POLICY, why=why)


def is_open(why: str, rules: Iterable[str] = ()) -> Decision:
    return Decision(decided=Decided.OPEN, why=why, rules=tuple(rules))


def meaning(
    why: str, rules: Iterable[str] = (), *, silent: bool = False, planned: bool = False
) -> Decision:
    return Decision(
        decided=Decided.MEANING, why=why, rules=tuple(rules), silent=silent, planned=planned
    )


def truthy(value: Any) -> bool:
    """Whether a value of a profile switches something on, as Snakemake's parser writes it."""
    return value not in (
        None,
        [],
        {},
        "",
        "False",
        "false",
        "0",
        "no",
        "off",
        "None",
        "none",
        False,
        0,
    )


def they(rules: Iterable[str], verb: str) -> str:
    """`Rule a reads` or `Rules a and b read`."""
    names = list(rules)
    verbs = {"have": "has"}
    return f"{cap(named(names))} {verbs.get(verb, verb + 's') if len(names) == 1 else verb}"


def cap(text: str) -> str:
    """A sentence's beginning; names within keep their case."""
    return text[:1].upper() + text[1:]


class View:
    """What one run's evidence shows, ready to be asked."""

    def __init__(self, run: Evidence) -> None:
        self.run = run
        plan = run.plan
        planned = {job.rule for job in plan.jobs if job.needed} if plan else set()
        every = plan is not None and any(rule.checkpoint for rule in plan.rules.values())
        self.rules: dict[str, Rule] = (
            {n: r for n, r in sorted(plan.rules.items()) if every or n in planned} if plan else {}
        )
        self.targets = set(plan.targets) if plan else set()
        self.settings = {s.key: s.value for s in run.settings}

    def readers(self, *words: str, among: Iterable[str] | None = None) -> dict[str, str]:
        """{rule: where} of the rules that read one of these; a whole `resources` counts for each of
        its names.
        """
        found = {}
        for name, rule in self.rules.items():
            if among is not None and name not in among:
                continue
            places = [
                p
                for word, where in rule.reads.items()
                for p in where
                if word in words or _holds(words, word)
            ]
            if places:
                found[name] = " and ".join(sorted(set(places)))
        return found

    def unread(self, among: Iterable[str] | None = None) -> list[str]:
        """Rules whose code lies where nobody read it: a wrapper, a remote script."""
        return [
            n
            for n, r in self.rules.items()
            if "unread" in r.reads and (among is None or n in among)
        ]

    def effect(self, key: str) -> Effect | None:
        """The plan without this setting and as few others as there is one."""
        return min(
            (e for e in self.run.effects if key in e.keys), key=lambda e: len(e.keys), default=None
        )

    def changed(self, key: str, field: str) -> list[str]:
        """Rules in which a field is another one without the setting."""
        effect = self.effect(key)
        return sorted({c.rule for c in effect.changes if c.field == field}) if effect else []

    def loud(self, key: str) -> Decision | None:
        """The decision where the plan itself shows a change of meaning, or cannot be made without
        the setting.
        """
        effect = self.effect(key)
        if effect is None:
            return None
        others = [f"'{other}'" for other in effect.keys if other != key]
        without = f"Without it and {', '.join(others)}" if others else "Without it"
        if effect.code:
            return meaning(f"{without} the workflow cannot be planned.", planned=True)
        quiet = {c.rule for c in effect.changes if c.field in ("threads", "resources")}
        loud = [
            c
            for c in effect.changes
            if c.field not in ("threads", "resources")
            and not (c.field == "command" and c.rule in quiet)
        ]
        if not loud:
            return None
        rules = sorted({c.rule for c in loud if c.rule})
        fields = sorted({_FIELDS.get(c.field, c.field) for c in loud if c.rule})
        parts = ["the configuration"] if any(not c.rule for c in loud) else []
        parts += [f"{' and '.join(fields)} of {named(rules)}"] if rules else []
        return meaning(
            f"{without} the plan is another one: {', '.join(parts)}.", rules, planned=True
        )


_FIELDS = {"job": "the set of jobs", "input": "inputs", "output": "outputs", "command": "commands"}


def _holds(words: Sequence[str], read: str) -> bool:
    return read == "resources" and any(word.startswith("resources.") for word in words)


Decider = Callable[[Setting, View], Decision]
"""What one kind of evidence says of a setting."""
