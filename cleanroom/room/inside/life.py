"""The life of a room: its steps in order, each in a process of its own, and what one hands on to
the next. What a step needs and does not have stops the ones after it.

Not here: what a step does, and how it is held to its limits.
"""

from __future__ import annotations

import contextlib
import glob
import json
import os
import shutil
from typing import Any, Callable, Iterable, Iterator

from . import slurm
from .containers import offer_containers
from .effects import without_step
from .export import PLACES, WORK, Outlet, name, raw, tracked_paths
from .interrupt import Interruption
from .protocol import RESUMED, Record, Spec
from .runnable import override
from .snakemake_api import Snakemake, Typed
from .stack import arguments, settings_step, write_profile
from .steps import lint_step, plan_step, rest_step, run_step
from .supervisor import Warden, tree, tree_change
from .supplies import Supplies, offer_conda

FAKETIME = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
UNCAPPED = 1_000_000  # cores while asking what threads the rules request


class Life:
    """One room, from its settings to its run. `watched` steps run no job: what they change in the
    clone is said.
    """

    def __init__(self, spec: Spec, snakemake: Snakemake, warden: Warden) -> None:
        self.spec, self.snakemake, self.warden = spec, snakemake, warden
        self._supplies = Supplies(spec)
        self._before = tree(WORK, PLACES)
        self._touched = False  # whether reading the workflow writes files
        self._profile: Record | None = None
        self._stated = ""  # the cores that the profile states
        self._cores: str | int = UNCAPPED

    def live(self) -> None:
        """Every step that was asked for, as far as it gets."""
        if not self._read_settings():
            return
        spec, snakemake = self.spec, self.snakemake
        if "lint" in spec["steps"]:
            cores = self._stated or spec["cores"] or 1
            self._step("lint", lambda outlet: lint_step(spec, snakemake, cores, outlet))
        plan = self._plan()
        if plan is None:
            return
        if self._prepare(plan):
            plan = self._plan()
            if plan is None:
                return
        if not self._touched:
            # Where reading the workflow writes files, a plan more would not be made from the same
            # tree.
            self._plan_without(plan)
        if "run" in spec["steps"]:
            self._run(plan)

    def _step(
        self, label: str, function: Callable[[Outlet], Any], watched: bool = True, **how: Any
    ) -> tuple[bool, list[bytes]]:
        """(whether it ended well, what it said where that is to be kept)."""

        def entered(outlet: Outlet) -> Any:
            if self._profile is not None:
                # as it was resolved, whatever an earlier step made of the file
                write_profile(self.snakemake, self._profile)
                offer_conda(self.spec, self._profile)
                offer_containers(self.spec, self._profile)
                self._supplies.serve()
            return function(outlet)

        ended, lines = self.warden.step(label, entered, **how)
        if watched:
            after = tree(WORK, PLACES)
            change = tree_change(self._before, after)
            self._touched = self._touched or any(change.values())
            self.warden.say("tree", dict(change, name=label))
            self._before = after
        return ended[0] == "ok", lines

    def _read_settings(self) -> bool:
        """Whether there is a profile that can run here."""
        spec, snakemake = self.spec, self.snakemake
        ok, lines = self._step(
            "settings", lambda outlet: settings_step(spec, snakemake, outlet), keep=True
        )
        said = claims_of(lines)
        if not ok or "settings" not in said or "profile" not in said:
            return False
        settings, self._profile = said["settings"][-1], said["profile"][-1]
        self._stated = settings["cores"]
        self.snakemake.typed = typed(self.spec, states_cores=bool(self._stated))
        self._cores = self._stated or UNCAPPED
        return not settings.get("actions")

    def _plan(self) -> Record | None:
        """The plan under the cores of now."""
        ok, lines = self._step(
            "plan",
            lambda outlet: plan_step(
                self.spec, self.snakemake, self._cores, outlet, self._supplies
            ),
            keep=True,
        )
        said = claims_of(lines)
        if not ok or "plan" not in said:
            return None
        return dict(said["plan"][-1], jobs=said.get("job", []))

    def _prepare(self, plan: Record) -> bool:
        """Make the room ready for what is planned; whether the plan is to be made again."""
        if not self._stated:
            self._cores = requested_cores(plan, self.spec["cores"] or 1)
            why = "the stack states none; no rule's threads are cut"
            self.warden.say("override", override("cores", None, self._cores, why, "unstated"))
        removed = remove_tracked_outputs(plan)
        if removed:
            self.warden.say("tracked", removed)
        places = give_places(plan)
        if places:
            self.warden.say("places", places)
        if removed or places:
            self._before = tree(WORK, PLACES)
        return not self._stated or bool(removed or places)

    def _plan_without(self, plan: Record) -> None:
        """The plan without the settings in question."""
        spec, snakemake, cores = self.spec, self.snakemake, self._cores
        if "without" in spec["steps"]:
            generous = requested_cores(plan, 2 * int(cores)) if str(cores).isdigit() else cores
            stated = self._profile or {}, plan, self._stated
            self._step(
                "without",
                lambda outlet: without_step(spec, snakemake, cores, generous, stated, outlet),
            )

    def _run(self, plan: Record) -> None:
        spec, snakemake, cores, jobs = self.spec, self.snakemake, self._cores, plan["jobs"]
        first = 0
        if spec["interrupt"]:
            self._interrupt(Interruption(spec["interrupt"]), jobs)
            first = RESUMED

        def run(outlet: Outlet) -> int:
            with self._surroundings(jobs):
                another_date(spec)
                return run_step(spec, snakemake, cores, outlet, jobs, first)

        ok, _ = self._step("run", run, watched=False)
        if not ok or "rest" not in spec["steps"] or self._touched:
            return
        # What a second call writes would be taken for what the run left: its step is watched.
        try:
            self._before = tree(WORK, PLACES)
        except OSError:
            return  # a tree that nobody can read to its end; the host says so
        self._step("rest", lambda outlet: rest_step(spec, snakemake, cores, outlet))

    @contextlib.contextmanager
    def _surroundings(self, jobs: list[Record]) -> Iterator[None]:
        """What the profile's own executor needs of this room, while it runs."""
        profile = self._profile or {}
        if slurm.by_slurm(self.spec, profile, self.snakemake.major):
            slurm.look_often()
            slurm.start(jobs, profile)
            try:
                yield
            finally:
                slurm.stop()
        else:
            yield

    def _interrupt(self, struck: Interruption, jobs: list[Record]) -> None:
        """A run that is killed, and what a person does before the next call."""
        spec, snakemake, cores = self.spec, self.snakemake, self._cores

        def run(outlet: Outlet) -> int:
            with self._surroundings(jobs):
                return run_step(spec, snakemake, cores, outlet, jobs, interruption=struck)

        self._step("interrupted", run, watched=False)
        # A cache of Snakemake's that holds pickled objects; jobs of the interrupted run could have
        # written it.
        cache = os.path.join(spec["directory"] or ".", ".snakemake", "iocache")
        shutil.rmtree(cache, ignore_errors=True)
        self._step(
            "unlock",
            lambda outlet: snakemake.main(arguments(spec, cores) + ["--unlock"]),
            watched=False,
        )


def requested_cores(plan: Record, floor: int) -> int:
    """The most threads that any job or rule asks for: with this many cores nothing is cut."""
    asked = [job["threads"] for job in plan["jobs"]] + [
        rule["threads"] for rule in plan["rules"].values()
    ]
    return max([floor] + [threads for threads in asked if threads < UNCAPPED])


def remove_tracked_outputs(plan: Record) -> list[str]:
    """Outputs that git delivered are not evidence of a run: away with them, and say which."""
    tracked = tracked_paths()
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
    links = {path for path in tracked_paths() if os.path.islink(os.path.join(WORK, path))}
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


def typed(spec: Spec, *, states_cores: bool) -> Typed:
    """What a person types for this room's profile."""
    return Typed(raw(spec["profile"]), tuple(spec["typed_targets"]), states_cores=states_cores)


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


def has_other_clock(spec: Spec) -> bool:
    """Whether jobs of this room can see another date: Slurm refuses jobs from another day."""
    return bool(FAKETIME) and not spec["slurm"]


def another_date(spec: Spec) -> None:
    """What jobs start from here on sees another date, or one that stands still, where libfaketime
    is in the room; Snakemake itself and its clock do not.
    """
    if spec["date"] != "today" and has_other_clock(spec):
        os.environ.update(
            LD_PRELOAD=FAKETIME[0],
            FAKETIME=spec["date"],
            FAKETIME_DONT_FAKE_MONOTONIC="1",
            NO_FAKE_STAT="1",
        )
