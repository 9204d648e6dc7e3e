"""What a commit declares of the image under its rooms."""

import pytest

from cleanroom.config import read_settings
from cleanroom.environment.base import Base, find_base
from cleanroom.errors import UsageError

DOCKERFILE = """FROM debian:12
COPY --chown=1:1 envs/*.yaml scripts \\
     /opt/
ADD ["one file.txt", "https://example.org/x", "/opt/"]
COPY --from=build /out /out
RUN make
"""


def found(files: dict[str, str], config: str = "", folder: str = "") -> Base:
    return find_base(sorted(files), files.get, folder, read_settings(config.encode()).environment)


def test_packages_of_the_system() -> None:
    files = {"apt.txt": "samtools # of Debian\nbwa=0.7.17-7  bcftools\n\n", "wf/apt.txt": "jq\n"}
    assert found(files).apt == ("samtools", "bwa=0.7.17-7", "bcftools")
    inner = found(files, folder="wf")
    assert (inner.apt, inner.taken) == (("jq",), ("wf/apt.txt",))
    assert [p.file for p in inner.passed_over] == ["apt.txt"]
    stated = found(files, "environment: {apt: [bedtools]}")
    assert (stated.apt, stated.taken) == (("bedtools",), ())
    assert found({"Snakefile": ""}) == Base()


def test_a_dockerfile_is_built_only_where_it_is_named() -> None:
    files = {
        "docker/Dockerfile": DOCKERFILE,
        "docker/envs/a.yaml": "",
        "docker/envs/deep/b.yaml": "",
        "docker/scripts/x/run.sh": "",
        "docker/one file.txt": "",
        "docker/other": "",
        "out": "",
        "Dockerfile": "FROM x",
    }
    assert "environment: dockerfile:" in found(files).passed_over[0].why
    base = found(files, "environment: {dockerfile: docker/Dockerfile, apt: [jq]}")
    assert base.context == ("envs/a.yaml", "one file.txt", "scripts/x/run.sh")
    assert (base.dockerfile, base.apt, base.taken) == (DOCKERFILE, ("jq",), ("docker/Dockerfile",))
    assert base.called == ("docker/Dockerfile", "1 package of the system")
    assert [p.file for p in base.passed_over] == ["Dockerfile"]
    whole = found(
        {"Dockerfile": "FROM x\nCOPY . /x\n", "a/b": ""}, "environment: {dockerfile: Dockerfile}"
    )
    assert whole.context == ("Dockerfile", "a/b")


def test_an_image_by_its_name() -> None:
    base = found({"apt.txt": "jq"}, "environment: {image: 'quay.io/x/y@sha256:1'}")
    assert (base.image, base.apt) == ("quay.io/x/y@sha256:1", ())
    assert [p.file for p in base.passed_over] == ["apt.txt"]


@pytest.mark.parametrize(
    ("config", "apt", "said"),
    [
        ("environment: {image: x, dockerfile: Dockerfile}", "", "contradict"),
        ("environment: {dockerfile: none}", "", "no file 'none'"),
        ("environment: {image: x, apt: ['jq; true']}", "", "'jq; true' is no package"),
        ("environment: {dockerfile: Dockerfile, apt: ['$(x)']}", "", "is no package"),
        ("environment: {apt: ['--allow-x']}", "", "'--allow-x' is no package"),
        ("", "jq; rm\n", "'jq;' is no package"),
        ("", "https://example.org/x.deb\n", "is no package"),
    ],
)
def test_what_cannot_be_is_refused(config: str, apt: str, said: str) -> None:
    files = {"Dockerfile": "FROM x"} | ({"apt.txt": apt} if apt else {})
    with pytest.raises(UsageError, match=said):
        found(files, config)
