"""Files that describe environments of conda, and what is asked of other places."""

import http.server
import json
from pathlib import Path
from typing import ClassVar

import pytest

from cleanroom.config import read_settings
from cleanroom.environment import sources
from cleanroom.environment.conda_files import (
    PLATFORM,
    Channels,
    for_rooms,
    read_conda,
    unpinned,
)
from cleanroom.environment.find import Found, find_environment
from cleanroom.environment.inside.conda import public, spec_of
from cleanroom.environment.inside.python import Refused
from cleanroom.environment.provision_conda import channels_of
from cleanroom.environment.reaches import code_of, reaches
from cleanroom.environment.sources import fetch
from cleanroom.errors import Interrupted, Unprovided, UsageError
from cleanroom.room.host_settings import condarc
from cleanroom.values.environment import CondaRecipe
from cleanroom.values.supplies import CondaWanted
from tests.conda_channel import served

FORGE = "https://conda.anaconda.org/conda-forge"
URL = f"{FORGE}/{PLATFORM}/zlib-1.3-h1_0.conda"


def recipe(
    text: str, *, name: str = "environment.yml", pin: str = "", deploy: str = ""
) -> CondaRecipe:
    return read_conda(CondaWanted(name=name, text=text, pin=pin, deploy=deploy), Channels())


def test_a_file_of_conda_as_people_write_it() -> None:
    text = (
        "name: x\nprefix: /home/me/x\nchannels: [conda-forge, nodefaults, https://mirror.org/c/]\n"
        "dependencies:\n- python=3.11\n- bioconda::samtools >=1.2\n- pip\n- pip: [cowsay==6.1, 3]\n- 7\n"
    )
    found = recipe(text, deploy="echo")
    assert found.channels == (FORGE, "https://mirror.org/c")
    bioconda = "https://conda.anaconda.org/bioconda::samtools >=1.2"
    assert found.specs == ("python=3.11", bioconda, "pip")
    assert (found.pip, found.deploy, found.explicit) == (("cowsay==6.1",), "echo", ())
    assert unpinned(found)


def test_pins_take_the_place_of_a_solution() -> None:
    pin = f"# platform\n@EXPLICIT\n{URL}#{'a' * 32}\n"
    found = recipe("dependencies: [zlib, {pip: [a]}]\n", pin=pin)
    assert (found.explicit, found.specs) == ((f"{URL}#{'a' * 32}",), ())
    assert found.channels == (FORGE,)
    assert unpinned(found), "something of pip has no version"
    assert not unpinned(recipe("dependencies: [zlib, {pip: [a==1]}]\n", pin=pin))


def test_where_channels_are_is_what_a_users_own_files_say(tmp_path: Path) -> None:
    (tmp_path / ".condarc").write_text(
        "channel_alias: https://art.example/conda\ndefault_channels: [https://art.example/main]\n"
        "custom_channels: {ours: https://ours.example/c}\nchannels: [ours, defaults]\n"
    )
    channels = channels_of(condarc({"HOME": str(tmp_path)}))
    wanted = CondaWanted(
        name="e.yaml", text="channels: [bioconda, ours, defaults]\ndependencies: [a]\n"
    )
    assert read_conda(wanted, channels).channels == (
        "https://art.example/conda/bioconda",
        "https://ours.example/c/ours",
        "https://art.example/main",
    )
    nameless = CondaWanted(name="e.yaml", text="dependencies: [a]\n")
    assert read_conda(nameless, channels).channels == (
        "https://ours.example/c/ours",
        "https://art.example/main",
    )
    (tmp_path / ".condarc").write_text("[")
    assert condarc({"HOME": str(tmp_path), "CONDARC": "/nowhere"}) == {}
    assert channels_of({"channel_alias": 3, "custom_channels": [], "channels": "x"}) == Channels()


def test_pixi_and_its_lock() -> None:
    text = (
        '[workspace]\nchannels = ["conda-forge"]\n[dependencies]\npython = ">=3.11,<4"\nzlib = "*"\n'
        'samtools = { version = "1.2", channel = "bioconda" }\n[pypi-dependencies]\ncowsay = "==6.1"\n'
    )
    found = recipe(text, name="pixi.toml")
    assert found.specs == ("python >=3.11,<4", "zlib", "samtools 1.2")
    assert (found.channels, found.pip) == ((FORGE,), ("cowsay==6.1",))
    wheel = "https://files.example/cowsay-6.1-py3-none-any.whl"
    lock = {
        "version": 6,
        "environments": {
            "default": {
                "packages": {
                    PLATFORM: [{"conda": URL}, {"pypi": wheel}],
                    "win-64": [{"conda": "x"}],
                }
            }
        },
        "packages": [{"conda": URL, "sha256": "b" * 64}, {"pypi": wheel}],
    }
    locked = recipe(json.dumps(lock), name="wf/pixi.lock")
    assert locked.explicit == (f"{URL}#{'b' * 64}",)
    assert locked.pip == (f"cowsay @ {wheel}",)
    assert not unpinned(locked)


def test_a_lock_of_conda_lock() -> None:
    packages = [
        {
            "name": "zlib",
            "platform": PLATFORM,
            "manager": "conda",
            "url": URL,
            "hash": {"sha256": "c" * 64},
        },
        {"name": "other", "platform": "osx-64", "manager": "conda", "url": "x"},
        {"name": "dev", "platform": PLATFORM, "manager": "conda", "url": "y", "category": "dev"},
        {
            "name": "cowsay",
            "platform": PLATFORM,
            "manager": "pip",
            "url": "https://f.example/c.whl",
        },
    ]
    locked = recipe(json.dumps({"version": 1, "package": packages}), name="conda-lock.yml")
    assert locked.explicit == (f"{URL}#{'c' * 64}",)
    assert locked.pip == ("cowsay @ https://f.example/c.whl",)
    elsewhere = json.dumps({"package": packages[1:3]})
    with pytest.raises(Unprovided, match="no list of dependencies"):
        recipe(elsewhere, name="conda-lock.yml")


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("- a\n", "environment.yml", "no list"),
        ("dependencies: a\n", "environment.yml", "no list"),
        ("a: [\n", "environment.yml", "no YAML"),
        ("[" * 5000, "environment.yml", "no YAML"),
        ("a = \n", "pixi.toml", "no TOML"),
        ("a" * (2**20 + 1), "environment.yml", "larger"),
    ],
)
def test_what_is_no_environment(text: str, name: str, said: str) -> None:
    with pytest.raises(Unprovided, match=said):
        recipe(text, name=name)


def test_rooms_need_a_python_and_a_snakemake() -> None:
    bare = for_rooms(recipe("dependencies: [zlib]\n"), ("snakemake==9",))
    assert bare.specs == ("zlib", "python") and bare.snakemake == ("snakemake==9",)
    own = for_rooms(recipe("dependencies: [bioconda::snakemake-minimal=8]\n"), ("snakemake==9",))
    assert len(own.specs) == 1 and own.snakemake == ()
    by_pip = for_rooms(recipe("dependencies: [python, {pip: [snakemake==8.30]}]\n"), ("x",))
    assert by_pip.snakemake == ()
    plugin = "dependencies: [python, {pip: [snakemake-executor-plugin-slurm]}]\n"
    assert for_rooms(recipe(plugin), ("x",)).snakemake == ("x",)
    pins = f"@EXPLICIT\n{FORGE}/noarch/snakemake-minimal-9.1-x_0.conda\n"
    assert for_rooms(recipe("dependencies: [a]\n", pin=pins), ("x",)).snakemake == ()


@pytest.mark.parametrize(
    ("line", "spec"),
    [
        (URL, f"zlib[url='{URL}']"),
        (f"{URL}#{'a' * 32}", f"zlib[url='{URL}', md5={'a' * 32}]"),
        (f"{URL}#sha256:{'a' * 64}", f"zlib[url='{URL}', sha256={'a' * 64}]"),
        (
            f"{FORGE}/noarch/a-b-c-1.0-py_0.tar.bz2",
            f"a-b-c[url='{FORGE}/noarch/a-b-c-1.0-py_0.tar.bz2']",
        ),
    ],
)
def test_a_pin_as_a_specification(line: str, spec: str) -> None:
    assert spec_of(line) == spec


@pytest.mark.parametrize("line", ["https://x/y", f"{URL}#zz"])
def test_what_is_no_pin(line: str) -> None:
    with pytest.raises(Refused):
        spec_of(line)


def test_no_secret_of_an_address_is_kept() -> None:
    assert (
        public("https://me:secret@host/t/token-1/c/noarch/a.conda")
        == "https://host/c/noarch/a.conda"
    )


def found(files: dict[str, str], config: str = "") -> Found:
    return find_environment(
        sorted(files), files.get, "", read_settings(config.encode()).environment
    )


def test_an_environment_of_conda_comes_before_packages_of_python() -> None:
    files = {
        "environment.yml": "dependencies: [zlib]\n",
        "requirements.txt": "a\n",
    }
    answer = found(files)
    assert (answer.taken, answer.recipe) == (("environment.yml",), None)
    assert answer.conda is not None and answer.conda.name == "environment.yml"
    assert answer.unpinned == ("zlib",)
    assert answer.snakemake[0].startswith("snakemake==9") and "pulp" in answer.snakemake[-1]
    assert {p.file for p in answer.passed_over} == {"requirements.txt"}


def test_both_where_somebody_says_so() -> None:
    files = {"environment.yml": "dependencies: [zlib]\n", "requirements.txt": "a==1\n"}
    config = "environment: {requirements: [environment.yml, requirements.txt], packages: [b], snakemake: 7.32.4}\n"
    answer = found(files, config)
    assert answer.taken == ("environment.yml", "requirements.txt")
    assert answer.pip == ("a==1", "b")
    assert answer.snakemake == ("snakemake==7.32.4 pulp<2.8 setuptools<81",)
    two = "environment: {requirements: [environment.yml, other.yaml]}\n"
    with pytest.raises(UsageError, match="both environments"):
        found(files | {"other.yaml": "dependencies: [a]\n"}, two)


def test_a_file_that_is_none_is_passed_over_and_named() -> None:
    answer = found({"environment.yml": "x", "requirements.txt": "a\n"})
    assert answer.taken == ("requirements.txt",)
    assert (
        "no list of dependencies" in {p.file: p.why for p in answer.passed_over}["environment.yml"]
    )
    with pytest.raises(UsageError, match="no list of dependencies"):
        found({"environment.yml": "x"}, "environment: {requirements: [environment.yml]}\n")


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("Snakefile", 'rule a:\n    conda: "e.yaml"\n', True),
        ("workflow/rules/a.smk", 'rule a:\n    wrapper:\n        "v1/x"\n', True),
        ("Snakefile", 'module m:\n    snakefile: github("o/r", path="s", tag="v1")\n', True),
        ("Snakefile", 'include: "https://example.org/a.smk"\n', True),
        ("Snakefile", 'include: "gh:o/r@v1:a.smk"\n', True),
        ("Snakefile", "rule a:\n    shell: 'echo conda'\n", False),
        ("scripts/a.py", 'x = "https://example.org"\nconda: 1\n', False),
    ],
)
def test_whether_code_may_reach_beyond_its_commit(path: str, text: str, expected: bool) -> None:
    assert reaches(code_of([path], {path: text}.get)) is expected


class _Host(http.server.BaseHTTPRequestHandler):
    failures: ClassVar[list[int]] = []

    def do_GET(self) -> None:
        if self.path == "/flaky" and self.failures:
            self.failures.pop()
            self.send_response(503)
        elif self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/v1.2/there")
        elif self.path == "/round":
            self.send_response(302)
            self.send_header("Location", "/round")
        elif self.path == "/gone":
            self.send_response(404)
        else:
            self.send_response(200)
        self.end_headers()
        self.wfile.write(b"x" * 2000 if self.path == "/large" else b"text")

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_a_file_of_another_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_TRIES", (0.0, 0.0))
    monkeypatch.setattr(sources, "_MOST", 1000)
    _Host.failures[:] = [1]
    with served(tmp_path, _Host) as host:
        one = fetch(f"{host}/v1.2/there", tmp_path, lambda: False, private=True)
        assert (one.size, one.moves) == (4, False)
        assert (tmp_path / "sources" / one.sha256).read_bytes() == b"text"
        moved = fetch(f"{host}/moved", tmp_path, lambda: False, private=True)
        assert (moved.sha256, moved.moves) == (one.sha256, True)
        assert fetch(f"{host}/flaky", tmp_path, lambda: False, private=True).sha256 == one.sha256
        assert fetch(f"{host}/gone", tmp_path, lambda: False, private=True).sha256 == ""
        for path in ("round", "large"):
            with pytest.raises(Unprovided, match=path):
                fetch(f"{host}/{path}", tmp_path, lambda: False, private=True)
        with pytest.raises(Interrupted):
            fetch(f"{host}/there", tmp_path, lambda: True, private=True)
    with pytest.raises(Unprovided, match="cannot be fetched"):
        fetch(f"{host}/there", tmp_path, lambda: False, private=True)


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1/a",
        "http://[::1]/a",
        "http://169.254.169.254/latest",
        "http://10.1.2.3/a",
        "http://localhost/a",
    ],
)
def test_no_address_of_this_machine_or_around_it(uri: str, tmp_path: Path) -> None:
    with pytest.raises(Unprovided, match="in a network around it"):
        fetch(uri, tmp_path, lambda: False)
