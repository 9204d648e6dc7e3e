"""A folder of results as evidence: artifacts without a run.
It can be compared; it proves nothing about a workflow.
"""

import os
import time
import uuid
from collections.abc import Container
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from cleanroom.beneath import Beneath
from cleanroom.errors import UsageError
from cleanroom.evidence.artifacts import collect
from cleanroom.evidence.links import Links
from cleanroom.evidence.tree import Hasher, scan
from cleanroom.values.base import raw_path
from cleanroom.values.purpose import Folder as FolderPurpose
from cleanroom.values.run import Evidence, RunStatus
from cleanroom.values.setup import Entry, Image, Profile, Source


def evidence_of_folder(folder: Path) -> tuple[Evidence, dict[str, Path]]:
    """(the evidence, where the content of each digest is).
    Raises: UsageError for a folder that cannot be read.
    """
    root = folder.resolve()
    begin = time.time()
    own = frozenset({b".git", b".snakemake"})
    try:
        files = scan(root, own)
    except OSError as error:
        raise UsageError(
            f"The folder '{folder}' cannot be read ({error.strerror}).",
            "Give a folder that this user may read.",
        ) from None
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool, Beneath(root) as here:
        links = Links(files, here.readlink, os.fsencode(root), own, writable=(b"/",))
        artifacts = collect({}, files, Hasher(root, pool).digests(files), (), set(), links=links)
    places = {
        a.sha256: Path(os.fsdecode(os.path.join(os.fsencode(root), raw_path(a.path))))
        for a in artifacts
        if a.sha256 and a.kind == "file"
    }
    evidence = Evidence(
        attempt_id=uuid.uuid4().hex,
        source=Source(url=str(folder), ref="", commit=""),
        entry=Entry(),
        profile=Profile(name=str(folder)),
        context={},
        purpose=FolderPurpose(path=str(folder)),
        status=RunStatus.COMPLETED,
        image=Image(reference="", digest="", engine="", isolation="two folders, without a run"),
        artifacts=artifacts,
        started=begin,
        seconds=time.time() - begin,
    )
    return evidence, places


def as_left_by(folder: Evidence, run: Evidence, delivered: Container[str]) -> Evidence:
    """A folder as if a run had left it: each file is to the workflow what it is in `run`, and what
    git delivered is no result.

    `delivered` are the tracked paths of the commit; one that the run wrote is a result
    nevertheless.
    """
    roles = {artifact.path: artifact.role for artifact in run.artifacts}
    artifacts = tuple(
        msgspec.structs.replace(a, role=roles.get(a.path, a.role))
        for a in folder.artifacts
        if a.path in roles or a.path not in delivered
    )
    return msgspec.structs.replace(folder, artifacts=artifacts)
