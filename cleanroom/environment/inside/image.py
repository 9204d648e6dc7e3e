"""Inside a provisioning room: an image fetched by skopeo, and its layers laid one on another.

Standard library only, for any Python from 3.8 on. What it leaves can be read by everybody in rooms,
belongs to one user, and holds no device.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import tarfile
from typing import Any

from .installed import READERS, installed
from .python import OUT, Refused, call, main

FETCHED = os.path.join(OUT, "image")
GONE, OPAQUE = ".wh.", ".wh..wh..opq"
MOST_LINKS = 40


def within(root: str, path: str) -> str:
    """Where a path leads in that root, whose links never lead out of it; the last part is not
    followed.
    """
    place, left, links = "", [p for p in path.split("/") if p not in ("", ".")], 0
    while left:
        part = left.pop(0)
        if part == "..":
            place = os.path.dirname(place)
            continue
        here = os.path.join(place, part)
        if left and os.path.islink(os.path.join(root, here)):
            links += 1
            if links > MOST_LINKS:
                raise Refused("the image has a circle of links at '%s'" % path)
            target = os.readlink(os.path.join(root, here))
            place = "" if target.startswith("/") else place
            left = [p for p in target.split("/") if p not in ("", ".")] + left
        else:
            place = here
    return os.path.join(root, place)


def remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def lay(root: str, archive: tarfile.TarFile) -> None:
    """One layer on those below it."""
    for member in archive:
        folder, name = os.path.split(member.name.rstrip("/"))
        if name == OPAQUE:
            below = within(root, folder + "/.")
            for entry in os.listdir(below) if os.path.isdir(below) else ():
                remove(os.path.join(below, entry))
            continue
        if name.startswith(GONE):
            remove(within(root, os.path.join(folder, name[len(GONE) :])))
            continue
        path = within(root, member.name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if member.isdir():
            if not os.path.isdir(path) or os.path.islink(path):
                remove(path)
                os.mkdir(path)
            os.chmod(path, stat.S_IMODE(member.mode) & 0o777 | 0o755)
            continue
        if path != root:
            remove(path)
        if member.issym():
            os.symlink(member.linkname, path)
        elif member.islnk():
            os.link(within(root, member.linkname), path, follow_symlinks=False)
        elif member.isfile():
            source = archive.extractfile(member)
            assert source is not None
            with open(path, "wb") as stream:
                shutil.copyfileobj(source, stream)
            os.chmod(path, stat.S_IMODE(member.mode) & 0o777 | 0o644)


def read(name: str) -> Any:
    with open(os.path.join(FETCHED, name)) as stream:
        return json.load(stream)


def make(recipe: dict[str, Any], place: str) -> dict[str, Any]:
    """The files of an image at its place."""
    skopeo = shutil.which("skopeo")
    if skopeo is None:
        raise Refused("skopeo is not installed, which fetches images for the sandbox")
    plain = ["--src-tls-verify=false"] if recipe["plain"] else []
    call(
        skopeo,
        "copy",
        "--insecure-policy",
        "--quiet",
        "--retry-times=3",
        *plain,
        recipe["url"],
        "dir:" + FETCHED,
    )
    manifest = read("manifest.json")
    digest = manifest["config"]["digest"]
    config = read(digest.partition(":")[2])
    for layer in manifest["layers"]:
        try:
            file = os.path.join(FETCHED, layer["digest"].partition(":")[2])
            with tarfile.open(file, "r:*") as archive:
                lay(place, archive)
        except tarfile.TarError as error:
            raise Refused("a layer of %s cannot be read (%s)" % (recipe["url"], error)) from None
    shutil.rmtree(FETCHED)
    env = dict(
        line.split("=", 1) for line in config.get("config", {}).get("Env") or [] if "=" in line
    )
    return {"digest": digest, "env": env, "packages": installed(texts(place))}


def texts(root: str) -> dict[str, str]:
    """The lists of packages that a root has."""
    found = {}
    for path in READERS:
        real = within(root, path)
        if os.path.isfile(real) and not os.path.islink(real):
            with open(real, encoding="utf-8", errors="replace") as stream:
                found[path] = stream.read()
    return found


if __name__ == "__main__":
    main(make)
