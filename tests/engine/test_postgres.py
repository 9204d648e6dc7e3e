"""A ledger in PostgreSQL: a server of the test's own, which also goes away."""

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from cleanroom.errors import LedgerError
from cleanroom.ledger.history import history
from cleanroom.ledger.ledger import Ledger
from tests.conftest import require
from tests.unit.test_ledger import URL, Shelf, rows

pytestmark = pytest.mark.xdist_group("postgres")
PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


class Server:
    """One database server on a socket of its own, as a user who is not root."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._call("initdb", "--auth", "trust", "--username", "cleanroom", "--no-sync")
        self.address = f"postgresql+psycopg://cleanroom@/postgres?host={folder}"

    def start(self) -> None:
        options = f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c fsync=off"
        self._call("pg_ctl", "--wait", "--log", str(self.folder / "log"), "-o", options, "start")

    def stop(self) -> None:
        self._call("pg_ctl", "--wait", "--mode", "immediate", "stop")

    def _call(self, program: str, *arguments: str) -> None:
        who = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        command = [str(PROGRAMS[-1] / program), "--pgdata", str(self.folder / "data"), *arguments]
        subprocess.run(
            [*who, *command] if os.geteuid() == 0 else command,
            cwd="/",
            check=True,
            stdout=subprocess.DEVNULL,
        )


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    require(bool(PROGRAMS), "PostgreSQL is missing (apt-get install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # a socket's path must be short
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    made = Server(folder)
    made.start()
    yield made
    made.stop()
    shutil.rmtree(folder)


@pytest.fixture
def empty(server: Server) -> Server:
    with Ledger(server.address) as ledger, ledger.asked() as connection:
        for name in ("artifacts", "runs", "confirmations"):
            connection.execute(sa.text(f"DELETE FROM {name}"))
    return server


def test_it_says_what_a_ledger_in_sqlite_says(empty: Server, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    for verdict in ("HELD", "DRIFTED", "INCONCLUSIVE", "FAILED", "HELD"):
        shelf.add(verdict)
    with shelf.ledger as near, Ledger(empty.address) as far:
        for ledger in (near, far):
            assert ledger.follow(shelf.store) == 5
        assert rows(near) == rows(far)
        assert history(near, URL) == history(far, URL)
        assert far.rebuild(shelf.store) == 5
        assert rows(near) == rows(far)


def test_many_hosts_take_each_in_once(empty: Server, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    for _ in range(20):
        shelf.add()
    taken: list[int] = []

    def follow() -> None:
        with Ledger(empty.address) as ledger:
            taken.append(ledger.follow(shelf.store))

    threads = [threading.Thread(target=follow) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(taken), sum(taken)) == (4, 20)


def test_a_server_that_goes_away_loses_nothing(empty: Server, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.add()
    with Ledger(empty.address) as ledger:
        ledger.follow(shelf.store)
        shelf.add("DRIFTED")
        empty.stop()
        with pytest.raises(LedgerError, match="does not answer"):
            ledger.follow(shelf.store)
        with pytest.raises(LedgerError, match="does not answer"), Ledger(empty.address):
            pass
        empty.start()
    with Ledger(empty.address) as ledger:
        assert ledger.follow(shelf.store) == 1
        assert [entry.verdict for entry in history(ledger, URL).entries] == ["DRIFTED", "HELD"]
