"""Findings of what happens after a failure: retries, partial files, logs. Pure."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from cleanroom.audit.shown import truthy
from cleanroom.findings.codes import finding
from cleanroom.values.audit import Finding
from cleanroom.values.run import Evidence
from cleanroom.values.setup import Setting
from cleanroom.wording import named

_PUBLISHES = re.compile(r"release|publish|prod|final|sign", re.I)


def recovery_findings(runs: Sequence[Evidence]) -> Iterator[Finding]:
    for run in runs:
        settings = {s.key: s for s in run.settings if truthy(s.value)}
        if (retries := settings.get("retries")) and run.plan:
            undeclared = [
                n for n, r in sorted(run.plan.rules.items()) if not r.declares_retries and r.code
            ]
            if undeclared:
                text = (
                    f"retries: {retries.value} covers {named(undeclared)}, with no `retries:` "
                    "in the code"
                )
                yield finding("CR-024", text, **_at(retries, run))
        for key in ("keep-incomplete", "ignore-incomplete"):
            if key in settings:
                yield finding("CR-025", f"'{key}'", **_at(settings[key], run))
        if "keep-going" in settings and _PUBLISHES.search(run.profile.name):
            yield finding("CR-028", "'keep-going'", **_at(settings["keep-going"], run))
        if run.settings and "rerun-incomplete" not in settings:
            yield finding(
                "CR-026",
                "'rerun-incomplete' is not set",
                file=run.settings[0].file,
                profile=run.label,
                key="rerun-incomplete",
            )
    yield from _logs(runs)


def _logs(runs: Sequence[Evidence]) -> Iterator[Finding]:
    plan = next((run.plan for run in runs if run.plan), None)
    silent = [n for n, r in sorted(plan.rules.items()) if r.code and not r.logs] if plan else []
    if plan and silent:
        rule = plan.rules[silent[0]]
        yield finding("CR-027", named(silent), file=rule.file, line=rule.line)


def _at(setting: Setting, run: Evidence) -> dict[str, Any]:
    return {"file": setting.file, "line": setting.line, "profile": run.label, "key": setting.key}
