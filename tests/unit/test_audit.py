"""An audit decides from evidence alone: each kind of setting, each finding, each acceptance."""

import datetime
from typing import Any

import msgspec
import pytest

from cleanroom.audit import audit
from cleanroom.audit.decide import decide
from cleanroom.audit.shown import View
from cleanroom.findings.codes import codes
from cleanroom.profiles.table import look_up
from cleanroom.values.audit import Acceptance, Audit, Decided, Finding, Severity
from cleanroom.values.plan import Change, Effect, FileRef, Hidden, Plan, Rule
from cleanroom.values.purpose import Control, Folder
from cleanroom.values.run import Evidence, RunStatus, Step, StepStatus
from cleanroom.values.setup import Layer, Override, Profile, Setting, SettingPlace
from tests.unit.values import attempt, comparison, difference, evidence, job

READS_THREADS = Rule(code={"shellcmd": "x"}, reads={"threads": ("command",)}, threads=4, logs=True)
READS_MEMORY = Rule(code={"shellcmd": "x"}, reads={"resources.mem_mb": ("command",)}, logs=True)
PLAIN = Rule(code={"shellcmd": "x"}, logs=True)
POLICY, MEANING, OPEN, ACTION = Decided.POLICY, Decided.MEANING, Decided.OPEN, Decided.ACTION


def setting(key: str, value: Any = "True", file: str = "profiles/ci/config.yaml") -> Setting:
    return Setting(key=key, value=value, file=file, line=3)


def planned(
    name: str = "ci",
    *settings: Setting,
    rule: Rule = PLAIN,
    effects: tuple[Effect, ...] = (),
    **values: Any,
) -> Evidence:
    """What a room that only planned leaves behind."""
    plan = values.pop(
        "plan", Plan(jobs=(job(threads=rule.threads),), rules={"count": rule}, targets=("out.txt",))
    )
    steps = tuple(
        Step(name=n, status=StepStatus.OK)
        for n in ("settings", "lint", "plan", "replan", "without")
    )
    values = {
        "plan": plan,
        "attempts": (),
        "artifacts": (),
        "steps": steps,
        "settings": settings,
        "effects": effects,
        **values,
    }
    return evidence(
        name, stack=values.pop("stack", (Layer(file=f"profiles/{name}/config.yaml"),)), **values
    )


def effect(
    *keys: str, changes: tuple[tuple[str, str], ...] = (), code: int = 0
) -> tuple[Effect, ...]:
    return (
        Effect(keys=keys, code=code, changes=tuple(Change(rule=r, field=f) for r, f in changes)),
    )


DECISIONS: list[tuple[str, Setting, Evidence, Decided, str]] = [
    ("policy", setting("printshellcmds"), planned(), POLICY, "prints"),
    ("switched off", setting("touch", "False"), planned(), POLICY, "switched off"),
    ("action", setting("touch"), planned(), ACTION, "nothing is proven"),
    (
        "config",
        setting("config", ["a=1"]),
        planned(effects=effect("config", changes=(("", "config"),))),
        MEANING,
        "the configuration",
    ),
    (
        "config without effect",
        setting("config", ["a=1"]),
        planned(effects=effect("config")),
        MEANING,
        "the same without it",
    ),
    (
        "config that the plan needs",
        setting("config", ["a=1"]),
        planned(effects=effect("config", code=1)),
        MEANING,
        "cannot be planned",
    ),
    (
        "one of many that change the plan",
        setting("config", ["a=1"]),
        planned(effects=effect("config", "until", changes=(("a", "job"),))),
        MEANING,
        "Without it and 'until' the plan",
    ),
    (
        "alone before together",
        setting("shadow-prefix", "x"),
        planned(effects=effect("shadow-prefix", "until", code=1) + effect("shadow-prefix")),
        POLICY,
        "shadow",
    ),
    (
        "together not plannable",
        setting("shadow-prefix", "x"),
        planned(effects=effect("shadow-prefix", "until", code=1)),
        MEANING,
        "cannot be planned",
    ),
    (
        "cores, nothing follows",
        setting("cores", "2"),
        planned(effects=effect("cores")),
        POLICY,
        "No rule",
    ),
    (
        "cores, threads that a command reads",
        setting("cores", "2"),
        planned(
            rule=READS_THREADS,
            effects=effect(
                "cores",
                changes=(
                    ("count", "threads"),
                    ("count", "command"),
                ),
            ),
        ),
        OPEN,
        "Rule count reads threads in its command",
    ),
    (
        "cores, threads that nobody reads",
        setting("cores", "2"),
        planned(effects=effect("cores", changes=(("count", "threads"),))),
        OPEN,
        "OMP_NUM_THREADS",
    ),
    (
        "cores, threads in params",
        setting("cores", "2"),
        planned(
            effects=effect(
                "cores",
                changes=(
                    ("count", "threads"),
                    ("count", "params"),
                ),
            )
        ),
        MEANING,
        "params of rule count",
    ),
    ("cores, without a plan more", setting("cores", "2"), planned(), OPEN, "no plan without it"),
    (
        "workflow.cores",
        setting("cores", "2"),
        planned(
            plan=Plan(
                jobs=(job(),),
                hidden=(Hidden(kind="cores", file="Snakefile", line=7, text="x = workflow.cores"),),
            ),
            effects=effect("cores"),
        ),
        OPEN,
        "line 7",
    ),
    (
        "jobs beside cores",
        setting("jobs", "9"),
        planned("ci", setting("cores", "2")),
        POLICY,
        "at once",
    ),
    (
        "set-threads and a wrapper",
        setting("set-threads", ["count=2"]),
        planned(
            rule=Rule(reads={"unread": ("wrapper",)}),
            effects=effect("set-threads", changes=(("count", "threads"),)),
        ),
        OPEN,
        "was not read",
    ),
    (
        "resources that nobody reads",
        setting("set-resources", ["count:mem_mb=9"]),
        planned(effects=effect("set-resources", changes=(("count", "resources"),))),
        POLICY,
        "reads mem_mb",
    ),
    (
        "resources that a command reads",
        setting("set-resources", ["count:mem_mb=9"]),
        planned(rule=READS_MEMORY),
        OPEN,
        "Rule count reads mem_mb",
    ),
    (
        "resources of another rule",
        setting("set-resources", ["other:mem_mb=9"]),
        planned(rule=READS_MEMORY),
        POLICY,
        "reads mem_mb",
    ),
    (
        "default resources add memory",
        setting("default-resources", ["runtime=9"]),
        planned(rule=READS_MEMORY),
        OPEN,
        "Rule count reads",
    ),
    (
        "a whole `resources` is read",
        setting("resources", ["gpu=1"]),
        planned(rule=Rule(reads={"resources": ("run",)})),
        OPEN,
        "Rule count reads",
    ),
    ("retries", setting("retries", "2"), planned(), POLICY, "No rule reads which attempt"),
    ("no retries", setting("retries", "0"), planned(), POLICY, "No job is run again"),
    (
        "retries that a rule follows",
        setting("retries", "2"),
        planned(rule=Rule(reads={"attempt": ("command",)})),
        OPEN,
        "which attempt it is",
    ),
    (
        "rerun triggers in a fresh clone",
        setting("rerun-triggers", ["mtime"]),
        planned(),
        POLICY,
        "fresh clone",
    ),
    (
        "rerun triggers and committed results",
        setting("rerun-triggers", ["mtime"]),
        planned(tracked_outputs=("out.txt",)),
        MEANING,
        "out.txt",
    ),
    ("keep-incomplete", setting("keep-incomplete"), planned(), OPEN, "partial file"),
    (
        "storage that nobody uses",
        setting("shared-fs-usage", ["none"]),
        planned(),
        POLICY,
        "No file of the plan",
    ),
    (
        "storage",
        setting("shared-fs-usage", ["none"]),
        planned(
            plan=Plan(
                jobs=(
                    job(inputs=()),
                    msgspec.structs.replace(
                        job(output="s"), input=(FileRef(path="x", flags=("storage_object",)),)
                    ),
                ),
                rules={"count": PLAIN},
            )
        ),
        OPEN,
        "Rule count uses files in a storage",
    ),
    (
        "no shadow rule",
        setting("shadow-prefix", "x"),
        planned(),
        POLICY,
        "No rule works in a shadow",
    ),
    (
        "a shadow rule",
        setting("shadow-prefix", "x"),
        planned(rule=Rule(shadow="minimal")),
        OPEN,
        "Rule count works",
    ),
    (
        "directory",
        setting("directory", "x"),
        planned(effects=effect("directory", changes=(("count", "job"),))),
        MEANING,
        "set of jobs",
    ),
    ("no software", setting("use-conda"), planned(), POLICY, "No rule declares"),
    (
        "software",
        setting("use-conda"),
        planned(rule=Rule(software={"conda": "env.yaml", "conda_sha256": "0"})),
        OPEN,
        "Rule count declares conda",
    ),
    (
        "remote software at home",
        setting("precommand", "module load x"),
        planned(),
        POLICY,
        "locally",
    ),
    (
        "remote software",
        setting("precommand", "module load x"),
        planned("ci", setting("executor", "slurm")),
        OPEN,
        "remote nodes",
    ),
    (
        "all-temp, targets only",
        setting("all-temp"),
        planned(effects=effect("all-temp", changes=(("count", "output"),))),
        POLICY,
        "targets stay",
    ),
    (
        "all-temp",
        setting("all-temp"),
        planned(
            plan=Plan(jobs=(job(),), rules={"count": PLAIN}),
            effects=effect("all-temp", changes=(("count", "output"),)),
        ),
        MEANING,
        "out.txt",
    ),
    (
        "hooks",
        setting("no-hooks"),
        planned(plan=Plan(jobs=(job(),), hooks=("onsuccess",))),
        OPEN,
        "onsuccess",
    ),
    ("no hooks", setting("no-hooks"), planned(), POLICY, "no hooks"),
    (
        "run blocks",
        setting("force-use-threads"),
        planned(rule=Rule(code={"run_sha256": "0"})),
        OPEN,
        "Rule count has",
    ),
    (
        "shadow in threads",
        setting("force-use-threads"),
        planned(rule=Rule(shadow="minimal")),
        MEANING,
        "every job's working folder",
    ),
    ("environment", setting("envvars", ["TOKEN"]), planned(), OPEN, "TOKEN"),
    ("cache", setting("cache", ["count"]), planned(), OPEN, "rule count"),
    ("no cache", setting("cache", "all"), planned(), POLICY, "cached"),
    (
        "executor",
        setting("executor", "slurm"),
        planned("ci", setting("executor", "slurm")),
        POLICY,
        "where jobs run",
    ),
    (
        "executor and memory",
        setting("executor", "slurm"),
        planned("ci", setting("executor", "slurm"), rule=READS_MEMORY),
        OPEN,
        "default resources",
    ),
    ("an option of a plugin", setting("slurm-qos", "high"), planned(), POLICY, "executor"),
    ("a key that nobody knows", setting("samples", "x"), planned(), OPEN, "does not know"),
    ("no plan", setting("cores", "2"), planned(plan=None), OPEN, "no plan under this profile"),
]


@pytest.mark.parametrize(
    ("one", "run", "decided", "why"),
    [row[1:] for row in DECISIONS],
    ids=[row[0] for row in DECISIONS],
)
def test_decisions(one: Setting, run: Evidence, decided: Decided, why: str) -> None:
    decision = decide(one, look_up(one.key), View(run))
    assert (decision.decided, why in decision.why) == (decided, True), decision


def only(found: Audit, code: str) -> Finding:
    matches = [f for f in found.findings if f.code == code]
    assert matches, [f.code for f in found.findings]
    return matches[0]


QUIET = (setting("rerun-incomplete"),)
HIDDEN = Plan(
    jobs=(job(),),
    rules={"count": PLAIN},
    hidden=(Hidden(kind="host", file="s.py", line=4, text="gethostname()"),),
)

OTHER = Plan(jobs=(job(), job(rule="other")), rules={"count": PLAIN})

FINDINGS: list[tuple[str, str, list[Evidence], Severity, str]] = [
    (
        "meaning in one profile",
        "CR-016",
        [planned("a"), planned("b", setting("set-scatter", ["x=2"]), plan=OTHER)],
        Severity.ERROR,
        "'set-scatter'",
    ),
    (
        "meaning in the first profile",
        "CR-016",
        [planned("a", setting("set-scatter", ["x=2"])), planned("b", plan=OTHER)],
        Severity.ERROR,
        "'set-scatter'",
    ),
    (
        "meaning that sets nobody apart",
        "CR-016",
        [planned("a"), planned("b", setting("set-scatter", ["x=2"]))],
        Severity.WARNING,
        "All profiles plan the same work",
    ),
    (
        "meaning where a plan is missing",
        "CR-016",
        [planned("a"), planned("b", setting("set-scatter", ["x=2"]), plan=None)],
        Severity.ERROR,
        "'set-scatter'",
    ),
    (
        "meaning that no plan shows",
        "CR-016",
        [
            planned("a"),
            planned("b", setting("rerun-triggers", "mtime"), tracked_outputs=("a.txt",)),
        ],
        Severity.ERROR,
        "'rerun-triggers'",
    ),
    (
        "meaning in a profile whose plan is another one by itself",
        "CR-016",
        [
            planned("a"),
            planned(
                "b",
                setting("set-scatter", ["x=2"]),
                plan=OTHER,
                effects=(Effect(keys=(), changes=(Change(rule="other", field="job"),)),),
            ),
        ],
        Severity.WARNING,
        "'set-scatter'",
    ),
    (
        "meaning in every profile",
        "CR-016",
        [
            planned("a", setting("set-scatter", ["x=2"])),
            planned("b", setting("set-scatter", ["x=2"])),
        ],
        Severity.WARNING,
        "Every profile has it",
    ),
    (
        "a cut in every profile",
        "CR-016",
        [planned("a", setting("until", ["x"])), planned("b", setting("until", ["x"]))],
        Severity.ERROR,
        "'until'",
    ),
    (
        "meaning in the only profile",
        "CR-016",
        [planned("a", setting("config", ["x=1"]))],
        Severity.WARNING,
        "'config'",
    ),
    (
        "meaning in the default profile alone",
        "CR-016",
        [planned("default", setting("config", ["x=1"], "profiles/default/config.yaml"))],
        Severity.WARNING,
        "'config'",
    ),
    (
        "meaning that changes nothing today",
        "CR-016",
        [planned("a"), planned("b", setting("config", ["x=1"]), effects=effect("config"))],
        Severity.WARNING,
        "plan is the same without it",
    ),
    (
        "an unknown key",
        "CR-017",
        [
            planned(
                "a",
                setting("set-thread"),
                unreadable=SettingPlace(key="set-thread", file=""),
                plan=None,
                status=RunStatus.BROKEN,
            )
        ],
        Severity.ERROR,
        "did you mean set-threads",
    ),
    (
        "rivals",
        "CR-018",
        [
            planned(
                "a",
                stack=(Layer(file="profiles/a/config.yaml", rivals=("profiles/a/profile.yaml",)),),
            )
        ],
        Severity.ERROR,
        "profile.yaml",
    ),
    (
        "YTE",
        "CR-019",
        [planned("a", stack=(Layer(file="p", text="__use_yte__: true\ncores: ?1 + 1\n"),))],
        Severity.WARNING,
        "runs Python",
    ),
    (
        "expansion",
        "CR-019",
        [
            planned(
                "a",
                stack=(Layer(file="p", text="cores: 1\nshadow-prefix: $SCRATCH/x\n"),),
                versions={"snakemake": "9.1"},
            )
        ],
        Severity.WARNING,
        "$SCRATCH",
    ),
    (
        "logs elsewhere",
        "CR-020",
        [
            planned("a"),
            planned("b", plan=Plan(jobs=(job(log=("b.log",)),), rules={"count": PLAIN})),
        ],
        Severity.WARNING,
        "log of count",
    ),
    (
        "a person's path",
        "CR-021",
        [planned("a", setting("conda-prefix", "/home/ada/envs"))],
        Severity.WARNING,
        "/home/ada/envs",
    ),
    (
        "a machine's path",
        "CR-021",
        [planned("a", setting("default-resources", ["tmpdir=/scratch/x"]))],
        Severity.NOTE,
        "/scratch/x",
    ),
    (
        "twins",
        "CR-022",
        [planned("a", setting("quiet", "all")), planned("b", setting("quiet", "all"))],
        Severity.NOTE,
        "a and b",
    ),
    ("a vague name", "CR-023", [planned("test2")], Severity.NOTE, "test2"),
    (
        "retries everywhere",
        "CR-024",
        [planned("a", setting("retries", "3"))],
        Severity.WARNING,
        "rule count",
    ),
    (
        "keep-incomplete",
        "CR-025",
        [planned("a", setting("keep-incomplete"))],
        Severity.WARNING,
        "keep-incomplete",
    ),
    (
        "no rerun-incomplete",
        "CR-026",
        [planned("a", setting("quiet", "all"))],
        Severity.NOTE,
        "rerun-incomplete",
    ),
    (
        "no log",
        "CR-027",
        [planned("a", rule=msgspec.structs.replace(PLAIN, logs=False))],
        Severity.NOTE,
        "rule count",
    ),
    (
        "a release that goes on",
        "CR-028",
        [planned("release", setting("keep-going"))],
        Severity.WARNING,
        "keep-going",
    ),
    (
        "no wait on a cluster",
        "CR-029",
        [planned("a", setting("latency-wait", "0"), setting("executor", "slurm"))],
        Severity.WARNING,
        "remote",
    ),
    (
        "no wait at home",
        "CR-029",
        [planned("a", setting("latency-wait", "0"))],
        Severity.NOTE,
        "latency-wait",
    ),
    (
        "shared in one only",
        "CR-030",
        [planned("a"), planned("b", setting("shared-fs-usage", ["none"]))],
        Severity.WARNING,
        "b only",
    ),
    (
        "scratch on the contract",
        "CR-031",
        [
            planned(
                "a", setting("shadow-prefix", "results"), plan=Plan(jobs=(job(output="results/x"),))
            )
        ],
        Severity.ERROR,
        "results/x",
    ),
    (
        "storage in one only",
        "CR-032",
        [planned("a"), planned("b", setting("default-storage-provider", "s3"))],
        Severity.WARNING,
        "b only",
    ),
    (
        "hidden context",
        "CR-033",
        [planned("a", plan=HIDDEN)],
        Severity.WARNING,
        "the name of the host",
    ),
    (
        "an unstable plan",
        "CR-034",
        [planned("a", replan=Plan(jobs=(job(params=[["x", 2]]),), rules={"count": PLAIN}))],
        Severity.WARNING,
        "params of count",
    ),
    (
        "drift",
        "CR-035",
        [
            planned("a"),
            planned("b", plan=Plan(jobs=(job(params=[["x", 2]]),), rules={"count": PLAIN})),
        ],
        Severity.ERROR,
        "b differs from a in params of count",
    ),
    ("nothing to plan", "CR-036", [planned("a", plan=Plan())], Severity.ERROR, "nothing to do"),
    (
        "left open",
        "CR-039",
        [planned("a", setting("keep-incomplete"))],
        Severity.NOTE,
        "'keep-incomplete'",
    ),
    (
        "not in the table",
        "CR-040",
        [planned("a", setting("new-option"))],
        Severity.WARNING,
        "'new-option'",
    ),
]


@pytest.mark.parametrize(
    ("code", "runs", "severity", "said"),
    [row[1:] for row in FINDINGS],
    ids=[row[0] for row in FINDINGS],
)
def test_findings(code: str, runs: list[Evidence], severity: Severity, said: str) -> None:
    found = only(audit(runs), code)
    assert (found.severity, said in found.text) == (severity, True), found
    assert found.why
    assert found.repair


def test_plain_profiles_have_no_finding() -> None:
    found = audit([planned("local", *QUIET), planned("ci", *QUIET, setting("printshellcmds"))])
    assert found.findings == ()
    assert [a.good for a in found.answers] == [True] * len(found.answers)


def test_every_code_of_an_audit_has_a_case() -> None:
    seen = {row[1] for row in FINDINGS} | {"CR-037", "CR-038"}
    of_results = {
        "CR-041",
        "CR-042",
        "CR-043",
        "CR-044",
        "CR-045",
        "CR-046",
        "CR-047",
        "CR-048",
        "CR-049",
        "CR-050",
        "CR-051",
        "CR-052",
        "CR-053",
        "CR-054",
        "CR-055",
        "CR-056",
        "CR-057",
        "CR-058",
    }  # in test_equivalences.py, test_untried.py, test_environment.py, test_rest.py and tests/hostile
    assert {code for code in codes() if code > "CR-015"} - of_results == seen


def accept(code: str, **values: Any) -> Acceptance:
    whole = {"reason": "it is so", "owner": "ada", "expires": datetime.date(2030, 1, 1), **values}
    return Acceptance(finding=code, **whole)


NOW = datetime.date(2029, 6, 1)
RETRIED = [planned("a", *QUIET, setting("retries", "3"))]


def test_an_acceptance_in_force() -> None:
    found = only(audit(RETRIED, [accept("CR-024", profile="a", key="retries")], NOW), "CR-024")
    assert found.accepted == "it is so (ada, until 2030-01-01)"
    assert not found.counts


def test_an_acceptance_that_has_expired_is_a_finding_and_accepts_nothing() -> None:
    made = audit(RETRIED, [accept("CR-024", expires=datetime.date(2029, 5, 31))], NOW)
    assert only(made, "CR-024").accepted == ""
    assert "2029-05-31" in only(made, "CR-037").text
    assert only(audit(RETRIED, [accept("CR-024", expires=NOW)], NOW), "CR-024").accepted


@pytest.mark.parametrize("place", [{"profile": "b"}, {"key": "cores"}, {"file": "x"}])
def test_an_acceptance_of_another_place_matches_nothing(place: dict[str, str]) -> None:
    made = audit(RETRIED, [accept("CR-024", **place)], NOW)
    assert only(made, "CR-024").accepted == ""
    assert "ada" in only(made, "CR-038").text


def test_plans_of_two_hash_seeds_are_compared_under_one() -> None:
    """What differs by seed alone is no drift; what differs under one seed is."""
    other = Plan(jobs=(job(params=[["x", 2]]),), rules={"count": PLAIN})
    base = planned("a", hash_seed=1, replan=other)
    assert not audit([base, planned("b", hash_seed=2, plan=other)]).plans[1].drifts
    assert audit([base, planned("b", hash_seed=2)]).plans[1].drifts


def test_a_checkpoint_is_said_in_words() -> None:
    plan = Plan(jobs=(job(),), rules={"count": Rule(checkpoint=True)})
    assert (
        audit([planned("a", plan=plan)])
        .plans[0]
        .caveat.startswith("1 jobs are planned; more appear only in a run")
    )
    more = attempt(job("bin", "bins/1"))
    ran = planned("a", plan=plan, attempts=(attempt(job()), more))
    assert (
        audit([ran]).plans[0].caveat == "1 of 2 jobs appear only in a run, after checkpoint count."
    )


SCRIPT = Rule(code={"script": "x"}, reads={"threads": ("script",)}, threads=4, logs=True)


def ran(name: str, cores: str, **values: Any) -> Evidence:
    return planned(
        name,
        setting("cores", cores),
        rule=SCRIPT,
        effects=effect("cores", changes=(("count", "threads"),)),
        attempts=(attempt(job()),),
        **values,
    )


@pytest.mark.parametrize(
    ("runs", "compared", "decided"),
    [
        ([ran("local", "4"), ran("ci", "1")], comparison(), POLICY),
        ([ran("local", "4"), ran("ci", "1")], comparison(artifacts=(difference(),)), OPEN),
        (
            [ran("local", "4"), ran("ci", "1")],
            comparison(artifacts=(difference(noise=True),)),
            OPEN,
        ),
        ([ran("local", "4"), ran("ci", "4")], comparison(), OPEN),
        (
            [
                ran("local", "4"),
                ran("ci", "1", overrides=(Override(key="cores", was="1", now=4, why=""),)),
            ],
            comparison(),
            OPEN,
        ),
        ([ran("local", "4"), ran("ci", "1", status=RunStatus.FAILED)], comparison(), OPEN),
    ],
    ids=["held", "drifted", "noisy", "the same value", "replaced by the room", "failed"],
)
def test_a_run_settles_what_a_plan_leaves_open(
    runs: list[Evidence], compared: Any, decided: Decided
) -> None:
    found = audit(runs, comparisons=[compared])
    assert next(s for s in found.settings if s.profile == "ci").decided is decided


def test_controls_and_folders_are_no_profiles() -> None:
    found = audit(
        [
            planned("a"),
            planned("a", purpose=Control()),
            evidence("f", purpose=Folder(path="/x"), profile=Profile(name="f")),
        ]
    )
    assert found.profiles == ("a",)
