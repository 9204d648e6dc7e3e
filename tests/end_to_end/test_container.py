"""Rules run in the images that they declare, fetched from a registry on loopback, in both engines
and under every Snakemake; nothing of a run has a network for it.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import Confirm, Make, require_engine
from tests.registry import Registry, debian, programs, python, serving

pytestmark = pytest.mark.xdist_group("registry")
PROFILES: dict[str, str | bytes] = {
    "profiles/a/config.yaml": "cores: 1\n",
    "profiles/b/config.yaml": "cores: 2\n",
}
ALLOWED = ("--allow-private-sources",)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with serving(tmp_path_factory.mktemp("registry") / "served") as served:
        word = {"opt/word": "one\n"}
        served.push("tools/one:1", programs(), debian(tool="1.0"), word, env=["GREETING=hello"])
        served.push("tools/py:1", programs(), python(), debian(python3="3.11"))
        yield served


def workflow(registry: Registry, shell: str = "cat /opt/word > {output}", more: str = "") -> str:
    return (
        'rule all:\n    input: "a.txt"\nrule one:\n    output: "a.txt"\n    threads: 2\n'
        f'    container: "docker://{registry.address}/tools/one:1"\n{more}    shell: {shell!r}\n'
    )


def texts(report: dict[str, Any], code: str) -> list[str]:
    return [finding["text"] for finding in report["findings"] if finding["code"] == code]


def test_rules_run_in_the_images_that_they_declare(
    registry: Registry, make_repository: Make, confirm: Confirm, engine: str
) -> None:
    """With the image's own files and variables, as the room's user, without a network."""
    shell = (
        "cat /opt/word > {output}; echo $GREETING >> {output}; id -u >> {output}; umask >> "
        "{output}; pwd >> {output}; (touch /opt/x || true) 2>> "
        "{output}"
    )
    files = {"Snakefile": workflow(registry, shell), **PROFILES}
    result, report = confirm(make_repository(files=files), "--engine", engine, *ALLOWED, "--rest")
    assert (result.code, report["verdict"]) == (0, "HELD"), result.out
    (image,) = report["software"]["containers"]
    assert image["url"] == f"docker://{registry.address}/tools/one:1"
    assert image["digest"].startswith("sha256:")
    assert [(p["name"], p["version"]) for p in image["packages"]] == [("tool", "1.0")]
    assert image["url"] in report["software"]["sentence"]
    assert any(image["digest"][:19] in text for text in texts(report, "CR-054"))
    turned_on = {o["key"]: o for o in report["runs"][0]["overrides"]}
    assert turned_on["software-deployment-method"]["now"] == ["apptainer"]


def test_what_a_rule_leaves_in_an_image_decides(
    registry: Registry, make_repository: Make, confirm: Confirm, engine: str
) -> None:
    shell = "cat /opt/word > {output}; echo {threads} >> {output}"
    files = {"Snakefile": workflow(registry, shell), **PROFILES}
    result, report = confirm(make_repository(files=files), "--engine", engine, *ALLOWED)
    assert (result.code, report["verdict"]) == (1, "DRIFTED"), result.out
    assert [d["path"] for d in report["differences"] if d["decides"]] == ["a.txt"]
    control = next(rung for rung in report["rungs"] if rung["name"] == "control")
    assert "whose clock was not another one" in control["unproven"]


@pytest.mark.parametrize("version", ["7.32.4", "8.30.0", "9"])
def test_scripts_run_in_images_under_every_snakemake(
    registry: Registry, make_repository: Make, confirm: Confirm, version: str
) -> None:
    image = f"cleanroom-room:{version}" if version != "9" else "cleanroom-room:latest"
    require_engine("docker", image)
    text = workflow(registry).replace("tools/one", "tools/py").replace("threads: 2", "params: x=5")
    text = text[: text.index("    shell")] + '    script: "s.py"\n'
    script = "import sys\nopen(snakemake.output[0], 'w').write(f'{snakemake.params.x}\\n')\n"
    script += "assert sys.executable == '/usr/bin/python', sys.executable\n"
    files = {"Snakefile": text, "s.py": script, **PROFILES}
    result, report = confirm(
        make_repository(files=files), "--image", image, "--environment", "declared", *ALLOWED
    )
    assert (result.code, report["verdict"]) == (0, "HELD"), result.out
    assert report["runs"][0]["decides"] == 1


def test_scripts_run_in_images_in_the_sandbox_too(
    registry: Registry, make_repository: Make, confirm: Confirm
) -> None:
    require_engine("sandbox")
    text = workflow(registry).replace("tools/one", "tools/py")
    text = text[: text.index("    shell")] + '    script: "s.py"\n'
    script = "open(snakemake.output[0], 'w').write('1')\n"
    files = {"Snakefile": text, "s.py": script, **PROFILES}
    result, _ = confirm(make_repository(files=files), "--engine", "sandbox", *ALLOWED)
    assert result.code == 0, result.out


def test_a_clone_in_another_folder_is_seen_in_images_too(
    registry: Registry, make_repository: Make, confirm: Confirm, engine: str
) -> None:
    """As `--vary` has it; that the date was not another one there is said."""
    files = {"Snakefile": workflow(registry), "profiles/a/config.yaml": "cores: 2\n"}
    result, report = confirm(make_repository(files=files), "--engine", engine, *ALLOWED, "--vary")
    assert (result.code, report["verdict"]) == (0, "HELD"), result.out
    vary = next(rung for rung in report["rungs"] if rung["name"] == "vary")
    assert (vary["verdict"], "saw as it is" in vary["unproven"]) == ("HELD", True)


def test_how_a_command_in_an_image_ends_is_told(
    registry: Registry, make_repository: Make, confirm: Confirm, engine: str
) -> None:
    """Its exit code, and what it says on both streams; a death by a signal is a failure."""
    for shell, said in (
        ("echo why it failed >&2; exit 7", "why it failed"),
        ("kill -9 $$", "137"),
    ):
        files = {"Snakefile": workflow(registry, shell), "profiles/a/config.yaml": "cores: 1\n"}
        name = f"repo{len(said)}"
        result, report = confirm(
            make_repository(files=files, name=name), "--engine", engine, *ALLOWED, out=name
        )
        assert (result.code, report["verdict"]) == (3, "FAILED"), result.out
        assert said in report["runs"][0]["why"] + str(report["runs"][0]["steps"])


def test_a_registry_of_this_machine_must_be_allowed(
    registry: Registry, make_repository: Make, confirm: Confirm
) -> None:
    files = {"Snakefile": workflow(registry), **PROFILES}
    result, _ = confirm(make_repository(files=files), "--engine", "sandbox")
    assert (result.code, "--allow-private-sources" in result.err) == (4, True), result.err


@pytest.mark.parametrize("url", ["library://some/thing:1", "docker://{address}/tools/none:1"])
def test_an_image_that_cannot_be_had_proves_nothing(
    registry: Registry, make_repository: Make, confirm: Confirm, engine: str, url: str
) -> None:
    there = f"docker://{registry.address}/tools/one:1"
    url = url.format(address=registry.address)
    files = {"Snakefile": workflow(registry).replace(there, url), **PROFILES}
    repo = make_repository(files=files)
    result, _ = confirm(repo, "--engine", engine, *ALLOWED)
    assert result.code == 4, result.out
    assert url.removeprefix("docker://") in result.err
    assert "--deployment none" in result.err


def test_the_rooms_own_software_on_request(
    registry: Registry, make_repository: Make, confirm: Confirm
) -> None:
    files = {"Snakefile": workflow(registry, "echo 1 > {output}"), **PROFILES}
    repo = make_repository(files=files)
    result, report = confirm(repo, "--engine", "sandbox", "--deployment", "none")
    assert result.code == 0, result.out
    assert "the containers of rule one" in report["sentence"]
    assert report["software"]["containers"] == []


def test_places_of_images_on_another_machine_have_no_effect(
    registry: Registry, make_repository: Make, confirm: Confirm
) -> None:
    profile = "cores: 2\nsoftware-deployment-method: apptainer\napptainer-prefix: /shared/images\n"
    files = {"Snakefile": workflow(registry), **PROFILES, "profiles/b/config.yaml": profile}
    result, report = confirm(make_repository(files=files), "--engine", "sandbox", *ALLOWED)
    assert result.code == 0, result.out
    causes = {o["key"]: o["cause"] for run in report["runs"] for o in run["overrides"]}
    assert causes["apptainer-prefix"] == "provided"
