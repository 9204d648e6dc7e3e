"""Rooms on an image of the commit's own: packages of the system, a Dockerfile, an image by name."""

from pathlib import Path

import pytest

from tests.conftest import Cli, Confirm, Make, require_engine, snakefile

pytestmark = pytest.mark.xdist_group("base")
PROFILES: dict[str, str | bytes] = {
    "profiles/a/config.yaml": "cores: 1\n",
    "profiles/b/config.yaml": "cores: 2\n",
}


def test_packages_of_the_system_are_in_the_rooms(make_repository: Make, confirm: Confirm) -> None:
    require_engine("docker")
    files = {
        "Snakefile": snakefile("echo '[1]' | jq -c . > {output}"),
        "apt.txt": "jq\n",
        **PROFILES,
    }
    repo = make_repository(files=files)
    result, report = confirm(repo, "--engine", "docker")
    assert (result.code, report["verdict"]) == (0, "HELD"), result.out + result.err
    held = {package["name"]: package["version"] for package in report["software"]["system"]}
    assert held["jq"] and held["libc6"]
    assert "1 package of the system" in report["software"]["sentence"]
    again, report = confirm(repo, "--engine", "docker", out="again")
    assert "building" not in again.err
    result, report = confirm(repo, "--engine", "sandbox", out="sandbox")
    assert [p["file"] for p in report["software"]["passed_over"]] == ["apt.txt"]


def test_a_dockerfile_that_is_named(make_repository: Make, confirm: Confirm) -> None:
    require_engine("docker")
    dockerfile = "FROM cleanroom-room:latest\nCOPY word.txt /opt/word\nRUN echo more >> /opt/word\n"
    files = {
        "Snakefile": snakefile("cat /opt/word > {output}"),
        "docker/Dockerfile": dockerfile,
        "docker/word.txt": "word\n",
        "cleanroom.yaml": "environment:\n  dockerfile: docker/Dockerfile\n",
        **PROFILES,
    }
    result, report = confirm(make_repository(files=files), "--engine", "docker")
    assert (result.code, report["verdict"]) == (0, "HELD"), result.out + result.err
    assert report["software"]["built_from"] == ["docker/Dockerfile"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"apt.txt": "no-such-package-of-debian\n"}, "no-such-package-of-debian"),
        (
            {
                "Dockerfile": "FROM cleanroom-room:latest\nRUN echo what is wrong; false\n",
                "cleanroom.yaml": "environment: {dockerfile: Dockerfile}\n",
            },
            "what is wrong",
        ),
        ({"cleanroom.yaml": "environment: {image: 'no/such/image:1'}\n"}, "no/such/image:1"),
    ],
)
def test_an_image_that_cannot_be_made_ends_in_a_sentence(
    make_repository: Make, confirm: Confirm, files: dict[str, str | bytes], said: str
) -> None:
    require_engine("docker")
    files = {"Snakefile": snakefile("echo 1 > {output}"), **PROFILES, **files}
    result, _ = confirm(make_repository(files=files), "--engine", "docker")
    assert (result.code, said in result.err) == (4, True), result.err
    assert "--environment default" in result.err


def test_the_default_image_with_more_in_it(
    make_repository: Make, confirm: Confirm, cli: Cli, tmp_path: Path
) -> None:
    require_engine("docker")
    (tmp_path / "more.txt").write_text("cowsay==6.1\n")
    more = ("--apt", "jq", "--requirements", "more.txt")
    built = cli("image", "--quiet", *more, "--tag", "cleanroom-test-more:1")
    assert built.code == 0, built.err
    files = {"Snakefile": snakefile("cowsay -t hi | jq -R . > {output}"), **PROFILES}
    repo = make_repository(files=files)
    result, _ = confirm(repo, "--image", "cleanroom-test-more:1")
    assert result.code == 0, result.out
    bad = cli("image", "--apt", "jq; true")
    assert (bad.code, "is no package of Debian" in bad.err) == (2, True)
