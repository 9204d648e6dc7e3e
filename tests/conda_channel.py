"""A channel of conda, made here and served on loopback: packages of any machine and of this one, a
Python and a compiled tool among them.
"""

import asyncio
import contextlib
import functools
import hashlib
import http.server
import io
import json
import re
import subprocess
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rattler.index import index_fs

PLACEHOLDER = "/opt/placeholder" + "_placehold" * 20
"""Stands in the files of a package for the place where it will be."""
_SITE = b"""import site, sys
site.addsitedir(f"{sys.prefix}/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages")
"""
_LOCAL, _ANYWHERE = b"prefix_scheme = 'posix_local'", b"prefix_scheme = 'posix_prefix'"


class Channel:
    """Packages below a folder, by platform."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for platform in ("noarch", "linux-64"):
            (folder / platform).mkdir(parents=True)

    def add(
        self,
        name: str,
        version: str,
        files: Mapping[str, str | bytes],
        depends: Sequence[str] = (),
        *,
        platform: str = "noarch",
        python: bool = False,
        build: str = "0",
        links: Mapping[str, str] | None = None,
    ) -> None:
        """A package; `python` where its files lie beside any Python, `links` are links by path."""
        raw = {p: t.encode() if isinstance(t, str) else t for p, t in files.items()}
        index = {
            "name": name,
            "version": version,
            "build": build,
            "build_number": 0,
            "depends": list(depends),
            "subdir": platform,
            "license": "MIT",
            "timestamp": 1700000000000,
        }
        if platform == "noarch":
            index["noarch"] = "python" if python else "generic"
        paths = [_path(path, data) for path, data in raw.items()]
        paths += [{"_path": p, "path_type": "softlink"} for p in links or {}]
        members = {
            "info/index.json": json.dumps(index).encode(),
            "info/paths.json": json.dumps({"paths": paths, "paths_version": 1}).encode(),
            "info/files": "\n".join([*raw, *(links or {})]).encode() + b"\n",
            **raw,
        }
        if python:
            members["info/link.json"] = json.dumps(
                {"noarch": {"type": "python"}, "package_metadata_version": 1}
            ).encode()
        archive = self.folder / platform / f"{name}-{version}-{build}.tar.bz2"
        with tarfile.open(archive, "w:bz2", compresslevel=1) as tar:
            for path, data in members.items():
                info = tarfile.TarInfo(path)
                info.size, info.mtime = len(data), 1700000000
                info.mode = 0o755 if "bin/" in path else 0o644
                tar.addfile(info, io.BytesIO(data))
            for path, target in (links or {}).items():
                info = tarfile.TarInfo(path)
                info.type, info.linkname = tarfile.SYMTYPE, target
                tar.addfile(info)

    def index(self) -> None:
        """Say what there is."""
        asyncio.run(index_fs(self.folder))


@contextlib.contextmanager
def served(
    folder: Path, handler: type[http.server.BaseHTTPRequestHandler] | None = None
) -> Iterator[str]:
    """The address of a folder, or of what a handler answers, while it is served on loopback."""
    answering = handler or functools.partial(_Quiet, directory=str(folder))
    with _Server(("127.0.0.1", 0), answering) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


class _Server(http.server.ThreadingHTTPServer):
    request_queue_size = 256  # whoever fetches from a channel asks for all at once


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


def _path(path: str, data: bytes) -> dict[str, object]:
    found: dict[str, object] = {
        "_path": path,
        "path_type": "hardlink",
        "sha256": hashlib.sha256(data).hexdigest(),
        "size_in_bytes": len(data),
    }
    if PLACEHOLDER.encode() in data:
        found |= {"file_mode": "text", "prefix_placeholder": PLACEHOLDER}
    return found


def add_python(channel: Channel, folder: Path) -> str:
    """The Python of this Debian as a package; its version."""
    packages = ("python3.11-minimal", "libpython3.11-minimal", "libpython3.11-stdlib")
    version = ""
    files: dict[str, str | bytes] = {"lib/python3.11/site-packages/README.txt": ""}
    for package in packages:
        version, tree = of_debian(package, folder)
        for file in sorted((tree / "usr").rglob("*")):
            inner = file.relative_to(tree / "usr")
            kept = inner.parts[0] in ("bin", "lib") and file.name != "EXTERNALLY-MANAGED"
            if file.is_file() and kept:
                files[str(inner)] = file.read_bytes().replace(_LOCAL, _ANYWHERE)
    files["lib/python3.11/sitecustomize.py"] = _SITE
    links = {"bin/python": "python3.11", "bin/python3": "python3.11"}
    channel.add("python", version, files, platform="linux-64", links=links)
    return version


def add_wheel(channel: Channel, wheel: Path, name: str, version: str) -> None:
    """A wheel of pure Python as a package of any machine."""
    with zipfile.ZipFile(wheel) as archive:
        files: dict[str, str | bytes] = {
            f"site-packages/{n}": archive.read(n) for n in archive.namelist() if not n.endswith("/")
        }
    channel.add(name, version, files, ["python"], python=True)


def of_debian(package: str, folder: Path) -> tuple[str, Path]:
    """(version, tree) of a package of Debian, fetched into a folder."""
    place = folder / package
    place.mkdir(parents=True)
    subprocess.run(["apt-get", "download", package], cwd=place, check=True, capture_output=True)
    (deb,) = place.glob("*.deb")
    subprocess.run(["dpkg-deb", "-x", str(deb), str(place / "tree")], check=True)
    return re.split(r"[-+~%]", deb.name.split("_")[1])[0], place / "tree"


def add_debian(channel: Channel, package: str, folder: Path, program: str) -> None:
    """A program of a package of Debian as one of this machine."""
    version, tree = of_debian(package, folder)
    data = (tree / program).read_bytes()
    channel.add(package, version, {f"bin/{Path(program).name}": data}, platform="linux-64")


def add_shout(channel: Channel) -> None:
    """A program that says which version it is and where it lives, in two versions."""
    for version in ("1.0", "1.1"):
        files = {
            "bin/shout": f"#!/bin/sh\n# lives in {PLACEHOLDER}\ntr a-z A-Z; echo 'shout {version}'\n",
            "etc/conda/activate.d/shout.sh": "export SHOUT_HOME=$CONDA_PREFIX/share\n",
        }
        channel.add("shout", version, files, ["base-words >=1"])
    channel.add("base-words", "1.2", {"share/words.txt": "alpha\nbeta\n"})
