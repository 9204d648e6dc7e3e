"""What profiles say and no run tried: in the sentence of the verdict, and as findings."""

import pytest

from cleanroom.audit import audit
from cleanroom.findings.observed import observe
from cleanroom.findings.untried import untried, unused_software
from cleanroom.values.plan import Plan, Rule
from cleanroom.values.run import Evidence, RunStatus
from cleanroom.values.setup import Override, OverrideCause, Setting, SettingPlace, Source
from cleanroom.verdict import judge
from tests.unit.values import comparison, evidence, job

SOURCE = Source(url="x", ref="main", commit="a" * 40)
SCRATCH = Override(
    key="shadow-prefix", was="/scratch", now=None, why="", cause=OverrideCause.ELSEWHERE
)
SLURM = Override(key="executor", was="slurm", now=None, why="", cause=OverrideCause.LOCAL)
DETAIL = Override(key="slurm-logdir", was="x", now=None, why="", cause=OverrideCause.LOCAL)
OLD = Override(key="reason", was="True", now=None, why="", cause=OverrideCause.OUTDATED)
ADDED = Override(key="notemp", was=None, now=True, why="", cause=OverrideCause.COMPARISON)


def setting(key: str, value: object) -> Setting:
    return Setting(key=key, value=value, file="profiles/ci/config.yaml", line=1)


def declaring(**software: str) -> Plan:
    return Plan(jobs=(job(),), rules={"count": Rule(code={"shellcmd": "x"}, software=software)})


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (evidence("ci"), []),
        (evidence("ci", overrides=(ADDED,)), []),
        (
            evidence("ci", settings=(setting("shadow-prefix", "/scratch"),), overrides=(SCRATCH,)),
            ["'shadow-prefix' of ci (/scratch)"],
        ),
        (
            evidence("ci", settings=(setting("executor", "slurm"),), overrides=(SLURM, DETAIL)),
            ["the executor of ci (slurm)"],
        ),
        (
            evidence("ci", overrides=(OLD,), versions={"snakemake": "9.27.1"}),
            ["ci as a whole, which Snakemake 9.27.1 refuses because of 'reason'"],
        ),
        (
            evidence("ci", plan=declaring(conda="env.yaml", container="docker://x")),
            ["the conda environments and containers of rule count"],
        ),
    ],
)
def test_what_was_not_tried(other: Evidence, said: list[str]) -> None:
    runs = [evidence("local"), other]
    assert list(untried(runs)) == said
    judgement = judge(runs, [comparison()], ["local", "ci"], audit(runs))
    assert list(judgement.untried) == said


def test_what_all_profiles_share_is_no_difference_between_them() -> None:
    both = [
        evidence(name, settings=(setting("shadow-prefix", "/scratch"),), overrides=(SCRATCH,))
        for name in ("local", "ci")
    ]
    assert untried(both) == ()


@pytest.mark.parametrize(
    "settings",
    [
        (setting("software-deployment-method", ["conda"]),),
        (setting("software-deployment-method", "conda"),),
        (setting("use-conda", "True"),),
    ],
)
def test_software_that_is_turned_on_is_used(settings: tuple[Setting, ...]) -> None:
    assert not unused_software(evidence("ci", settings=settings, plan=declaring(conda="e.yaml")))


def test_software_of_a_run_that_failed_or_of_a_rule_that_is_not_planned_is_not_told() -> None:
    plan = declaring(conda="e.yaml")
    assert not unused_software(evidence("ci", plan=plan, status=RunStatus.FAILED))
    other = Plan(jobs=(job("one"),), rules=plan.rules)
    assert not unused_software(evidence("ci", plan=other))


def test_each_has_a_finding_that_says_what_happened() -> None:
    place = SettingPlace(key="reason", file="f", line=1, text="Snakemake 9 has no such option")
    gone = SettingPlace(key="executor", file="f", line=2, text="not in this room")
    run = evidence(
        "ci", plan=declaring(conda="e.yaml"), replaced=(place, gone), overrides=(OLD, SLURM)
    )
    replaced = {f.key: f.text for f in observe(SOURCE, [run]) if f.code == "CR-001"}
    assert "left out" in replaced["reason"]
    assert "in one process" in replaced["executor"]
    found = {f.code: f.text for f in observe(SOURCE, [run])}
    assert "reason: Snakemake 9 has no such option" in found["CR-050"]
    assert "conda environments of rule count" in found["CR-049"]


def test_a_profile_where_none_is_looked_for_is_named() -> None:
    source = Source(url="x", ref="main", commit="a" * 40, passed_over=("config/slurm/config.yaml",))
    found = [f for f in observe(source, [evidence("ci")]) if f.code == "CR-051"]
    assert "config/slurm/config.yaml" in found[0].text
