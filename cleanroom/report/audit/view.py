"""The view model of an audit: what its renderings show, and what audit.json and summary.json are.
Not here: how it looks.
"""

import datetime
import shlex
from collections.abc import Sequence
from typing import Any

import msgspec

from cleanroom import __version__
from cleanroom.entry.learn import options_of
from cleanroom.profiles.find import FOLDERS, NONE
from cleanroom.report.next_step import NextStep, after_audit
from cleanroom.values.audit import Answer, Audit, Audited, AuditOutcome, Decided, Finding
from cleanroom.values.base import SCHEMA_VERSION, Value, canonical
from cleanroom.values.comparison import PlanDifference
from cleanroom.values.run import Evidence, RunStatus
from cleanroom.values.setup import Entry, Image, Layer, Override, SettingClass, Source
from cleanroom.wording import counted, listed


class SettingCell(Value, frozen=True):
    """One setting under one profile."""

    profile: str
    value: Any
    file: str
    line: int
    shadows: tuple[str, ...]
    decided: Decided
    why: str
    rules: tuple[str, ...]


class SettingRow(Value, frozen=True):
    """One setting under every profile that has it.
    `spread`: shared by all with one value, differing, or in one profile only.
    """

    key: str
    does: str
    setting_class: SettingClass | None
    spread: str
    cells: tuple[SettingCell, ...]

    @property
    def decided(self) -> Decided:
        """The gravest of what was decided."""
        order = [Decided.ACTION, Decided.MEANING, Decided.OPEN, Decided.POLICY]
        return min((cell.decided for cell in self.cells), key=order.index)


class PlanRow(Value, frozen=True):
    profile: str
    against: str
    jobs: int
    decides: int
    informs: int
    caveat: str
    differences: tuple[PlanDifference, ...]


class ProfileView(Value, frozen=True):
    """One profile as it was read."""

    profile: str
    path: str
    status: RunStatus
    why: str
    stack: tuple[Layer, ...]
    overrides: tuple[Override, ...]
    versions: dict[str, Any]
    image: Image


class AuditReport(Value, frozen=True):
    """All of audit.json."""

    schema_version: str
    cleanroom: str
    outcome: AuditOutcome
    exit_code: int
    sentence: str
    reasons: tuple[str, ...]
    source: Source
    entry: dict[str, Any]
    baseline: str
    isolation: str
    created: str
    seconds: float
    answers: tuple[Answer, ...]
    settings: tuple[SettingRow, ...]
    plans: tuple[PlanRow, ...]
    findings: tuple[Finding, ...]
    profiles: tuple[ProfileView, ...]
    reproduce: str
    next: NextStep


_SHOWN = 200


def setting_rows(audit: Audit) -> tuple[SettingRow, ...]:
    """Every setting of every profile, the gravest first."""
    rows = []
    for key in dict.fromkeys(s.key for s in audit.settings):
        found = [s for s in audit.settings if s.key == key]
        cells = tuple(
            SettingCell(
                profile=s.profile,
                value=s.value,
                file=s.file,
                line=s.line,
                shadows=s.shadows,
                decided=s.decided,
                why=s.why,
                rules=s.rules,
            )
            for s in found
        )
        rows.append(
            SettingRow(
                key=key,
                does=found[0].does,
                setting_class=found[0].setting_class,
                spread=_spread(cells, audit),
                cells=cells,
            )
        )
    order = [Decided.ACTION, Decided.MEANING, Decided.OPEN, Decided.POLICY]
    return tuple(
        sorted(
            rows,
            key=lambda row: (
                order.index(row.decided),
                row.setting_class is SettingClass.POLICY,
                row.key,
            ),
        )
    )


def _spread(cells: Sequence[SettingCell], audit: Audit) -> str:
    values = {canonical(cell.value) for cell in cells}
    if len(cells) == len(audit.profiles) and len(values) == 1:
        return "shared"
    return "one profile only" if len(cells) == 1 and len(audit.profiles) > 1 else "differing"


def summary(rows: Sequence[SettingRow]) -> dict[str, Any]:
    """All of summary.json: settings that every profile shares, those that differ, and those of one
    profile only.
    """
    found: dict[str, Any] = {"shared": {}, "differing": {}, "profile_only": {}}
    for row in sorted(rows, key=lambda row: row.key):
        if row.spread == "shared":
            found["shared"][row.key] = row.cells[0].value
        elif row.spread == "differing":
            found["differing"][row.key] = {cell.profile: cell.value for cell in row.cells}
        else:
            found["profile_only"].setdefault(row.cells[0].profile, {})[row.key] = row.cells[0].value
    return found


def build_audit_report(audited: Audited) -> AuditReport:
    """Everything a reader of an audit needs."""
    audit, again = audited.audit, _again(audited)
    created = datetime.datetime.fromtimestamp(audited.started, datetime.UTC)
    return AuditReport(
        schema_version=SCHEMA_VERSION,
        cleanroom=__version__,
        outcome=audited.outcome,
        exit_code=audited.exit_code,
        sentence=_sentence(audited),
        reasons=audited.reasons,
        source=audited.source,
        entry={k: v for k, v in msgspec.to_builtins(audited.entry).items() if v},
        baseline=audit.baseline,
        isolation=next((run.image.isolation for run in audited.runs), ""),
        created=created.strftime("%Y-%m-%d %H:%M:%S UTC"),
        seconds=round(audited.seconds, 3),
        answers=audit.answers,
        settings=setting_rows(audit),
        plans=tuple(_plan_rows(audit)),
        findings=audit.findings,
        profiles=tuple(_profile(run) for run in audited.runs),
        reproduce=shlex.join(again),
        next=after_audit(audited, again),
    )


def _plan_rows(audit: Audit) -> list[PlanRow]:
    return [
        PlanRow(
            profile=p.profile,
            against=p.against,
            jobs=p.jobs,
            decides=sum(d.decides for d in p.differences),
            informs=sum(not d.decides for d in p.differences),
            caveat=p.caveat,
            differences=p.differences[:_SHOWN],
        )
        for p in audit.plans
    ]


def _profile(run: Evidence) -> ProfileView:
    return ProfileView(
        profile=run.label,
        path=run.profile.path,
        status=run.status,
        why=run.why,
        stack=run.stack,
        overrides=run.overrides,
        versions=run.versions,
        image=run.image,
    )


def _sentence(audited: Audited) -> str:
    audit = audited.audit
    names = listed(audit.profiles)
    match audited.outcome:
        case AuditOutcome.CLEAN:
            if not any(run.profile.path for run in audited.runs):
                places = " or ".join(f"{folder}/" for folder in FOLDERS)
                return (
                    f"There is no profile in {places}; only the plan was looked at. Name "
                    "others with --profile."
                )
            if not audit.settings:
                return "No profile sets anything; there was only the plan to look at."
            left = len({s.key for s in audit.settings if s.decided is Decided.OPEN})
            tail = f" {counted(left, 'setting')} can only be judged by running." if left else ""
            reaching = list(
                dict.fromkeys(f"'{s.key}'" for s in audit.settings if s.decided is Decided.MEANING)
            )
            rest = (
                f"All but {listed(reaching)} of {names}" if reaching else f"The settings of {names}"
            )
            same = "" if len(audit.profiles) == 1 else ", and all plan the same work"
            return f"{rest} are policy, as far as a plan shows{same}.{tail}"
        case AuditOutcome.ERRORS:
            count = sum(f.counts for f in audit.findings)
            drifting = [p.profile for p in audit.plans if p.drifts]
            tail = f" The plan drifts under {listed(drifting)}." if drifting else ""
            return f"{counted(count, 'finding')} of {names} must be fixed or accepted.{tail}"
        case AuditOutcome.FAILED:
            failed = [run.label for run in audited.runs if run.status is RunStatus.FAILED]
            return f"The workflow cannot be planned under {listed(failed)}."
        case AuditOutcome.INCONCLUSIVE:
            return f"Not every profile could be examined. {audited.reasons[0].splitlines()[0]}"


def _again(audited: Audited) -> list[str]:
    options = call_options(audited.entry, audited.runs)
    return ["cleanroom", "audit", audited.source.url, audited.source.commit, *options]


def call_options(entry: Entry, runs: Sequence[Evidence]) -> list[str]:
    """The options that name the same profiles, the same image by its digest, and the same entry."""
    words: list[str] = []
    for run in runs:
        if run.of_profile:
            words += ["--profile", run.profile.path or NONE]
    image = runs[0].image
    words += (
        ["--engine", "sandbox"]
        if image.digest.startswith("packages:")
        else ["--image", image.digest]
    )
    held = runs[0].environment
    if held.prefix and "--image" in words:
        words += ["--environment", "declared"]
    usual = "profile" if "--image" in words and "--environment" not in words else "declared"
    if runs[0].deployment != usual:
        words += ["--deployment", runs[0].deployment]
    words += [word for name in held.secrets for word in ("--env", name)]
    if held.declined and "--image" not in words:
        words += ["--environment", "default"]
    words += options_of(entry)
    return words + (["--cores", str(entry.cores)] if entry.cores else [])
