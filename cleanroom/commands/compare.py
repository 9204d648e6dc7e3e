"""`cleanroom compare`: judge two stored evidences, or two folders."""

import argparse
import time
from pathlib import Path

import msgspec

from cleanroom.commands.boundary import cache_folder
from cleanroom.commands.confirm import deliver
from cleanroom.errors import UsageError
from cleanroom.evidence.folder import evidence_of_folder
from cleanroom.evidence.store import Store
from cleanroom.flows.confirm import recompute
from cleanroom.values.purpose import Control, OfProfile
from cleanroom.values.run import Evidence


def command(arguments: argparse.Namespace) -> int:
    begin, clock = time.time(), time.monotonic()
    store = Store(cache_folder(arguments) / "store")
    names = arguments.left, arguments.right
    folders = [Path(name).is_dir() for name in names]
    if folders[0] != folders[1]:
        raise UsageError(
            "A folder and an evidence cannot be compared.",
            "Give two folders or two digests of evidence.",
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
    if runs[0].attempt_id == runs[1].attempt_id or (
        folders[0] and Path(names[0]).samefile(names[1])
    ):
        raise UsageError(
            "Both are the same; that proves nothing.",
            "Give two different folders, or the evidence of two runs.",
        )
    if runs[0].label == runs[1].label or isinstance(runs[1].purpose, Control):
        runs = [
            _named(run, f"{place} {run.profile.name}")
            for place, run in zip(("first", "second"), runs, strict=True)
        ]

    def locate(sha256: str) -> Path:
        return places.get(sha256) or store.content(sha256)

    evidence = {run.label: name for run, name in zip(runs, digests, strict=True) if name}
    confirmation = recompute(runs, locate, evidence=evidence, started=begin, clock=clock)
    return deliver(confirmation, arguments, Path(arguments.out) if arguments.out else None)


def _named(run: Evidence, name: str) -> Evidence:
    """Two runs of one profile need two names in a report; neither is a control of the other
    here.
    """
    return msgspec.structs.replace(
        run, purpose=run.purpose if run.folder else OfProfile(), called=name
    )
