"""SQLite, the embedded default: rows and window in one transaction, through the standard library.

Write-ahead log, and ``synchronous=FULL``: a window that was said to be done survives a power cut, too.
Others may read while a backfill writes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from ..proof import RunRecord, Tally, TargetState, WindowProof, gather
from .columns import CONTENT, ERROR_CONTENT, from_text, to_text, unflatten
from .durable import beside, require_place
from .locking import FileLock
from .matching import Fate, Known, Placed, Row, by_family, settle, tally
from .protocol import Batch, StoredRecord
from .quarantine import Quarantined, counted, sift
from .tables import (
    DISTRIBUTION,
    ERROR,
    KNOWN,
    QUARANTINE,
    RUN,
    SHAPES,
    WINDOW,
    Shape,
    from_row,
    known_from,
    quarantine_rows,
    require_shapes,
    to_row,
)

_BUSY_SECONDS = 5.0
_LOOKUP = 500  # SQLite before 3.32 allows 999 parameters
_READ = 500

_OWN = ("window_start", "first_seen", "last_changed", "fingerprint")


def _ddl(shape: Shape) -> Iterator[str]:
    columns = ", ".join(
        f"{name} {kind}{' NOT NULL' if name in shape.key else ''}" for name, kind in shape.columns.items()
    )
    yield f"CREATE TABLE IF NOT EXISTS {shape.name} ({columns}, PRIMARY KEY ({', '.join(shape.key)}))"
    for name, indexed in shape.indexes.items():
        yield f"CREATE INDEX IF NOT EXISTS {name} ON {shape.name} ({', '.join(indexed)})"


def _insert(table: str, columns: Sequence[str], *, replace: bool = False) -> str:
    verb = "INSERT OR REPLACE" if replace else "INSERT"
    marks = ", ".join("?" * len(columns))
    return f"{verb} INTO {table} ({', '.join(columns)}) VALUES ({marks})"


_ADD = _insert(DISTRIBUTION, ("account", "record_key", *CONTENT, "error_count", *_OWN))
_ADD_ERROR = _insert(ERROR, ("account", "record_key", "position", "invoice_number", *ERROR_CONTENT))
_CHANGE = (
    f"UPDATE {DISTRIBUTION} SET {', '.join(f'{name} = ?' for name in (*CONTENT, 'error_count', *_OWN))}"  # noqa: S608
    " WHERE account = ? AND record_key = ?"
)
_DROP_ERRORS = f"DELETE FROM {ERROR} WHERE account = ? AND record_key = ?"  # noqa: S608
_FIND = f"SELECT {', '.join(KNOWN)} FROM {DISTRIBUTION} WHERE account = ? AND {{}} IN ({{}})"  # noqa: S608


class SqliteStore:
    """Writes to one SQLite file; `durable=False` is for temporary files that no crash needs to survive."""

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self.path = path
        self._durable = durable
        self._lock = FileLock(beside(path, ".lock"))
        self._connection: sqlite3.Connection | None = None
        self._seen: set[str] = set()
        self._aside: list[Quarantined] = []

    def open(self) -> TargetState:
        """Take the file, make the tables where there are none, and return what they hold."""
        require_place(self.path, folder=False)
        self._lock.acquire()
        connection = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None)
        self._connection = connection
        require_shapes(_found(connection))
        state = _state(connection)
        connection.execute("PRAGMA journal_mode = WAL" if self._durable else "PRAGMA journal_mode = OFF")
        connection.execute(f"PRAGMA synchronous = {'FULL' if self._durable else 'OFF'}")
        connection.execute("BEGIN IMMEDIATE")
        for shape in SHAPES:
            for statement in _ddl(shape):
                connection.execute(statement)
        connection.execute("COMMIT")
        return state

    def begin(self, run: RunRecord) -> None:
        """Record the start of a run, or its continuation with another range."""
        self._put_alone(RUN, run)

    def finish(self, run: RunRecord) -> None:
        """Record the end of a run."""
        self._put_alone(RUN, run)

    def write(self, batch: Batch) -> Tally:
        """Upsert a batch within the window's transaction."""
        connection = self._in_transaction()
        rows, aside = sift(batch.invoices)
        self._aside += aside
        moment = to_text(batch.moment)
        families = by_family(self._known(connection, batch.account, rows, moment))
        placed = settle(rows, families, batch.window.start.isoformat(), moment)
        self._seen.update(one.known.key for one in placed if one.fate is Fate.UNCHANGED)
        self._store(connection, batch.account, placed, moment)
        return tally(placed) + counted(aside)

    def commit(self, proof: WindowProof) -> None:
        """Make the rows and the window durable together."""
        connection = self._in_transaction()
        aside = quarantine_rows(proof, self._aside)
        where = (proof.account, proof.window_start.isoformat())
        connection.execute(f"DELETE FROM {QUARANTINE} WHERE account = ? AND window_start = ?", where)  # noqa: S608
        for row in (*((QUARANTINE, one) for one in aside), (WINDOW, to_row(proof))):
            connection.execute(_insert(row[0], tuple(row[1]), replace=True), tuple(row[1].values()))
        connection.execute("COMMIT")
        self._forget()

    def rollback(self) -> None:
        """Drop what was written since the last commit."""
        if self._connection is not None and self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        self._forget()

    def close(self) -> None:
        """Drop what was not committed and let go of the file."""
        try:
            if self._connection is not None:
                self._connection.close()
        finally:
            self._connection = None
            self._lock.release()

    def _in_transaction(self) -> sqlite3.Connection:
        if self._connection is None:
            raise sqlite3.ProgrammingError("the target is not open")
        if not self._connection.in_transaction:
            self._connection.execute("BEGIN IMMEDIATE")
        return self._connection

    def _put_alone(self, table: str, record: RunRecord) -> None:
        connection, row = self._in_transaction(), to_row(record)
        connection.execute(_insert(table, tuple(row), replace=True), tuple(row.values()))
        connection.execute("COMMIT")

    def _known(self, connection: sqlite3.Connection, account: str, rows: Sequence[Row], moment: str) -> Iterator[Known]:
        numbers = sorted({str(row.content[0]) for row in rows if row.content[0] is not None})
        keys = sorted({row.family for row in rows if row.content[0] is None})
        for column, wanted in (("invoice_number", numbers), ("record_key", keys)):
            for start in range(0, len(wanted), _LOOKUP):
                some = wanted[start : start + _LOOKUP]
                statement = _FIND.format(column, ", ".join("?" * len(some)))
                for row in connection.execute(statement, (account, *some)):
                    yield known_from(row, moment, self._seen)

    def _store(self, connection: sqlite3.Connection, account: str, placed: Sequence[Placed], moment: str) -> None:
        added = [one for one in placed if one.fate is Fate.ADDED]
        changed = [one for one in placed if one.fate is Fate.CHANGED]
        connection.executemany(_ADD, ((account, one.known.key, *_values(one, moment)) for one in added))
        connection.executemany(_CHANGE, ((*_values(one, moment), account, one.known.key) for one in changed))
        connection.executemany(_DROP_ERRORS, ((account, one.known.key) for one in changed))
        connection.executemany(
            _ADD_ERROR,
            (
                (account, one.known.key, place, one.row.content[0], *error)
                for one in (*added, *changed)
                for place, error in enumerate(one.row.errors)
            ),
        )

    def _forget(self) -> None:
        self._seen.clear()
        self._aside.clear()


def _values(one: Placed, moment: str) -> tuple[object, ...]:
    known = one.known
    return (*one.row.content, len(one.row.errors), known.window_start, known.first_seen, moment, known.fingerprint)


def _found(connection: sqlite3.Connection) -> dict[str, list[str]]:
    columns = {
        shape.name: [row[1] for row in connection.execute(f"PRAGMA table_info({shape.name})")] for shape in SHAPES
    }
    return {name: held for name, held in columns.items() if held}


def _state(connection: sqlite3.Connection) -> TargetState:
    if not require_shapes(_found(connection)):
        return {}
    runs = (from_row(RunRecord, row) for row in _rows(connection, RUN, "account, run"))
    proofs = (from_row(WindowProof, row) for row in _rows(connection, WINDOW, "account, window_start"))
    return gather(list(runs), proofs)


def _rows(connection: sqlite3.Connection, table: str, order: str) -> Iterator[dict[str, object]]:
    names = next(shape.columns for shape in SHAPES if shape.name == table)
    for row in connection.execute(f"SELECT {', '.join(names)} FROM {table} ORDER BY {order}"):  # noqa: S608
        yield dict(zip(names, row, strict=True))


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS)


def read_state(path: Path) -> TargetState:
    """Return what the file holds, without taking it; nothing where there is no file yet."""
    require_place(path, folder=False)
    if not path.exists():
        return {}
    with closing(_read_only(path)) as connection:
        return _state(connection)


def read_records(path: Path) -> Iterator[list[StoredRecord]]:
    """Yield the current state of every row in bounded batches, by account and key."""
    require_place(path, folder=False)
    if not path.exists():
        return
    names = ("account", "record_key", *CONTENT, "error_count", "window_start", "first_seen", "last_changed")
    with closing(_read_only(path)) as connection:
        if DISTRIBUTION not in _found(connection):
            return
        cursor = connection.execute(f"SELECT {', '.join(names)} FROM {DISTRIBUTION} ORDER BY account, record_key")  # noqa: S608
        while rows := cursor.fetchmany(_READ):
            yield [_stored(connection, row) for row in rows]


def _stored(connection: sqlite3.Connection, row: Sequence[str]) -> StoredRecord:
    account, key, *content, error_count, window_start, first_seen, last_changed = row
    found: list[tuple[str | None, ...]] = []
    if error_count:
        errors = (
            f"SELECT {', '.join(ERROR_CONTENT)} FROM {ERROR} WHERE account = ? AND record_key = ? ORDER BY position"  # noqa: S608
        )
        found = connection.execute(errors, (account, key)).fetchall()
    return StoredRecord(
        account, unflatten(content, found), from_text(first_seen), from_text(last_changed), window_start
    )
