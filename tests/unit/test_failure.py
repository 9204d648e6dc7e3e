"""What is read of other programs' words about a failure: the error, the rule, what was missing."""

import pytest

from cleanroom.evidence.failure import error_of, lacking, rule_of

BANNER = """Using profile profiles/a for setting default command line arguments.
Assuming unrestricted shared filesystem usage.

SNAKEMAKE
=========
  Date: 2026-11-27 18:25:12
  Snakemake version: 9.27.1
  Command: snakemake --profile profiles/a
  Config file(s): []

Building DAG of jobs...
Using shell: /usr/bin/bash
Provided cores: 2
Rules claiming more threads will be scaled down.
Job stats:
job      count
-----  -------
one          1
total        2

Select jobs to execute...
Execute 1 jobs...
"""
JOB = """
[Fri Nov 27 18:25:13 2026]
localrule one:
    output: a.txt
    jobid: 1
    reason: Missing output files: a.txt
    resources: tmpdir=/tmp
{said}
RuleException:
CalledProcessError in file "/room/work/Snakefile", line 5:
Command 'set -euo pipefail;  something > a.txt' returned non-zero exit status {code}.
[Fri Nov 27 18:25:15 2026]
Error in rule one:
    message: None
    jobid: 1
    output: a.txt
    shell:
        something > a.txt
        (command exited with non-zero exit code)
Shutting down, this might take some time.
Exiting because a job execution failed. Look above for error messages
Complete log(s): /room/work/.snakemake/log/2026-11-27T182512.418103.snakemake.log
Elapsed time: 0:00:02.912304
WorkflowError:
At least one job did not complete successfully.
"""
TRACE = """Traceback (most recent call last):
  File "/room/work/.snakemake/scripts/tmp4fpcxe8j.s.py", line 4, in <module>
    {code}
{error}"""
FORMATTED = '{kind} in file "/room/work/Snakefile", line 1:\n{text}\n'


def job(said: str, code: int = 1) -> str:
    return BANNER + JOB.format(said=said, code=code)


def plan(kind: str, text: str) -> str:
    return BANNER.partition("SNAKEMAKE")[0] + FORMATTED.format(kind=kind, text=text)


@pytest.mark.parametrize(
    ("log", "error"),
    [
        (job("the input is empty"), "the input is empty"),
        (
            job(TRACE.format(code="f()", error="ValueError: bad column")),
            "ValueError: bad column",
        ),
        (
            job("/usr/bin/bash: line 1: samtools: command not found", 127),
            "/usr/bin/bash: line 1: samtools: command not found",
        ),
        (
            job("usage: x [-h] --n N\nx: error: the following arguments are required: --n", 2),
            "x: error: the following arguments are required: --n",
        ),
        (job("Error in f(x) : object 'y' not found"), "Error in f(x) : object 'y' not found"),
        (
            plan("KeyError", "'samples'"),
            "KeyError: 'samples' (Snakefile, line 1)",
        ),
        (
            plan("SyntaxError", "expected ':':\nif True"),
            "SyntaxError: expected ':' (Snakefile, line 1)",
        ),
        (
            "KeyError in line 7 of /room/work/Snakefile:\n'samples'\n",
            "KeyError: 'samples' (Snakefile, line 7)",
        ),
        ("set workdir first\n", "set workdir first"),
        (
            BANNER + 'InputFunctionException in rule one in file "/room/work/Snakefile", line 3:\n'
            "Error:\n  WorkflowError:\n    Resource 'runtime' with value '12:00:00' could not be "
            "parsed as minutes\nWildcards:\n\nTraceback:\n\n (rule one, line 10)\n",
            "InputFunctionException: Resource 'runtime' with value '12:00:00' could not be parsed "
            "as minutes (Snakefile, line 3)",
        ),
    ],
    ids=lambda value: str(value)[-40:] if len(str(value)) > 60 else str(value),
)
def test_the_error_itself_comes_first(log: str, error: str) -> None:
    assert error_of(log)[0] == error
    assert len(error_of(log)) <= 3


def test_the_rule_is_the_one_that_failed() -> None:
    assert rule_of(job("x")) == "one"
    assert rule_of(plan("KeyError", "'x'")) == ""


@pytest.mark.parametrize(
    ("log", "what"),
    [
        (plan("ModuleNotFoundError", "No module named 'no_such'"), "module 'no_such'"),
        (
            job(
                TRACE.format(code="import a.b", error="ModuleNotFoundError: No module named 'a.b'")
            ),
            "module 'a.b'",
        ),
        (job("bash: line 1: samtools: command not found", 127), "program 'samtools'"),
        (job("/bin/sh: 1: bwa: not found", 127), "program 'bwa'"),
        (job("/usr/bin/env: ‘Rscript’: No such file or directory", 127), "program 'Rscript'"),
        (job("", 127), "exit status 127"),
        (job("Error in library(x) : there is no package called ‘ggplot2’"), "'ggplot2'"),
        (
            "Error: Error loading Snakemake plugin fs: The package snakemake-storage-plugin-fs is "
            "not installed.",
            "plug-in 'snakemake-storage-plugin-fs'",
        ),
        (
            job(
                "Failed to store output in storage store/out.txt\nFileNotFoundError: [Errno 2] No "
                "such file or directory: 'rsync'"
            ),
            "program 'rsync'",
        ),
        (
            "WorkflowError:\nFailed to check existence of s3://bucket/out.txt\nNoCredentialsError: "
            "Unable to locate credentials\n",
            "its storage asks for (NoCredentialsError)",
        ),
        (
            "CreateCondaEnvironmentException:\nCould not create conda environment from "
            "/room/work/.snakemake/conda/0123_.yaml:\nCommand:\nconda env create --quiet",
            "a conda environment that no plan",
        ),
        (
            plan(
                "WorkflowError",
                "No storage provider found for query https://a.org/b.txt. Either install the "
                "required storage plugin or check your query.",
            ),
            "storage plug-in for https://a.org/b.txt",
        ),
        (
            plan(
                "WorkflowError",
                "The following environment variables are requested by the workflow but undefined. "
                "Please make sure that they are correctly defined before running Snakemake:\nTOKEN",
            ),
            "variable 'TOKEN'",
        ),
        (
            plan(
                "WorkflowError",
                "Expecting Snakemake version 99.0 or higher (you are currently using 9.27.1).",
            ),
            "Snakemake 99.0",
        ),
        (
            plan(
                "WorkflowError",
                "Workflow defines configfile config/c.yaml but it is not present or accessible "
                "(full checked path: /room/work/config/c.yaml).",
            ),
            "'config/c.yaml'",
        ),
        (
            'MissingInputException in rule one in file "/room/work/Snakefile", line 3:\n'
            "Missing input files for rule one:\n    output: a.txt\n    affected files:\n"
            "        data/x.csv\n",
            "'data/x.csv'",
        ),
        (
            "MissingInputException in line 3 of /room/work/Snakefile:\nMissing input files for "
            "rule one:\n    output: a.txt\n    affected files:\n        data/x.csv\n",
            "'data/x.csv'",
        ),
        (job("curl: (6) Could not resolve host: example.org", 6), "example.org"),
        (
            job(
                "urllib.error.URLError: <urlopen error [Errno -3] Temporary failure in name "
                "resolution>"
            ),
            "a network",
        ),
        (
            job(
                TRACE.format(
                    code='print(f"{d["a"]}")', error="SyntaxError: f-string: unmatched '['"
                )
            ),
            "Python 3.12",
        ),
        (plan("SyntaxError", "invalid syntax:\ntype X = int"), "Python 3.12"),
    ],
    ids=lambda value: str(value)[-40:] if len(str(value)) > 60 else str(value),
)
def test_what_no_workflow_brings_along(log: str, what: str) -> None:
    found = lacking(log, "3.11.7")
    assert found is not None
    assert what in found.what
    assert found.provide.endswith(".") and "{}" not in found.provide


def test_what_would_provide_it_is_a_line_to_write() -> None:
    program = lacking(job("/opt/x/bin/Samtools: command not found", 127), "3.11.7")
    assert program is not None and "`apt: [samtools]`" in program.provide
    package = lacking(job("there is no package called ‘DESeq2’"), "3.11.7")
    assert package is not None and "`apt: [r-cran-deseq2]`" in package.provide


@pytest.mark.parametrize(
    "log",
    [
        job("the input is empty"),
        job(TRACE.format(code="f()", error="ValueError: bad column")),
        job("cat: ../outside.txt: No such file or directory"),
        job("OSError: [Errno 101] Network is unreachable"),
        job(
            TRACE.format(
                code="open('x')",
                error="FileNotFoundError: [Errno 2] No such file or directory: 'x'",
            )
        ),
        plan("SyntaxError", "expected ':':\nif True"),
        plan("KeyError", "'samples'"),
        "set workdir first\n",
    ],
)
def test_what_is_the_workflows_own_fault(log: str) -> None:
    assert lacking(log, "3.11.7") is None


def test_a_newer_syntax_is_an_error_where_python_is_new_enough() -> None:
    log = plan("SyntaxError", "invalid syntax:\ntype X = int")
    assert lacking(log, "3.14.0") is None
