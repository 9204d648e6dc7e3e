"""One ledger: SQLite, or another database by its address. It follows the records of a store, which
are the truth: what it holds can be removed and made again. Not here: questions to it.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from cleanroom.compare.boundary import Boundary
from cleanroom.errors import LedgerError
from cleanroom.evidence.store import Store
from cleanroom.ledger.tables import ARTIFACTS, CONFIRMATIONS, RUNS, TABLES, VERSION
from cleanroom.values.base import digest
from cleanroom.values.record import Record
from cleanroom.values.run import Evidence

_BUSY_SECONDS = 30
_SCRIPTS = str(Path(__file__).with_name("migrations"))


def address_of(cache: Path) -> str:
    """The ledger of a cache, where nobody names another one."""
    return f"sqlite:///{cache / 'ledger.sqlite'}"


class Ledger:
    """Open until the block ends. Raises: LedgerError where the database does not answer, or is of
    a newer cleanroom.
    """

    def __init__(self, address: str) -> None:
        try:
            self._engine = sa.create_engine(address, connect_args=_arguments(address))
            if self._engine.dialect.name == "sqlite":
                _begin_itself(self._engine)
        except (SQLAlchemyError, ImportError, ValueError) as error:
            raise LedgerError(
                f"'{_shown(address)}' is no address of a ledger ({_first_line(error)}).",
                "Give sqlite:///FILE, or postgresql+psycopg://USER@HOST/NAME with that driver "
                "installed.",
            ) from None
        self._name = self._engine.url.render_as_string(hide_password=True)

    def __enter__(self) -> "Ledger":
        with self.asked() as connection:
            self._bring_up_to_date(connection)
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.dispose()

    @contextlib.contextmanager
    def asked(self) -> Iterator[sa.Connection]:
        """A connection in a transaction of its own. Raises: LedgerError."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise LedgerError(
                f"The ledger {self._name} does not answer ({_first_line(error)}).",
                "Nothing is lost: `cleanroom ledger rebuild` makes it again from the store.",
            ) from None

    def _bring_up_to_date(self, connection: sa.Connection) -> None:
        there = sa.inspect(connection).has_table("alembic_version")
        if (
            there
            and connection.scalar(sa.text("SELECT version_num FROM alembic_version")) == VERSION
        ):
            return
        # A quarter of a second, which the usual call does not need.
        from alembic import command
        from alembic.config import Config
        from alembic.runtime.migration import MigrationContext
        from alembic.script import ScriptDirectory

        config = Config()
        config.set_main_option("script_location", _SCRIPTS)
        scripts = ScriptDirectory.from_config(config)
        here = MigrationContext.configure(connection).get_current_revision()
        known = {script.revision for script in scripts.walk_revisions()}
        if here is not None and here not in known:
            raise LedgerError(
                f"The ledger {self._name} is of a newer cleanroom (its version is {here}).",
                "Use that cleanroom, or another ledger.",
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    def follow(self, store: Store) -> int:
        """Take in every record of the store that is not here yet; returns how many.

        Raises: LedgerError; StoreError for evidence that is damaged.
        """
        with self.asked() as connection:
            known = set(connection.scalars(sa.select(CONFIRMATIONS.c.record)))
        return sum(self._take(name, store) for name in store.records() if name not in known)

    def rebuild(self, store: Store) -> int:
        """Remove all that is here, and take in the whole store. Raises: as `follow`."""
        with self.asked() as connection:
            for table in reversed(TABLES.sorted_tables):
                connection.execute(table.delete())
        return self.follow(store)

    def _take(self, name: str, store: Store) -> bool:
        """Whether it is new here: another one that follows the store may have been faster."""
        _, record = store.record(name)
        runs = [store.get(run.evidence)[1] for run in record.runs]
        with self.asked() as connection:
            try:
                with connection.begin_nested():
                    connection.execute(CONFIRMATIONS.insert(), _row(name, record))
            except IntegrityError:
                return False
            places = range(len(runs))
            rows = [_run_row(name, place, record, runs[place]) for place in places]
            connection.execute(RUNS.insert(), rows)
            artifacts = [
                row
                for place in places
                if runs[place].of_profile
                for row in _artifact_rows(name, place, record, runs[place])
            ]
            if artifacts:
                connection.execute(ARTIFACTS.insert(), artifacts)
        return True


def _begin_itself(engine: sa.Engine) -> None:
    """Python's own driver begins a transaction too late for one that is in it, and ends it too
    early: https://docs.sqlalchemy.org/en/20/dialects/sqlite.html#pysqlite-serializable
    """

    @sa.event.listens_for(engine, "connect")
    def on_connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None

    @sa.event.listens_for(engine, "begin")
    def on_begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN")


def _arguments(address: str) -> dict[str, Any]:
    return {"timeout": _BUSY_SECONDS} if address.startswith("sqlite") else {}


def _shown(address: str) -> str:
    """An address without what may be its password."""
    scheme, there, rest = address.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}" if there else address


def _first_line(error: BaseException) -> str:
    cause = getattr(error, "orig", None) or error
    return next(iter(str(cause).strip().splitlines()), type(cause).__name__)[:200]


def _row(name: str, record: Record) -> dict[str, Any]:
    return {
        "record": name,
        "repo": record.source.url,
        "ref": record.source.ref,
        "commit": record.source.commit,
        "started": record.started,
        "seconds": record.seconds,
        "verdict": record.judgement.verdict.value,
        "reason": next(iter(record.judgement.reasons), ""),
        "cleanroom": record.cleanroom,
    }


def _run_row(name: str, place: int, record: Record, run: Evidence) -> dict[str, Any]:
    kept = record.runs[place]
    return {
        "record": name,
        "place": place,
        "label": kept.label,
        "kind": str(type(run.purpose).__struct_config__.tag),
        "status": run.status.value,
        "evidence": kept.evidence,
        "seconds": run.seconds,
        "engine": run.image.engine,
        "image": run.image.digest,
        "snakemake": str(run.versions.get("snakemake", "")),
        "software": digest(run.environment),
        "settings": digest({setting.key: setting.value for setting in run.settings}),
    }


def _artifact_rows(
    name: str, place: int, record: Record, run: Evidence
) -> Iterator[dict[str, Any]]:
    label = record.runs[place].label
    differ = {one.path for one in record.differences if label in (one.left, one.right)}
    boundary = Boundary(run)
    for artifact in run.artifacts:
        if boundary.decides(artifact):
            yield {
                "record": name,
                "place": place,
                "path": artifact.path,
                "sha256": artifact.sha256,
                "size": artifact.size,
                "differs": int(artifact.path in differ),
            }
