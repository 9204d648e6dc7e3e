"""Files of other places that a workflow reads: fetched once for a confirmation, kept by their
digests.

Only HTTP, nothing that is not asked for by an address of its own, no address of this machine or of
a network around it unless that is allowed: what comes back is shown to the workflow.
Not here: which ones.
"""

import contextlib
import hashlib
import ipaddress
import re
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from cleanroom.environment.supplies import source_of
from cleanroom.errors import Interrupted, Unprovided
from cleanroom.values.environment import RemoteSource

if TYPE_CHECKING:
    import requests

_MOST = 16 * 2**20
_TRIES = (0.0, 1.0, 4.0)
_SECONDS = 30.0
_HOPS = 5
_FIXED = re.compile(
    r"/(?:v?\d+(?:\.\d+)+[\w.-]*|[0-9a-f]{40})/|[?&]ref=(?:v?\d+(?:\.\d+)+|[0-9a-f]{40})"
)
_REPAIR = "Commit the file, or name another one; --network host lets runs fetch by themselves."


def fetch(
    uri: str, cache: Path, stopped: Callable[[], bool], *, private: bool = False
) -> RemoteSource:
    """One file, and where it is kept by its digest; without a digest where there is none.
    `private`: it may lie on this machine or in a network around it.

    Raises: Unprovided where its place does not answer, Interrupted.
    """
    moves = not _FIXED.search(uri)
    said = ""
    for seconds in _TRIES:
        if stopped():
            raise Interrupted("Stopped.")
        time.sleep(seconds)
        try:
            content = _content(uri, private=private)
        except OSError as error:  # as all of requests
            said = type(error).__name__
            continue
        if content is None:
            return RemoteSource(uri=uri, moves=moves)
        sha256 = hashlib.sha256(content).hexdigest()
        kept = source_of(cache, sha256)
        kept.parent.mkdir(parents=True, exist_ok=True)
        part = kept.with_suffix(f".{time.monotonic_ns()}")
        part.write_bytes(content)
        part.replace(kept)
        return RemoteSource(uri=uri, sha256=sha256, size=len(content), moves=moves)
    raise Unprovided(f"{uri}, which the workflow reads, cannot be fetched ({said}).", _REPAIR)


def _content(uri: str, *, private: bool) -> bytes | None:
    """The file, or None where there is none."""
    with answered(uri, private=private) as answer:
        if answer.status_code in (404, 410):
            return None
        answer.raise_for_status()
        content = bytearray()
        for block in answer.iter_content(2**16):
            content += block
            if len(content) > _MOST:
                raise Unprovided(f"{uri} is larger than {_MOST} bytes.", _REPAIR)
        return bytes(content)


@contextlib.contextmanager
def answered(uri: str, *, private: bool) -> "Iterator[requests.Response]":
    """What an address answers, at the end of its redirections, none of which leads to this machine
    or a network around it unless `private`.

    Raises: Unprovided for one that does; OSError, as all of requests.
    """
    import requests  # here, because it takes time and few workflows need it

    for _ in range(_HOPS):
        if not private:
            check_public(uri)
        with requests.get(uri, timeout=_SECONDS, stream=True, allow_redirects=False) as answer:
            if not answer.is_redirect:
                yield answer
                return
            uri = urljoin(uri, answer.headers["location"])
    raise requests.TooManyRedirects(uri)


def check_public(uri: str) -> None:
    """Raises: Unprovided for an address of this machine, or of a network around it."""
    host = urlsplit(uri).hostname or ""
    for found in socket.getaddrinfo(host, None):
        if not ipaddress.ip_address(found[4][0]).is_global:
            raise Unprovided(
                f"{uri}, which the workflow reads, lies on this machine or in a network around it.",
                "If that is meant, allow it with --allow-private-sources.",
            )
