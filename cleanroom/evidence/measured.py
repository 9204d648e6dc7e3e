"""What the host sees of a room in which nothing lives any more: the tree walked, results hashed,
kept and given their roles.

From here on what is seen stays as it is. Not here: what the room says of itself.
"""

import contextlib
import os
import posixpath
import re
import stat
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import NamedTuple

from cleanroom.beneath import Beneath
from cleanroom.evidence.artifacts import changed, collect, removed, unkept
from cleanroom.evidence.links import Links
from cleanroom.evidence.outcome import last_lines, with_rules
from cleanroom.evidence.store import Store
from cleanroom.evidence.tree import Hashed, Hasher, Patience, Signature, scan
from cleanroom.room import rooms
from cleanroom.room.claims import Claims
from cleanroom.room.rooms import PLACES
from cleanroom.values.base import escape_path, raw_path
from cleanroom.values.plan import Plan
from cleanroom.values.run import Artifact, Attempt
from cleanroom.values.setup import Entry

_FAILED_JOBS = 3
_LOG_BYTES = 8192
_MADE = {"shadow-prefix": r"shadow/(tmp[^/]+/.*)?", "local-storage-prefix": r"[^/]+/.*"}
"""What Snakemake makes in the place that a setting names: folders by `tempfile`, and one for each
provider of storage.
"""


class Measured(NamedTuple):
    """What a room left. `away` and `gone` are declared outputs that lie where nobody looks, or are
    not there at the end; `told` are the last lines of the logs of jobs that failed.
    """

    artifacts: tuple[Artifact, ...]
    away: tuple[str, ...]
    gone: tuple[str, ...]
    told: str


class Before(NamedTuple):
    """The tree as it was before the room lived: its files, and the places that are git's and
    Snakemake's own.
    """

    files: dict[bytes, Signature]
    own: frozenset[bytes]


def look_before(room: rooms.Room, entry: Entry, submodules: Sequence[str]) -> Before:
    """Walk the tree before anything of the room lives."""
    own = _own(entry, "", submodules)
    return Before(scan(room.work, own), own)


def measure(
    room: rooms.Room,
    entry: Entry,
    before: Before,
    claims: Claims,
    place: str,
    delivered: Callable[[Path], object],
    pool: Executor,
    store: Store,
    patience: Patience,
    hashes: bool = True,
) -> Measured:
    """Walk and hash what a room left; nothing is hashed without `hashes`.
    `place` is where the clone was in the room; `delivered` makes a second clone of the commit in a
    folder.
    """
    own = before.own | _own(entry, claims.workdir, ())
    grafts = _standing(room, claims)
    after = scan(room.work, own, grafts, patience, _stamps(claims.attempts))
    touched = changed(before.files, after) if hashes else {}
    hasher = Hasher(room.work, pool, grafts, patience)
    hashed = hasher.digests(touched)
    told = _failed_logs(claims, hasher)
    tracked = {path: seen for path, seen in touched.items() if path in before.files}
    unchanged = _as_delivered(room, tracked, hashed, delivered, pool)
    with Beneath(room.work, grafts) as here:
        links = Links(after, here.readlink, os.fsencode(place), own)
        scratch, codeless = _scratch(entry, claims), _codeless(with_rules(claims))
        artifacts = collect(
            before.files, touched, hashed, claims.attempts, unchanged, scratch, links, codeless
        )
        artifacts += tuple(removed(before.files, after, (*claims.tracked_outputs, *claims.places)))
        away, gone = unkept(
            claims.attempts, artifacts, {escape_path(path) for path in after}, links
        )
        for artifact in artifacts:
            if artifact.sha256 and artifact.kind == "file":
                store.keep(here, raw_path(artifact.path), hashed[raw_path(artifact.path)])
    return Measured(artifacts, away, gone, told)


def _standing(room: rooms.Room, claims: Claims) -> dict[bytes, Path]:
    """The places behind links of the clone.
    Where a job made something else of the link, that is what is walked.
    """
    found = {}
    with Beneath(room.work) as here:
        for path, number in claims.places.items():
            with contextlib.suppress(OSError):
                if here.readlink(raw_path(path)) == f"{PLACES}/{int(number)}".encode():
                    found[raw_path(path)] = room.places / str(int(number))
    return found


def _scratch(entry: Entry, claims: Claims) -> tuple[re.Pattern[str], ...]:
    """Where in the clone Snakemake keeps shadow folders and copies of remote files, if the profile
    names such a place.

    In it, the folders that Snakemake makes, and not the place as a whole: that may be a folder of
    results.
    """
    found = []
    for setting in claims.settings.settings:
        if (made := _MADE.get(setting.key, "")) and isinstance(setting.value, str):
            folder = posixpath.normpath(
                posixpath.join(entry.folder, entry.directory, setting.value)
            )
            place = re.compile(re.escape("" if folder == "." else folder + "/") + made, re.DOTALL)
            if not folder.startswith(("..", "/")) and (
                setting.key == "shadow-prefix" or _only_storage(place, claims.plan)
            ):
                found.append(place)
    return tuple(found)


def _only_storage(place: re.Pattern[str], plan: Plan | None) -> bool:
    """Whether a plan has files of a storage, and no file of its own at a place."""
    files = [file for job in plan.jobs for file in (*job.input, *job.output)] if plan else []
    local = [file.path for file in files if not any("storage" in flag for flag in file.flags)]
    return len(local) < len(files) and not any(map(place.fullmatch, local))


def _failed_logs(claims: Claims, hasher: Hasher) -> str:
    """The last lines of the logs of jobs whose last attempt failed."""
    last = {attempt.job.identity: attempt for attempt in claims.attempts}
    failed = [a for a in last.values() if a.ok is False][:_FAILED_JOBS]
    tails = {
        path: last_lines(hasher.tail(raw_path(path), _LOG_BYTES), 10)
        for attempt in failed
        for path in attempt.job.log
    }
    return "\n".join(f"{path}:\n{text}" for path, text in tails.items() if text)


def _codeless(plan: Plan | None) -> set[str]:
    """Rules that only gather what others make."""
    return {name for name, rule in plan.rules.items() if not rule.code} if plan else set()


def _as_delivered(
    room: rooms.Room,
    touched: Mapping[bytes, Signature],
    hashed: Mapping[bytes, Hashed],
    delivered: Callable[[Path], object],
    pool: Executor,
) -> set[bytes]:
    """Of the tracked files that a run touched, those that still hold what git delivered; a second
    clone tells.
    """
    if not touched:
        return set()
    fresh = room.folder / "delivered"
    delivered(fresh)
    files = {
        path: seen
        for path, seen in scan(fresh).items()
        if path in touched and _same_kind(seen, touched[path])
    }
    there = Hasher(fresh, pool).digests(files)
    return {
        path for path in there if there[path].sha256 and there[path].sha256 == hashed[path].sha256
    }


def _same_kind(one: Signature, other: Signature) -> bool:
    """Whether two files are of one type and both can be executed, or neither."""
    return (
        stat.S_IFMT(one.mode) == stat.S_IFMT(other.mode)
        and not (one.mode ^ other.mode) & stat.S_IXUSR
    )


def _own(entry: Entry, workdir: str, submodules: Sequence[str]) -> frozenset[bytes]:
    """The places of a clone that are git's and Snakemake's own, and no results: a short list, and
    no name anywhere.
    """
    places = [".git", *(f"{path}/.git" for path in submodules)]
    if not workdir.startswith("/"):
        folders = {
            posixpath.normpath(posixpath.join(entry.folder, entry.directory)),
            posixpath.normpath(workdir or "."),
        }
        places += [
            posixpath.normpath(posixpath.join(folder, ".snakemake"))
            for folder in folders
            if not folder.startswith("..")
        ]
    return frozenset(map(raw_path, places))


def _stamps(attempts: Sequence[Attempt]) -> frozenset[bytes]:
    """The empty files with which Snakemake marks the time of an output that is a folder."""
    folders = (
        file.path
        for attempt in attempts
        for file in attempt.job.output
        if "directory" in file.flags
    )
    return frozenset(raw_path(path.rstrip("/")) + b"/.snakemake_timestamp" for path in folders)
