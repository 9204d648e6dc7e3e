"""Rules run in the conda environments that they declare, made from a channel on loopback, and read
files of other places; no code of a repository runs with a network for it.
"""

import http.server
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from cleanroom.environment.conda_files import PLATFORM
from tests.conda_channel import Channel, add_debian, add_python, add_shout, add_wheel, served
from tests.conftest import Cli, Confirm, Make, commit_all, require, require_engine

pytestmark = pytest.mark.xdist_group("conda")
PROFILES: dict[str, str | bytes] = {
    "profiles/a/config.yaml": "cores: 1\n",
    "profiles/b/config.yaml": "cores: 2\n",
}
SHOUTS = """rule all:
    input: "out.txt"
rule shouts:
    output: "out.txt"
    conda: "envs/tools.yaml"
    shell: "echo hi | shout > {output}"
"""


@pytest.fixture(scope="module")
def channel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a channel with tools, a Python, and a package for it."""
    folder = tmp_path_factory.mktemp("channel")
    made = Channel(folder / "forge")
    add_shout(made)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "cowsay==6.1"]
    ended = subprocess.run([*pip, "--dest", str(folder)], capture_output=True, text=True)
    require(not ended.returncode, f"the index of packages does not answer ({ended.stderr})")
    add_wheel(made, next(folder.glob("cowsay*.whl")), "cowsay", "6.1")
    try:
        add_python(made, folder / "debian")
        add_debian(made, "datamash", folder / "debian", "usr/bin/datamash")
    except (OSError, subprocess.CalledProcessError) as error:
        require(False, f"Debian's packages cannot be fetched ({error})")
    made.index()
    with served(folder) as address:
        yield f"{address}/forge"


def tools(channel: str, *dependencies: str) -> str:
    return f"channels: [{channel}, nodefaults]\ndependencies: [{', '.join(dependencies)}]\n"


def keys_of(report: dict[str, Any]) -> set[str]:
    return {o["key"] for run in report["runs"] for o in run["overrides"]}


def test_an_image_beside_an_environment_is_used_where_the_profile_says_so(
    channel: str, make_repository: Make, confirm: Confirm
) -> None:
    """It is not even fetched elsewhere: no registry answers here."""
    text = SHOUTS.replace("    conda", '    container: "docker://127.0.0.1:1/none:1"\n    conda')
    files = {"Snakefile": text, "envs/tools.yaml": tools(channel, "shout"), **PROFILES}
    repo = make_repository(files=files)
    result, report = confirm(repo, "--engine", "sandbox", "--allow-private-sources")
    assert (result.code, report["software"]["containers"]) == (0, []), result.out
    (repo / "profiles/b/config.yaml").write_text("sdm: [conda, apptainer]\ncores: 2\n")
    commit_all(repo)
    result, _ = confirm(repo, "--engine", "sandbox", "--allow-private-sources", out="second")
    assert (result.code, "127.0.0.1:1/none" in result.err) == (4, True), result.err


def test_rules_run_in_what_they_declare(
    make_repository: Make, confirm: Confirm, engine: str, channel: str, cache: Path
) -> None:
    """Tools, a compiled program, and a script under a Python of its own; one profile asks for conda
    itself, the other is a cluster's, whose jobs are processes of their own.
    """
    snakefile = """rule all:
    input: "words.txt", "cow.txt"
rule words:
    output: "words.txt"
    conda: "envs/tools.yaml"
    shell:
        "shout < $SHOUT_HOME/words.txt > {output}; seq 3 | datamash sum 1 >> {output}; "
        "(touch $CONDA_PREFIX/planted && echo planted || echo kept) >> {output} 2>/dev/null"
rule cow:
    output: "cow.txt"
    conda: "envs/python.yaml"
    script: "scripts/cow.py"
"""
    script = "import cowsay, sys\nopen(snakemake.output[0], 'w').write(sys.version + cowsay.__version__)\n"
    files: dict[str, str | bytes] = {
        "Snakefile": snakefile,
        "scripts/cow.py": script,
        "envs/tools.yaml": tools(channel, "shout", "datamash"),
        "envs/python.yaml": tools(channel, "python", "cowsay=6.1"),
        "profiles/a/config.yaml": "cores: 1\nsoftware-deployment-method: conda\nconda-prefix: /data/conda\n",
        "profiles/b/config.yaml": "executor: slurm\njobs: 4\n",
    }
    repo = make_repository(files=files)
    result, report = confirm(repo, "--engine", engine, "--keep-rooms")
    assert (result.code, report["verdict"]) == (0, "HELD"), result.out + result.err
    software = {one["name"]: one for one in report["software"]["conda"]}
    assert set(software) == {"envs/tools.yaml", "envs/python.yaml"}
    packages = {p["name"]: p for p in software["envs/tools.yaml"]["packages"]}
    assert packages["shout"]["version"] == "1.1" and packages["base-words"]["version"] == "1.2"
    assert packages["datamash"]["source"].startswith(channel) and packages["datamash"]["sha256"]
    assert "2 environments of conda" in report["software"]["sentence"]
    assert "envs/tools.yaml" in result.out.replace("\n", " ")
    (a, b) = (run for run in report["runs"] if run["label"] in ("a", "b"))
    assert {o["key"]: o["cause"] for o in a["overrides"]}["conda-prefix"] == "provided"
    assert {o["key"]: o["cause"] for o in b["overrides"]}[
        "software-deployment-method"
    ] == "deployed"
    assert "does not speak of" not in report["sentence"]
    unpinned = {f["file"] for f in report["findings"] if f["code"] == "CR-054"}
    assert unpinned == {"envs/tools.yaml", "envs/python.yaml"}
    rooms = list((cache / "rooms").glob("*/*/work"))
    left = {(room / "words.txt").read_text() for room in rooms if (room / "words.txt").exists()}
    assert left == {"ALPHA\nBETA\nshout 1.1\n6\nkept\n"}
    prefix = cache / "prefixes" / software["envs/tools.yaml"]["prefix"]
    assert not list(prefix.rglob("planted"))
    lock = (prefix / "lock.txt").read_text().splitlines()
    assert lock[0] == "@EXPLICIT" and any(
        line.startswith(f"{channel}/linux-64/datamash") for line in lock
    )


def test_rooms_live_in_an_environment_that_the_repository_keeps(
    make_repository: Make, confirm: Confirm, engine: str, channel: str, cache: Path
) -> None:
    """Activated, with a Snakemake where it brings none, and packages of the index beside it."""
    files = PROFILES | {
        "Snakefile": "import cowsay, toolz\nrule all:\n    input: 'out.txt'\nrule one:\n"
        "    output: 'out.txt'\n    shell: 'shout < $SHOUT_HOME/words.txt > {output}'\n",
        "environment.yml": tools(channel, "shout", "cowsay", "{pip: [toolz==1.0.0]}"),
        "requirements.txt": "toolz==0.1\n",
    }
    repo = make_repository(files=files)
    result, report = confirm(repo, "--engine", engine)
    assert (result.code, report["verdict"]) == (0, "HELD"), result.out + result.err
    software = report["software"]
    assert "made from environment.yml; passed over: requirements.txt" in software["sentence"]
    versions = {p["name"]: p["version"] for p in software["packages"]}
    assert versions["toolz"] == "1.0.0" and versions["shout"] == "1.1"
    assert versions["snakemake"] == "9.27.1" and software["python"].startswith("3.11.")
    lock = (cache / "prefixes" / software["prefix"] / "lock.txt").read_text()
    assert "# pip: toolz==1.0.0" in lock


@pytest.mark.parametrize("version", ["7.32.4", "8.30.0"])
def test_older_versions_run_in_it_too(
    make_repository: Make, confirm: Confirm, channel: str, version: str
) -> None:
    require_engine("docker")
    files = PROFILES | {"Snakefile": SHOUTS, "envs/tools.yaml": tools(channel, "shout")}
    image = ("--engine", "docker", "--image", f"cleanroom-room:{version}")
    result, report = confirm(make_repository(files=files), *image, "--deployment", "declared")
    assert (result.code, report["verdict"]) == (0, "HELD"), result.out + result.err
    assert "--deployment declared" in report["reproduce"]
    assert keys_of(report) & {"use-conda", "software-deployment-method"}


def test_pins_decide_and_what_is_not_there_is_no_solution(
    make_repository: Make, confirm: Confirm, cli: Cli, channel: str, tmp_path: Path
) -> None:
    """Snakemake itself solves the file anew where its pins fail; here that is an error."""
    require_engine("sandbox")
    pins = f"@EXPLICIT\n{channel}/noarch/shout-1.0-0.tar.bz2\n{channel}/noarch/base-words-1.2-0.tar.bz2\n"
    files = PROFILES | {
        "Snakefile": SHOUTS,
        "envs/tools.yaml": tools(channel, "shout"),
        "envs/tools.linux-64.pin.txt": pins,
    }
    repo = make_repository(files=files)
    result, report = confirm(repo, "--engine", "sandbox")
    assert (result.code, report["verdict"]) == (0, "HELD"), result.out + result.err
    (one,) = report["software"]["conda"]
    assert {p["name"]: p["version"] for p in one["packages"]} == {
        "shout": "1.0",
        "base-words": "1.2",
    }
    assert "CR-054" not in {f["code"] for f in report["findings"]}
    (repo / "envs/tools.linux-64.pin.txt").unlink()
    commit_all(repo)
    result, report = confirm(repo, "--engine", "sandbox", "--against", "HEAD~1", out="later")
    assert result.code == 1, result.out
    (software,) = [f["text"] for f in report["findings"] if f["code"] == "CR-055"]
    assert "shout 1.0 → 1.1 in envs/tools.yaml" in software
    (repo / "envs/tools.linux-64.pin.txt").write_text(pins.replace("shout-1.0", "shout-0.9"))
    commit_all(repo)
    result = cli("confirm", repo, "HEAD", "--engine", "sandbox", "-q", "--out", tmp_path / "out")
    assert result.code == 4 and "envs/tools.yaml cannot be made" in result.err, result.err


def test_a_name_needs_a_file_and_scripts_run_where_there_is_a_network(
    make_repository: Make, confirm: Confirm, cli: Cli, channel: str, tmp_path: Path
) -> None:
    require_engine("sandbox")
    shell = '"echo hi | shout | cat - $CONDA_PREFIX/share/words.txt > {output}"'
    snakefile = f"""rule all:
    input: "out.txt", "again.txt"
rule named:
    output: "out.txt"
    conda: "our-tools"
    shell: {shell}
rule again:
    output: "again.txt"
    conda: "envs/tools.yaml"
    shell: {shell.replace("words", "more")}
"""
    deploy = "#!/usr/bin/env bash\necho $CONDA_DEFAULT_ENV > $CONDA_PREFIX/share/more.txt\n"
    files = PROFILES | {
        "Snakefile": snakefile,
        "envs/tools.yaml": tools(channel, "shout"),
        "envs/tools.post-deploy.sh": deploy,
    }
    repo = make_repository(files=files)
    result = cli("confirm", repo, "HEAD", "--engine", "sandbox", "-q", "--out", tmp_path / "out")
    assert result.code == 4, result.out + result.err
    assert "'our-tools', which is known by its name only" in result.err
    (repo / "cleanroom.yaml").write_text("environment: {conda: {our-tools: envs/other.yaml}}\n")
    commit_all(repo)
    assert cli("confirm", repo, "HEAD", "--engine", "sandbox").code == 2
    (repo / "envs/other.yaml").write_text(tools(channel, "shout=1.0"))
    commit_all(repo)
    result, report = confirm(repo, "--engine", "sandbox")
    assert (result.code, report["verdict"]) == (0, "HELD"), result.out + result.err
    found = {one["name"]: one["packages"] for one in report["software"]["conda"]}
    assert set(found) == {"our-tools", "envs/tools.yaml"}
    assert "1.0" in {p["version"] for p in found["our-tools"]}


def test_a_solution_is_kept_as_pins(
    make_repository: Make, confirm: Confirm, cli: Cli, channel: str, tmp_path: Path
) -> None:
    """`env lock` writes what was solved beside each file, and the next confirmation takes it."""
    require_engine("sandbox")
    repo = make_repository(
        files=PROFILES | {"Snakefile": SHOUTS, "envs/tools.yaml": tools(channel, "shout")}
    )
    confirm(repo, "--engine", "sandbox", out="first")
    result = cli("env", "lock", tmp_path / "first" / "report.json", "--into", repo)
    assert result.code == 0, result.err
    (pins,) = repo.glob("envs/*.pin.txt")
    assert pins.name == f"tools.{PLATFORM}.pin.txt" and pins.name in result.out
    assert f"{channel}/noarch/shout-1.1-0.tar.bz2#" in pins.read_text()
    commit_all(repo)
    result, report = confirm(repo, "--engine", "sandbox", "--against", "HEAD~1", out="second")
    assert result.code == 0, result.out + result.err
    assert not {"CR-054", "CR-055"} & {f["code"] for f in report["findings"]}
    assert cli("env", "lock", tmp_path / "nothing.json").code == 2
    assert cli("env", "lock", pins).code == 2


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            {"envs/tools.yaml": "channels: [{channel}]\ndependencies: [no-such-tool]\n"},
            "no-such-tool",
        ),
        (
            {"envs/tools.yaml": "channels: [{channel}]\ndependencies: [shout=1.0, shout=1.1]\n"},
            "shout",
        ),
        (
            {"envs/tools.yaml": "channels: [http://127.0.0.1:9/x]\ndependencies: [shout]\n"},
            "127.0.0.1:9",
        ),
        ({"envs/tools.yaml": "channels: [\n"}, "is no YAML"),
        ({"envs/tools.yaml": "channels: [{channel}]\n"}, "no list of dependencies"),
        ({"envs/tools.yaml": "dependencies: [a]\n#" + "x" * 2**20}, "larger"),
        (
            {
                "envs/tools.yaml": "channels: [{channel}]\ndependencies: [shout]\n",
                "envs/tools.post-deploy.sh": "echo it broke >&2; exit 3\n",
            },
            "it broke",
        ),
        (
            {
                "envs/tools.yaml": "channels: [{channel}]\ndependencies: [shout]\n",
                "envs/tools.post-deploy.sh": "sleep 1000\n",
            },
            "time limit",
        ),
        (
            {
                "envs/tools.yaml": "channels: [{channel}]\ndependencies: [shout, {{pip: [cowsay]}}]\n"
            },
            "no Python",
        ),
    ],
)
def test_what_cannot_be_made_ends_in_a_sentence(
    make_repository: Make, cli: Cli, channel: str, files: dict[str, str], said: str, tmp_path: Path
) -> None:
    require_engine("sandbox")
    written = {
        path: text.replace("{channel}", channel).replace("{{", "{").replace("}}", "}")
        for path, text in files.items()
    }
    repo = make_repository(files=PROFILES | {"Snakefile": SHOUTS} | written)
    limit = ("--time-limit", "20s") if said == "time limit" else ()
    asked = (
        "confirm",
        repo,
        "HEAD",
        "--engine",
        "sandbox",
        "-q",
        *limit,
        "--out",
        tmp_path / "out",
    )
    result = cli(*asked)
    assert result.code == 4, result.out + result.err
    assert said in result.err and "Traceback" not in result.err
    assert (
        "--deployment none" in result.err
        or "--time-limit" in result.err
        or "--memory" in result.err
    )


def test_the_rooms_own_software_can_be_asked_for(
    make_repository: Make, confirm: Confirm, channel: str
) -> None:
    require_engine("sandbox")
    files = PROFILES | {"Snakefile": SHOUTS, "envs/tools.yaml": tools(channel, "shout")}
    files["profiles/a/config.yaml"] = "cores: 1\nuse-conda: true\n"
    repo = make_repository(files=files)
    result, report = confirm(repo, "--engine", "sandbox", "--deployment", "none")
    assert (result.code, report["verdict"]) == (4, "INCONCLUSIVE")
    assert "the program 'shout'" in report["reasons"][0]
    assert not report["software"]["conda"]
    assert "--deployment none" in report["reproduce"]


class _Files(http.server.BaseHTTPRequestHandler):
    """A host of wrappers, modules and includes; a branch of it moves between two calls."""

    texts: ClassVar[dict[str, str]] = {}
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        text = self.texts.get(self.path)
        self.send_response(200 if text is not None else 404)
        self.end_headers()
        self.wfile.write((text or "").encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_files_of_other_places_are_fetched_once_and_lie_in_every_room(
    make_repository: Make, confirm: Confirm, cli: Cli, engine: str, channel: str, tmp_path: Path
) -> None:
    with served(tmp_path, _Files) as host:
        _Files.asked.clear()
        _Files.texts = {
            "/main/more.smk": 'include: "even.smk"\n',
            "/main/even.smk": "MORE = 'more'\n",
            "/1.2.3/bio/shout/wrapper.py": (
                "from snakemake.shell import shell\n"
                "shell('echo {snakemake.params.word} | shout > {snakemake.output}')\n"
            ),
            "/1.2.3/bio/shout/environment.yaml": tools(channel, "python", "shout"),
            "/v1.0/workflow/Snakefile": (
                'rule other:\n    output: "other.txt"\n    script: "../scripts/other.py"\n'
            ),
            "/v1.0/scripts/other.py": "open(snakemake.output[0], 'w').write('other')\n",
        }
        snakefile = f"""include: "{host}/main/more.smk"
module other:
    snakefile: "{host}/v1.0/workflow/Snakefile"
use rule * from other
rule all:
    default_target: True
    input: "out.txt", "other.txt"
rule shouts:
    output: "out.txt"
    params: word=MORE
    wrapper: "{host}/1.2.3/bio/shout"
"""
        repo = make_repository(files=PROFILES | {"Snakefile": snakefile})
        refused = cli("confirm", repo, "HEAD", "--engine", engine, "-q", "--out", tmp_path / "no")
        assert refused.code == 4 and "--allow-private-sources" in refused.err, refused.err
        assert _Files.asked == []
        result, report = confirm(repo, "--engine", engine, "--allow-private-sources")
        assert (result.code, report["verdict"]) == (0, "HELD"), result.out + result.err
        there = set(_Files.texts)
        assert {
            source["uri"].removeprefix(host) for source in report["software"]["sources"]
        } == there
        assert len(_Files.asked) == len(set(_Files.asked)), "something was fetched twice"
        assert "/1.2.3/bio/shout/wrapper.R" not in _Files.asked
        moving = {f["text"].rpartition(" ")[2] for f in report["findings"] if f["code"] == "CR-057"}
        assert moving == {f"{host}/main/more.smk", f"{host}/main/even.smk"}
        _Files.texts["/main/even.smk"] = "MORE = 'less'\n"
        (repo / "README").write_text("x")
        commit_all(repo)
        result, report = confirm(
            repo, "--engine", engine, "--allow-private-sources", "--against", "HEAD~1", out="later"
        )
        assert result.code == 0, result.out  # both commits were asked today
        del _Files.texts["/main/even.smk"]
        result, report = confirm(repo, "--engine", engine, "--allow-private-sources", out="gone")
        assert result.code == 3, result.out
        assert "/main/even.smk is not there" in report["reasons"][0]
