"""The default room image: from the Dockerfile on a pulled base, or on a base made here from Debian
packages.

The build gets the host's certificates and pip settings, as it needs behind a proxy. Not here: how
an engine builds.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from cleanroom.errors import ImageError
from cleanroom.room.debian import install
from cleanroom.room.engines.docker import DockerEngine
from cleanroom.room.engines.docker_images import DEFAULT_IMAGE
from cleanroom.room.host_settings import PIP, PROXY, certificates

PULLED_BASE = "python:3.12-slim-bookworm"
DEBIAN_BASE = "cleanroom-base:bookworm"
_PACKAGES = (
    "python3,python3-venv,ca-certificates,git,procps,libfaketime,wget,curl,bzip2,xz-utils,zip,unzip,"
    "rsync,gawk"
)
Say = Callable[[str], None]
_PIP = (
    "COPY ca.pem requirements.txt /tmp/build/\n"
    "RUN set -eu; if [ -s /tmp/build/ca.pem ]; then export PIP_CERT=/tmp/build/ca.pem "
    "SSL_CERT_FILE=/tmp/build/ca.pem; fi; /opt/snakemake/bin/pip install --no-cache-dir "
    "--disable-pip-version-check --requirement /tmp/build/requirements.txt; rm -rf /tmp/build\n"
)


class More(NamedTuple):
    """Software beside that of the default image: packages of Debian, and a file of requirements
    of Python, for Snakemake's own interpreter.
    """

    apt: tuple[str, ...] = ()
    requirements: bytes = b""

    def steps(self) -> bytes:
        """The steps of a Dockerfile that add it. Raises: UsageError for what is no package."""
        return (install(self.apt, "--apt") + (_PIP if self.requirements else "")).encode()


def dockerfile() -> bytes:
    """The Dockerfile, beside this file in a wheel, at the top of the repository in an editable
    install.
    """
    here = Path(__file__).resolve()
    for place in (here.with_name("Dockerfile"), here.parents[2] / "Dockerfile"):
        if place.is_file():
            return place.read_bytes()
    raise ImageError(
        "The Dockerfile of the room image is missing from this installation.",
        "Install cleanroom again.",
    )


def build_image(
    engine: DockerEngine,
    environ: Mapping[str, str],
    say: Say,
    *,
    base: str = "",
    snakemake: str = "",
    tag: str = "",
    more: More | None = None,
) -> str:
    """Build the room image, with `more` software in it, and return its tag.

    `base` is an image, `debian` for one made here, or empty: the pulled one where a registry
    answers, else Debian's.

    Raises: ImageError.
    """
    more = more or More()
    steps = dockerfile() + more.steps()
    base = base or _reachable_base(engine, environ, say)
    if base == "debian":
        base = debian_base(engine, environ, say)
    args = {key: environ[key] for key in (*PIP, *PROXY) if environ.get(key)} | {"BASE": base}
    if snakemake:
        args["SNAKEMAKE"] = snakemake
    tag = tag or DEFAULT_IMAGE
    say(f"building {tag} on {base}")
    files = {"ca.pem": certificates(environ), "requirements.txt": more.requirements}
    for line in engine.build(steps, tag, args, "host", files):
        say(line)
    return tag


def _reachable_base(engine: DockerEngine, environ: Mapping[str, str], say: Say) -> str:
    if engine.has(PULLED_BASE):
        return PULLED_BASE
    if engine.has(DEBIAN_BASE):
        return DEBIAN_BASE
    try:
        say(f"pulling {PULLED_BASE}")
        engine.resolve(PULLED_BASE)
    except ImageError as error:
        say(f"no registry answers: {error.what}")
        return debian_base(engine, environ, say)
    return PULLED_BASE


def debian_base(engine: DockerEngine, environ: Mapping[str, str], say: Say) -> str:
    """A base image from Debian packages, made once. Needs root and debootstrap.
    Raises: ImageError.
    """
    if engine.has(DEBIAN_BASE):
        return DEBIAN_BASE
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        raise ImageError(
            f"{PULLED_BASE} cannot be pulled, and a base from Debian packages needs root and "
            "debootstrap.",
            "Type: sudo apt-get install debootstrap && sudo cleanroom image --base debian",
        )
    say("making a base from Debian packages (about a minute)")
    with tempfile.TemporaryDirectory(prefix="cleanroom-base-") as scratch:
        root, archive = Path(scratch) / "root", Path(scratch) / "root.tar"
        env = {key: environ[key] for key in ("PATH", *PROXY) if key in environ} | {
            "LC_ALL": "C",
            "DEBIAN_FRONTEND": "noninteractive",
        }
        command = [
            "debootstrap",
            "--variant=minbase",
            f"--include={_PACKAGES}",
            "bookworm",
            str(root),
        ]
        ended = subprocess.run(command, env=env, capture_output=True, text=True, errors="replace")
        if ended.returncode:
            last = " ".join((ended.stdout + ended.stderr).strip().splitlines()[-2:])
            raise ImageError(
                f"debootstrap failed: {last}", "Check that Debian's packages can be reached."
            )
        shutil.rmtree(root / "var" / "cache" / "apt" / "archives", ignore_errors=True)
        subprocess.run(
            ["tar", "--create", "--file", str(archive), "--directory", str(root), "."], check=True
        )
        engine.load_base(archive, *DEBIAN_BASE.split(":"))
    return DEBIAN_BASE
