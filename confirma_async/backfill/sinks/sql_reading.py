"""What a database holds, read without taking it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import attrs
from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from ..proof import RunRecord, TargetState, WindowProof, gather
from .columns import CONTENT, ERROR_CONTENT, Content, ErrorContent, from_text, unflatten
from .durable import require_place
from .protocol import StoredRecord
from .sql_address import DatabaseAddress, connected, engine_for, translating
from .sql_tables import TABLES, found_columns
from .tables import BY_NAME, DISTRIBUTION, ERROR, RUN, WINDOW, from_row, require_shapes

_READ = 500
_STORED = ("account", "record_key", *CONTENT, "error_count", "window_start", "first_seen", "last_changed")


class DatabaseReader:
    """Reads one database over connections of its own; a SQLite file that is not there is not made."""

    def __init__(self, address: DatabaseAddress) -> None:
        self.address = address

    @translating
    async def state(self) -> TargetState:
        """Return the runs and proofs."""
        async with self._connected() as connection:
            return {} if connection is None else await read_state(connection)

    async def records(self) -> AsyncIterator[StoredRecord]:
        """Yield the current state of every row, by account and key; memory stays bounded."""
        async with aclosing(self._batches()) as batches:
            while batch := await self._next(batches):
                for record in batch:
                    yield record

    @translating
    async def _next(self, batches: AsyncGenerator[list[StoredRecord], None]) -> list[StoredRecord]:
        return await anext(batches, [])

    async def _batches(self) -> AsyncGenerator[list[StoredRecord], None]:
        async with self._connected() as connection:
            if connection is not None:
                async with aclosing(read_records(connection)) as batches:
                    async for batch in batches:
                        yield batch

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncConnection | None]:
        if not self.address.is_postgresql:
            require_place(self.address.file, folder=False)
            if not self.address.file.exists():
                yield None
                return
        engine = engine_for(self.address)
        try:
            connection = await connected(engine)
            try:
                yield connection
            finally:
                await connection.close()
        finally:
            await engine.dispose()


async def read_state(connection: AsyncConnection) -> TargetState:
    """Return the runs and proofs; nothing where there are no tables yet."""
    if not require_shapes(await connection.run_sync(found_columns)):
        return {}
    runs = [from_row(RunRecord, row) for row in await _rows(connection, RUN, "run")]
    proofs = [from_row(WindowProof, row) for row in await _rows(connection, WINDOW, "window_start")]
    return gather(runs, proofs)


async def _rows(connection: AsyncConnection, name: str, order: str) -> list[dict[str, object]]:
    table = TABLES[name]
    found = await connection.execute(select(table).order_by(table.c.account, table.c[order]))
    return [dict(zip(BY_NAME[name].columns, row, strict=True)) for row in found.all()]


async def read_records(connection: AsyncConnection) -> AsyncGenerator[list[StoredRecord], None]:
    """Yield the current state of every row in bounded batches, by account and key."""
    if not require_shapes(await connection.run_sync(found_columns)):
        return
    table = TABLES[DISTRIBUTION]
    key = tuple_(table.c.account, table.c.record_key)
    wanted = select(*(table.c[name] for name in _STORED)).order_by(table.c.account, table.c.record_key).limit(_READ)
    after = wanted
    while found := [_Found.of(tuple(row)) for row in (await connection.execute(after)).all()]:
        errors = await _errors(connection, [row.key for row in found if row.error_count])
        yield [row.stored(errors.get(row.key, [])) for row in found]
        after = wanted.where(key > tuple_(*found[-1].key))


@attrs.frozen
class _Found:
    """One row as it was found."""

    key: tuple[str, str]
    content: Content
    error_count: int
    window_start: str
    first_seen: str
    last_changed: str

    @classmethod
    def of(cls, row: tuple[Any, ...]) -> _Found:
        return cls(row[:2], row[2:-4], *row[-4:])

    def stored(self, errors: list[ErrorContent]) -> StoredRecord:
        invoice = unflatten(self.content, errors)
        moments = from_text(self.first_seen), from_text(self.last_changed)
        return StoredRecord(self.key[0], invoice, *moments, self.window_start)


async def _errors(
    connection: AsyncConnection, keys: list[tuple[str, str]]
) -> dict[tuple[str, str], list[ErrorContent]]:
    table = TABLES[ERROR]
    errors: dict[tuple[str, str], list[ErrorContent]] = {}
    if keys:
        wanted = select(table.c.account, table.c.record_key, *(table.c[name] for name in ERROR_CONTENT))
        wanted = wanted.where(tuple_(table.c.account, table.c.record_key).in_(keys)).order_by(table.c.position)
        for row in (await connection.execute(wanted)).all():
            cells = tuple(row)
            errors.setdefault((str(cells[0]), str(cells[1])), []).append(cells[2:])
    return errors
