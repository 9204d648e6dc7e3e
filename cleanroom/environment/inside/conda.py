"""Inside a provisioning room: an environment of conda, solved and installed by py-rattler, and what
came of it.

Started by any Python from 3.10 on, with the host's py-rattler beside it. What a package or a
repository runs while it is installed, runs here.

Not here: which packages, and what the host believes.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

from .python import INVENTORY, OUT, UV, Refused, call, main

sys.path.insert(0, "/room/rattler")

TRIES = (0, 2, 8)
"""Seconds before each try: a channel may be away for a moment."""
VERSION = "import sys; print('.'.join(map(str, sys.version_info[:3])))"
ARCHIVE = re.compile(r"(?P<name>[^/]+)-[^/-]+-[^/-]+\.(?:conda|tar\.bz2)$")


def spec_of(line: str) -> str:
    """A package by its address and digest, as a specification."""
    url, _, said = line.partition("#")
    found = ARCHIVE.search(url)
    if not found:
        raise Refused("'%s' is no address of a package of conda" % url)
    digest = said.replace("sha256:", "")
    kind = {32: "md5", 64: "sha256"}.get(len(digest))
    if digest and not kind:
        raise Refused("'%s' is no digest of a package" % digest)
    more = ", %s=%s" % (kind, digest) if kind else ""
    return "%s[url='%s'%s]" % (found.group("name").lower(), url, more)


async def installed(recipe: dict[str, Any], place: str) -> list[Any]:
    """Every package of the environment, as it was solved."""
    import rattler

    specs = list(map(spec_of, recipe["explicit"])) or list(recipe["specs"])
    records = await rattler.solve(
        recipe["channels"],
        [rattler.MatchSpec(text) for text in specs],
        platforms=[recipe["platform"], "noarch"],
        virtual_packages=rattler.VirtualPackage.detect(),
        gateway=rattler.Gateway(cache_dir=Path("/tmp/repodata")),
        channel_priority=rattler.ChannelPriority.Strict,
    )
    if recipe["explicit"] and len(records) != len(specs):
        raise Refused("the pins do not name every package that is needed")
    await rattler.install(
        records,
        target_prefix=place,
        cache_dir=Path("/tmp/packages"),
        show_progress=False,
        execute_link_scripts=True,
    )
    return list(records)


def with_patience(recipe: dict[str, Any], place: str) -> list[Any]:
    """The same, tried again where it was not the specifications that failed."""
    for number, seconds in enumerate(TRIES):
        time.sleep(seconds)
        try:
            return asyncio.run(installed(recipe, place))
        except Refused:
            raise
        except Exception as error:  # of a library that raises many kinds
            last = number == len(TRIES) - 1
            if last or any(word in type(error).__name__ for word in ("Solver", "MatchSpec")):
                raise Refused(str(error)) from None
    raise AssertionError


def public(url: str) -> str:
    """An address without what lets one in."""
    return re.sub(r"/t/[^/]+/", "/", re.sub(r"://[^/@]+@", "://", url))


def record_of(record: Any) -> dict[str, str]:
    return {
        "name": record.name.normalized,
        "version": str(record.version),
        "build": str(record.build),
        "sha256": record.sha256.hex() if record.sha256 else "",
        "source": public(str(record.url)),
    }


def packages_of(python: str) -> dict[str, dict[str, str]]:
    """The packages that a Python finds, by their names."""
    found = json.loads(call(python, "-I", "-c", INVENTORY))["packages"]
    return {package["name"]: package for package in found}


def with_pip(wanted: list[str], place: str) -> list[dict[str, str]]:
    """What the `pip:` section of an environment brings."""
    python = os.path.join(place, "bin", "python")
    if not os.path.exists(python):
        raise Refused("it has a `pip:` section, or is to have Snakemake, and no Python")
    before = packages_of(python)
    listed = os.path.join(OUT, "pip.txt")
    with open(listed, "w") as stream:
        stream.write("\n".join(wanted) + "\n")
    call(UV, "pip", "install", "--quiet", "--python", python, "--requirements", listed)
    after = packages_of(python)
    return [after[name] for name in sorted(after) if after[name] != before.get(name)]


def with_snakemake(choices: list[str], place: str) -> list[dict[str, str]]:
    """The first Snakemake that fits the Python of the environment, and its executor."""
    refused = []
    for choice in choices:
        try:
            return with_pip(choice.split(), place)
        except Refused as error:
            refused.append(error)
    raise refused[0]


def deployed(script: str, place: str) -> None:
    """Run the script that a repository keeps for the time after an environment was made."""
    kept = os.path.join(OUT, "post-deploy.sh")
    with open(kept, "w") as stream:
        stream.write(script)
    first = script.split("\n", 1)[0]
    interpreter = first[2:].strip() if first.startswith("#!") else "sh"
    os.environ["HOME"] = "/tmp"
    call("bash", "-c", '. /room/in/activate.sh "$0"; %s %s' % (interpreter, kept), place)


def make(recipe: dict[str, Any], place: str) -> dict[str, Any]:
    """Make the environment at its place."""
    records = [record_of(record) for record in with_patience(recipe, place)]
    records.sort(key=lambda record: record["name"])
    lines = ["@EXPLICIT"] + ["%(source)s#%(sha256)s" % record for record in records]
    more = with_pip(recipe["pip"], place) if recipe["pip"] else []
    if recipe["snakemake"]:
        more += with_snakemake(recipe["snakemake"], place)
    lines += ["# pip: %(name)s==%(version)s" % package for package in more]
    if recipe["deploy"]:
        deployed(recipe["deploy"], place)
    python = os.path.join(place, "bin", "python")
    said = call(python, "-I", "-c", VERSION).strip() if os.path.exists(python) else ""
    return {"python": said, "packages": records + more, "lock": "\n".join(lines) + "\n"}


if __name__ == "__main__":
    main(make)
