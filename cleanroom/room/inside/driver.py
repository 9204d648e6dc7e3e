"""What runs inside a room: settings, lint, plans and run of one Snakemake workflow, each exported
as JSON.

Standard library only, for any Python from 3.8 on, beside Snakemake 7, 8 or 9. Snakemake is imported
once and every step is
a fork of that process, so that no step pays for the import again and none sees another's state. As
process 1 of the room,
it kills whatever a step left behind. It ends when its standard input closes: a room never outlives
its host.

Not here: hashing, judging, or anything the host must believe. All that is said here is a claim of
the room,
and leaves it through standard output.

Hooks (present in Snakemake 7.32, 8 and 9): `JobScheduler.__init__` sees the finished plan,
`Job.register` each started attempt,
`JobScheduler._finish_jobs` and `_handle_error` its end, `Workflow.lint` the parsed rules.
"""

from __future__ import annotations

import gc
import glob
import json
import os
import re
import shutil
import sys
from typing import Any, Callable, Iterable, NoReturn

from .effects import without_step
from .export import IN, PLACES, WORK, Outlet, hide, name, raw
from .interrupt import Interruption
from .listing.sitecustomize import reverse
from .protocol import RESUMED, Record, Spec
from .snakemake_api import Snakemake
from .stack import _override, arguments, settings_step, write_profile
from .stage import STAGED, START, enter_staged
from .steps import lint_step, plan_step, rest_step, run_step
from .supervisor import HostGone, Warden, tree, tree_change

REPLAN = "CLEANROOM_REPLAN"
FAKETIME = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
UNCAPPED = 1_000_000  # cores while asking what threads the rules request


def requested_cores(plan: Record, floor: int) -> int:
    """The most threads that any job or rule asks for: with this many cores nothing is cut."""
    asked = [job["threads"] for job in plan["jobs"]] + [
        rule["threads"] for rule in plan["rules"].values()
    ]
    return max([floor] + [threads for threads in asked if threads < UNCAPPED])


def remove_tracked_outputs(plan: Record) -> list[str]:
    """Outputs that git delivered are not evidence of a run: away with them, and say which."""
    with open(os.path.join(IN, "tracked"), "rb") as stream:
        tracked = {os.fsdecode(p) for p in stream.read().split(b"\0") if p}
    folders = {os.path.dirname(p) for p in tracked}
    for folder in list(folders):
        while folder:
            folder = os.path.dirname(folder)
            folders.add(folder)
    removed = []
    for job in plan["jobs"]:
        for file in job["output"]:
            if set(file["flags"]) & {
                "update",
                "before_update",
                "storage_object",
                "pipe",
                "service",
            }:
                continue
            path = raw(file["path"])
            full = os.path.join(WORK, path)
            if path in tracked and os.path.lexists(full):
                os.unlink(full)
                removed.append(name(path))
            elif path in folders and os.path.isdir(full) and "directory" in file["flags"]:
                removed += sorted(name(p) for p in tracked if p.startswith(path + os.sep))
                shutil.rmtree(full)
    return sorted(set(removed))


def give_places(plan: Record) -> dict[str, int]:
    """Folders of results that are links of the clone to a place that this room does not have get
    one; {link: number of the place}.

    `results -> /scratch/me` is ordinary practice, and what is written there would be seen by
    nobody.
    """
    with open(os.path.join(IN, "tracked"), "rb") as stream:
        links = {
            path
            for path in map(os.fsdecode, stream.read().split(b"\0"))
            if path and os.path.islink(os.path.join(WORK, path))
        }
    places: dict[str, int] = {}
    for output in (
        [raw(file["path"]) for job in plan["jobs"] for file in job["output"]] if links else []
    ):
        parts = output.split(os.sep)
        for path in (os.sep.join(parts[:i]) for i in range(1, len(parts))):
            full = os.path.join(WORK, path)
            if path not in links or name(path) in places:
                continue
            end = os.path.realpath(full)
            if not end.startswith(WORK + os.sep) and (
                not os.path.exists(end) or os.access(end, os.W_OK)
            ):
                place = os.path.join(PLACES, str(len(places)))
                os.mkdir(place)
                os.unlink(full)
                os.symlink(place, full)
                places[name(path)] = len(places)
    return places


def find_interpreter() -> None:
    """Run again under the Python that has Snakemake, where this one has none."""
    try:
        import snakemake  # noqa: F401

        return
    except ImportError:
        pass
    script = shutil.which("snakemake")
    if script and not os.environ.pop("CLEANROOM_SECOND", None):
        with open(script, "rb") as stream:
            first = stream.readline().decode("utf-8", "replace").strip()
        if first.startswith("#!") and "python" in first:
            os.environ["CLEANROOM_SECOND"] = "1"
            command = first[2:].split()
            os.execvp(command[0], command + [START])
    text = "no Snakemake in this room (python: %s)" % sys.executable
    Warden.say_to(Outlet(1), "versions", {"error": text})
    sys.exit(3)


def replan_step(spec: Spec, cores: str | int, outlet: Outlet) -> NoReturn:
    """The plan once more, under another hash seed; that takes another interpreter, which gets the
    pipe.
    """
    os.set_inheritable(outlet.fd, True)
    env = dict(os.environ, PYTHONHASHSEED=str(spec["other_seed"]))
    env[REPLAN] = "%s %d" % (cores, outlet.fd)
    os.execve(sys.executable, [sys.executable, "-B", START], env)


def claims_of(lines: Iterable[bytes]) -> dict[str, list[Any]]:
    """{claim: [each value]} of what a step said; nothing of what is no claim."""
    found: dict[str, list[Any]] = {}
    for line in lines:
        try:
            said = json.loads(line)
            found.setdefault(said["claim"], []).append(said["value"])
        except (ValueError, TypeError, KeyError, RecursionError):
            pass  # the host will see it too, and say so
    return found


def bare(line: bytes) -> bytes:
    """A claim without its time."""
    return re.sub(rb'"time": [0-9.e+-]+', b"", line, count=1)


def inhabit(spec: Spec, snakemake: Snakemake, warden: Warden) -> None:
    """All steps in order; what a step needs and does not have stops the ones after it."""
    os.chdir(os.path.join(WORK, spec["folder"]))
    os.environ["PWD"] = os.getcwd()
    before, touched = tree(WORK, PLACES), False
    profile: Record = {}

    def step(
        label: str, function: Callable[[Outlet], Any], watched: bool = True, **how: Any
    ) -> tuple[bool, list[bytes]]:
        nonlocal before, touched

        def entered(outlet: Outlet) -> Any:
            if profile:  # as it was resolved, whatever an earlier step made of the file
                write_profile(snakemake, profile["value"])
            return function(outlet)

        ended, lines = warden.step(label, entered, **how)
        if watched:
            after = tree(WORK, PLACES)
            change = tree_change(before, after)
            touched = touched or any(change.values())
            warden.say("tree", dict(change, name=label))
            before = after
        return ended[0] == "ok", lines

    ok, lines = step("settings", lambda outlet: settings_step(spec, snakemake, outlet), keep=True)
    said = claims_of(lines)
    if not ok or "settings" not in said or "profile" not in said:
        return
    settings, profile["value"] = said["settings"][-1], said["profile"][-1]
    if settings.get("actions"):
        return
    floor = spec["cores"] or 1
    cores = settings["cores"] or UNCAPPED
    if "lint" in spec["steps"]:
        step("lint", lambda outlet: lint_step(spec, snakemake, settings["cores"] or floor, outlet))

    def plan_once() -> tuple[Record | None, list[bytes]]:
        ok, lines = step(
            "plan", lambda outlet: plan_step(spec, snakemake, cores, outlet), keep=True
        )
        said = claims_of(lines)
        return (
            (dict(said["plan"][-1], jobs=said.get("job", [])), lines)
            if ok and "plan" in said
            else (None, lines)
        )

    plan, lines = plan_once()
    if plan is None:
        return
    again = False
    if not settings["cores"]:
        cores, again = requested_cores(plan, floor), True
        warden.say(
            "override",
            _override(
                "cores",
                None,
                cores,
                "the stack states none; no rule's threads are cut",
                "unstated",
            ),
        )
    removed = remove_tracked_outputs(plan)
    if removed:
        warden.say("tracked", removed)
        before = tree(WORK, PLACES)
    places = give_places(plan)
    if places:
        warden.say("places", places)
        before = tree(WORK, PLACES)
    if again or removed or places:
        plan, lines = plan_once()
        if plan is None:
            return
    if not touched:
        # Where reading the workflow writes files, a plan more would not be made from the same tree.
        if "replan" in spec["steps"]:
            bared = list(map(bare, lines))  # said only where it is another one
            step(
                "replan",
                lambda outlet: replan_step(spec, cores, outlet),
                only_if=lambda others: list(map(bare, others)) != bared,
            )
        if "without" in spec["steps"]:
            generous = requested_cores(plan, 2 * int(cores)) if str(cores).isdigit() else cores
            stated = profile["value"], plan, settings["cores"]
            step(
                "without",
                lambda outlet: without_step(spec, snakemake, cores, generous, stated, outlet),
            )
    if "run" in spec["steps"]:
        if spec["interrupt"]:
            struck = Interruption(spec["interrupt"])
            step(
                "interrupted",
                lambda outlet: run_step(
                    spec, snakemake, cores, outlet, plan["jobs"], interruption=struck
                ),
                watched=False,
            )
            # A cache of Snakemake's that holds pickled objects; jobs of the interrupted run could
            # have written it.
            shutil.rmtree(
                os.path.join(spec["directory"] or ".", ".snakemake", "iocache"), ignore_errors=True
            )
            step(
                "unlock",
                lambda outlet: snakemake.main(arguments(spec, cores) + ["--unlock"]),
                watched=False,
            )
        first = RESUMED if spec.get("interrupt") else 0

        def run(outlet: Outlet) -> int:
            another_date(spec)
            return run_step(spec, snakemake, cores, outlet, plan["jobs"], first)

        ok, _ = step("run", run, watched=False)
        if ok and "rest" in spec["steps"] and not touched:
            # What a second call writes would be taken for what the run left: its step is watched.
            try:
                before = tree(WORK, PLACES)
            except OSError:
                return  # a tree that nobody can read to its end; the host says so
            step("rest", lambda outlet: rest_step(spec, snakemake, cores, outlet))


def another_order(spec: Spec) -> None:
    """This Python and every other one that starts in the room list folders in reverse."""
    if spec["directory_order"].startswith("reversed"):
        folder = os.path.join(IN, "cleanroom_room", "listing")
        os.environ["PYTHONPATH"] = os.pathsep.join(
            filter(None, [folder, os.environ.get("PYTHONPATH")])
        )
        reverse()


def another_date(spec: Spec) -> None:
    """What jobs start from here on sees another date, or one that stands still, where libfaketime
    is in the room; Snakemake itself and
    its clock do not.
    """
    if spec["date"] != "today" and FAKETIME:
        os.environ.update(
            LD_PRELOAD=FAKETIME[0],
            FAKETIME=spec["date"],
            FAKETIME_DONT_FAKE_MONOTONIC="1",
            NO_FAKE_STAT="1",
        )


def limit_reached() -> str:
    """The limit that this room ran into, as its control group (version 1 or 2) counts: `memory`,
    `processes` or nothing.
    """
    for limit, path, counter in (
        ("memory", "/sys/fs/cgroup/memory.events", "oom_kill"),
        ("memory", "/sys/fs/cgroup/memory/memory.oom_control", "oom_kill"),
        ("processes", "/sys/fs/cgroup/pids.events", "max"),
        ("processes", "/sys/fs/cgroup/pids/pids.events", "max"),
    ):
        try:
            with open(path) as stream:
                found = re.search(r"^%s (\d+)$" % counter, stream.read(), re.M)
        except OSError:
            continue
        if found and int(found.group(1)):
            return limit
    return ""


def imported() -> Snakemake:
    """Snakemake, whose modules stay: they are not searched for garbage while they come in, nor by
    any step after it.
    """
    gc.disable()
    snakemake = Snakemake()
    gc.freeze()
    gc.enable()
    return snakemake


def main() -> None:
    find_interpreter()
    if STAGED in sys.argv:
        enter_staged(imported())
    with open(os.path.join(IN, "spec.json")) as stream:
        spec = json.load(stream)
    hide()
    os.umask(int(spec["umask"], 8))
    processors = sorted(os.sched_getaffinity(0))
    if spec["processors"] != "all":
        os.sched_setaffinity(0, processors[: int(spec["processors"])])
    another_order(spec)
    again = os.environ.pop(REPLAN, None)
    if again is not None:
        cores, fd = again.split()
        sys.exit(plan_step(spec, imported(), cores, Outlet(int(fd))))
    host = Outlet(os.dup(1))
    os.dup2(2, 1)  # what anything prints is no claim
    warden = Warden(spec, host)
    try:
        snakemake = imported()
        python = ".".join(map(str, sys.version_info[:3]))
        known = re.compile(spec["known"])
        unlisted = sorted(
            key for key in set(snakemake.options.values()) if not known.fullmatch(key)
        )
        of_room = {"faketime": bool(FAKETIME), "processors": len(processors)}
        warden.say(
            "versions", dict(of_room, snakemake=snakemake.version, python=python, unlisted=unlisted)
        )
        inhabit(spec, snakemake, warden)
        warden.say("done", {"name": limit_reached()})
    except (HostGone, BrokenPipeError):
        sys.exit(4)
