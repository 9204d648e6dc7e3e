"""Causes are named with certainty only where nothing else could have done it."""

from cleanroom.cause.undeclared import undeclared_candidates
from cleanroom.rungs.registry import read_causes
from cleanroom.values.comparison import Origin, Relation, Sameness
from cleanroom.values.plan import Plan, Rule
from cleanroom.values.purpose import Staged
from cleanroom.values.run import Role, RunStatus, Step, StepStatus
from cleanroom.values.setup import Override, Setting
from tests.unit.values import artifact, attempt, comparison, difference, evidence, job


def settings(**values: object) -> tuple[Setting, ...]:
    return tuple(Setting(key=k, value=v, file="p") for k, v in values.items())


DIFFERS = comparison(artifacts=(difference(),))


def test_the_only_setting_that_differs() -> None:
    runs = (
        evidence("local", settings=settings(cores="2", quiet="x")),
        evidence("ci", settings=settings(cores="8", quiet="x")),
    )
    (cause,) = read_causes(runs, [DIFFERS])
    assert (cause.name, cause.certain, cause.values) == ("cores", True, {"local": "2", "ci": "8"})


def test_several_are_not_told_apart() -> None:
    runs = (
        evidence("local", settings=settings(cores="2")),
        evidence("ci", settings=settings(cores="8", config=["a=1"])),
    )
    causes = read_causes(runs, [DIFFERS])
    assert {c.name for c in causes} == {"cores", "config"}
    assert not any(c.certain for c in causes)


def test_what_the_room_replaced_cannot_have_done_it() -> None:
    dropped = (
        Override(key="executor", was="slurm", now=None, why=""),
        Override(key="cores", was=None, now=4, why=""),
    )
    runs = (
        evidence("local", settings=settings(cores="2")),
        evidence("ci", settings=settings(executor="slurm"), overrides=dropped),
    )
    assert [c.name for c in read_causes(runs, [DIFFERS])] == ["cores"]


def test_a_control_that_differs_blames_no_profile() -> None:
    run = evidence("local")
    (cause,) = read_causes(
        [run],
        [comparison(right="local (control)", relation=Relation.CONTROL, artifacts=(difference(),))],
    )
    assert (cause.name, cause.certain) == ("not deterministic", True)


def test_no_difference_has_no_cause() -> None:
    assert read_causes([evidence("local"), evidence("ci")], [comparison()]) == ()


def test_files_that_a_failed_job_names_are_the_likeliest() -> None:
    """Its own files are no candidates; the workflow's file, which every error names, is none of the
    likely ones.
    """
    made = job(inputs=("data/a.txt",), command="sh count.sh data/a.txt > out.txt")
    usual = evidence(
        "local",
        attempts=(attempt(made),),
        plan=Plan(jobs=(made,), rules={"count": Rule(file="Snakefile")}),
    )
    said = Step(
        name="run", status=StepStatus.FAILED, log="Snakefile, line 3: cannot open data/a.txt.fai"
    )
    staged = evidence(
        "local",
        purpose=Staged(),
        status=RunStatus.FAILED,
        attempts=(attempt(made, ok=False),),
        steps=(said,),
    )
    lost = comparison(relation=Relation.STAGED, artifacts=(difference(sameness=Sameness.MISSING),))
    tracked = ("Snakefile", "README.md", "data/a.txt", "data/a.txt.fai", "scripts/count.sh")
    assert undeclared_candidates(usual, staged, lost, tracked) == (
        ("data/a.txt.fai", "scripts/count.sh"),
        ("README.md", "Snakefile"),
    )


def test_a_file_of_nobody_that_is_missing_comes_first() -> None:
    left = artifact("side.txt", index=-1, role=Role.UNDECLARED), artifact()
    usual, staged = evidence("local", artifacts=left), evidence("local", purpose=Staged())
    gone = difference(path="side.txt", sameness=Sameness.MISSING)
    origin = Origin(
        rule="count", wildcards={}, paths=("out.txt",), derived=(), left=None, right=None
    )
    found = undeclared_candidates(
        usual,
        staged,
        comparison(relation=Relation.STAGED, artifacts=(gone,), origins=(origin,)),
        ("a.txt",),
    )
    assert found == (("side.txt",), ("a.txt",)), "the output of the job where it begins is its own"


def test_a_staged_run_that_differs_does_not_say_by_itself_what_did_it() -> None:
    """A file that no rule declares, the folder of the job, or chance: only runs in between tell."""
    runs = evidence("local"), evidence("local", called="local (staged)", purpose=Staged())
    (cause,) = read_causes(
        runs,
        [comparison(right="local (staged)", relation=Relation.STAGED, artifacts=(difference(),))],
    )
    assert (cause.name, cause.certain) == ("undeclared files", False)
