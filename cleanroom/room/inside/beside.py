"""What a room and its host say to each other of commands that run in containers beside the room.

Both sides import this file, by any Python from 3.8 on. A request is one line of JSON, the answer is
frames: a kind, a length, and so many bytes. Not here: who asks, and what the host makes of it.
"""

from __future__ import annotations

import struct
from typing import Dict, List, TypedDict

FOLDER = "/room/in/containers"
SOCKET = FOLDER + "/host"
INDEX = FOLDER + "/index.json"
MOST_ASKED = 4 << 20
"""The longest request, in bytes: more than one command line may hold."""

HEADER = struct.Struct("!BI")
STDOUT, STDERR, END = 1, 2, 3
"""The kinds of frames: what the command prints, and its exit code as text, which is the last."""


class Asked(TypedDict):
    """One command in one image: its exact words and variables. `packages` are places at which
    Snakemake wants its own packages of Python.
    """

    image: str
    argv: List[str]
    env: Dict[str, str]
    packages: List[str]


class Indexed(TypedDict):
    """An image of this room: its digest, and its own variables."""

    digest: str
    env: Dict[str, str]
