"""Profiles and entries are found by name alone; what is missing is answered with what is there."""

import pytest

from cleanroom.errors import UsageError
from cleanroom.profiles.find import (
    choose_baseline,
    choose_profiles,
    elsewhere,
    find_profiles,
    find_snakefile,
    reads_like_profile,
)
from cleanroom.values.setup import Profile

TREE = [
    b"Snakefile",
    b"profiles/ci/config.yaml",
    b"profiles/local/config.v8+.yaml",
    b"workflow/profiles/default/profile.yaml",
]


def names(profiles: list[Profile]) -> list[str]:
    return [profile.name for profile in profiles]


def test_every_profile_directory_is_found() -> None:
    assert names(find_profiles(TREE)) == ["ci", "local", "default"]


def test_two_of_one_name_are_told_apart_by_path() -> None:
    assert names(
        find_profiles([b"profiles/ci/config.yaml", b"workflow/profiles/ci/config.yaml"])
    ) == [
        "profiles/ci",
        "workflow/profiles/ci",
    ]


def test_a_folder_has_its_own_profiles() -> None:
    found = find_profiles([b"sub/profiles/a/config.yaml", b"profiles/b/config.yaml"], "sub")
    assert found == [Profile(name="a", path="profiles/a")]


def test_other_files_make_no_profile() -> None:
    assert (
        find_profiles(
            [b"profiles/readme/README.md", b"profiles/config.yaml", b"x/profiles/a/config.yaml"]
        )
        == []
    )


@pytest.mark.parametrize(
    ("paths", "found"),
    [
        ([b"profiles/ci.yaml", b"profiles/local.yaml"], ["ci", "local"]),
        ([b"profiles/ci.v9+.yaml", b"workflow/profiles/a.yaml"], ["ci", "a"]),
        ([b"profiles/ci.yaml", b"profiles/ci/config.yaml"], ["profiles/ci", "profiles/ci.yaml"]),
        ([b"profiles/config.yaml", b"profiles/profile.v9+.yaml", b"profiles/.ci.yaml"], []),
        ([b"profiles/ci.yml", b"profiles/ci.json", b"profiles/README.md", b"ci.yaml"], []),
    ],
)
def test_a_file_is_a_profile_too(paths: list[bytes], found: list[str]) -> None:
    assert names(find_profiles(paths)) == found


def test_a_repository_without_profiles_runs_as_it_is() -> None:
    assert choose_profiles([], (), TREE) == [Profile(name="(no profile)")]


def test_none_is_no_profile_unless_one_is_called_so() -> None:
    found = find_profiles(TREE)
    assert choose_profiles(found, ("none",), TREE) == [Profile(name="(no profile)")]
    odd = [b"profiles/none/config.yaml"]
    assert choose_profiles(find_profiles(odd), ("none",), odd) == find_profiles(odd)
    with pytest.raises(UsageError):
        choose_profiles(found, ("none", "ci"), TREE)


def test_a_profile_is_chosen_by_name_or_path_once() -> None:
    found = find_profiles(TREE)
    assert names(choose_profiles(found, ("profiles/ci/", "ci", "local"), TREE)) == ["ci", "local"]


def test_a_profile_elsewhere_is_chosen_by_its_path() -> None:
    assert choose_profiles([], ("profile/",), [b"profile/config.yaml"]) == [
        Profile(name="profile", path="profile")
    ]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [("cii", "Did you mean ci"), ("zzz", "It has: ci, local, default"), ("../x", "no profile")],
)
def test_an_unknown_profile(wanted: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        choose_profiles(find_profiles(TREE), (wanted,), TREE)


def test_the_baseline() -> None:
    found = find_profiles(TREE)
    assert choose_baseline(found, "") == 1
    assert choose_baseline(found, "default") == 2
    assert choose_baseline([Profile(name="x")], "") == 0
    with pytest.raises(UsageError, match="not among"):
        choose_baseline(found, "slurm")


@pytest.mark.parametrize(
    ("tree", "call", "said"),
    [
        ([b"sub/Snakefile"], ("", "", ""), "--folder sub"),
        ([b"a/workflow/Snakefile"], ("", "", ""), "--folder a"),
        ([b"main.smk"], ("", "", ""), "--snakefile main.smk"),
        ([b"README.md"], ("", "", ""), "Is this a Snakemake workflow"),
        ([b"Snakefile"], ("nowhere", "", ""), "--folder"),
        ([b"Snakefile"], ("", "", "nowhere"), "--directory"),
        ([b"Snakefile"], ("", "snakefil", ""), "Did you mean Snakefile"),
    ],
)
def test_no_snakefile_names_the_option(
    tree: list[bytes], call: tuple[str, str, str], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        find_snakefile(tree, *call)


def test_a_snakefile_is_found_where_snakemake_looks() -> None:
    for place in (b"Snakefile", b"snakefile", b"workflow/Snakefile", b"workflow/snakefile"):
        find_snakefile([place], "", "", "")
    find_snakefile([b"sub/workflow/Snakefile", b"sub/.test/x"], "sub", "", ".test")


def test_files_that_are_named_like_a_profile_elsewhere() -> None:
    tracked = [
        b"profiles/a/config.yaml",
        b"workflow/profiles/b/config.yaml",
        b"config/config.yaml",
        b"config/slurm/config.v8+.yaml",
        b"profile/profile.yaml",
        b"config/samples.yaml",
    ]
    found = ["config/config.yaml", "config/slurm/config.v8+.yaml", "profile/profile.yaml"]
    assert elsewhere(tracked) == found
    assert "profiles/a/config.yaml" in elsewhere(tracked, "sub")


@pytest.mark.parametrize(
    ("text", "like"),
    [
        ("executor: slurm\njobs: 10\n", True),
        ("cores: 2\nuse-conda: true\n# a word\nmy_key: 1\n", True),
        ("samples: s.tsv\ncores: 2\nreference: r.fa\nout: results\n", False),
        ("cores: 2\n", False),
        ("samples:\n  executor: x\n  jobs: 1\n", False),
        ("", False),
    ],
)
def test_a_file_reads_like_a_profile_by_its_keys(text: str, like: bool) -> None:
    assert reads_like_profile(text) is like
