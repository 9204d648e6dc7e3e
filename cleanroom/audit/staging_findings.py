"""Findings of how files come to jobs and away from them: waiting, sharing, scratch, storage.
Pure.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from cleanroom.audit.file_deciders import provides
from cleanroom.audit.job_deciders import is_remote
from cleanroom.audit.shown import View, truthy
from cleanroom.findings.codes import finding
from cleanroom.values.audit import Finding, Severity
from cleanroom.values.base import canonical
from cleanroom.values.plan import Plan
from cleanroom.values.run import Evidence
from cleanroom.values.setup import Setting

_SCRATCH = ("shadow-prefix", "local-storage-prefix", "remote-job-local-storage-prefix")


def staging_findings(runs: Sequence[Evidence]) -> Iterator[Finding]:
    for run in runs:
        settings = {s.key: s for s in run.settings}
        wait = settings.get("latency-wait")
        if wait and str(wait.value) == "0":
            remote = is_remote(View(run))
            text = "latency-wait: 0" + (" on a remote executor" if remote else "")
            yield finding(
                "CR-029",
                text,
                **_at(wait, run),
                severity=Severity.WARNING if remote else Severity.NOTE,
            )
        for key in _SCRATCH:
            if key in settings and (path := _reached(settings[key], run.plan)):
                yield finding(
                    "CR-031",
                    f"'{key}: {settings[key].value}' and {path}",
                    **_at(settings[key], run),
                )
    yield from _in_one_only(runs, "shared-fs-usage", "CR-030")
    yield from _in_one_only(runs, "default-storage-provider", "CR-032")
    yield from _in_one_only(runs, "default-remote-provider", "CR-032")


def _reached(setting: Setting, plan: Plan | None) -> str:
    """The first path of the contract that lies in a scratch folder, or in which the folder is a
    result.
    """
    folder = str(setting.value).rstrip("/").removeprefix("./")
    if not plan or not folder:
        return ""
    if folder == ".":
        return "the whole working folder"
    for job in plan.jobs:
        for file in (*job.output, *job.input):
            inside = file.path.startswith(f"{folder}/") or file.path == folder
            around = "directory" in file.flags and folder.startswith(f"{file.path}/")
            if inside or around:
                return file.path
    return ""


def _in_one_only(runs: Sequence[Evidence], key: str, code: str) -> Iterator[Finding]:
    """A finding for each profile that has another value than some other one."""
    if len(runs) < 2:
        return
    values: dict[str, Setting] = {}
    for run in runs:
        for setting in run.settings:
            if (
                setting.key == key
                and truthy(setting.value)
                and (key == "shared-fs-usage" or provides(setting.value))
            ):
                values[run.label] = setting
    if len({canonical(s.value) for s in values.values()}) > 1 or 0 < len(values) < len(runs):
        for run in runs:
            if run.label in values:
                setting = values[run.label]
                yield finding(
                    code,
                    f"'{key}' in {', '.join(values)} only, or with another value",
                    **_at(setting, run),
                )


def _at(setting: Setting, run: Evidence) -> dict[str, Any]:
    return {"file": setting.file, "line": setting.line, "profile": run.label, "key": setting.key}
