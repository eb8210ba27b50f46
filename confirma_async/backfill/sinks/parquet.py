"""Parquet: a folder of parts, one per window, which every Parquet reader takes as one table.

``x.parquet/`` holds nothing but parts. A part is staged beside the folder, made durable and renamed into it:
that one step publishes its rows together with the window's proof, which is in its footer. A window that is
read again replaces its part. Rows of the old part that did not change, or did not come again, move over.
Beside the folder stand ``x.parquet.checkpoint`` (runs, proofs, quarantine), ``x.parquet.lock`` and, while a
window is being written, ``x.parquet.part``. A part that was deleted is read again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from datetime import date
from hashlib import blake2b
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it ships no types

from ...errors import CheckpointError, TargetError
from ..proof import NO_ACCOUNT, AccountState, Tally, TargetState, WindowProof
from .columns import flatten, flatten_errors, from_text, to_text, unflatten
from .durable import beside, require_place, sync_file, sync_folder
from .journaled import Chapter, JournaledStore, Piece, read_ledger
from .matching import Fate, Known, settle, tally
from .parts import PART_ROW, SCHEMA, known_rows, proof_metadata, read_part, read_proof, to_table
from .protocol import Batch, StoredRecord
from .quarantine import counted, sift

_ROW_GROUP = 8192


def part_name(account: str, window_start: date) -> str:
    """Return the name of a window's part; windows never overlap, so their first day names them."""
    label = "" if account == NO_ACCOUNT else f"{blake2b(account.encode(), digest_size=6).hexdigest()}-"
    return f"part-{label}{window_start}.parquet"


class ParquetStore(JournaledStore):
    """Publishes parts into ``x.parquet``; see the module for the form."""

    kind = "parquet"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._staged = beside(path, ".part")
        self._writer: pq.ParquetWriter | None = None
        self._tables: list[pa.Table] = []
        self._old: dict[str, int] = {}
        self._replaced: set[int] = set()

    def require_place(self) -> None:
        require_place(self.path, folder=True)

    def require_unused(self) -> None:
        if self.path.exists() and any(self.path.iterdir()):
            raise TargetError(
                f"{self.path}: the folder holds files but no checkpoint is beside it: choose another name"
            )

    def recover(self) -> list[Chapter]:
        self.path.mkdir(exist_ok=True)
        if self.path.stat().st_dev != self.path.parent.stat().st_dev:
            raise TargetError(f"{self.path}: the folder must not be a mount point: use a folder inside it")
        sync_folder(self.path.parent)
        self._staged.unlink(missing_ok=True)
        sizes = {entry.name: entry.stat().st_size for entry in self.path.iterdir()}
        _drop_missing(self.ledger.state, set(sizes))
        proved = {pieces[-1].name: pieces[-1].length for pieces in self.ledger.pieces.values()}
        unknown = sorted(name for name, size in sizes.items() if proved.get(name) != size)
        return [self._published(self.path / name) for name in unknown]

    def _published(self, part: Path) -> Chapter:
        """Return the window of a part that was published just before the process died."""
        proof = read_proof(part)
        held = self.ledger.state.get(proof.account, AccountState())
        days = proof.window
        overlaps = any(
            other.window_start <= days.end and other.window_end >= days.start and other.window_start != days.start
            for other in held.proofs.values()
        )
        if (
            part.name != part_name(proof.account, days.start)
            or overlaps
            or held.run is None
            or proof.run != held.run.run
        ):
            raise CheckpointError(f"{part}: this part does not belong to this backfill: move it elsewhere")
        return Chapter(proof, Piece(name=part.name, length=part.stat().st_size, moment=to_text(proof.fetched_at)))

    def write(self, batch: Batch) -> Tally:
        """Stage a batch."""
        self.start_window(batch)
        if self.known is None:
            return self._stage_fresh(batch)
        return self._stage_again(batch, self.known)

    def commit(self, proof: WindowProof) -> None:
        """Publish the part, and with it the window."""
        part = self.path / part_name(proof.account, proof.window_start)
        self._move_over(part, proof)
        self._flush()
        writer = self._writing_to()
        writer.add_key_value_metadata(proof_metadata(proof))
        writer.close()
        self._writer = None
        sync_file(self._staged)
        piece = Piece(name=part.name, length=self._staged.stat().st_size, moment=self.moment_of(proof))
        self.keep_aside(proof.account)
        self._staged.replace(part)
        sync_folder(self.path)
        self._reset()
        self.record(proof, piece)

    def discard(self) -> None:
        if self._writer is not None:
            with contextlib.suppress(OSError, pa.ArrowException):
                self._writer.close()
            self._writer = None
        self._staged.unlink(missing_ok=True)
        self._reset()

    def load_known(self, account: str, window_start: date, *, own: bool) -> list[Known]:
        part = self.path / part_name(account, window_start)
        if not part.exists():
            return []
        known = list(known_rows(part, window_start.isoformat()))
        if own:
            self._old = {row.key: place for place, row in enumerate(known)}
        return known

    def _reset(self) -> None:
        self._tables, self._old, self._replaced = [], {}, set()

    def _writing_to(self) -> pq.ParquetWriter:
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._staged, SCHEMA)
        return self._writer

    def _stage(self, rows: Sequence[PART_ROW], account: str, window_start: date) -> None:
        self._tables.append(to_table(rows, account, window_start.isoformat()))
        if sum(table.num_rows for table in self._tables) >= _ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        tables, self._tables = self._tables, []
        if tables:
            self._writing_to().write_table(pa.concat_tables(tables))

    def _stage_fresh(self, batch: Batch) -> Tally:
        moment, start = self.moment, batch.window.start
        try:
            rows = [(flatten(record), flatten_errors(record), moment, moment) for record in batch.invoices]
            self._stage(rows, batch.account, start)
        except (UnicodeError, OverflowError, TypeError):
            sound, aside = sift(batch.invoices)
            self.put_aside(aside)
            self._stage([(row.content, row.errors, moment, moment) for row in sound], batch.account, start)
            return Tally(added=len(sound)) + counted(aside)
        return Tally(added=len(rows))

    def _stage_again(self, batch: Batch, families: dict[str, list[Known]]) -> Tally:
        rows, aside = sift(batch.invoices)
        self.put_aside(aside)
        placed = settle(rows, families, batch.window.start.isoformat(), self.moment)
        news = [one for one in placed if one.fate in {Fate.ADDED, Fate.CHANGED}]
        self._replaced.update(self._old[one.known.key] for one in news if one.known.key in self._old)
        parts = [(one.row.content, one.row.errors, one.known.first_seen, self.moment) for one in news]
        self._stage(parts, batch.account, batch.window.start)
        return tally(placed) + counted(aside)

    def _move_over(self, part: Path, proof: WindowProof) -> None:
        """Keep the rows of the old part that nothing replaced."""
        place = 0
        for rows in read_part(part) if part.exists() else ():
            kept = [row for at, row in enumerate(rows, place) if at not in self._replaced]
            place += len(rows)
            self._stage(kept, proof.account, proof.window_start)


def read_state(path: Path) -> TargetState:
    """Return what the checkpoint says, without taking the target."""
    require_place(path, folder=True)
    state = read_ledger(path, ParquetStore.kind).state
    _drop_missing(state, {part.name for part in path.iterdir()} if path.exists() else set())
    return state


def _drop_missing(state: TargetState, names: set[str]) -> None:
    """Forget the proofs of parts that are gone: their windows are read again."""
    for account, held in state.items():
        for start in [start for start in held.proofs if part_name(account, start) not in names]:
            del held.proofs[start]


def read_records(path: Path) -> Iterator[list[StoredRecord]]:
    """Yield the rows of every part in bounded batches, by account and days."""
    for account, start in sorted(read_ledger(path, ParquetStore.kind).pieces):
        part = path / part_name(account, start)
        for rows in read_part(part) if part.exists() else ():
            yield [_stored(row, account, start) for row in rows]


def _stored(row: PART_ROW, account: str, start: date) -> StoredRecord:
    content, errors, first_seen, last_changed = row
    return StoredRecord(
        account, unflatten(content, errors), from_text(first_seen), from_text(last_changed), start.isoformat()
    )
