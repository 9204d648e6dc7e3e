"""What code of a rule reads, found in its text and bytecode."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cleanroom.room.inside import reads as untyped

READS: Any = untyped

BOTH = {"threads", "resources"}


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("n = snakemake.threads", {"threads"}),
        ("n <- snakemake@threads", {"threads"}),
        ('m <- snakemake@resources[["mem_mb"]]', {"resources.mem_mb"}),
        ("m <- snakemake@resources$mem_mb", {"resources.mem_mb"}),
        ('m = snakemake.resources["mem_mb"]', {"resources.mem_mb"}),
        ('"m = snakemake.resources[\\"mem_mb\\"]\\n"', {"resources.mem_mb"}),  # a notebook
        ("m = snakemake.resources.get('mem_mb', 1)", {"resources"}),
        ("for name in snakemake.resources.keys(): pass", {"resources"}),
        (
            "echo ${snakemake[threads]} ${snakemake_resources[mem_mb]}",
            {"threads", "resources.mem_mb"},
        ),
        ("main(snakemake)", BOTH),
        ("main(a, snakemake)", BOTH),
        ("sm = snakemake\nsm.threads", BOTH),
        ("from snakemake.shell import shell\nimport snakemake\nopen(snakemake.output[0])", set()),
        ("threads = 4", set()),
    ],
)
def test_a_script(text: str, reads: set[str]) -> None:
    assert READS.script_reads(text) == reads


def whole_and_part(threads: Any, resources: Any, shell: Any, use: Any) -> Any:
    use(resources)
    return resources.mem_mb


def nested(threads: Any, resources: Any, shell: Any, use: Any) -> Any:
    return [lambda: resources.mem_mb for _ in use]


def commands(threads: Any, resources: Any, shell: Any, use: Any) -> Any:
    shell("sort --parallel={threads} -S {resources[mem_mb]}M {{resources.no}}")


def both_at_once(threads: Any, resources: Any, shell: Any, use: Any) -> Any:
    return use(threads, resources)


def asked(threads: Any, resources: Any, shell: Any, use: Any) -> Any:
    return resources.get("mem_mb")


def nothing(threads: Any, resources: Any, shell: Any, use: Any) -> Any:
    return use.threads, use.resources


@pytest.mark.parametrize(
    ("block", "reads"),
    [
        (whole_and_part, {"resources", "resources.mem_mb"}),
        (nested, {"resources.mem_mb"}),
        (commands, {"threads", "resources.mem_mb"}),
        (both_at_once, BOTH),
        (asked, {"resources"}),
        (nothing, set()),
    ],
)
def test_a_run_block(block: Any, reads: set[str]) -> None:
    assert READS.names_in(block.__code__) == reads


def rule(**more: object) -> SimpleNamespace:
    return SimpleNamespace(**{"shellcmd": None, "params": [], "input": [], "resources": {}, **more})


def test_an_attempt_is_read_where_a_resource_that_depends_on_it_is() -> None:
    grows = rule(
        shellcmd="echo {resources.mem_mb}", resources={"mem_mb": lambda wildcards, attempt: attempt}
    )
    assert READS.reads_of(grows, lambda rule, value: None) == {
        "resources.mem_mb": ["command"],
        "attempt": ["command"],
    }


def test_a_wrapper_is_said_to_be_unread() -> None:
    assert READS.reads_of(rule(wrapper="v1/bio/sort"), lambda rule, value: None) == {
        "unread": ["wrapper"]
    }


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("import os; home = os.environ['HOME']", "environment"),
        ("user <- Sys.getenv('X')", "environment"),
        ("socket.gethostname()", "host"),
        ("open('/scratch/group/ref.fa')", "path"),
        ("n = workflow.cores", "cores"),
        ("files = glob.glob('*.txt')", "order"),
        ("stamp = datetime.datetime.now()", "date"),
        ("files = sorted(glob.glob('*.txt'))", None),
        ("x = 1  # os.environ", None),
        ("url = 'https://example.org/data/x'", None),
    ],
)
def test_context_that_no_profile_shows(line: str, kind: str | None, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(f"pass\n{line}\n")
    assert [
        (found["kind"], found["line"]) for found in READS.hidden_in(str(tmp_path / "a.py"))
    ] == ([(kind, 2)] if kind else [])


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("echo $TMPDIR > x", {"resources.tmpdir"}),
        ("echo ${{TMP}} > x", {"resources.tmpdir"}),
        ("os.environ['TEMP']", {"resources.tmpdir"}),
        ("echo $OMP_NUM_THREADS", {"threads"}),
        ("MKL_NUM_THREADS=2 run", {"threads"}),
        ("split --number=$(nproc)", {"threads"}),
        ("java $_JAVA_OPTIONS", {"resources"}),
        ("echo ${{SLURM_JOB_ID}}", {"executor"}),
        ("echo $TMPDIRECTORY temp TMP", set()),
        ("tool --nproc 4", set()),
    ],
)
def test_variables_that_snakemake_sets_are_reads_of_a_setting(text: str, reads: set[str]) -> None:
    assert READS.caused(text) == reads


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("IDS = glob_wildcards('data/{i}.csv').i", False),
        ('IDS = glob_wildcards("results/{i}.csv").i', True),
        ("IDS = glob_wildcards(DATA + '/{i}.csv').i", True),
        ("IDS = glob_wildcards('{i}.csv').i", True),
        ("IDS = os.listdir('data')", True),
    ],
)
def test_a_listing_of_the_commit_is_the_same_in_every_clone(
    line: str, found: bool, tmp_path: Path
) -> None:
    file = tmp_path / "Snakefile"
    file.write_text(line)
    tracked = frozenset({"data/a.csv", "Snakefile"})
    assert bool(READS.hidden_in(str(file), tracked)) is found
