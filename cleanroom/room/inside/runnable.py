"""A stack of profiles made runnable in a room: what only another machine has is replaced, and what
the confirmation itself adds is said. Not here: reading profiles.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from typing import Any

from .containers import (
    METHODS,
    PLACES_OF_IMAGES,
    SWITCHES,
    asks_for_containers,
    offer_containers,
)
from .export import clean, place, plain, raw
from .protocol import Record, Spec
from .slurm import by_slurm
from .slurm import is_here as slurm_is_here
from .snakemake_api import Snakemake
from .supplies import asks_for_conda, offer_conda


class Unreadable(Exception):  # noqa: N818 - it tells of a profile, not of a fault of ours
    def __init__(self, file: str, line: int, text: str, key: str = "") -> None:
        super().__init__(text)
        self.record = {"file": place(file), "line": line, "text": clean(text), "key": clean(key)}


IDLE = ("dryrun", "touch")  # executors that run no job
OF_REMOTE = (
    "mem_mb=min(max(2*input.size_mb, 1000), 8000)",
    "disk_mb=max(2*input.size_mb, 1000) if input else 50000",
)


def truthy(value: Any) -> bool:
    return value not in (None, [], "", "False", "false", "0", "no", "off")


def runnable(
    spec: Spec,
    snakemake: Snakemake,
    record: Record,
    force: Record,
    lines: dict[str, tuple[str, int]],
) -> Record:
    """The same settings with executor and cluster keys replaced, and what the confirmation itself
    adds.
    """
    executor_key = re.compile(spec["executor_keys"])
    executors = snakemake.executors()
    kept = {}
    own = by_slurm(spec, force, snakemake.major)
    remote = not own and (
        spec["nodes"] == "every"
        or force.get("executor", "local") not in ("local",) + IDLE
        or any(truthy(force.get(k)) for k in spec["cluster_keys"])
    )
    for key, value in force.items():
        known = key in snakemake.options
        placement = executor_key.fullmatch(key) is not None and not (own and known)
        having = spec["older"].get(key, [])
        outdated = not known and bool(having) and snakemake.major not in having
        if not known and not placement and not outdated:
            file, line = lines[key]
            raise Unreadable(
                raw(file), line, "Snakemake %s has no option '%s'" % (snakemake.version, key), key
            )
        why = ""
        if outdated:
            had = " and ".join(map(str, having))
            verb = "has" if len(having) == 1 else "have"
            why = "Snakemake %s has no such option, Snakemake %s %s" % (
                snakemake.version,
                had,
                verb,
            )
        elif placement and not known:
            why = "Snakemake %s in this room does not know it" % snakemake.version
        elif key == "executor" and executors is not None and value not in executors:
            why = "the executor plugin '%s' is not in this room" % value
        if why:
            file, line = lines[key]
            record["replaced"].append({"key": clean(key), "file": file, "line": line, "text": why})
        if outdated:
            record["overrides"].append(override(key, value, None, why, "outdated"))
        elif placement or (remote and key in ("cores", "jobs", "local-cores", "shared-fs-usage")):
            record["overrides"].append(
                override(key, value, None, "how the room runs jobs: locally", "local")
            )
        elif own and key == "slurm-logdir":
            why = "what the cluster writes down of jobs is no result, and lies in the room's folder"
            record["overrides"].append(override(key, value, None, why, "provided"))
        elif own and key == "cores":
            why = "cores cap the threads of remote jobs"
            record["overrides"].append(override(key, value, None, why, "remote"))
        elif is_elsewhere(spec, key, value):
            record["overrides"].append(
                override(key, value, None, "a folder of another machine", "elsewhere")
            )
        elif key == "default-resources":
            kept[key] = _without_foreign_tmpdir(record, value)
        else:
            kept[key] = value
    added: list[tuple[str, Any, str]] = []
    if not truthy(force.get("all-temp")):  # what a profile itself deletes is deleted
        why = "temporary outputs are kept, so that the first difference can be found"
        added.append(("notemp", True, why))
    added.append(("show-failed-logs", True, "what a failed job said is in the report"))
    added.append(("scheduler", "greedy", "the same jobs in less time"))
    added.append(("max-jobs-per-timespan", "100000/1s", "no waiting between jobs"))
    for key, value, why in added:
        _add(snakemake, record, kept, key, value, why, "comparison")
    if own:
        _cap_threads(snakemake, record, force, kept)
        _by_own_slurm(snakemake, record, force, kept)
    if remote:
        _as_if_remote(snakemake, record, force, kept)
        if spec["nodes"] != "none":
            _apart(snakemake, record, force, kept)
    _cores(spec, snakemake, record, force, kept, remote or own)
    _deployment(spec, snakemake, record, kept)
    offer_conda(spec, kept)
    offer_containers(spec, kept)
    record["needs"] = []
    if asks_for_conda(kept) and not shutil.which("conda"):
        record["needs"].append("conda")
    if asks_for_containers(kept) and not any(map(shutil.which, METHODS)):
        record["needs"].append("apptainer")
    if own and not slurm_is_here():
        record["needs"].append("slurm")
    return kept


_METHOD = "software-deployment-method"
_OF_DEPLOYMENT = (_METHOD, "use-conda", *SWITCHES, "use-envmodules")
_PLACES = {"conda": ("conda-prefix", "conda-base-path"), "apptainer": PLACES_OF_IMAGES}
_DECLARED = {"conda": "environments of conda", "apptainer": "containers"}
_OLDER = {"conda": "use-conda", "apptainer": "use-singularity"}


def _deployment(spec: Spec, snakemake: Snakemake, record: Record, kept: Record) -> None:
    """The software of rules turned on where it was made for this room, or off where that was asked
    for.
    """
    if spec["deployment"] == "none":
        why = "somebody asked for the software of the room itself"
        for key in _OF_DEPLOYMENT:
            if truthy(kept.get(key)):
                record["overrides"].append(override(key, kept.pop(key), None, why, "deployed"))
        return
    for method, held, on in (
        ("conda", spec["conda"], asks_for_conda(kept)),
        ("apptainer", spec["images"], asks_for_containers(kept)),
    ):
        if not on and spec["deployment"] in ([method, "declared"] if held else [method]):
            _turn_on(method, snakemake, record, kept)
        for key in _PLACES[method] if held else ():
            if truthy(kept.get(key)):
                why = "%s are made before the room, and lie in it" % _DECLARED[method]
                record["overrides"].append(override(key, kept.pop(key), None, why, "provided"))


def _turn_on(method: str, snakemake: Snakemake, record: Record, kept: Record) -> None:
    why = "rules declare %s, which most people turn on when they call" % _DECLARED[method]
    if snakemake.major < 8:
        return _add(snakemake, record, kept, _OLDER[method], True, why, "deployed")
    was = kept.get(_METHOD) or []
    value = [*(was if isinstance(was, list) else str(was).split()), method]
    return _add(snakemake, record, kept, _METHOD, value, why, "deployed")


def _add(
    snakemake: Snakemake, record: Record, kept: Record, key: str, value: Any, why: str, cause: str
) -> None:
    """A setting of the confirmation's own, where this Snakemake has it."""
    canonical = snakemake.options.get(key)
    if canonical:
        record["overrides"].append(override(canonical, kept.get(canonical), value, why, cause))
        kept[canonical] = value


def is_elsewhere(spec: Spec, key: str, value: Any) -> bool:
    """Whether it names a folder that this room does not have and cannot make."""
    if key not in spec["path_keys"] or not os.path.isabs(str(value)):
        return False
    provided = (spec["conda"] and key in _PLACES["conda"]) or (
        spec["images"] and key in _PLACES["apptainer"]
    )
    return not provided and not is_there(str(value))


def is_there(folder: str) -> bool:
    """Whether a folder is in the room, made where it can be."""
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError:
        return False
    return True


def _apart(snakemake: Snakemake, record: Record, force: Record, kept: Record) -> None:
    """Each job as a process of its own, by the executor that this Snakemake has for it."""
    settings = snakemake.apart()
    if settings is None:
        return
    key = next(iter(settings))
    why = "each job is a process of its own, as on a cluster"
    record["overrides"].append(override(key, force.get(key), settings[key], why, "nodes"))
    kept.update(settings)
    if "seconds-between-status-checks" in snakemake.options:
        kept["seconds-between-status-checks"] = 1


def _by_own_slurm(snakemake: Snakemake, record: Record, force: Record, kept: Record) -> None:
    """The executor that the profile names, and a Slurm in the room for it."""
    key = "executor" if snakemake.major >= 8 else "cluster"
    why = (
        "jobs went through a Slurm of one node in the room, which enforces partitions, processors, "
        "run time, features, generic resources and licences; memory, accounts and quality of "
        "service it does not"
    )
    record["overrides"].append(override(key, force[key], kept[key], why, "slurm"))
    for name, value in (
        ("slurm-init-seconds-before-status-checks", 1),
        ("seconds-between-status-checks", 1),
    ):
        if name in snakemake.options:
            kept[name] = value


def _cap_threads(snakemake: Snakemake, record: Record, force: Record, kept: Record) -> None:
    """Cores cap the threads of remote jobs too."""
    cores, most = str(force.get("cores", "")), str(force.get("max-threads", ""))
    if cores.isdigit() and snakemake.major >= 8:
        least = min(int(cores), int(most)) if most.isdigit() else int(cores)
        _add(
            snakemake,
            record,
            kept,
            "max-threads",
            least,
            "cores cap the threads of remote jobs too",
            "remote",
        )


def _as_if_remote(snakemake: Snakemake, record: Record, force: Record, kept: Record) -> None:
    """What Snakemake does to jobs of a remote executor beside sending them away: cores cap threads,
    and resources have defaults.
    """
    _cap_threads(snakemake, record, force, kept)
    if not truthy(force.get("default-resources")):
        _add(
            snakemake,
            record,
            kept,
            "default-resources",
            list(OF_REMOTE),
            "what Snakemake adds for a remote executor",
            "remote",
        )


def _cores(
    spec: Spec, snakemake: Snakemake, record: Record, force: Record, kept: Record, remote: bool
) -> None:
    """Cores stay what the stack says; where it says nothing, no rule's threads are cut.
    At most `jobs` jobs at once.
    """
    stated = None if remote else kept.pop("cores", None)
    if stated is None and not remote and "jobs" in kept and snakemake.major >= 7:
        stated = kept.pop("jobs")  # Snakemake: without cores, a local `jobs` means cores
    floor = spec["cores"] or 1
    if stated is not None and re.fullmatch(r"\d+", str(stated)) and int(stated) < floor:
        record["overrides"].append(
            override("cores", stated, floor, "the minimum that was asked for", "minimum")
        )
        stated = floor
    record["cores"] = str(stated) if stated is not None else ""
    limit = spec["jobs_in_parallel"]
    if remote:
        wanted = str(force.get("jobs", ""))
        limit = min(limit or spec["cpus"], int(wanted) if wanted.isdigit() else sys.maxsize)
    if limit and (snakemake.major >= 8 or "cluster" in kept):
        record["overrides"].append(
            override(
                "jobs",
                kept.get("jobs", force.get("jobs")),
                limit,
                "jobs at once in this room",
                "at once",
            )
        )
        kept["jobs"] = str(limit)


def override(key: str, was: Any, now: Any, why: str, cause: str) -> Record:
    return {"key": clean(key), "was": plain(was), "now": plain(now), "why": why, "cause": cause}


def _without_foreign_tmpdir(record: Record, value: Any) -> Any:
    if not isinstance(value, list):
        return value
    kept = []
    for item in value:
        match = re.match(r"tmpdir=[\"']*(/[^\"']*)", str(item))
        if match and not is_there(match.group(1)):
            record["overrides"].append(
                override(
                    "default-resources: tmpdir",
                    match.group(1),
                    None,
                    "a folder of another machine",
                    "elsewhere",
                )
            )
        else:
            kept.append(item)
    return kept
