"""Whether a workflow may take something from beyond its commit: files of other places, environments
of conda, images. Pure.

It looks at text, and says yes rather once too often: then a plan more is made. Not here: what it
takes, which only reading the workflow tells.
"""

import posixpath
import re
from collections.abc import Mapping, Sequence

from cleanroom.environment.find import Read

_CODE = re.compile(r"Snakefile.*|.*\.(?:smk|snakefile|snake|rules|snakemake)", re.IGNORECASE)
_REACHES = re.compile(
    r"^\s*(?:conda|container|containerized|singularity|wrapper|meta_wrapper)\s*:|\b(?:github|gitlab)\s*\(|"
    r"[\"'](?:https?://|gh:|gl:)",
    re.MULTILINE,
)
_MOST = 1000


def code_of(tracked: Sequence[str], read: Read) -> dict[str, str]:
    """The texts of the files of code of a workflow, by their paths, up to a bound."""
    code = [path for path in tracked if _CODE.fullmatch(posixpath.basename(path))]
    return {path: read(path) or "" for path in code[: _MOST + 1]}


def reaches(code: Mapping[str, str]) -> bool:
    """Whether code of a workflow says so; so much of it that not all was read may."""
    return len(code) > _MOST or any(map(_REACHES.search, code.values()))
