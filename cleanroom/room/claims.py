"""What a room says of itself: read with bounds, never followed through links, decoded into the model's values.

A hostile workflow may have written any of it. Not here: what the host measures.
"""

import os
import stat
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from cleanroom.model import Attempt, Effect, Job, Layer, Lint, Lost, Override, Plan, Rule, Setting, Step, StepStatus, Value

_MAX_JSON = 2**30
_MAX_EVENTS = 2**30
_MAX_LINE = 16 * 2**20
_BLOCK = 8 * 2**20
_MAX_TAIL = 16 * 1024
T = TypeVar("T")


class ClaimError(Exception):
    """What a room says of itself is not what a driver writes."""


class ReadError(Value, frozen=True):
    file: str = ""
    line: int = 0
    text: str = ""
    key: str = ""


class SettingsClaim(Value, frozen=True):
    """What the settings step found; `error` where a profile could not be read."""

    stack: tuple[Layer, ...] = ()
    settings: tuple[Setting, ...] = ()
    overrides: tuple[Override, ...] = ()
    replaced: tuple[Lost, ...] = ()
    lost: tuple[Lost, ...] = ()
    actions: tuple[Lost, ...] = ()
    needs: tuple[str, ...] = ()
    error: ReadError | None = None


class StepClaim(Value, frozen=True):
    status: StepStatus
    code: int = 0
    seconds: float = 0.0
    created: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class FinalClaim(Value, frozen=True):
    idle: tuple[Job, ...] = ()
    code: int = 0
    unstaged: tuple[str, ...] = ()


class Event(Value, frozen=True):
    """One line of events.jsonl."""

    event: str
    time: float = 0.0
    name: str = ""
    state: str = ""
    jobs: int = 0
    number: int = -1
    attempt: int = 1
    ok: bool = True
    job: Job | None = None
    rule: Rule | str | None = None
    text: str = ""


class Claims(Value, frozen=True):
    versions: dict[str, Any] = {}
    settings: SettingsClaim = SettingsClaim()
    steps: tuple[Step, ...] = ()
    lints: tuple[Lint, ...] | None = None
    plan: Plan | None = None
    replan: Plan | None = None
    effects: tuple[Effect, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    rules: dict[str, Rule] = {}
    final: FinalClaim | None = None
    tracked_outputs: tuple[str, ...] = ()
    undescribed: tuple[str, ...] = ()
    done: bool = False
    reached: str = ""
    broken: str = ""
    """Why a claim could not be read, if one could not."""


def read_bounded(path: Path, limit: int, *, tail: bool = False) -> bytes | None:
    """The content of a regular file of at most `limit` bytes (or its last ones); None for anything else."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(fd, "rb") as stream:
        info = os.fstat(stream.fileno())
        if not stat.S_ISREG(info.st_mode) or (info.st_size > limit and not tail):
            return None
        if info.st_size > limit:
            stream.seek(-limit, os.SEEK_END)
        return stream.read(limit)


class EventReader:
    """Follows events.jsonl while a room writes it; keeps its place between calls."""

    def __init__(self, out: Path) -> None:
        self._path = out / "events.jsonl"
        self._position = 0
        self._rest = b""
        self._decoder = msgspec.json.Decoder(Event)

    def new(self) -> list[Event]:
        """The events written since the last call. Raises ClaimError for a line that is none, or for too much of them."""
        try:
            fd = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return []
        with os.fdopen(fd, "rb") as stream:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                return []
            stream.seek(self._position)
            found: list[Event] = []
            while block := stream.read(_BLOCK):
                self._position += len(block)
                *lines, self._rest = (self._rest + block).split(b"\n")
                if len(self._rest) > _MAX_LINE or self._position > _MAX_EVENTS:
                    raise ClaimError("the room wrote more events than a workflow has")
                found += self._decoded(lines)
        return found

    def _decoded(self, lines: list[bytes]) -> list[Event]:
        try:
            return [self._decoder.decode(line) for line in lines]
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise ClaimError(f"the room's events cannot be read ({error})") from None


def _decode(path: Path, kind: type[T], default: T, faults: list[str]) -> T:
    raw = read_bounded(path, _MAX_JSON)
    if raw is None:
        return default
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        faults.append(f"{path.name}: {error}")
        return default


def read_claims(out: Path, events: list[Event]) -> Claims:
    """Everything that a room exported; a missing file is a step that did not get there."""
    faults: list[str] = []
    steps = _decode(out / "steps.json", dict[str, StepClaim], {}, faults)
    attempts: dict[int, Attempt] = {}
    rules: dict[str, Rule] = {}
    for event in events:
        if event.event == "start" and event.job is not None:
            if event.number in attempts:
                faults.append(f"events.jsonl: attempt {event.number} is claimed twice")
            attempts[event.number] = Attempt(job=event.job, number=event.attempt, started=event.time)
            if isinstance(event.rule, Rule):
                rules[event.job.rule] = event.rule
        elif event.event == "end" and event.number in attempts:
            begun = attempts[event.number]
            attempts[event.number] = msgspec.structs.replace(begun, ended=event.time, ok=event.ok)
    done = [e for e in events if e.event == "done"]
    return Claims(
        versions=_decode(out / "versions.json", dict[str, Any], {}, faults),
        settings=_decode(out / "settings.json", SettingsClaim, SettingsClaim(), faults),
        steps=tuple(_step(out, name, claim) for name, claim in steps.items()),
        lints=_decode(out / "lint.json", tuple[Lint, ...] | None, None, faults),  # type: ignore[arg-type]
        plan=_decode(out / "plan.json", Plan | None, None, faults),  # type: ignore[arg-type]
        replan=_decode(out / "replan.json", Plan | None, None, faults),  # type: ignore[arg-type]
        effects=_decode(out / "effects.json", tuple[Effect, ...], (), faults),
        attempts=tuple(attempts[number] for number in sorted(attempts)),
        rules=rules,
        final=_decode(out / "final.json", FinalClaim | None, None, faults),  # type: ignore[arg-type]
        tracked_outputs=_decode(out / "tracked.json", tuple[str, ...], (), faults),
        undescribed=tuple(f"{e.rule}: {e.text}" for e in events if e.event == "undescribed"),
        done=bool(done),
        reached=done[-1].name if done else "",
        broken="; ".join(faults),
    )


def _step(out: Path, name: str, claim: StepClaim) -> Step:
    log = read_bounded(out / f"{Path(name).name}.log", _MAX_TAIL, tail=True) or b""
    return Step(
        name=name, status=claim.status, code=claim.code, seconds=claim.seconds, created=claim.created, changed=claim.changed,
        removed=claim.removed, log=log.decode("utf-8", "backslashreplace"),
    )  # fmt: skip
