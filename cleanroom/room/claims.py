"""What a room says of itself, as values, and the memory that it may take.
Not here: how its lines are read, and what the host measures.
"""

import threading
from typing import Any

from cleanroom.values.base import Value
from cleanroom.values.plan import Effect, Hidden, Job, Plan, PlannedAgain, Rule
from cleanroom.values.run import Attempt, Lint, Step
from cleanroom.values.setup import Layer, Override, Setting, SettingPlace
from cleanroom.values.supplies import Wants

MOST = 360 * 2**20
"""How many bytes the claims of all runs that are kept at once may take in memory, estimated before
they are decoded.
"""
_WEIGHTS = {b"{": 240, b"[": 64, b",": 32, b'"': 25}
"""Bytes that a value takes in memory beside its text: an object, a list, a place in one, half a
string. Measured on CPython 3.11.
"""


class ClaimError(Exception):
    """What a room says of itself is not what a driver says."""


class Budget:
    """The memory that claims may take, shared by the runs of one confirmation."""

    def __init__(self, most: int = MOST) -> None:
        self._left = most
        self._lock = threading.Lock()

    def spend(self, line: bytes) -> None:
        """Take what a line will need once it is decoded.
        Raises: ClaimError where that is more than there is.
        """
        needed = len(line) + sum(weight * line.count(sign) for sign, weight in _WEIGHTS.items())
        with self._lock:
            self._left -= needed
            if self._left < 0:
                raise ClaimError(
                    "the rooms said more of themselves than fits into the memory that is set "
                    "apart for it"
                )


class SettingsClaim(Value, frozen=True):
    """What the settings step found; `error` where a profile could not be read."""

    stack: tuple[Layer, ...] = ()
    settings: tuple[Setting, ...] = ()
    overrides: tuple[Override, ...] = ()
    replaced: tuple[SettingPlace, ...] = ()
    lost: tuple[SettingPlace, ...] = ()
    actions: tuple[SettingPlace, ...] = ()
    needs: tuple[str, ...] = ()
    error: SettingPlace | None = None


class PlanClaim(Value, frozen=True):
    """A plan without its jobs, which came before it."""

    rules: dict[str, Rule]
    config: Any
    targets: tuple[str, ...]
    hooks: tuple[str, ...] = ()
    hidden: tuple[Hidden, ...] = ()
    workdir: str = ""


class FinalClaim(Value, frozen=True):
    idle: tuple[Job, ...]
    code: int
    unstaged: tuple[str, ...]


class Event(Value, frozen=True):
    """What is told of a room while it lives; `time` is the room's own."""

    event: str = ""
    time: float = 0.0
    name: str = ""
    state: str = ""
    code: int = 0
    seconds: float = 0.0
    jobs: int = 0
    number: int = -1
    attempt: int = 1
    ok: bool = True
    job: Job | None = None
    planned: int = -1
    """Which job of the plan it is, where it is as it was planned; `job` then is that one."""
    rule: Rule | str | None = None
    text: str = ""


class Claims(Value, frozen=True):
    versions: dict[str, Any] = {}
    settings: SettingsClaim = SettingsClaim()
    steps: tuple[Step, ...] = ()
    lints: tuple[Lint, ...] | None = None
    plan: Plan | None = None
    effects: tuple[Effect, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    rules: dict[str, Rule] = {}
    final: FinalClaim | None = None
    wants: Wants | None = None
    rest: tuple[PlannedAgain, ...] | None = None
    tracked_outputs: tuple[str, ...] = ()
    undescribed: tuple[str, ...] = ()
    workdir: str = ""
    """Where Snakemake worked, from the clone; absolute where that is its top or lies outside."""
    places: dict[str, int] = {}
    """Links of the clone to folders that the room does not have, and the number of the place that
    each got.
    """
    lingering: tuple[str, ...] = ()
    """The names of processes that jobs left at work when the run had ended."""
    done: bool = False
    reached: str = ""
    broken: str = ""
    """Why the claims are not those of a driver, if they are not."""
