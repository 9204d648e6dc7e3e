"""The labelled set: real settings and changes of profiles, each labelled safe or drift, against
what cleanroom says of them.

python -m benchmarks.labelled.check [--engine sandbox]

A setting is decided by `audit`; what only a run can tell, by `confirm`. A change is decided by
`review`.
"""

import argparse
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cleanroom.flows.audit import audit_profiles
from cleanroom.flows.choose import Request
from cleanroom.flows.confirm import confirm
from cleanroom.flows.review import review_commits
from cleanroom.values.audit import AuditedSetting, Decided
from cleanroom.values.comparison import Relation
from cleanroom.values.review import Drift

HERE = Path(__file__).parent
WORKFLOWS = ("plain", "sensitive")
_BASE = "cores: 4\n"


@dataclass(frozen=True)
class Row:
    """One case and its answer. `answer` is safe, drift or undecided."""

    case: str
    workflow: str
    label: str
    answer: str
    by: str
    why: str

    @property
    def right(self) -> bool:
        return self.answer == self.label


def cases(kind: str) -> list[dict[str, Any]]:
    found = tomllib.loads((HERE / f"{kind}s.toml").read_text())[kind]
    assert isinstance(found, list)
    return found


def _git(folder: Path, *words: str) -> str:
    command = [
        "git",
        "-C",
        str(folder),
        "-c",
        "user.name=b",
        "-c",
        "user.email=b@example.org",
        *words,
    ]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _repository(folder: Path, workflow: str, profiles: dict[str, str]) -> str:
    """One commit of a workflow with these profiles; returns it."""
    if not folder.exists():
        subprocess.run(["cp", "-r", str(HERE / workflow), str(folder)], check=True)
        _git(folder, "init", "--quiet", "--initial-branch", "main")
    for name, text in profiles.items():
        (folder / "profiles" / name).mkdir(parents=True, exist_ok=True)
        (folder / "profiles" / name / "config.yaml").write_text(text)
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "--message", "x")
    return _git(folder, "rev-parse", "HEAD")


def _profile(text: str) -> str:
    return ("" if text.startswith("cores:") else _BASE) + text + "\n"


def settings(workflow: str, scratch: Path, cache: Path, engine: str) -> Iterator[Row]:
    """Every labelled setting of one workflow, each in a profile of its own beside a baseline."""
    chosen = {
        f"p{i:02}": case
        for i, case in enumerate(cases("setting"), 1)
        if case["workflow"] == workflow
    }
    repo = scratch / f"settings-{workflow}"
    _repository(
        repo,
        workflow,
        {"base": _BASE, **{name: _profile(case["profile"]) for name, case in chosen.items()}},
    )
    request = Request(
        repo=str(repo), ref="HEAD", cache=str(cache), engine=engine, baseline_profile="base"
    )
    audited = audit_profiles(request)
    drifting = {plan.profile for plan in audited.audit.plans if plan.drifts}
    whys = {run.label: run.why for run in audited.runs}
    decided = {
        name: _setting(audited.audit.settings, name, case["key"]) for name, case in chosen.items()
    }
    open_ones = [
        name
        for name, found in decided.items()
        if found and found.decided is Decided.OPEN and name not in drifting and not whys[name]
    ]
    compared: dict[str, bool] = {}
    if open_ones:
        run_request = Request(
            repo=str(repo),
            ref="HEAD",
            cache=str(cache),
            engine=engine,
            baseline_profile="base",
            profiles=("base", *open_ones),
        )
        compared = {
            c.right: c.differs
            for c in confirm(run_request).comparisons
            if c.relation is not Relation.CONTROL
        }
    for name, case in chosen.items():
        found = decided[name]
        text = " ".join(case["profile"].split())
        if found is None:
            answer, by, why = "undecided", "audit", whys[name] or "the setting is not in force"
        elif found.decided in (Decided.MEANING, Decided.ACTION) or name in drifting:
            answer, by, why = "drift", "audit", found.why
        elif found.decided is Decided.POLICY:
            answer, by, why = "safe", "audit", found.why
        elif name in compared:
            answer, by, why = ("drift" if compared[name] else "safe"), "confirm", found.why
        else:
            answer, by, why = "undecided", "audit", f"{found.why} {whys[name]}"
        yield Row(text, workflow, case["label"], answer, by, " ".join(why.split()))


def _setting(found: tuple[AuditedSetting, ...], profile: str, key: str) -> AuditedSetting | None:
    return next((s for s in found if s.profile == profile and s.key == key), None)


def changes(workflow: str, scratch: Path, cache: Path, engine: str) -> Iterator[Row]:
    """Every labelled change of one workflow, each in a profile of its own, in one pair of
    commits.
    """
    chosen = {
        f"c{i:02}": case
        for i, case in enumerate(cases("change"), 1)
        if case["workflow"] == workflow
    }
    repo = scratch / f"changes-{workflow}"
    base = _repository(
        repo,
        workflow,
        {"base": _BASE, **{name: _profile(case["before"]) for name, case in chosen.items()}},
    )
    head = _repository(
        repo, workflow, {name: _profile(case["after"]) for name, case in chosen.items()}
    )
    reviewed = review_commits(
        Request(repo=str(repo), ref=head, cache=str(cache), engine=engine), base
    )
    for name, case in chosen.items():
        found = [c for c in reviewed.changes if name in c.profiles]
        drift = [c for c in found if c.drift is Drift.SEMANTIC]
        unknown = [c for c in found if c.drift is Drift.UNKNOWN]
        answer = "drift" if drift else "undecided" if unknown or not found else "safe"
        why = (drift or unknown or found)[0].why if found else "no change was seen"
        text = (
            f"{' '.join(case['before'].split()) or '(nothing)'} → "
            f"{' '.join(case['after'].split()) or '(nothing)'}"
        )
        yield Row(text, workflow, case["label"], answer, "review", " ".join(why.split()))


def check(scratch: Path, cache: Path, engine: str) -> list[Row]:
    """Every case with its answer."""
    rows: list[Row] = []
    for workflow in WORKFLOWS:
        rows += settings(workflow, scratch, cache, engine)
        rows += changes(workflow, scratch, cache, engine)
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", default="sandbox", choices=("auto", "docker", "sandbox"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="labelled-") as folder:
        rows = check(Path(folder), Path(folder) / "cache", arguments.engine)
    for row in rows:
        print(
            f"{'right' if row.right else 'WRONG'}  {row.label:5} {row.answer:9} {row.by:7} "
            f"{row.workflow:9} {row.case[:70]:70} {row.why}"
        )
    right = sum(row.right for row in rows)
    print(
        f"{right} of {len(rows)} right; {sum(row.answer == 'undecided' for row in rows)} "
        f"undecided; {sum(row.by == 'confirm' for row in rows)} by a run"
    )
    return 0 if right == len(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
