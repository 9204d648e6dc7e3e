"""What `--against` names: evidence of an earlier confirmation, its report, a folder of results, or a commit to run once more.

Not here: comparing with it.
"""

import contextlib
import datetime
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from cleanroom.errors import SourceError, UsageError
from cleanroom.evidence.folder import evidence_of_folder
from cleanroom.evidence.store import Store
from cleanroom.model import Evidence, Value
from cleanroom.prepare import Chosen, Request, choose

_REPORT = "report.json"


class Earlier(NamedTuple):
    """Either evidence that is there (with its digest, and where a folder's contents are), or a commit that is still to be run."""

    label: str
    evidence: Evidence | None = None
    digest: str = ""
    places: Mapping[str, Path] = MappingProxyType({})
    chosen: Chosen | None = None


class _Run(Value, frozen=True):
    label: str
    evidence: str


class _Report(Value, frozen=True):
    """What is read of an earlier report.json."""

    baseline: str
    runs: tuple[_Run, ...]


def find_earlier(request: Request, baseline: str) -> Earlier:
    """What `request.against` names; a folder goes before evidence, and evidence before a ref. `baseline` is the profile to run at a ref.

    Raises: UsageError, StoreError.
    """
    name = request.against
    store = Store(Path(request.cache) / "store")
    if Path(name).is_dir():
        report = Path(name) / _REPORT
        if report.is_file():
            return _stored(store, _evidence_of(report))
        evidence, places = evidence_of_folder(Path(name))
        return Earlier(label=name, evidence=msgspec.structs.replace(evidence, called=name), places=places)
    if store.digests(name):
        return _stored(store, name)
    asked = msgspec.structs.replace(request, ref=name, profiles=(baseline,), baseline_profile=baseline)
    try:
        chosen = choose(asked)
    except (SourceError, UsageError) as error:
        raise UsageError(
            f"--against '{name}' is no folder and no evidence, and as a commit it cannot be run: {error}",
            "Give the digest of an evidence as report.json names it, the folder of a report or of results, or a commit, tag or branch.",
        ) from None
    return Earlier(label=f"{baseline} at {name}", chosen=chosen)


def _evidence_of(report: Path) -> str:
    """The digest of the baseline's evidence in an earlier report."""
    with contextlib.suppress(msgspec.MsgspecError, OSError):
        read = msgspec.json.decode(report.read_bytes(), type=_Report)
        for run in read.runs:
            if run.label == read.baseline and run.evidence:
                return run.evidence
    raise UsageError(f"{report} does not name the evidence of its baseline.", "Give the digest of an evidence, or a folder of results.")


def _stored(store: Store, name: str) -> Earlier:
    digest, evidence = store.get(name)
    day = datetime.datetime.fromtimestamp(evidence.started, datetime.UTC).date().isoformat()
    label = f"{evidence.label} at {evidence.source.commit[:7]}, {day}"
    return Earlier(label=label, evidence=msgspec.structs.replace(evidence, called=label, control=False), digest=digest)
