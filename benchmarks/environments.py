"""What environments cost: one that is there already, one of fifty packages of Python against uv by
itself, one of a hundred packages of conda against py-rattler by itself.
"""

import asyncio
import os
import random
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import rattler

from cleanroom.environment.conda_files import PLATFORM
from cleanroom.environment.find import find_environment
from cleanroom.environment.making import Maker
from cleanroom.environment.provision import provision
from cleanroom.environment.provision_conda import provision_conda
from cleanroom.environment.uv import the_uv
from cleanroom.room import rooms
from cleanroom.room.engines.registry import open_engine
from cleanroom.room.host_settings import index_settings
from cleanroom.values.environment import EnvironmentSettings
from cleanroom.values.supplies import CondaWanted
from tests.conda_channel import Channel, served

PACKAGES = [
    "attrs",
    "anyio",
    "babel",
    "beautifulsoup4",
    "blinker",
    "cachetools",
    "certifi",
    "cffi",
    "click",
    "cloudpickle",
    "colorama",
    "coverage",
    "cryptography",
    "cycler",
    "decorator",
    "distlib",
    "docutils",
    "et-xmlfile",
    "filelock",
    "fonttools",
    "fsspec",
    "gitpython",
    "greenlet",
    "html5lib",
    "idna",
    "iniconfig",
    "itsdangerous",
    "jinja2",
    "joblib",
    "jsonschema",
    "kiwisolver",
    "lxml",
    "markdown",
    "markupsafe",
    "mpmath",
    "narwhals",
    "networkx",
    "openpyxl",
    "packaging",
    "pandas",
    "pathspec",
    "pillow",
    "platformdirs",
    "pluggy",
    "psutil",
    "pygments",
    "pyparsing",
    "rich",
    "scikit-learn",
    "sympy",
]
CONDA_PACKAGES = 100
BYTES = 1_000_000
"""Of the largest file of each package, before it is written in hexadecimal."""


def environments(
    scratch: Path,
    image: str,
    repository: Callable[[Path, dict[str, str]], Path],
    confirm: Callable[..., list[str]],
    timed: Callable[[list[str]], float],
    repeats: int,
) -> Iterator[tuple[str, str, str]]:
    """Rows of the table: (what, measured, bound)."""
    yield _cached(scratch, repository, confirm, timed, repeats)
    yield _of_python(scratch, image, repeats)
    yield _of_conda(scratch, repeats)


def _cached(
    scratch: Path,
    repository: Callable[[Path, dict[str, str]], Path],
    confirm: Callable[..., list[str]],
    timed: Callable[[list[str]], float],
    repeats: int,
) -> tuple[str, str, str]:
    files = {f"profiles/{name}/config.yaml": "cores: 1\n" for name in "ab"}
    files["Snakefile"] = 'rule all:\n    output: "a.txt"\n    shell: "echo 1 > {output}"\n'
    files["requirements.txt"] = "cowsay==6.1\n"
    repo = repository(scratch / "cached", files)
    ours, without = (
        confirm(repo, scratch, "--environment", which) for which in ("declared", "default")
    )
    timed(ours), timed(without)
    pairs = [(timed(ours), timed(without)) for _ in range(repeats)]
    more = statistics.median(a - b for a, b in pairs)
    return (
        "a confirmation with an environment that is there, more than without",
        f"{more:.2f} s ({statistics.median(a for a, _ in pairs):.2f} s)",
        "at most 0.3 s",
    )


def _maker(scratch: Path, engine: str, name: str) -> Maker:
    opened = open_engine(engine)
    cache = scratch / name
    return Maker(engine=opened, image=opened.resolve(""), cache=cache, owner=rooms.Owner(cache))


def _spent(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def _of_python(scratch: Path, image: str, repeats: int) -> tuple[str, str, str]:
    texts = {"requirements.txt": "\n".join([*PACKAGES, "snakemake==9.27.1"]) + "\n"}
    found = find_environment(list(texts), texts.get, "", EnvironmentSettings())
    (scratch / "list").mkdir()
    (scratch / "list" / "requirements.txt").write_text(texts["requirements.txt"])
    settings = {**index_settings(os.environ), "UV_LINK_MODE": "copy", "UV_CACHE_DIR": "/tmp/uv"}
    bundle = Path("/etc/ssl/certs/ca-certificates.crt")
    command = ["docker", "run", "--rm", "--network", "host", "--entrypoint", "sh"]
    for key, value in {**settings, "SSL_CERT_FILE": "/ca.pem"}.items():
        command += ["--env", f"{key}={value}"]
    for host, room in ((the_uv(), "/uv"), (scratch / "list", "/list"), (bundle, "/ca.pem")):
        command += ["--volume", f"{host}:{room}:ro"]
    install = (
        "/uv venv -q /tmp/env && /uv pip install -q --compile-bytecode --python "
        "/tmp/env/bin/python -r /list/requirements.txt"
    )
    theirs = [*command, image, "-c", install]
    pairs = []
    for number in range(repeats):
        maker = _maker(scratch, "docker", f"python{number}")
        ours = _spent(lambda: provision(found, maker))  # noqa: B023 - called at once
        pairs.append((ours, _spent(lambda: subprocess.run(theirs, check=True))))
        maker.owner.close()
        shutil.rmtree(maker.cache)
    return _row("an environment of 50 packages of Python / uv in a container", pairs, 1.2)


def _row(what: str, pairs: list[tuple[float, float]], bound: float) -> tuple[str, str, str]:
    median = statistics.median(a / b for a, b in pairs)
    ours, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
    return what, f"{median:.2f} ({ours:.1f} s / {theirs:.1f} s)", f"at most {bound}"


def _of_conda(scratch: Path, repeats: int) -> tuple[str, str, str]:
    channel = Channel(scratch / "channel" / "forge")
    names = [f"tool{number}" for number in range(CONDA_PACKAGES)]
    for number, name in enumerate(names):
        files = {f"share/{name}/{i}.txt": f"{name} {i}\n" * 50 for i in range(40)}
        files[f"lib/{name}.dat"] = random.Random(number).randbytes(BYTES).hex()
        before = [f"{names[number - 1]} >=1"] if number else []
        channel.add(name, "1.0", files, before)
    channel.index()
    pairs = []
    with served(scratch / "channel") as address:
        text = f"channels: [{address}/forge, nodefaults]\ndependencies: [{', '.join(names)}]\n"
        wanted = CondaWanted(name="tools.yaml", key="0" * 64, text=text)
        for number in range(repeats):
            maker = _maker(scratch, "sandbox", f"conda{number}")
            ours = _spent(lambda: provision_conda(wanted, maker))  # noqa: B023 - called at once
            place = scratch / f"theirs{number}"
            theirs = _spent(lambda: asyncio.run(_alone(f"{address}/forge", names, place)))  # noqa: B023
            pairs.append((ours, theirs))
            maker.owner.close()
    return _row("an environment of 100 packages of conda / py-rattler by itself", pairs, 1.3)


async def _alone(channel: str, names: list[str], place: Path) -> None:
    records = await rattler.solve(
        [channel],
        [rattler.MatchSpec(name) for name in names],
        platforms=[PLATFORM, "noarch"],  # type: ignore[list-item]
        virtual_packages=rattler.VirtualPackage.detect(),
        gateway=rattler.Gateway(cache_dir=place / "repodata"),
        channel_priority=rattler.ChannelPriority.Strict,
    )
    await rattler.install(
        records,
        target_prefix=place / "env",
        cache_dir=place / "packages",
        show_progress=False,
        execute_link_scripts=True,
    )
