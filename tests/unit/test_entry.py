"""How a workflow is entered is read from the repository's own files; nothing of them is run."""

import pytest

from cleanroom.entry.learn import entry_of, learn_entries, options_of
from cleanroom.profiles.find import enters, is_usual
from cleanroom.values.setup import Entry

ACTION = """
on: push
jobs:
  lint:
    steps:
      - uses: snakemake/snakemake-github-action@v2
        with: {directory: ".", args: "--lint"}
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: snakemake/snakemake-github-action@v2
        with:
          directory: .test
          snakefile: workflow/Snakefile
          args: "--sdm conda --show-failed-logs --cores 3 --conda-cleanup-pkgs cache all"
"""
STEPS = """
defaults: {run: {working-directory: ignored}}
jobs:
  test:
    defaults:
      run:
        working-directory: pipeline
    steps:
      - run: |
          pip install snakemake
          snakemake --version
          snakemake -n --quiet
          time snakemake -c2 --configfile config/test.yaml --use-conda
      - run: cd sub && poetry run snakemake -s main.smk --cores 1 report.html
        working-directory: other
"""


def learnt(files: dict[str, str]) -> list[tuple[str, int, list[str]]]:
    own, _ = learn_entries(sorted(files), files.get)
    return [(one.file, one.line, options_of(one.entry)) for one in own]


def test_the_action_of_snakemake() -> None:
    file = ".github/workflows/main.yml"
    ((where, line, options),) = learnt({file: ACTION})
    assert (where, line) == (file, 12)
    assert options == [
        "--snakefile",
        "workflow/Snakefile",
        "--directory",
        ".test",
        "--target",
        "all",
    ]


CATALOG = """
usage:
  mandatory-flags:
    desc: what every call needs
    flags: --sdm conda --directory example all
"""


def test_the_catalogue_of_workflows_and_folders_of_tests() -> None:
    """Continuous integration says it first; a folder of test data comes last."""
    name = ".snakemake-workflow-catalog.yml"
    tracked = [name, ".test/config/config.yaml", ".tests/config.yml", "config/config.yaml"]
    own, told = learn_entries(tracked, lambda path: CATALOG if path == name else None)
    assert [(one.entry, one.file, one.line) for one in own] == [
        (Entry(directory="example", targets=("all",)), name, 5),
        (Entry(directory=".test"), ".test/config/config.yaml", 0),
        (Entry(directory=".tests"), ".tests/config.yml", 0),
    ]
    assert told == []
    assert learn_entries([".test/data.txt"], lambda path: None) == ([], [])


def test_steps_of_a_job_with_the_folder_where_they_stand() -> None:
    file = ".github/workflows/ci.yaml"
    assert learnt({file: STEPS}) == [
        (file, 13, ["--folder", "pipeline", "--configfile", "config/test.yaml"]),
        (file, 14, ["--folder", "other/sub", "--snakefile", "main.smk", "--target", "report.html"]),
    ]


def test_gitlab_makefile_and_readme() -> None:
    gitlab = (
        "test:\n  script:\n    - snakemake --cores 1 --directory .tests/small\nvariables: {a: b}\n"
    )
    makefile = "all:\n\t@snakemake --cores 4 \\\n\t  --profile profiles/local\nclean:\n\tsnakemake clean -c1\n"
    readme = "# How\n```sh\n$ snakemake --cores 2 -d example\n```\n`snakemake --cores 9 not-this`\n"
    files = {".gitlab-ci.yml": gitlab, "Makefile": makefile, "README.md": readme}
    own, told = learn_entries(sorted(files), files.get)
    assert [(one.file, options_of(one.entry)) for one in own] == [
        (".gitlab-ci.yml", ["--directory", ".tests/small"]),
        ("Makefile", []),
        ("Makefile", ["--target", "clean"]),
    ]
    assert [(one.file, one.line, options_of(one.entry)) for one in told] == [
        ("README.md", 3, ["--directory", "example"])
    ]


@pytest.mark.parametrize(
    ("call", "entry"),
    [
        ("snakemake", Entry()),
        ("snakemake --cores all -p -r --use-conda", Entry()),
        ("snakemake -s wf/Snakefile -d . -j8", Entry(snakefile="wf/Snakefile")),
        ("snakemake --snakefile=a.smk --directory=b", Entry(snakefile="a.smk", directory="b")),
        ("snakemake -sa.smk", Entry(snakefile="a.smk")),
        (
            "snakemake --configfile a.yaml b.yaml --cores 1 all",
            Entry(configfiles=("a.yaml", "b.yaml"), targets=("all",)),
        ),
        ("snakemake all more --cores 1", Entry(targets=("all", "more"))),
        ("snakemake --config x=1 y=2 --cores 1", Entry()),
        ("snakemake --set-threads a=1 --resources mem_mb=3 -k", Entry()),
        ("python -m snakemake --directory d", Entry(directory="d")),
    ],
)
def test_a_call(call: str, entry: Entry) -> None:
    assert entry_of(call) == entry


@pytest.mark.parametrize(
    "call",
    [
        "snakemake -n",
        "snakemake -np --cores 1",
        "snakemake --dry-run",
        "snakemake --lint",
        "snakemake --report r.html",
        "snakemake --directory $WORK",
        "snakemake --directory ${{ matrix.directory }}",
        "snakemake --directory ../elsewhere",
        "snakemake --snakefile /etc/passwd",
        "snakemake 'unbalanced",
    ],
)
def test_a_call_that_says_nothing_of_the_entry(call: str) -> None:
    assert entry_of(call) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[" * 5000,
        "a: &a [*a]",
        "jobs: 3",
        "jobs: {a: {steps: [3, {run: [1]}]}}",
        "\0",
        "x" * 2**21,
    ],
)
def test_broken_files_say_nothing(text: str) -> None:
    files = {".github/workflows/a.yml": text, ".gitlab-ci.yml": text, "Makefile": text}
    assert learnt(files) == []


@pytest.mark.parametrize(
    ("entry", "usual", "there"),
    [
        (Entry(), True, True),
        (Entry(directory=".test"), True, True),
        (Entry(snakefile="workflow/Snakefile"), True, True),
        (Entry(snakefile="docs/Snakefile"), False, True),
        (Entry(folder="docs"), False, True),
        (Entry(directory="gone"), True, False),
        (Entry(configfiles=("gone.yaml",)), True, False),
    ],
)
def test_whether_an_entry_is_of_this_workflow(entry: Entry, usual: bool, there: bool) -> None:
    tracked = [b"workflow/Snakefile", b"docs/Snakefile", b".test/config.yaml"]
    assert (is_usual(tracked, entry), enters(tracked, entry)) == (usual, there)
