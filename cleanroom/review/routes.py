"""The question that a change raises, and the smallest command that answers it. Pure."""

import shlex
from collections.abc import Iterable

from cleanroom.values.audit import Decided
from cleanroom.values.base import Value
from cleanroom.values.review import Drift
from cleanroom.wording import named


class Routes(Value, frozen=True):
    """Commands for one review: the repository, the head, and the words that every call shares."""

    repo: str
    commit: str
    options: tuple[str, ...] = ()
    baseline: str = ""

    def audit(self, profile: str = "") -> str:
        return self._call("audit", profile)

    def confirm(self, *profiles: str) -> str:
        return self._call("confirm", *profiles)

    def _call(self, verb: str, *profiles: str) -> str:
        words = [
            word
            for profile in dict.fromkeys(profiles)
            if profile
            for word in ("--profile", profile)
        ]
        return shlex.join(["cleanroom", verb, self.repo, self.commit, *words, *self.options])

    def of_setting(
        self,
        key: str,
        profile: str,
        drift: Drift,
        decided: Iterable[Decided],
        rules: tuple[str, ...],
    ) -> tuple[str, str]:
        """(question, command): a plan suffices where it shows everything, a run where it does not,
        nothing for plain policy.
        """
        among = f" of {named(rules)}" if rules else ""
        if drift is Drift.SEMANTIC:
            return (
                f"Why does '{key}' change what {profile} makes, and why is it not in the workflow?",
                self.audit(profile),
            )
        if Decided.OPEN in set(decided) or drift is Drift.UNKNOWN:
            pair = (self.baseline, profile) if self.baseline != profile else (profile,)
            return f"Do the results{among} stay the same under the new '{key}'?", self.confirm(
                *pair
            )
        return f"Is the new '{key}' meant for {profile}?", ""

    def of_rule(self, rule: str) -> tuple[str, str]:
        return (
            f"Is the new meaning of rule {rule} intended, and do all profiles agree on it?",
            self.confirm(),
        )
