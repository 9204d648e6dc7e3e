"""How settings turn on the software of rules, and how a room's own programs come before others."""

from __future__ import annotations

import os
from typing import Iterable

from .protocol import Record


def asks_for(settings: Record, methods: Iterable[str], switches: Iterable[str]) -> bool:
    """Whether these settings turn on one of these methods, by its name or by its switch."""
    said = "%s %s" % (
        settings.get("software-deployment-method", ""),
        settings.get("deployment-method", ""),
    )
    flags = (str(settings.get(switch, "")).lower() for switch in switches)
    return any(m in said for m in methods) or any(f in ("true", "1", "yes", "on") for f in flags)


def first_on_path(folder: str) -> None:
    """Have the programs of a folder found first, by this process and those that it starts."""
    os.environ["PATH"] = os.pathsep.join(filter(None, [folder, os.environ.get("PATH")]))
