"""What runs inside a room: settings, lint, plans and run of one Snakemake workflow, each exported as JSON.

Standard library only, for any Python from 3.8 on, beside Snakemake 7, 8 or 9. Snakemake is imported once and every step is
a fork of that process, so that no step pays for the import again and none sees another's state. As process 1 of the room,
it kills whatever a step left behind. It ends when its standard input closes: a room never outlives its host.

Not here: hashing, judging, or anything the host must believe. All that is written here is a claim of the room.

Hooks (present in Snakemake 7.32, 8 and 9): `JobScheduler.__init__` sees the finished plan, `Job.register` each started attempt,
`JobScheduler._finish_jobs` and `_handle_error` its end, `Workflow.lint` the parsed rules.
"""

import gc
import glob
import json
import os
import re
import shutil
import sys

from .effects import without_step
from .entered import Snakemake
from .interrupt import Interruption
from .listing.sitecustomize import reverse
from .stack import _override, arguments, settings_step
from .stage import STAGED, START, enter_staged
from .steps import lint_step, plan_step, replanned, run_step
from .warden import HostGone, Warden, tree, tree_change
from .words import IN, WORK, Events, export, load, name, raw

REPLAN = "CLEANROOM_REPLAN"
RESUMED = 1_000_000_000  # attempts of a resumed run are numbered from here
FAKETIME = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
UNCAPPED = 1_000_000  # cores while asking what threads the rules request


def requested_cores(plan, floor):
    """The most threads that any job or rule asks for: with this many cores nothing is cut."""
    asked = [job["threads"] for job in plan["jobs"]] + [rule["threads"] for rule in plan["rules"].values()]
    return max([floor] + [threads for threads in asked if threads < UNCAPPED])


def remove_tracked_outputs(plan):
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
            if set(file["flags"]) & {"update", "before_update", "storage_object", "pipe", "service"}:
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


def find_interpreter():
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
    export("versions.json", {"error": "no Snakemake in this room (python: %s)" % sys.executable})
    sys.exit(3)


def replan_step(spec, cores):
    """The plan once more, under another hash seed; that takes another interpreter."""
    env = dict(os.environ, PYTHONHASHSEED=str(spec["other_seed"]))
    env[REPLAN] = str(cores)
    os.execve(sys.executable, [sys.executable, "-B", START], env)


def inhabit(spec, snakemake, events):
    """All steps in order; what a step needs and does not have stops the ones after it."""
    os.chdir(os.path.join(WORK, spec["folder"]))
    os.environ["PWD"] = os.getcwd()
    warden, steps = Warden(spec, events), {}
    before = tree(WORK)

    def step(label, function, watched=True):
        nonlocal before
        status, code, seconds = warden.step(label, function)
        steps[label] = {"status": status, "code": code, "seconds": seconds}
        if watched:
            after = tree(WORK)
            steps[label].update(tree_change(before, after))
            before = after
        export("steps.json", steps)
        return status == "ok"

    if not step("settings", lambda: settings_step(spec, snakemake)):
        return
    settings = load("settings.json", {})
    if settings.get("actions"):
        return
    floor = spec["cores"] or 1
    cores = settings["cores"] or UNCAPPED
    if "lint" in spec["steps"]:
        step("lint", lambda: lint_step(spec, snakemake, settings["cores"] or floor))
    if not step("plan", lambda: plan_step(spec, snakemake, cores)):
        return
    plan = load("plan.json")
    if plan is None:
        return
    again = False
    if not settings["cores"]:
        cores, again = requested_cores(plan, floor), True
        settings["overrides"].append(_override("cores", None, cores, "the stack states none; no rule's threads are cut"))
        export("settings.json", settings)
    removed = remove_tracked_outputs(plan)
    if removed:
        export("tracked.json", removed)
        before = tree(WORK)
    if again or removed:
        first = steps["plan"]
        if not step("plan", lambda: plan_step(spec, snakemake, cores)):
            return
        for change in ("created", "changed", "removed"):
            steps["plan"][change] = sorted(set(first[change]) | set(steps["plan"][change]))
        steps["plan"]["seconds"] += first["seconds"]
        export("steps.json", steps)
    if not any(record[change] for record in steps.values() for change in ("created", "changed", "removed")):
        # Where reading the workflow writes files, a plan more would not be made from the same tree.
        if "replan" in spec["steps"]:
            step("replan", lambda: replan_step(spec, cores))
        if "without" in spec["steps"]:
            generous = requested_cores(plan, 2 * int(cores)) if str(cores).isdigit() else cores
            step("without", lambda: without_step(spec, snakemake, cores, generous))
    if "run" in spec["steps"]:
        if spec.get("interrupt"):
            struck = Interruption(spec["interrupt"])
            step("interrupted", lambda: run_step(spec, snakemake, cores, events, interruption=struck), watched=False)
            step("unlock", lambda: snakemake.main(arguments(spec, cores) + ["--unlock"]), watched=False)
        first = RESUMED if spec.get("interrupt") else 0

        def run():
            another_date(spec)
            return run_step(spec, snakemake, cores, events, first)

        step("run", run, watched=False)


def another_order(spec):
    """This Python and every other one that starts in the room list folders in reverse."""
    if spec["directory order"].startswith("reversed"):
        folder = os.path.join(IN, "cleanroom_room", "listing")
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [folder, os.environ.get("PYTHONPATH")]))
        reverse()


def another_date(spec):
    """What jobs start from here on sees another date, or one that stands still, where libfaketime is in the room; Snakemake itself and
    its clock do not.
    """
    if spec["date"] != "today" and FAKETIME:
        os.environ.update(LD_PRELOAD=FAKETIME[0], FAKETIME=spec["date"], FAKETIME_DONT_FAKE_MONOTONIC="1", NO_FAKE_STAT="1")


def limit_reached():
    """The limit that this room ran into, as its control group (version 1 or 2) counts: `memory`, `processes` or nothing."""
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


def imported():
    """Snakemake, whose modules stay: they are not searched for garbage while they come in, nor by any step after it."""
    gc.disable()
    snakemake = Snakemake()
    gc.freeze()
    gc.enable()
    return snakemake


def main():
    find_interpreter()
    if STAGED in sys.argv:
        enter_staged(imported())
    with open(os.path.join(IN, "spec.json")) as stream:
        spec = json.load(stream)
    os.umask(int(spec["umask"], 8))
    processors = sorted(os.sched_getaffinity(0))
    if spec["processors"] != "all":
        os.sched_setaffinity(0, processors[: int(spec["processors"])])
    another_order(spec)
    cores = os.environ.pop(REPLAN, None)
    if cores is not None:
        sys.exit(replanned(spec, imported(), cores))
    events = Events()
    try:
        snakemake = imported()
        python = ".".join(map(str, sys.version_info[:3]))
        known = re.compile(spec["known"])
        unlisted = sorted(key for key in set(snakemake.options.values()) if not known.fullmatch(key))
        of_room = {"faketime": bool(FAKETIME), "processors": len(processors)}
        export("versions.json", dict(of_room, snakemake=snakemake.version, python=python, unlisted=unlisted))
        inhabit(spec, snakemake, events)
    except HostGone:
        sys.exit(4)
    events.say("done", name=limit_reached())
