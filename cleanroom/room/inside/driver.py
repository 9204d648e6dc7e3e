"""What runs inside a room: settings, lint, plans and run of one Snakemake workflow, each exported
as JSON.

Standard library only, for any Python from 3.8 on, beside Snakemake 7, 8 or 9. Snakemake is imported
once and every step is a fork of that process, so that no step pays for the import again and none
sees another's state. As process 1 of the room, it kills whatever a step left behind. It ends when
its standard input closes: a room never outlives its host.

Not here: hashing, judging, or anything the host must believe. All that is said here is a claim of
the room, and leaves it through standard output.

Hooks (present in Snakemake 7.32, 8 and 9): `JobScheduler.__init__` sees the finished plan,
`AbstractExecutor.run_job_pre` (`_run` in 7) each attempt before it starts, `Job.register` that its
outputs are marked, `JobScheduler._finish_jobs` and `_handle_error` its end,
`Workflow.lint` the parsed rules.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import re
import shutil
import sys
from functools import partial

from .export import IN, WORK, Outlet, attempt, hide
from .life import Life, has_other_clock
from .lighter import put_off_numpy, put_off_records, put_off_reports
from .listing.sitecustomize import reverse
from .protocol import Spec
from .snakemake_api import Snakemake
from .stage import STAGED, START, enter_staged
from .supervisor import HostGone, Warden
from .supplies import activate

EVERY_CALL = (
    "snakemake.profiles",
    "yte",
    "snakemake.storage",
    "smart_open",
)
"""What Snakemake 8 and 9 import in each call."""
PREFIXES = "/room/env/"


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


def programs_of_prefix() -> None:
    """What was installed beside Snakemake in a prefix comes first, as where a person activates
    it.
    """
    if sys.executable.startswith(PREFIXES):
        own = os.path.dirname(sys.executable)
        if os.path.isdir(os.path.join(os.path.dirname(own), "conda-meta")):
            activate(os.path.dirname(own))
            return
        os.environ["PATH"] = os.pathsep.join(filter(None, [own, os.environ.get("PATH")]))


def another_order(spec: Spec) -> None:
    """This Python and every other one that starts in the room list folders in reverse."""
    if spec["directory_order"].startswith("reversed"):
        folder = os.path.join(IN, "cleanroom_room", "listing")
        os.environ["PYTHONPATH"] = os.pathsep.join(
            filter(None, [folder, os.environ.get("PYTHONPATH")])
        )
        reverse()


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
    for put_off in (put_off_reports, put_off_numpy, put_off_records):
        attempt(put_off)
    snakemake = Snakemake()
    for module in EVERY_CALL if snakemake.major >= 8 else ():
        attempt(partial(importlib.import_module, module))
    gc.freeze()
    gc.enable()
    return snakemake


def main() -> None:
    programs_of_prefix()
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
        of_room = {"faketime": has_other_clock(spec), "processors": len(processors)}
        warden.say(
            "versions", dict(of_room, snakemake=snakemake.version, python=python, unlisted=unlisted)
        )
        os.chdir(os.path.join(WORK, spec["folder"]))
        os.environ["PWD"] = os.getcwd()
        Life(spec, snakemake, warden).live()
        warden.say("done", {"name": limit_reached()})
    except (HostGone, BrokenPipeError):
        sys.exit(4)
