"""Why a run was made: one value, never a set of flags."""

from typing import Literal

from cleanroom.values.base import Value


class OfProfile(Value, frozen=True, tag_field="kind", tag="profile"):
    """The run of a profile as such."""


class Control(Value, frozen=True, tag_field="kind", tag="control"):
    """The baseline once more under another hash seed and, where that can be done, with another
    clock; `repeat` counts from 1 on.
    """

    repeat: int = 1
    same_clock: bool = False
    """Because it does not end well under another one."""


class Varied(Value, frozen=True, tag_field="kind", tag="varied"):
    """The baseline in other surroundings: the factors that are not as in every other room.
    Without any, once more with another clock.
    """

    factors: tuple[str, ...] = ()


class Steady(Value, frozen=True, tag_field="kind", tag="steady"):
    """The baseline with something held fixed that may move from run to run: a `clock` that stands
    still, or one job at once.
    """

    clock: str = ""


class Staged(Value, frozen=True, tag_field="kind", tag="staged"):
    """Jobs see only what they declare, and files that are `shown` to all of them nevertheless
    (paths from the clone).

    `strays` are those of them that no job declares: what a job leaves there is kept.
    """

    shown: tuple[str, ...] = ()
    strays: tuple[str, ...] = ()


class Nodes(Value, frozen=True, tag_field="kind", tag="nodes"):
    """Each job is a process of its own that reads the workflow again, as executors of clusters do
    it.
    """


class OtherSnakemake(Value, frozen=True, tag_field="kind", tag="snakemake"):
    """The baseline under another version of Snakemake."""

    version: str


class Interrupted(Value, frozen=True, tag_field="kind", tag="interrupted"):
    """A run is killed and then resumed: the signal, and the moment of a job.
    `job` counts starts of jobs with outputs, from 0 on.
    """

    signal: Literal["KILL", "TERM"]
    moment: Literal["start", "middle", "after"]
    job: int

    def __str__(self) -> str:
        when = {"start": "at the start of", "middle": "in the middle of", "after": "after"}[
            self.moment
        ]
        return f"SIG{self.signal} {when} job {self.job + 1}"


class Hybrid(Value, frozen=True, tag_field="kind", tag="hybrid"):
    """A profile with some settings of another one of the commit, as that one states them or leaves
    them out.
    """

    giver: str
    keys: tuple[str, ...]


class Earlier(Value, frozen=True, tag_field="kind", tag="earlier"):
    """The baseline of an earlier confirmation, or of another commit."""


class Folder(Value, frozen=True, tag_field="kind", tag="folder"):
    """No run: a folder of results, whose artifacts alone can be compared."""

    path: str


Purpose = (
    OfProfile
    | Control
    | Varied
    | Steady
    | Staged
    | Nodes
    | OtherSnakemake
    | Interrupted
    | Hybrid
    | Earlier
    | Folder
)


def factors_of(purpose: Purpose) -> tuple[str, ...]:
    """The factors of the surroundings in which a run differs from every other one."""
    return purpose.factors if isinstance(purpose, Varied) else ()
