"""What the package managers of a file system say is installed in it: a record for each package.

Standard library only, for any Python from 3.8 on; host and provisioning rooms share it.
"""

from __future__ import annotations

import re
from typing import Dict, Iterator, List

DEBIAN, ALPINE = "/var/lib/dpkg/status", "/lib/apk/db/installed"
Packaged = Dict[str, str]


def debian(text: str) -> Iterator[Packaged]:
    """Packages of dpkg's own list."""
    for stanza in re.split(r"\n\s*\n", text):
        fields = dict(re.findall(r"^(Package|Version|Status): (.*)$", stanza, re.MULTILINE))
        if fields.get("Status", "").endswith(" installed"):
            yield {"name": fields.get("Package", ""), "version": fields.get("Version", "")}


def alpine(text: str) -> Iterator[Packaged]:
    """Packages of apk's own list."""
    for stanza in text.split("\n\n"):
        fields = dict(line.split(":", 1) for line in stanza.splitlines() if ":" in line[:2])
        if fields.get("P"):
            yield {"name": fields["P"], "version": fields.get("V", "")}


READERS = {DEBIAN: debian, ALPINE: alpine}


def installed(texts: Dict[str, str]) -> List[Packaged]:
    """Every package of these lists, {path: text}, by name."""
    found = [one for path, text in texts.items() for one in READERS[path](text)]
    return sorted(found, key=lambda one: (one["name"], one["version"]))
