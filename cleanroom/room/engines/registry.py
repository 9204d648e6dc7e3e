"""Which engine makes the rooms. Not here: how."""

from collections.abc import Callable

from cleanroom.errors import EngineError
from cleanroom.room.engines.docker import DockerEngine
from cleanroom.room.engines.interface import Engine
from cleanroom.room.engines.sandbox import SandboxEngine

ENGINES: dict[str, Callable[[], Engine]] = {
    DockerEngine.name: DockerEngine,
    SandboxEngine.name: SandboxEngine,
}


def open_engine(name: str) -> Engine:
    """The engine of that name. Raises: EngineError."""
    return ENGINES[name]()


def choose_engine(wanted: str, image: str) -> str:
    """`docker` or `sandbox`: for `auto` a container engine where one answers, else the sandbox.

    Raises: EngineError where neither works, or what was asked for does not.
    """
    if wanted != "auto":
        open_engine(wanted).close()
        return wanted
    try:
        DockerEngine().close()
        return DockerEngine.name
    except EngineError as docker:
        if image:
            raise
        try:
            SandboxEngine().close()
        except EngineError as sandbox:
            raise EngineError(
                f"{docker.what} {sandbox.what}", f"{docker.next_step} {sandbox.next_step}"
            ) from None
        return SandboxEngine.name
