"""What to type next: for every verdict one call that the command line takes, and that settles
something.
"""

import datetime
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from cleanroom.compare.artifacts import ComparisonContext
from cleanroom.compare.examiner import Examiner
from cleanroom.flows.conclude import conclude
from cleanroom.report import build_report
from cleanroom.values.comparison import Cause
from cleanroom.values.declared import Declared
from cleanroom.values.purpose import Control, Folder
from cleanroom.values.run import Evidence, RunStatus, Step, StepStatus
from cleanroom.values.setup import SettingPlace
from tests.conftest import callable_as_it_stands
from tests.unit.values import artifact, evidence

OTHER = (artifact("out.txt", "2"),)
BROKEN = {"status": RunStatus.BROKEN, "why": "The room ended."}
SLOW = (Step(name="run", status=StepStatus.TIMEOUT),)
ACTION = (SettingPlace(key="dry-run", file="profiles/ci/config.yaml", line=2),)
UNREAD = SettingPlace(key="", file="profiles/ci/config.yaml", text="broken YAML")


@pytest.mark.parametrize(
    ("runs", "climb", "verdict", "said"),
    [
        ([evidence("local"), evidence("ci")], (), "HELD", "--vary"),
        ([evidence("local"), evidence("ci")], ("vary", "recover"), "HELD", "--stage"),
        (
            [evidence("local"), evidence("ci")],
            ("vary", "recover", "stage", "rest"),
            "INCONCLUSIVE",  # `rest` was asked for, and no run tells of it
            "--keep-rooms",
        ),
        ([evidence("local"), evidence("ci", artifacts=OTHER)], (), "DRIFTED", "cleanroom confirm"),
        (
            [
                evidence("local"),
                evidence("local", called="again", purpose=Control(), artifacts=OTHER),
            ],
            (),
            "DRIFTED",
            "cleanroom suggest",
        ),
        (
            [evidence("local"), evidence("ci", status=RunStatus.FAILED, why="The run failed.")],
            (),
            "FAILED",
            "--keep-rooms",
        ),
        ([evidence("local"), evidence("ci", **BROKEN)], (), "INCONCLUSIVE", "cleanroom doctor"),
        (
            [evidence("local"), evidence("ci", steps=SLOW, **BROKEN)],
            (),
            "INCONCLUSIVE",
            "--time-limit",
        ),
        (
            [evidence("local"), evidence("ci", actions=ACTION, **BROKEN)],
            (),
            "INCONCLUSIVE",
            "cleanroom explain dry-run",
        ),
        (
            [evidence("local"), evidence("ci", unreadable=UNREAD, **BROKEN)],
            ("vary",),
            "INCONCLUSIVE",
            "cleanroom audit",
        ),
        (
            [evidence(name, purpose=Folder(path=f"/{name}")) for name in ("a", "b")],
            (),
            "HELD",
            "cleanroom confirm REPO REF",
        ),
    ],
)
def test_every_verdict_has_a_next_call(
    tmp_path: Path, runs: Sequence[Evidence], climb: tuple[str, ...], verdict: str, said: str
) -> None:
    day = datetime.date(2026, 1, 1)
    with Examiner(1) as examiner:
        ground = ComparisonContext(lambda _: tmp_path / "none", examiner, Declared(), day)
        found = conclude(runs, [r.label for r in runs], ground, climb=frozenset(climb))
    report = build_report(found)
    assert report.verdict == verdict, report.reasons
    assert said in report.next.command
    assert report.next.why
    callable_as_it_stands(report.next.command)


def test_where_several_settings_may_have_done_it_the_next_call_finds_the_one(
    tmp_path: Path,
) -> None:
    runs = [evidence("local"), evidence("ci", artifacts=OTHER)]
    with Examiner(1) as examiner:
        ground = ComparisonContext(lambda _: tmp_path / "none", examiner, Declared())
        found = conclude(runs, [r.label for r in runs], ground)
    open_ = tuple(Cause(name=name, values={}, found="open") for name in ("cores", "jobs"))
    several = build_report(msgspec.structs.replace(found, causes=open_))
    assert "--explain-cause" in several.next.command
    certain = (Cause(name="cores", values={}, found="the only one", certain=True),)
    one = build_report(msgspec.structs.replace(found, causes=certain))
    assert one.next.command == "cleanroom explain cores"
