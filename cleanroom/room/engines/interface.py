"""What an engine promises. A room gets one command and nothing of the host, and is always removed.

Not here: how a container or a sandbox is made, and what runs in it.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, Protocol

from cleanroom.values.base import Value
from cleanroom.values.setup import Image

GIB = 2**30
Network = Literal["none", "host"]


class Limits(Value, frozen=True):
    """What one room may use: bytes of memory and disk, processes, and seconds by step."""

    memory: int = 8 * GIB
    disk: int = 50 * GIB
    processes: int = 4096
    settings: float = 120.0
    lint: float = 60.0
    plan: float = 900.0
    run: float = 24 * 3600.0
    grace: float = 10.0

    @property
    def seconds(self) -> float:
        """The longest that a room may live: every step at its limit, killed after its grace, the
        plan made four times.
        """
        return self.settings + self.lint + 4 * self.plan + self.run + 8 * self.grace + 60


class Mount(Value, frozen=True):
    host: str
    room: str
    writable: bool = False


class RoomJob(Value, frozen=True):
    """One command in one fresh room: exact argv, environment, mounts, limits and network."""

    name: str
    owner: str
    image: Image
    command: tuple[str, ...]
    env: dict[str, str]
    mounts: tuple[Mount, ...]
    limits: Limits
    network: Network = "none"
    hostname: str = "room"
    beside: str = ""
    """The name of the room that it is a part of: its processes and limits are that room's, as far
    as an engine can do that.
    """
    root: str = ""
    """A folder of this host whose files take the place of the image's, where an engine has no
    images.
    """


class RoomExit(Value, frozen=True):
    """How a room ended: `stopped` is the reason why the host stopped it, empty when its command
    ended by itself.
    """

    stopped: str = ""
    reached: str = ""
    """The limit that it ran into, where the engine can tell: `memory` or `processes`."""
    code: int | None = None
    """The exit code of its command, of a part of a room only."""
    output: str = ""
    """The last of what its first process printed on standard error."""


class ImageFacts(Value, frozen=True):
    """What an image says of itself: its variables, and the texts of some of its files."""

    env: dict[str, str]
    texts: dict[str, str]


class Engine(Protocol):
    """Makes rooms. No handle of a container escapes."""

    name: str
    has_images: bool
    """Whether it runs images; else it takes a folder of files in their place."""
    isolation: str
    """What keeps a room apart, in a person's words."""
    python: str
    """What starts the driver in a room."""

    @property
    def owner(self) -> tuple[int, int]:
        """(user, group) as which a room runs, and to whom its folders belong."""
        ...

    def resolve(self, reference: str, *, anew: bool = False) -> Image:
        """The image by its digest, never a tag; `anew`: as its registry has it now. Raises
        ImageError.
        """
        ...

    def build(
        self,
        dockerfile: bytes,
        tag: str,
        args: dict[str, str],
        network: str | None,
        extra: dict[str, bytes],
    ) -> Iterator[str]:
        """Build an image from a Dockerfile and extra files of its context; yields the engine's
        lines. Raises ImageError.
        """
        ...

    def facts(self, image: Image, paths: Sequence[str]) -> ImageFacts:
        """What an image says of itself; of these files those that it has. Raises ImageError."""
        ...

    def run(
        self,
        job: RoomJob,
        stop: Callable[[], str],
        said: Callable[[bytes], None],
        complained: Callable[[bytes], None] | None = None,
    ) -> RoomExit:
        """Run one command in a fresh room and remove the room, whatever happens.
        Nothing of it lives when this returns.

        `stop` is asked several times a second; a reason ends the room at once. `said` gets the
        standard output of the command, in pieces, `complained` its standard error. Raises
        EngineError.
        """
        ...

    def sweep(self, left_behind: Callable[[str], bool]) -> int:
        """Remove the rooms whose owner's mark tells that they were left behind; returns how many
        there were.
        """
        ...

    def close(self) -> None:
        """Let go of what the engine holds open."""
        ...
