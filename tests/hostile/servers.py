"""Servers on loopback for what a repository may be fetched from: one that answers over https, and
some that do harm.
"""

import contextlib
import functools
import http.server
import os
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing: standard error is the test's."""


class _Endless(_Quiet):
    def copyfile(self, source: Any, outputfile: Any) -> None:
        """A file, and where it is a pack, noise after it for as long as somebody listens."""
        super().copyfile(source, outputfile)
        if self.path.endswith(".pack"):
            with contextlib.suppress(OSError):
                while True:
                    outputfile.write(os.urandom(2**16))

    def send_header(self, keyword: str, value: str) -> None:
        """Of a pack not how long it is."""
        if keyword != "Content-Length" or not self.path.endswith(".pack"):
            super().send_header(keyword, value)


@contextlib.contextmanager
def https(
    folder: Path, scratch: Path, *, endless: bool = False
) -> Iterator[tuple[str, dict[str, str]]]:
    """(address, environment with which git trusts it) of a server of the files below `folder`:
    git's plain ("dumb") protocol. `endless`: its packs never end.
    """
    key, certificate = scratch / "key.pem", scratch / "certificate.pem"
    if not key.exists():
        command = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            str(key),
            "-out",
            str(certificate),
            "-days",
            "2",
        ]
        command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
        subprocess.run(command, check=True, capture_output=True)
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(_Endless if endless else _Quiet, directory=str(folder))
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}", {"GIT_SSL_CAINFO": str(certificate)}
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def silent() -> Iterator[str]:
    """The address of a server that takes every connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        taken: list[socket.socket] = []
        over = threading.Event()

        def take() -> None:
            while not over.is_set():
                with contextlib.suppress(TimeoutError):
                    taken.append(listener.accept()[0])

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        try:
            yield f"https://127.0.0.1:{listener.getsockname()[1]}/x.git"
        finally:
            over.set()
            thread.join()
            for connection in taken:
                connection.close()
