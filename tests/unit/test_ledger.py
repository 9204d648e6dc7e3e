"""The ledger: an index over the records of a store."""

import datetime
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from cleanroom.errors import LedgerError, StoreError, UsageError
from cleanroom.evidence.store import Store
from cleanroom.ledger import ledger as ledger_module
from cleanroom.ledger.history import history, of_path, repositories
from cleanroom.ledger.ledger import Ledger, address_of
from cleanroom.ledger.tables import ARTIFACTS, CONFIRMATIONS, RUNS, TABLES, VERSION
from cleanroom.values.purpose import Control
from cleanroom.values.record import KeptDifference, KeptRun, Record
from cleanroom.values.run import Role
from cleanroom.values.setup import Source
from cleanroom.values.verdict import Judgement, VerdictName
from tests.unit.values import artifact, evidence

URL = "https://example.org/w.git"
VERDICTS = {"HELD": 0, "DRIFTED": 1, "FAILED": 3, "INCONCLUSIVE": 4}


class Shelf:
    """A store that gets one confirmation after another, a day apart."""

    def __init__(self, folder: Path) -> None:
        self.store, self.cache, self.days = Store(folder / "store"), folder, 0

    def add(self, verdict: str = "HELD", *, ref: str = "main", url: str = URL, **of: Any) -> str:
        self.days += 1
        commit = of.get("commit", "a" * 40)
        source = Source(url=url, ref=ref, commit=commit)
        labels, runs = ("local", "ci"), []
        for label in labels:
            content = of.get("content", "1") if label == "local" or verdict == "HELD" else "f"
            run = evidence(
                label,
                attempt_id=f"{label}-{self.days}",
                source=source,
                versions={"snakemake": of.get("snakemake", "9.27.1")},
                artifacts=(
                    artifact("out.txt", content),
                    artifact("run.log", str(self.days % 10), role=Role.LOG),
                ),
            )
            runs.append(KeptRun(label=label, evidence=self.store.put(run)))
        control = evidence(attempt_id=f"control-{self.days}", purpose=Control(), source=source)
        runs.append(KeptRun(label=control.label, evidence=self.store.put(control)))
        differs = KeptDifference(left="local", right="ci", path="out.txt")
        return self.store.put_record(
            Record(
                cleanroom="0.1.0",
                source=source,
                repo=url,
                baseline="local",
                wanted=labels,
                runs=tuple(runs),
                judgement=Judgement(
                    verdict=VerdictName(verdict),
                    exit_code=VERDICTS[verdict],
                    reasons=(f"because {self.days}",),
                    rungs=(),
                ),
                today=datetime.date(2026, 1, 1),
                differences=(differs,) if verdict == "DRIFTED" else (),
                started=self.days * 86400.0,
            )
        )

    @property
    def ledger(self) -> Ledger:
        return Ledger(address_of(self.cache))


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def rows(ledger: Ledger) -> list[list[tuple[Any, ...]]]:
    with ledger.asked() as connection:
        return [
            sorted(tuple(row) for row in connection.execute(sa.select(table)))
            for table in (CONFIRMATIONS, RUNS, ARTIFACTS)
        ]


def test_it_follows_the_store_and_is_made_again_from_it(shelf: Shelf) -> None:
    names = [shelf.add(), shelf.add("DRIFTED")]
    with shelf.ledger as ledger:
        assert [ledger.follow(shelf.store), ledger.follow(shelf.store)] == [2, 0]
        names.append(shelf.add("FAILED"))
        assert ledger.follow(shelf.store) == 1
        followed = rows(ledger)
        assert [len(table) for table in followed] == [3, 9, 6], "results of profiles alone"
        assert {row[0] for row in followed[0]} == set(names)
        assert sum(row[-1] for row in followed[2]) == 2, "both sides of what differs"
        assert ledger.rebuild(shelf.store) == 3
        assert rows(ledger) == followed
    with shelf.ledger as ledger:
        assert rows(ledger) == followed


def test_many_that_follow_at_once_take_each_in_once(shelf: Shelf) -> None:
    for _ in range(30):
        shelf.add()
    with shelf.ledger:
        pass
    taken: list[int] = []

    def follow() -> None:
        with shelf.ledger as ledger:
            taken.append(ledger.follow(shelf.store))

    threads = [threading.Thread(target=follow) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sum(taken), len(taken)) == (30, 4)
    with shelf.ledger as ledger:
        assert [len(table) for table in rows(ledger)] == [30, 90, 60]


def test_a_record_is_taken_in_whole_or_not_at_all(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.add()

    def dies(*_: Any) -> Any:
        raise KeyboardInterrupt

    with shelf.ledger as ledger:
        with monkeypatch.context() as patched:
            patched.setattr(ledger_module, "_artifact_rows", dies)
            with pytest.raises(KeyboardInterrupt):
                ledger.follow(shelf.store)
        assert [len(table) for table in rows(ledger)] == [0, 0, 0]
        assert ledger.follow(shelf.store) == 1


def test_history_says_what_changed_and_what_held_before(shelf: Shelf) -> None:
    shelf.add()
    shelf.add()
    shelf.add("INCONCLUSIVE", commit="b" * 40)
    shelf.add("DRIFTED", commit="b" * 40, snakemake="9.28.0")
    shelf.add("FAILED", commit="b" * 40, snakemake="9.28.0")
    shelf.add("DRIFTED", ref="other")
    shelf.add(commit="c" * 40)
    shelf.add(url="https://example.org/another.git")
    with shelf.ledger as ledger:
        ledger.follow(shelf.store)
        assert repositories(ledger) == ["https://example.org/another.git", URL]
        found = history(ledger, URL)
        main = history(ledger, URL, "main").entries
        assert not history(ledger, URL, "nothing").entries
    assert [entry.reason for entry in found.entries] == [f"because {n}" for n in range(7, 0, -1)]
    assert [(entry.verdict, entry.changed, entry.regression) for entry in main] == [
        ("HELD", ("commit", "Snakemake"), False),
        ("FAILED", (), False),
        ("DRIFTED", ("Snakemake",), True),
        ("INCONCLUSIVE", ("commit",), False),
        ("HELD", (), False),
        ("HELD", (), False),
    ]
    assert [entry.since != "" for entry in main] == [True] * 5 + [False]
    day = 86400.0
    standings = {one.ref: (one.verdict, one.held, one.lost, one.wavered) for one in found.standings}
    assert standings == {
        "main": ("HELD", 7 * day, None, 4),
        "other": ("DRIFTED", None, None, 0),
    }


def test_what_is_lost_is_lost_since_it_first_did_not_hold(shelf: Shelf) -> None:
    for verdict in ("HELD", "INCONCLUSIVE", "DRIFTED", "FAILED", "INCONCLUSIVE"):
        shelf.add(verdict)
    with shelf.ledger as ledger:
        ledger.follow(shelf.store)
        (standing,) = history(ledger, URL).standings
    assert (standing.held, standing.lost) == (86400.0, 3 * 86400.0)


def test_a_path_over_time(shelf: Shelf) -> None:
    shelf.add(content="1")
    shelf.add(content="1")
    shelf.add(content="2")
    shelf.add("DRIFTED", content="2")
    with shelf.ledger as ledger:
        ledger.follow(shelf.store)
        found = [one for one in of_path(ledger, URL, "out.txt") if one.label == "local"]
        assert not of_path(ledger, URL, "run.log"), "a log decides nothing"
    assert [(one.sha256[0], one.another, one.differs) for one in found] == [
        ("2", False, True),
        ("2", True, False),
        ("1", False, False),
        ("1", False, False),
    ]


def test_the_steps_make_the_tables(shelf: Shelf) -> None:
    config = Config()
    config.set_main_option("script_location", ledger_module._SCRIPTS)
    assert ScriptDirectory.from_config(config).get_current_head() == VERSION
    with shelf.ledger as ledger, ledger.asked() as connection:
        assert compare_metadata(MigrationContext.configure(connection), TABLES) == []


def test_a_ledger_of_a_newer_cleanroom_is_left_alone(shelf: Shelf) -> None:
    with shelf.ledger as ledger, ledger.asked() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '99'"))
    with pytest.raises(LedgerError, match="newer cleanroom"), shelf.ledger:
        pass


@pytest.mark.parametrize("address", ["nonsense", "mysqlx://u:geheim@h/x", "sqlite:////no/such/x"])
def test_no_ledger_there_is_said_without_a_password(address: str) -> None:
    with pytest.raises(LedgerError) as refused, Ledger(address):
        pass
    assert "geheim" not in str(refused.value)


def test_a_record_that_is_not_what_its_name_says_is_not_read(shelf: Shelf, tmp_path: Path) -> None:
    name = shelf.add()
    assert shelf.store.record(name[:8])[1] == shelf.store.record(name)[1]
    for wrong in (name[:7], "0" * 64, ""):
        with pytest.raises(UsageError):
            shelf.store.record(wrong)
    file = tmp_path / f"store/records/{name}.json"
    file.chmod(0o644)
    file.write_bytes(file.read_bytes().replace(b"HELD", b"held"))
    with pytest.raises(StoreError, match="not what its name says"):
        shelf.store.record(name)


def test_a_record_of_a_newer_cleanroom_is_named(shelf: Shelf) -> None:
    record = shelf.store.record(shelf.add())[1]
    newer = shelf.store.put_record(msgspec.structs.replace(record, schema_version=99))
    with pytest.raises(StoreError, match="version 99"):
        shelf.store.record(newer)
