"""Databases through SQLAlchemy: the tables of the embedded default, written over an address.

One writer: an advisory lock of PostgreSQL (per database and schema; a pooler in transaction mode would lose
it), or the lock file of a SQLite database. Rows and window are one transaction.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import attrs
from sqlalchemy import ColumnElement, bindparam, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ...errors import CheckpointError, TargetError
from ..proof import RunRecord, Tally, TargetState, WindowProof
from .columns import CONTENT, ERROR_CONTENT, NUMBER, to_text
from .durable import beside, require_place
from .locking import FileLock
from .matching import Fate, Known, Placed, Row, by_family, settle, tally
from .protocol import Batch, Sink, StoredRecord
from .quarantine import Quarantined, counted, sift
from .sql_address import DatabaseAddress, connected, engine_for, translating
from .sql_reading import DatabaseReader, read_state
from .sql_tables import TABLES, create_tables, found_columns
from .tables import (
    DISTRIBUTION,
    ERROR,
    KNOWN,
    QUARANTINE,
    RUN,
    WINDOW,
    Cell,
    known_from,
    quarantine_rows,
    require_shapes,
    to_row,
)

_LOOKUP = 500
_TRIES, _PAUSE = 10, 0.2  # seconds between the tries
_OWN = ("error_count", "window_start", "first_seen", "last_changed", "fingerprint")
_TAKE = text(
    "SELECT pg_try_advisory_lock(hashtextextended(coalesce(current_schema(), '') || '.confirma_async.backfill', 0))"
)


class SqlSink:
    """Writes to one database over one connection, which also holds the lock."""

    def __init__(self, address: DatabaseAddress) -> None:
        self.address = address
        self._lock = None if address.is_postgresql else FileLock(beside(address.file, ".lock"))
        self._engine: AsyncEngine | None = None
        self._connection: AsyncConnection | None = None
        self._seen: set[str] = set()
        self._aside: list[Quarantined] = []

    @translating
    async def open(self) -> TargetState:
        """Take the database, make the tables where there are none, and return what they hold."""
        if self._lock is not None:
            require_place(self.address.file, folder=False)
            self._lock.acquire()
        self._engine = engine_for(self.address)
        self._connection = connection = await connected(self._engine)
        await self._take(connection)
        require_shapes(await connection.run_sync(found_columns))
        state = await read_state(connection)
        await connection.run_sync(create_tables)
        await connection.commit()
        return state

    async def _take(self, connection: AsyncConnection) -> None:
        if not self.address.is_postgresql:
            await connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            await connection.exec_driver_sql("PRAGMA synchronous = FULL")
        else:
            await self._take_advisory_lock(connection)
        await connection.commit()

    async def _take_advisory_lock(self, connection: AsyncConnection) -> None:
        """Wait a little: the server takes a moment to notice that a process died."""
        for _ in range(_TRIES):
            if (await connection.execute(_TAKE)).scalar():
                return
            await asyncio.sleep(_PAUSE)
        raise CheckpointError(f"{self.address.shown}: another backfill is writing to this database: wait until it ends")

    @translating
    async def begin(self, run: RunRecord, /) -> None:
        """Record the start of a run, or its continuation with another range."""
        await self._replace(RUN, to_row(run))
        await self._open_connection.commit()

    @translating
    async def finish(self, run: RunRecord, /) -> None:
        """Record the end of a run."""
        await self._replace(RUN, to_row(run))
        await self._open_connection.commit()

    @translating
    async def write(self, batch: Batch, /) -> Tally:
        """Upsert a batch within the window's transaction."""
        rows, aside = sift(batch.invoices, self.address.check)
        self._aside += aside
        moment = to_text(batch.moment)
        families = by_family(await self._known(batch.account, rows, moment))
        placed = settle(rows, families, batch.window.start.isoformat(), moment)
        self._seen.update(one.known.key for one in placed if one.fate is Fate.UNCHANGED)
        await self._store(batch.account, placed, moment)
        return tally(placed) + counted(aside)

    @translating
    async def commit(self, proof: WindowProof, /) -> None:
        """Make the rows and the window durable together."""
        connection, table = self._open_connection, TABLES[QUARANTINE]
        where = (table.c.account == proof.account, table.c.window_start == proof.window_start.isoformat())
        await connection.execute(table.delete().where(*where))
        if self._aside:
            await connection.execute(table.insert(), quarantine_rows(proof, self._aside))
        await self._replace(WINDOW, to_row(proof))
        await connection.commit()
        self._forget()

    @translating
    async def rollback(self) -> None:
        """Drop what was written since the last commit."""
        if self._connection is not None:
            await self._connection.rollback()
        self._forget()

    @translating
    async def close(self) -> None:
        """Drop what was not committed and let go of the database."""
        try:
            if self._connection is not None:
                await self._connection.close()
            if self._engine is not None:
                await self._engine.dispose()
        finally:
            self._connection = self._engine = None
            if self._lock is not None:
                self._lock.release()

    @property
    def _open_connection(self) -> AsyncConnection:
        if self._connection is None:
            raise TargetError(f"{self.address.shown}: the target is not open")
        return self._connection

    def _forget(self) -> None:
        self._seen.clear()
        self._aside.clear()

    async def _replace(self, name: str, row: dict[str, Cell]) -> None:
        table = TABLES[name]
        key = [column == row[column.name] for column in table.primary_key.columns]
        await self._open_connection.execute(table.delete().where(*key))
        await self._open_connection.execute(table.insert(), row)

    async def _known(self, account: str, rows: Sequence[Row], moment: str) -> list[Known]:
        table = TABLES[DISTRIBUTION]
        numbers = sorted({str(row.content[NUMBER]) for row in rows if row.content[NUMBER] is not None})
        keys = sorted({row.family for row in rows if row.content[NUMBER] is None})
        known: list[Known] = []
        for column, wanted in ((table.c.invoice_number, numbers), (table.c.record_key, keys)):
            for start in range(0, len(wanted), _LOOKUP):
                some = column.in_(wanted[start : start + _LOOKUP])
                find = select(*(table.c[name] for name in KNOWN)).where(table.c.account == account, some)
                found = await self._open_connection.execute(find)
                known += [known_from(row, moment, self._seen) for row in found.all()]
        return known

    async def _store(self, account: str, placed: Sequence[Placed], moment: str) -> None:
        rows, errors = TABLES[DISTRIBUTION], TABLES[ERROR]
        added = [_row(account, one, moment) for one in placed if one.fate is Fate.ADDED]
        changed = [_row(account, one, moment) for one in placed if one.fate is Fate.CHANGED]
        its_errors = [row for one in placed if one.fate in {Fate.ADDED, Fate.CHANGED} for row in _errors(account, one)]
        connection = self._open_connection
        if added:
            await connection.execute(rows.insert(), added)
        if changed:
            renamed = [{f"new_{name}": value for name, value in row.items()} for row in changed]
            await connection.execute(_CHANGE, renamed)
            await connection.execute(_DROP_ERRORS, renamed)
        if its_errors:
            await connection.execute(errors.insert(), its_errors)


def _same_row(name: str) -> tuple[ColumnElement[bool], ...]:
    table = TABLES[name]
    return table.c.account == bindparam("new_account"), table.c.record_key == bindparam("new_record_key")


_CHANGE = (
    TABLES[DISTRIBUTION]
    .update()
    .where(*_same_row(DISTRIBUTION))
    .values({name: bindparam(f"new_{name}") for name in (*CONTENT, *_OWN)})
)
_DROP_ERRORS = TABLES[ERROR].delete().where(*_same_row(ERROR))


def _row(account: str, one: Placed, moment: str) -> dict[str, Cell]:
    known = one.known
    own = (len(one.row.errors), known.window_start, known.first_seen, moment, known.fingerprint)
    return {
        "account": account,
        "record_key": known.key,
        **dict(zip(CONTENT, one.row.content, strict=True)),
        **dict(zip(_OWN, own, strict=True)),
    }


def _errors(account: str, one: Placed) -> list[dict[str, Cell]]:
    number = one.row.content[NUMBER]
    common = {"account": account, "record_key": one.known.key, "invoice_number": number}
    return [
        {**common, "position": place, **dict(zip(ERROR_CONTENT, error, strict=True))}
        for place, error in enumerate(one.row.errors)
    ]


@attrs.frozen
class DatabaseTarget:
    """A target at a database address."""

    address: DatabaseAddress

    @property
    def key(self) -> str:
        """The address with its parameters, without its password; never shown."""
        return self.address.url.render_as_string(hide_password=True)

    def sink(self) -> Sink:
        """Return a sink that was not opened yet."""
        return SqlSink(self.address)

    async def state(self) -> TargetState:
        """Return what the database holds."""
        return await DatabaseReader(self.address).state()

    def records(self) -> AsyncIterator[StoredRecord]:
        """Yield the current state of every row; memory stays bounded."""
        return DatabaseReader(self.address).records()


def database_target(address: str) -> DatabaseTarget:
    """Return the target; raises `ConfigurationError` for an address that cannot be used."""
    return DatabaseTarget(DatabaseAddress.checked(address))
