"""`compare`, the whole way: two stored runs or two folders of results, and nothing is run.
Not here: how a report looks.
"""

import time
from pathlib import Path

import msgspec

from cleanroom.errors import UsageError
from cleanroom.evidence.folder import evidence_of_folder
from cleanroom.evidence.store import Store
from cleanroom.flows.conclude import recompute
from cleanroom.values.purpose import Control, OfProfile
from cleanroom.values.run import Evidence
from cleanroom.values.verdict import Confirmation


def compare_stored(left: str, right: str, cache: Path) -> Confirmation:
    """Compare two runs by the digests of their evidence, or two folders by their paths.

    Raises: UsageError where the two are one, or not of one kind; StoreError for evidence that is
    not there or damaged.
    """
    begin, clock = time.time(), time.monotonic()
    store = Store(cache / "store")
    names = left, right
    folders = [Path(name).is_dir() for name in names]
    if folders[0] != folders[1]:
        raise UsageError(
            "A folder and a stored run cannot be compared.",
            "Give two folders, or the digests of two runs.",
        )
    places: dict[str, Path] = {}
    runs: list[Evidence] = []
    digests: list[str] = []
    for name in names:
        if folders[0]:
            run, found = evidence_of_folder(Path(name))
            places |= found
            digest = ""
        else:
            digest, run = store.get_whole(name)
        runs.append(run)
        digests.append(digest)
    if runs[0].attempt_id == runs[1].attempt_id or (folders[0] and Path(left).samefile(right)):
        raise UsageError(
            "Both are the same; that proves nothing.",
            "Give two different folders, or the digests of two runs.",
        )
    if runs[0].label == runs[1].label or isinstance(runs[1].purpose, Control):
        runs = [
            _named(run, f"{place} run" + (f" ({run.profile.name})" if run.profile.path else ""))
            for place, run in zip(("first", "second"), runs, strict=True)
        ]

    def locate(sha256: str) -> Path:
        return places.get(sha256) or store.content(sha256)

    evidence = {run.label: name for run, name in zip(runs, digests, strict=True) if name}
    return recompute(runs, locate, evidence=evidence, started=begin, clock=clock)


def _named(run: Evidence, name: str) -> Evidence:
    """Two runs of one profile need two names in a report; neither is a control of the other."""
    return msgspec.structs.replace(
        run, purpose=run.purpose if run.folder else OfProfile(), called=name
    )
