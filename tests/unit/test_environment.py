"""Which files declare packages, which are taken, and that what is not taken is named."""

from pathlib import Path

import msgspec
import pytest

from cleanroom.config import read_settings
from cleanroom.environment.find import Found, find_environment
from cleanroom.errors import UsageError
from cleanroom.findings.observed import observe
from cleanroom.room.host_settings import index_settings
from cleanroom.room.inside import lighter
from cleanroom.values.environment import DEFAULT_SNAKEMAKE, Environment, Package, PassedOver
from cleanroom.values.setup import Entry, Learnt, Source
from tests.unit.values import evidence

PROJECT = '[project]\nname = "w"\nversion = "1"\ndependencies = ["pandas==2.2.3", "numpy"]\n'
UV_LOCK = 'version = 1\n[[package]]\nname = "pandas"\nversion = "2.2.3"\n'
PYLOCK = 'lock-version = "1.0"\n[[packages]]\nname = "pandas"\nversion = "2.2.3"\n'


def found(files: dict[str, str], *, folder: str = "", config: str = "") -> Found:
    settings = read_settings(config.encode()).environment
    return find_environment(sorted(files), files.get, folder, settings)


def passed(answer: Found) -> dict[str, str]:
    return {p.file: p.why for p in answer.passed_over}


def test_a_commit_that_declares_nothing_gets_the_rooms_own_software() -> None:
    answer = found({"Snakefile": "", "pyproject.toml": "[tool.ruff]\n"})
    assert (answer.recipe, answer.taken, answer.passed_over) == (None, (), ())


@pytest.mark.parametrize(
    ("files", "taken"),
    [
        ({"requirements.txt": "a\n"}, "requirements.txt"),
        ({"pyproject.toml": PROJECT}, "pyproject.toml"),
        ({"requirements.txt": "a\n", "pyproject.toml": PROJECT}, "requirements.txt"),
        ({"pylock.toml": PYLOCK, "requirements.txt": "a\n"}, "pylock.toml"),
        ({"uv.lock": UV_LOCK, "pyproject.toml": PROJECT, "pylock.toml": PYLOCK}, "uv.lock"),
        ({"uv.lock": UV_LOCK, "requirements.txt": "a\n"}, "requirements.txt"),
        ({"requirements-dev.txt": "a\n", "requirements.txt": "b\n"}, "requirements.txt"),
        ({"workflow-requirements.txt": "a\n"}, "workflow-requirements.txt"),
    ],
)
def test_the_first_match_wins_and_the_others_are_named(files: dict[str, str], taken: str) -> None:
    answer = found(files)
    assert answer.taken == (taken,)
    alone = {"pyproject.toml"} if taken == "uv.lock" else set()
    others = {name for name in files if name not in {taken, "uv.lock"}}
    assert set(passed(answer)) >= others - alone
    assert all("comes first" in why for why in passed(answer).values())


def test_the_folder_where_the_workflow_is_entered_comes_before_the_top() -> None:
    files = {"requirements.txt": "a\n", "wf/requirements.txt": "b\n", "wf/sub/requirements.txt": ""}
    assert found(files, folder="wf").taken == ("wf/requirements.txt",)
    assert found(files).taken == ("requirements.txt",)
    assert passed(found(files, folder="wf")) == {
        "requirements.txt": "wf/requirements.txt comes first"
    }


def test_includes_are_followed_and_what_is_no_package_is_left_out() -> None:
    answer = found(
        {
            "requirements.txt": "-r more/base.txt\n-c limits.txt\n-e .\n./tools\n-r ../x.txt\n"
            "--extra-index-url https://example.org/simple\nnumpy==2.1.0 # pinned\n",
            "more/base.txt": "--requirement deep.txt\ncowsay>=6 \\\n  --hash=sha256:00\n",
            "more/deep.txt": "rich\n",
            "limits.txt": "cowsay<7\n",
        }
    )
    assert answer.recipe is not None
    assert set(answer.recipe.files) == {
        "requirements.txt",
        "more/base.txt",
        "more/deep.txt",
        "limits.txt",
    }
    text = answer.recipe.files["requirements.txt"]
    assert not [line for line in ("-e .", "./tools", "../x.txt") if line in text]
    assert "--extra-index-url https://example.org/simple" in text
    assert len([p for p in answer.passed_over if p.file == "requirements.txt"]) == 3
    assert answer.unpinned == ("cowsay<7", "cowsay>=6", "rich")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"requirements.txt": "-r a.txt\n", "a.txt": "-r requirements.txt\n"}, "includes itself"),
        ({"requirements.txt": "-r gone.txt\n"}, "is no file of the commit"),
        ({"requirements.txt": "x" * 2**21}, "is larger"),
    ],
)
def test_a_file_that_cannot_be_read_is_passed_over_unless_somebody_named_it(
    files: dict[str, str], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        found(files, config="environment: {requirements: [requirements.txt]}")
    alone = found(files)
    assert (alone.recipe, said in passed(alone)["requirements.txt"]) == (None, True)
    beside = found(files | {"pyproject.toml": PROJECT})
    assert beside.taken == ("pyproject.toml",)
    assert said in passed(beside)["requirements.txt"]


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("cowsay", f"snakemake=={DEFAULT_SNAKEMAKE}"),
        ("snakemake==8.30.0", ""),
        ("snakemake>=8,<9", ""),
        ("snakemake-minimal==8.30.0", f"snakemake=={DEFAULT_SNAKEMAKE}"),
    ],
)
def test_which_snakemake(line: str, asked: str) -> None:
    recipe = found({"requirements.txt": line}).recipe
    assert recipe is not None
    assert recipe.snakemake == asked


def test_cleanroom_yaml_comes_first() -> None:
    files = {"requirements.txt": "a\n", "lock/all.txt": "b==1\n"}
    answer = found(
        files,
        config="environment: {requirements: [lock/all.txt], packages: [c==2], snakemake: '8.30'}",
    )
    assert answer.taken == ("lock/all.txt",)
    assert answer.recipe is not None
    assert (answer.recipe.packages, answer.recipe.snakemake) == (("c==2",), "snakemake==8.30")
    assert (answer.unpinned, passed(answer)) == (
        (),
        {"requirements.txt": "cleanroom.yaml comes first"},
    )
    only = found(files, config="environment: {packages: [c]}")
    assert (only.taken, only.unpinned) == ((), ("c",))
    none = found(files, config="environment: {use: default}")
    assert (none.recipe, none.taken, set(passed(none))) == (None, (), {"requirements.txt"})


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("environment: {requirements: [gone.txt]}", "no file 'gone.txt'"),
        ("environment: {packages: ['=?']}", "no requirement"),
        ("environment: {use: conda}", "not known"),
        ("environment: {snakemake: newest}", "no version"),
        ("environment: {package: [a]}", "unknown field"),
    ],
)
def test_what_cleanroom_yaml_says_wrongly(config: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        found({"requirements.txt": "a\n"}, config=config)


def test_a_prefix_is_named_by_all_that_decides_it() -> None:
    one = found({"requirements.txt": "a\n"}).recipe
    same = found({"requirements.txt": "a   # why\n", "README": ""}).recipe
    other = found({"requirements.txt": "a==1\n"}).recipe
    assert one and same and other
    assert one.digest == same.digest != other.digest


@pytest.mark.parametrize("text", ["[" * 1000, "project = 3", '[project]\ndependencies = "a"\n'])
def test_a_broken_project_declares_nothing(text: str) -> None:
    assert found({"pyproject.toml": text}).recipe is None


def test_packages_that_differ_are_named_with_both_versions() -> None:
    def held(**versions: str) -> Environment:
        return Environment(
            packages=tuple(Package(name=n, version=v, sha256=v) for n, v in versions.items())
        )

    left, right = held(numpy="1", rich="1", gone="3"), held(numpy="2", rich="1", new="4")
    assert left.differing(right) == ["gone 3 → none", "new none → 4", "numpy 1 → 2"]
    assert left.differing(left) == []


@pytest.mark.parametrize(
    ("environ", "given"),
    [
        ({"PIP_INDEX_URL": "https://a/simple"}, {"UV_DEFAULT_INDEX": "https://a/simple"}),
        (
            {"PIP_INDEX_URL": "https://a", "UV_INDEX_URL": "https://b"},
            {"UV_DEFAULT_INDEX": "https://b"},
        ),
        ({"PIP_EXTRA_INDEX_URL": "file:///x https://c"}, {"UV_INDEX": "https://c"}),
        ({"PIP_EXTRA_INDEX_URL": "file:///x"}, {}),
        ({"https_proxy": "http://p"}, {"https_proxy": "http://p"}),
        ({"AWS_SECRET_ACCESS_KEY": "x"}, {}),
    ],
)
def test_a_room_that_makes_software_gets_the_index_and_nothing_else(
    environ: dict[str, str], given: dict[str, str]
) -> None:
    assert index_settings({"HOME": "/nowhere", **environ}).items() >= given.items()
    assert "AWS_SECRET_ACCESS_KEY" not in index_settings(environ)


def test_what_became_of_declared_packages_is_found() -> None:
    held = Environment(
        prefix="p",
        taken=("requirements.txt",),
        passed_over=(PassedOver(file="environment.yml", why="no conda"),),
        packages=(Package(name="numpy", version="2"),),
        unpinned=("numpy>=1",),
    )
    learnt = Learnt(
        entry=Entry(directory=".test"), file="ci.yml", line=3, text="snakemake -d .test"
    )
    now = msgspec.structs.replace(evidence("a"), environment=held, learnt=learnt)
    before = msgspec.structs.replace(
        evidence("a at HEAD~1"),
        environment=msgspec.structs.replace(held, packages=(Package(name="numpy", version="1"),)),
    )
    source = Source(url="r", ref="HEAD", commit="0" * 40)
    found = {f.code: f for f in observe(source, [now], before)}
    told = {code: (f.file, f.line) for code, f in found.items() if code > "CR-052"}
    assert told == {
        "CR-053": ("environment.yml", 0),
        "CR-054": ("requirements.txt", 0),
        "CR-055": ("", 0),
        "CR-056": ("ci.yml", 3),
    }
    assert "numpy 1 → 2" in found["CR-055"].text
    assert "CR-055" not in {f.code for f in observe(source, [now, now])}


def test_one_snakemake_is_the_usual_one_everywhere() -> None:
    """And its records were held against those of the rooms, so that they start fast."""
    dockerfile = (Path(__file__).parents[2] / "Dockerfile").read_text()
    assert f"ARG SNAKEMAKE={DEFAULT_SNAKEMAKE}\n" in dockerfile
    assert DEFAULT_SNAKEMAKE in lighter.RECORDS.values()
