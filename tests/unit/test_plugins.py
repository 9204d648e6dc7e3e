"""Plug-ins of Snakemake that a commit names, and data that it only points to."""

import pytest

from cleanroom.environment.find import Found
from cleanroom.environment.plugins import plugins_of, with_plugins
from cleanroom.findings.observed import observe
from cleanroom.source import pointers
from cleanroom.values.environment import DEFAULT_SNAKEMAKE, Recipe
from cleanroom.values.setup import Source
from cleanroom.values.supplies import CondaWanted


@pytest.mark.parametrize(
    ("profile", "code", "expected"),
    [
        ("default-storage-provider: fs\n", "", ["snakemake-storage-plugin-fs"]),
        ("default-storage-provider: none\n", "", []),
        (
            "logger: [rich, snkmt]\n",
            "",
            ["snakemake-logger-plugin-rich", "snakemake-logger-plugin-snkmt"],
        ),
        ("logger: rich\n", "", ["snakemake-logger-plugin-rich"]),
        ("executor: slurm\ncores: 1\n", "", []),
        ("logger: '--index-url=http://evil'\n", "", []),
        ("cores: [", "", []),
        ("[]\n", "", []),
        ("", 'storage:\n    provider="s3",\n    retries=2\n', ["snakemake-storage-plugin-s3"]),
        (
            "",
            'storage ours:\n    retries=2,\n    provider="http",\nrule a:\n    input: storage.ours("x")\n',
            ["snakemake-storage-plugin-http"],
        ),
        (
            "",
            'rule a:\n    input: storage.cached_http("https://x")\n',
            ["snakemake-storage-plugin-cached-http"],
        ),
        ("", 'rule a:\n    input: storage("x")\n    params: provider="none"\n', []),
    ],
)
def test_plugins_are_found(profile: str, code: str, expected: list[str]) -> None:
    found = plugins_of({"profiles/a/config.yaml": profile}, {"Snakefile": code})
    assert sorted(found) == expected
    assert set(found.values()) <= {"profiles/a/config.yaml" if profile else "Snakefile"}


def test_plugins_join_what_is_declared() -> None:
    wanted = {"snakemake-storage-plugin-fs": "profiles/a/config.yaml"}
    alone = with_plugins(Found(), wanted)
    assert alone.recipe is not None
    assert alone.recipe.snakemake == f"snakemake=={DEFAULT_SNAKEMAKE}"
    assert alone.recipe.plugins == ("snakemake-storage-plugin-fs",)
    assert alone.taken == ("profiles/a/config.yaml",)
    recipe = Recipe(asked=("r.txt",), files={"r.txt": "pandas\n"})
    beside = with_plugins(Found(recipe=recipe, taken=("r.txt",)), wanted)
    assert beside.recipe is not None
    assert (beside.recipe.plugins, beside.taken) == (("snakemake-storage-plugin-fs",), ("r.txt",))
    assert beside.recipe.digest != recipe.digest
    conda = with_plugins(Found(conda=CondaWanted(name="e.yml"), pip=("x",)), wanted)
    assert conda.pip == ("x", "snakemake-storage-plugin-fs")
    assert with_plugins(Found(), {}) == Found()


def test_data_that_a_commit_only_points_to() -> None:
    tracked = [
        "data/big.csv.dvc",
        "kept.txt",
        "kept.txt.dvc",
        "annexed.bam",
        "plain",
        ".dvc/config",
        ".dvc",
    ]
    links = {"annexed.bam": "../.git/annex/objects/xx/yy/KEY/KEY", "plain": "kept.txt"}
    assert pointers(tracked, links) == ["annexed.bam", "data/big.csv"]
    assert pointers(tracked, links, ["data/", "other"]) == ["annexed.bam"]
    assert pointers(tracked, links, ["annexed.bam"]) == ["data/big.csv"]
    source = Source(url="u", ref="r", commit="c", pointers=("annexed.bam", "data/big.csv"))
    (found,) = observe(source, [])
    assert (found.code, found.file) == ("CR-058", "annexed.bam")
    assert "annexed.bam, data/big.csv" in found.text
