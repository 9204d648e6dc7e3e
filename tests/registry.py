"""A registry of images on loopback, and small images for it, made of Debian's static programs and
its Python. Anything that speaks to it does so as to any registry of its own machine.
"""

import contextlib
import gzip
import hashlib
import io
import json
import os
import shutil
import socket
import subprocess
import sysconfig
import tarfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.conftest import require

_WHEN = 1700000000
_APPLETS = (
    "sh",
    "cat",
    "echo",
    "ls",
    "id",
    "env",
    "date",
    "wc",
    "sleep",
    "touch",
    "mkdir",
    "chmod",
)
_STATUS = "Package: {}\nStatus: install ok installed\nVersion: {}\n"
Layer = Mapping[str, "str | bytes | Link"]


class Link(str):
    """Where a link leads."""


def programs() -> dict[str, "str | bytes | Link"]:
    """A shell, bash and some tools, which need no library."""
    found: dict[str, str | bytes | Link] = {
        "bin/busybox": Path("/bin/busybox").read_bytes(),
        "bin/bash": Path("/bin/bash-static").read_bytes(),
        "tmp/": "",
        "etc/": "",
    }
    return found | {f"bin/{name}": Link("busybox") for name in _APPLETS}


def debian(**packages: str) -> dict[str, "str | bytes | Link"]:
    """The list of packages of an image."""
    text = "\n".join(_STATUS.format(name, version) for name, version in packages.items())
    return {"var/lib/dpkg/status": text}


def python() -> dict[str, "str | bytes | Link"]:
    """Debian's Python with all that its standard library needs."""
    program = Path(os.path.realpath("/usr/bin/python3"))
    folder = Path("/usr/lib") / program.name
    kept = [p for p in folder.rglob("*") if p.is_file() and not _is_left_out(p.relative_to(folder))]
    found: dict[str, str | bytes | Link] = {str(p)[1:]: p.read_bytes() for p in [program, *kept]}
    for file in [program, *(p for p in kept if p.suffix == ".so")]:
        said = subprocess.run(["ldd", file], capture_output=True, text=True, check=False).stdout
        for library in (word for word in said.split() if word.startswith("/")):
            found[library[1:]] = Path(library).read_bytes()
    return found | {"usr/bin/python3": Link(program.name), "usr/bin/python": Link(program.name)}


def _is_left_out(path: Path) -> bool:
    return bool({"__pycache__", "test", "idlelib", "lib2to3", "ensurepip"} & set(path.parts))


class Registry:
    """A registry that answers at `address`."""

    def __init__(self, address: str, folder: Path) -> None:
        self.address, self._folder = address, folder

    def push(
        self, name: str, *layers: Layer, env: Sequence[str] = (), entrypoint: Sequence[str] = ()
    ) -> str:
        """An image of these layers, {path: content}; its digest. A path that ends in `/` is a
        folder.
        """
        layout = self._folder / f"layout{len(list(self._folder.iterdir()))}"
        blobs = layout / "blobs" / "sha256"
        blobs.mkdir(parents=True)

        def keep(data: bytes, kind: str) -> dict[str, object]:
            digest = hashlib.sha256(data).hexdigest()
            (blobs / digest).write_bytes(data)
            return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(data)}

        tars = [_tar(layer) for layer in layers]
        config = {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Env": list(env), "Entrypoint": list(entrypoint)},
            "rootfs": {
                "type": "layers",
                "diff_ids": [f"sha256:{hashlib.sha256(tar).hexdigest()}" for tar in tars],
            },
        }
        of = "application/vnd.oci.image"
        manifest = {
            "schemaVersion": 2,
            "mediaType": f"{of}.manifest.v1+json",
            "config": keep(json.dumps(config).encode(), f"{of}.config.v1+json"),
            "layers": [
                keep(gzip.compress(tar, 1, mtime=0), f"{of}.layer.v1.tar+gzip") for tar in tars
            ],
        }
        held = keep(json.dumps(manifest).encode(), f"{of}.manifest.v1+json")
        (layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [held]}))
        subprocess.run(
            [
                "skopeo",
                "copy",
                "--quiet",
                "--insecure-policy",
                "--dest-tls-verify=false",
                f"oci:{layout}",
                f"docker://{self.address}/{name}",
            ],
            check=True,
        )
        return str(manifest["config"]["digest"])  # type: ignore[index]


def _tar(layer: Layer) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for path, content in layer.items():
            member = tarfile.TarInfo(path.rstrip("/"))
            member.mtime, member.mode = _WHEN, 0o755
            if isinstance(content, Link):
                member.type, member.linkname = tarfile.SYMTYPE, str(content)
                tar.addfile(member)
            elif path.endswith("/"):
                member.type = tarfile.DIRTYPE
                tar.addfile(member)
            else:
                data = content.encode() if isinstance(content, str) else content
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    return out.getvalue()


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Registry]:
    """A registry while it is needed."""
    for program in ("docker-registry", "skopeo", "/bin/busybox", "/bin/bash-static"):
        require(shutil.which(program) is not None, f"{Path(program).name} is not installed")
    assert sysconfig.get_platform() == "linux-x86_64"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    (folder / "data").mkdir(parents=True)
    config = folder / "config.yml"
    config.write_text(
        f"version: 0.1\nlog: {{level: error}}\nhttp: {{addr: '{address}'}}\n"
        f"storage: {{filesystem: {{rootdirectory: '{folder / 'data'}'}}}}\n"
    )
    process = subprocess.Popen(
        ["docker-registry", "serve", str(config)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        host, _, port = address.partition(":")
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection((host, int(port)), 1):
                break
            time.sleep(0.1)
        layouts = folder / "layouts"
        layouts.mkdir()
        yield Registry(address, layouts)
    finally:
        process.kill()
        process.wait()
