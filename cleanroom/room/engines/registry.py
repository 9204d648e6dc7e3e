"""Which engine makes the rooms. Not here: how."""

import importlib

from cleanroom.errors import EngineError
from cleanroom.room.engines.interface import Engine

_DOCKER, _SANDBOX = "docker", "sandbox"
ENGINES = {
    _DOCKER: "cleanroom.room.engines.docker.DockerEngine",
    _SANDBOX: "cleanroom.room.engines.sandbox.SandboxEngine",
}
"""By name; an engine is imported when it is asked for, because its libraries take time."""


def open_engine(name: str) -> Engine:
    """The engine of that name. Raises: EngineError."""
    module, _, kind = ENGINES[name].rpartition(".")
    engine: Engine = getattr(importlib.import_module(module), kind)()
    return engine


def choose_engine(wanted: str, image: str) -> str:
    """`docker` or `sandbox`: for `auto` a container engine where one answers, else the sandbox.

    Raises: EngineError where neither works, or what was asked for does not.
    """
    if wanted != "auto":
        open_engine(wanted).close()
        return wanted
    try:
        open_engine(_DOCKER).close()
        return _DOCKER
    except EngineError as docker:
        if image:
            raise
        try:
            open_engine(_SANDBOX).close()
        except EngineError as sandbox:
            raise EngineError(
                f"{docker.what} {sandbox.what}", f"{docker.next_step} {sandbox.next_step}"
            ) from None
        return _SANDBOX
