"""What the file targets with a checkpoint beside them have in common: lock, journal, runs and windows."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import attrs
import msgspec

from ...errors import CheckpointError
from ..proof import AccountState, Plain, RunRecord, TargetState, WindowProof, from_plain, to_plain
from .columns import to_text
from .durable import beside
from .journal import Journal
from .locking import FileLock
from .matching import Known, by_family
from .protocol import Batch
from .quarantine import Quarantined

CHECKPOINT, LOCK = ".checkpoint", ".lock"


@attrs.frozen(kw_only=True)
class Piece:
    """Where the rows of one reading of a window are: bytes of a file, or a file of its own.

    `offset`, `length`: bytes (JSONL). `name`: the part (Parquet). `crc`: of the bytes (JSONL), 0 otherwise.
    `moment`: when they were stored, ISO 8601 text.
    """

    offset: int = 0
    length: int = 0
    crc: int = 0
    name: str = ""
    moment: str = ""


@attrs.frozen
class Chapter:
    """One reading of a window and where its rows are."""

    proof: WindowProof
    piece: Piece


class Ledger:
    """What the journal of one target says, entry by entry."""

    def __init__(self) -> None:
        self.state: TargetState = {}
        self.pieces: dict[tuple[str, date], list[Piece]] = {}

    def note(self, entry: Plain) -> None:
        """Take in one entry."""
        kind, body = entry.get("entry"), entry.get("body")
        if not isinstance(body, dict):
            raise CheckpointError("the checkpoint is corrupt: an entry has no body; start over in a new target")
        if kind == "run":
            run = from_plain(RunRecord, body)
            self.state.setdefault(run.account, AccountState()).note_run(run)
        if kind == "window":
            self.note_window(from_plain(WindowProof, body), from_plain(Piece, _mapping(entry.get("piece"))))

    def note_window(self, proof: WindowProof, piece: Piece) -> None:
        """Take in one reading of a window."""
        self.state.setdefault(proof.account, AccountState()).note_proof(proof)
        self.pieces.setdefault((proof.account, proof.window_start), []).append(piece)

    def last_end(self) -> tuple[int, Piece | None]:
        """Return where the bytes that are done end, and the last piece of them."""
        last = max(
            (p for pieces in self.pieces.values() for p in pieces), key=lambda p: p.offset + p.length, default=None
        )
        return (0, None) if last is None else (last.offset + last.length, last)


def _mapping(value: object) -> Plain:
    return value if isinstance(value, dict) else {}


def read_ledger(path: Path, kind: str) -> Ledger:
    """Return what the checkpoint beside `path` says, without taking the target; empty where there is none."""
    journal, ledger = Journal(beside(path, CHECKPOINT), kind), Ledger()
    if journal.exists():
        for entry in journal.entries():
            ledger.note(entry)
    return ledger


class JournaledStore:
    """The base of the file targets: a subclass says how rows are staged, published and read back."""

    kind = ""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = FileLock(beside(path, LOCK))
        self.journal = Journal(beside(path, CHECKPOINT), self.kind)
        self.ledger = Ledger()
        self.moment = ""
        self.known: dict[str, list[Known]] | None = None
        self._aside: list[Quarantined] = []
        self._read_last: dict[str, date] = {}
        self._writing = self._taken = False

    def open(self) -> TargetState:
        """Take the target; raises `TargetError` or `CheckpointError` where it cannot be gone on from."""
        self.require_place()
        self.lock.acquire()
        self._taken = True
        if not self.journal.exists():
            self.require_unused()
            self.journal.create()
        for entry in self.journal.entries():
            self.ledger.note(entry)
        found = self.recover()
        self.journal.open()
        for chapter in found:
            self._append_window(chapter.proof, chapter.piece)
        return self.ledger.state

    def begin(self, run: RunRecord) -> None:
        """Record the start of a run, or its continuation with another range."""
        self._append_run(run)

    def finish(self, run: RunRecord) -> None:
        """Record the end of a run."""
        self._append_run(run)

    def close(self) -> None:
        """Drop what was not committed and let go of the target."""
        try:
            if self._taken:  # otherwise what is staged belongs to the process that holds the target
                with contextlib.suppress(OSError):  # what is left behind is dropped when it is opened again
                    self.rollback()
            self.close_files()
            self.journal.close()
            self._taken = False
        finally:
            self.lock.release()

    def rollback(self) -> None:
        """Drop what was written since the last commit."""
        self._end_window()
        self.discard()

    def start_window(self, batch: Batch) -> None:
        """Make ready for the first batch of a window: what it may repeat is looked up, where there is any."""
        if self._writing:
            return
        self._writing = True
        self.moment = to_text(batch.moment)
        known = [*self.load_known(batch.account, batch.window.start, own=True)]
        for neighbour in self._neighbours(batch):
            known += self.load_known(batch.account, neighbour, own=False)
        self.known = by_family(known) if known else None

    def moment_of(self, proof: WindowProof) -> str:
        """Return when the window was stored: its first batch's moment, or that of its reading where no row came."""
        return self.moment if self._writing else to_text(proof.fetched_at)

    def put_aside(self, aside: list[Quarantined]) -> None:
        """Keep quarantined rows until the window is committed."""
        self._aside += aside

    def keep_aside(self, account: str) -> None:
        """Make the quarantined rows of the window durable; always before the window itself."""
        rows: list[Plain] = [
            {"entry": "quarantine", "body": {"account": account, **attrs.asdict(one)}} for one in self._aside
        ]
        if rows:
            self.journal.append(*rows)
        self._aside.clear()

    def record(self, proof: WindowProof, piece: Piece) -> None:
        """Make the window durable in the checkpoint: its rows must be so already."""
        self.keep_aside(proof.account)
        self._append_window(proof, piece)
        self._read_last[proof.account] = proof.window_end
        self._end_window()

    def _append_window(self, proof: WindowProof, piece: Piece) -> None:
        self.journal.append({"entry": "window", "body": to_plain(proof), "piece": msgspec.to_builtins(piece)})
        self.ledger.note_window(proof, piece)

    def _append_run(self, run: RunRecord) -> None:
        self.journal.append({"entry": "run", "body": to_plain(run)})
        self.ledger.state.setdefault(run.account, AccountState()).note_run(run)

    def _end_window(self) -> None:
        self._writing, self.known = False, None
        self._aside.clear()

    def _neighbours(self, batch: Batch) -> Iterator[date]:
        """Yield the first days of the windows next to this one whose rows the reading did not compare with."""
        held = self.ledger.state.get(batch.account, AccountState()).proofs
        before = batch.window.start.toordinal() - 1
        last_read = self._read_last.get(batch.account)
        if before > 0 and (last_read is None or last_read.toordinal() != before):
            yield from (proof.window_start for proof in held.values() if proof.window_end.toordinal() == before)
        if batch.window.end < date.max and (after := batch.window.end + timedelta(days=1)) in held:
            yield after

    def require_place(self) -> None:
        """Raise `TargetError` where no target of this kind can be."""
        raise NotImplementedError

    def require_unused(self) -> None:
        """Raise `TargetError` where something is there that no backfill wrote."""
        raise NotImplementedError

    def recover(self) -> list[Chapter]:
        """Bring the files back to what the checkpoint says, or raise where they hold less.

        Returns the windows that were published before the checkpoint knew of them.
        """
        raise NotImplementedError

    def load_known(self, account: str, window_start: date, *, own: bool) -> list[Known]:
        """Return the stored rows of one window; `own`: the one that is about to be read again."""
        raise NotImplementedError

    def discard(self) -> None:
        """Drop the rows that were staged."""
        raise NotImplementedError

    def close_files(self) -> None:
        """Close what `recover` opened."""
