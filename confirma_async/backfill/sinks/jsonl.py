"""JSON lines: a line per record, and per change of a record when windows are read again.

A line is `to_dict` of the record. Where the run has an account label, the line starts with ``"account"``; a
field of that name that the service sent gets one underscore in front (`_account`, and so on), and loses it
when it is read back. Beside ``x.jsonl`` stand ``x.jsonl.checkpoint`` (which bytes belong to which window, the
proofs, the quarantine) and ``x.jsonl.lock``. Bytes after the last window that is done are cut off when the
backfill goes on. The current state of a record is its latest line.
"""

from __future__ import annotations

import os
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from ..._wire import from_dict, to_dict
from ...errors import CheckpointError, TargetError
from ...records import InvoiceDistribution
from ..proof import NO_ACCOUNT, Tally, TargetState, WindowProof
from .columns import from_text
from .durable import open_file, require_place, sync_folder, write_all
from .journaled import Chapter, JournaledStore, Ledger, Piece, read_ledger
from .matching import Fate, Known, Placed, Row, settle, tally
from .protocol import Batch, StoredRecord
from .quarantine import counted, sift
from .sqlite import SqliteStore
from .sqlite import read_records as read_rows_of_database

_encode = msgspec.json.Encoder().encode
_LABEL = "account"
_BATCH = 1000


def to_line(record: InvoiceDistribution, account: str) -> bytes:
    """Return the line of one record, with its end; raises ValueError where it is not valid Unicode."""
    fields = to_dict(record)
    if account != NO_ACCOUNT:
        fields = {_LABEL: account, **{_escaped(name): value for name, value in fields.items()}}
    return _encode(fields) + b"\n"


def from_line(line: bytes, account: str) -> InvoiceDistribution:
    """Return the record of one line; raises `CheckpointError` where it is none."""
    try:
        fields = msgspec.json.decode(line, type=dict[str, object])
        if account != NO_ACCOUNT:
            del fields[_LABEL]
            fields = {_unescaped(name): value for name, value in fields.items()}
        return from_dict(InvoiceDistribution, fields)
    except (ValueError, KeyError, msgspec.DecodeError):
        pass
    raise CheckpointError("a line of the target is not what the backfill wrote: restore it, or start over")


def _escaped(name: str) -> str:
    return f"_{name}" if name.lstrip("_") == _LABEL else name


def _unescaped(name: str) -> str:
    return name[1:] if name.startswith("_") and name.lstrip("_") == _LABEL else name


def read_piece(path: Path, piece: Piece) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of one reading of a window with their offsets; raises `CheckpointError` for altered bytes."""
    offset, end, crc = piece.offset, piece.offset + piece.length, 0
    with path.open("rb") as lines:
        lines.seek(offset)
        while offset < end and (line := lines.readline()):
            crc = zlib.crc32(line, crc)
            yield offset, line
            offset += len(line)
    if crc != piece.crc:
        raise CheckpointError(f"{path}: it was altered since the backfill wrote it: restore it, or start over")


def read_rows(
    path: Path, pieces: Sequence[Piece], account: str
) -> Iterator[tuple[Piece, list[tuple[int, bytes, Row]]]]:
    """Yield the rows of one window, reading by reading, each with the offset and the bytes of its line.

    The first reading comes in bounded batches; a later one holds what changed, and comes as a whole.
    """
    for place, piece in enumerate(pieces):
        rows: list[tuple[int, bytes, Row]] = []
        for offset, line in read_piece(path, piece):
            rows.append((offset, line, Row.of(from_line(line, account))))
            if place == 0 and len(rows) == _BATCH:
                yield piece, rows
                rows = []
        yield piece, rows


class JsonlStore(JournaledStore):
    """Appends to ``x.jsonl``; see the module for the form."""

    kind = "jsonl"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._file = -1
        self._end = 0
        self._length = self._crc = 0
        self._places: dict[str, tuple[int, int]] = {}
        self._written: set[str] = set()
        self._shared: set[str] = set()

    def require_place(self) -> None:
        require_place(self.path, folder=False)

    def require_unused(self) -> None:
        if self.path.exists() and self.path.stat().st_size:
            raise TargetError(
                f"{self.path}: it holds data but no checkpoint is beside it; it is left as it is: choose another name"
            )

    def recover(self) -> list[Chapter]:
        self._end, last = self.ledger.last_end()
        if self._end and not self.path.exists():
            raise CheckpointError(
                f"{self.path}: it was moved or deleted: restore it, or delete its checkpoint to start over"
            )
        self._file = open_file(self.path, create=True)
        sync_folder(self.path.parent)
        if os.fstat(self._file).st_size < self._end:
            raise CheckpointError(f"{self.path}: it is shorter than its checkpoint says: restore it, or start over")
        if last is not None:
            deque(read_piece(self.path, last), maxlen=0)
        self.discard()
        return []

    def write(self, batch: Batch) -> Tally:
        """Append a batch behind the last window that is done."""
        self.start_window(batch)
        if self.known is None:
            return self._write_fresh(batch)
        return self._write_again(batch, self.known)

    def commit(self, proof: WindowProof) -> None:
        """Make the lines durable, then the window."""
        self._complete_families()
        if self._length:
            os.fsync(self._file)
        piece = Piece(offset=self._end, length=self._length, crc=self._crc, moment=self.moment_of(proof))
        self.record(proof, piece)
        self._end += self._length
        self._reset()

    def discard(self) -> None:
        if self._file >= 0:
            os.ftruncate(self._file, self._end)
            os.lseek(self._file, self._end, os.SEEK_SET)
        self._reset()

    def close_files(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def load_known(self, account: str, window_start: date, *, own: bool) -> list[Known]:
        families: dict[str, list[Known]] = {}
        pieces = self.ledger.pieces.get((account, window_start), [])
        reading: Piece | None = None
        for piece, rows in read_rows(self.path, pieces, account):
            if piece is not reading:
                _release(families)
                reading = piece
            placed = settle([row for _, _, row in rows], families, window_start.isoformat(), piece.moment)
            if own:
                self._places |= {
                    one.known.key: (offset, len(line)) for one, (offset, line, _) in zip(placed, rows, strict=True)
                }
        _release(families)
        return [row for known in families.values() for row in known]

    def _reset(self) -> None:
        self._length = self._crc = 0
        self._places, self._written, self._shared = {}, set(), set()

    def _append(self, data: bytes) -> None:
        write_all(self._file, data)
        self._length += len(data)
        self._crc = zlib.crc32(data, self._crc)

    def _write_fresh(self, batch: Batch) -> Tally:
        try:
            data = b"".join([to_line(record, batch.account) for record in batch.invoices])
        except (ValueError, OverflowError, TypeError):
            rows, aside = sift(batch.invoices)
            data = b"".join([to_line(row.record, batch.account) for row in rows])
            self.put_aside(aside)
            self._append(data)
            return Tally(added=len(rows)) + counted(aside)
        self._append(data)
        return Tally(added=len(batch.invoices))

    def _write_again(self, batch: Batch, families: dict[str, list[Known]]) -> Tally:
        rows, aside = sift(batch.invoices)
        self.put_aside(aside)
        placed = settle(rows, families, batch.window.start.isoformat(), self.moment)
        self._append(b"".join([to_line(one.row.record, batch.account) for one in placed if self._is_news(one)]))
        for one in placed:
            if len(families[one.row.family]) > 1 and one.fate in {Fate.ADDED, Fate.CHANGED}:
                self._shared.add(one.row.family)
        return tally(placed) + counted(aside)

    def _is_news(self, placed: Placed) -> bool:
        if placed.fate not in {Fate.ADDED, Fate.CHANGED}:
            return False
        self._written.add(placed.known.key)
        return True

    def _complete_families(self) -> None:
        """Repeat the unchanged lines of numbers that have several rows: a reading is read back as a whole."""
        for family in sorted(self._shared):
            for key in dict.fromkeys(known.key for known in (self.known or {})[family]):
                if key in self._places and key not in self._written:
                    self._append(self._line_at(*self._places[key]))

    def _line_at(self, offset: int, length: int) -> bytes:
        with self.path.open("rb") as file:
            file.seek(offset)
            return file.read(length)


def _release(families: dict[str, list[Known]]) -> None:
    for known in families.values():
        for row in known:
            row.taken = False


def read_state(path: Path) -> TargetState:
    """Return what the checkpoint says, without taking the target."""
    require_place(path, folder=False)
    return read_ledger(path, JsonlStore.kind).state


def read_records(path: Path) -> Iterator[list[StoredRecord]]:
    """Yield the current state of every row in bounded batches: the lines are replayed into a temporary database."""
    ledger = read_ledger(path, JsonlStore.kind)
    with TemporaryDirectory(prefix="confirma-") as folder:
        replayed = Path(folder, "replayed.sqlite")
        store = SqliteStore(replayed, durable=False)
        store.open()
        try:
            for account, start in sorted(ledger.pieces):
                _replay(path, ledger, account, start, store)
        finally:
            store.close()
        yield from read_rows_of_database(replayed)


def _replay(path: Path, ledger: Ledger, account: str, start: date, store: SqliteStore) -> None:
    proof = ledger.state[account].proofs[start]
    reading: Piece | None = None
    for piece, rows in read_rows(path, ledger.pieces[account, start], account):
        if reading is not None and piece is not reading:
            store.commit(proof)
        reading = piece
        records = [row.record for _, _, row in rows]
        store.write(Batch(account, proof.window, records, from_text(piece.moment)))
    store.commit(proof)
