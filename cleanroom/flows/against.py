"""What `--against` names: evidence of an earlier confirmation, its report, a folder of results, or
a commit to run once more.

Not here: comparing with it.
"""

import datetime
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from cleanroom.errors import SourceError, UsageError
from cleanroom.evidence.folder import evidence_of_folder
from cleanroom.evidence.reported import REPORT, read_reported
from cleanroom.evidence.store import Store
from cleanroom.flows.choose import Chosen, Request, choose
from cleanroom.values.purpose import Earlier
from cleanroom.values.run import Evidence


class Against(NamedTuple):
    """Either evidence that is there (with its digest, and where a folder's contents are), or a
    commit that is still to be run.
    """

    label: str
    evidence: Evidence | None = None
    digest: str = ""
    places: Mapping[str, Path] = MappingProxyType({})
    chosen: Chosen | None = None


def find_earlier(request: Request, baseline: str) -> Against:
    """What `request.against` names; a folder goes before evidence, and evidence before a ref.
    `baseline` is the profile to run at a ref.

    Raises: UsageError, StoreError.
    """
    name = request.against
    store = Store(Path(request.cache) / "store")
    if Path(name).is_dir():
        if (Path(name) / REPORT).is_file():
            return _stored(store, read_reported(Path(name)).of_baseline)
        evidence, places = evidence_of_folder(Path(name))
        return Against(
            label=name, evidence=msgspec.structs.replace(evidence, called=name), places=places
        )
    if store.digests(name):
        return _stored(store, name)
    asked = msgspec.structs.replace(
        request, ref=name, profiles=(baseline,), baseline_profile=baseline
    )
    try:
        chosen = choose(asked)
    except (SourceError, UsageError) as error:
        raise UsageError(
            f"--against '{name}' is no folder and no evidence, and as a commit it cannot be "
            f"run: {error}",
            "Give the digest of an evidence as report.json names it, the folder of a report or "
            "of results, or a commit, tag or branch.",
        ) from None
    return Against(label=f"{baseline} at {name}", chosen=chosen)


def _stored(store: Store, name: str) -> Against:
    digest, evidence = store.get_whole(name)
    day = datetime.datetime.fromtimestamp(evidence.started, datetime.UTC).date().isoformat()
    label = f"{evidence.label} at {evidence.source.commit[:7]}, {day}"
    return Against(
        label=label,
        evidence=msgspec.structs.replace(evidence, called=label, purpose=Earlier()),
        digest=digest,
    )
