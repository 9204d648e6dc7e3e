"""Lines of JSON that come through one pipe, decoded into claims as they come.

A hostile workflow may have made any of it, in the step that it says it of: a line is passed on by
the room's first process, which runs no code of the workflow and names the step. Not here: what the
host measures.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from cleanroom.room.claims import (
    Budget,
    ClaimError,
    Claims,
    Event,
    FinalClaim,
    PlanClaim,
    SettingsClaim,
)
from cleanroom.room.inside.protocol import OWED, RESUMED, SAID_IN, SAID_OF_STEPS
from cleanroom.values.base import Value
from cleanroom.values.plan import Effect, FileRef, Job, Plan, PlannedAgain, Rule
from cleanroom.values.run import Attempt, Lint, Step, StepStatus
from cleanroom.values.setup import Override
from cleanroom.values.supplies import Wants

MOST_TEXT = 64 * 2**20
"""How many bytes of JSON one room may say: evidence is written once more as text."""
_MAX_LINE = 32 * 2**20
_MAX_TAIL = 16 * 1024


def read_tail(path: Path, limit: int) -> bytes:
    """The last bytes of a regular file that a room wrote; nothing of anything else."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    with os.fdopen(fd, "rb") as stream:
        info = os.fstat(stream.fileno())
        if not stat.S_ISREG(info.st_mode):
            return b""
        stream.seek(max(0, info.st_size - limit))
        return stream.read(limit)


class _Tree(Value, frozen=True):
    """What a step did to the tree of the clone."""

    name: str
    created: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]


class _Line(Value, frozen=True):
    claim: str
    value: msgspec.Raw
    time: float = 0.0


class ClaimReader:
    """Takes what a room says, in pieces of any size, and keeps what it means."""

    def __init__(self, budget: Budget | None = None) -> None:
        self._budget = budget or Budget()
        self._parts: list[bytes] = []
        self._length = self._text = 0
        self._line = msgspec.json.Decoder(_Line)
        self._decoders: dict[Any, msgspec.json.Decoder[Any]] = {}
        self._step = ""
        self._said: set[str] = set()
        self._steps: dict[str, Step] = {}
        self._plan: Plan | None = None
        self._jobs: list[Job] = []
        self._found: dict[str, Any] = {}
        self._overrides: list[Override] = []
        self._attempts: dict[int, Attempt] = {}
        self._rules: dict[str, Rule] = {}
        self._undescribed: list[str] = []

    def feed(self, block: bytes) -> list[Event]:
        """What a person may be told of a piece.
        Raises: ClaimError for what no driver says, or too much of it.
        """
        found: list[Event] = []
        *lines, rest = block.split(b"\n")
        for line in lines:
            self._parts.append(line)
            whole = b"".join(self._parts)
            self._parts, self._length = [], 0
            found += self._read(whole)
        self._parts.append(rest)
        self._length += len(rest)
        if self._length > _MAX_LINE:
            raise ClaimError("the room said more at once than a workflow has to say")
        return found

    def _read(self, line: bytes) -> Iterator[Event]:
        self._budget.spend(line)
        self._text += len(line)
        if self._text > MOST_TEXT:
            raise ClaimError("the room said more of itself than a workflow has to say")
        try:
            said = self._line.decode(line[1:])
            yield from self._take(line[:1], said)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise ClaimError(f"what the room said cannot be read ({error})") from None

    def _decoded(self, said: _Line, kind: Any) -> Any:
        if kind not in self._decoders:
            self._decoders[kind] = msgspec.json.Decoder(kind)
        return self._decoders[kind].decode(said.value)

    def _take(self, speaker: bytes, said: _Line) -> Iterator[Event]:
        allowed = (
            SAID_OF_STEPS
            if speaker == b"!"
            else SAID_IN.get(self._step, frozenset())
            if speaker == b":"
            else frozenset()
        )
        if said.claim not in allowed or "done" in self._found:
            raise ClaimError(f"the room said '{said.claim}' where that is not said")
        self._said.add(said.claim)
        match said.claim:
            case "step":
                yield self._begin_or_end(self._event(said))
            case "tree":
                self._changed(self._decoded(said, _Tree))
            case "override":
                self._overrides.append(self._decoded(said, Override))
            case "job":
                self._jobs.append(self._decoded(said, Job))
            case "plan":
                rest: PlanClaim = self._decoded(said, PlanClaim)
                fields = msgspec.structs.asdict(rest)
                self._found["workdir"] = fields.pop("workdir")
                self._plan = Plan(jobs=tuple(self._jobs), **fields)
                self._jobs = []
            case "planned" | "start" | "end" | "undescribed":
                event = self._with_job(self._event(said))
                self._follow(event)
                yield event
            case "done":
                event = self._event(said)
                self._found["done"] = event.name
                yield event
            case _:
                if said.claim in self._found and said.claim != "final":
                    raise ClaimError(f"the room said '{said.claim}' twice")
                self._found[said.claim] = self._decoded(said, _KINDS[said.claim])

    def _event(self, said: _Line) -> Event:
        event: Event = self._decoded(said, Event)
        return msgspec.structs.replace(event, event=said.claim, time=said.time)

    def _with_job(self, event: Event) -> Event:
        if event.planned < 0:
            return event
        jobs = self._plan.jobs if self._plan else ()
        if event.planned >= len(jobs):
            raise ClaimError(f"the room spoke of job {event.planned}, and planned {len(jobs)}")
        return msgspec.structs.replace(event, job=jobs[event.planned])

    def _begin_or_end(self, event: Event) -> Event:
        if event.state == "start":
            if (
                self._step
                or event.name not in SAID_IN
                or (event.name in self._steps and event.name != "plan")
            ):
                raise ClaimError(f"the step {event.name} began where none begins")
            self._step, self._said, self._jobs = event.name, set(), []
            return event
        if event.name != self._step:
            raise ClaimError(f"the step {event.name} ended and had not begun")
        step = self._steps.get(event.name, Step(name=event.name, status=StepStatus.OK))
        status = msgspec.convert(event.state, StepStatus)
        self._steps[event.name] = msgspec.structs.replace(
            step, status=status, code=event.code, seconds=step.seconds + event.seconds
        )
        if event.name == "plan" and status is not StepStatus.OK:
            self._plan = None  # it was said before the error came
        owed = OWED.get(event.name, "")
        if status is StepStatus.OK and owed and owed not in self._said:
            raise ClaimError(f"the step {event.name} ended well and did not say what it found")
        self._step = ""
        return event

    def _changed(self, tree: _Tree) -> None:
        """A plan that is made twice touches what either of them touches."""
        step = self._steps.get(tree.name)
        if step is None:
            raise ClaimError(f"the step {tree.name} changed files and was not there")
        both = {
            kind: tuple(sorted({*getattr(step, kind), *getattr(tree, kind)}))
            for kind in ("created", "changed", "removed")
        }
        self._steps[tree.name] = msgspec.structs.replace(step, **both)

    def _follow(self, event: Event) -> None:
        if event.event == "start" and event.job is not None:
            if event.number in self._attempts:
                raise ClaimError(f"the attempt {event.number} began twice")
            self._attempts[event.number] = Attempt(
                job=event.job, number=event.attempt, started=event.time
            )
            if isinstance(event.rule, Rule):
                self._rules[event.job.rule] = event.rule
        elif event.event == "end":
            begun = self._attempts.get(event.number)
            if begun is None or begun.ended is not None:
                raise ClaimError(f"the attempt {event.number} ended and was not under way")
            self._attempts[event.number] = msgspec.structs.replace(
                begun, ended=event.time, ok=event.ok
            )
        elif event.event == "undescribed":
            self._undescribed.append(f"{event.rule}: {event.text}")

    def claims(self, out: Path) -> Claims:
        """Everything that was said; the logs of steps are in `out`.
        A missing claim is of a step that did not get there.
        """
        settings: SettingsClaim = self._found.get("settings", SettingsClaim())
        attempts = tuple(self._attempts[number] for number in sorted(self._attempts))
        plan = self._plan
        dynamic = any(rule.checkpoint for rule in self._rules.values())
        return Claims(
            versions=self._found.get("versions", {}),
            settings=msgspec.structs.replace(
                settings, overrides=(*settings.overrides, *self._overrides)
            ),
            steps=tuple(
                msgspec.structs.replace(step, log=_log(out, name))
                for name, step in self._steps.items()
            ),
            lints=self._found.get("lint"),
            plan=plan,
            effects=self._found.get("effects", ()),
            attempts=attempts,
            rules=self._rules,
            final=self._found.get("final"),
            wants=self._found.get("wants"),
            rest=self._found.get("rest"),
            tracked_outputs=self._found.get("tracked", ()),
            undescribed=tuple(self._undescribed),
            workdir=self._found.get("workdir", ""),
            places=self._found.get("places", {}),
            lingering=self._found.get("lingering", ()),
            done="done" in self._found,
            reached=self._found.get("done", ""),
            broken=contradiction(plan, self._attempts, dynamic=dynamic) if plan else "",
        )


_KINDS: dict[str, Any] = {
    "versions": dict[str, Any],
    "tracked": tuple[str, ...],
    "lingering": tuple[str, ...],
    "places": dict[str, int],
    "settings": SettingsClaim,
    "profile": dict[str, Any],
    "lint": tuple[Lint, ...],
    "effects": tuple[Effect, ...],
    "final": FinalClaim,
    "rest": tuple[PlannedAgain, ...],
    "wants": Wants,
}


def contradiction(plan: Plan, attempts: dict[int, Attempt], *, dynamic: bool) -> str:
    """Where the run says of a job what the plan, which was made before any job ran, says otherwise;
    empty where nowhere.

    `attempts` are by their number in the room. The plan decides what is a result, a log or
    temporary. Jobs that it does not know are right where the graph grows in the run.
    """
    dynamic = dynamic or plan.grows
    planned = {job.identity: job for job in plan.jobs}
    under_way: dict[Any, list[Attempt]] = {}
    for number, attempt in attempts.items():
        job = attempt.job
        known = planned.get(job.identity)
        if known is None and not dynamic:
            return f"the run started {job.label}, which the plan does not have"
        if known is not None and (_roles(known) != _roles(job)):
            return f"the plan and the run do not agree on what the files of {job.label} are"
        run = number >= RESUMED, job.identity
        for other in under_way.setdefault(run, []):
            if other.ok or other.number >= attempt.number:
                return (
                    f"{job.label} was started again though it had ended well, or as the "
                    "same attempt"
                )
        under_way[run].append(attempt)
    return ""


def _roles(job: Job) -> tuple[Any, ...]:
    def said(files: tuple[FileRef, ...]) -> list[tuple[str, tuple[str, ...]]]:
        return [(file.path, file.flags) for file in files]

    return said(job.output), job.log, job.benchmark


def _log(out: Path, step: str) -> str:
    return read_tail(out / f"{step}.log", _MAX_TAIL).decode("utf-8", "backslashreplace")
