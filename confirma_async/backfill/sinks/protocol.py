"""The seam between a backfill and where its records go."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

import attrs

from ...records import InvoiceDistribution
from ...windows import DateWindow
from ..proof import RunRecord, Tally, TargetState, WindowProof


@attrs.frozen
class Batch:
    """Some rows of one window, in the order they came; `moment` (aware, UTC) is the same for the whole window."""

    account: str
    window: DateWindow
    invoices: Sequence[InvoiceDistribution]
    moment: datetime


@attrs.frozen
class StoredRecord:
    """The current state of one row of a target.

    `account` is ``""`` where no label was given. `first_seen`: when the row was first stored; `last_changed`:
    when its content last changed. `window_start`: the first day of the window that brought it.
    """

    account: str
    invoice: InvoiceDistribution
    first_seen: datetime
    last_changed: datetime
    window_start: str


@runtime_checkable
class Sink(Protocol):
    """Where records go; implement it to add a target of your own and hand an instance to ``into=``.

    Every method is a coroutine function, and the calls come one at a time: `open`; then per run `begin`, per
    window `write` (any number of times, with bounded batches) and `commit`, or `rollback`; `finish`; at last
    `close`. Several accounts may take turns, window by window. The rule that everything rests on: the rows of
    a window and its proof become durable **together**, in `commit`. Whatever was written and not committed
    must be gone after `rollback`, after `close`, and after the process died at any point. A failure is raised
    as `TargetError` (cannot be written or read) or `CheckpointError` (what is there cannot be gone on from),
    in one line that says what to do. `close` is called after an `open` that failed, too.

    `open` takes the target for this process alone and returns what it holds; it is called before the first
    request, so whatever is wrong should be found here. `write` returns what became of the rows; a later state
    of a row replaces the earlier one, a case id is never replaced by None.

    A sink that only counts::

        class Counting:
            def __init__(self):
                self.rows, self.pending, self.runs, self.proofs = 0, 0, [], []

            async def open(self):
                return gather(self.runs, self.proofs)

            async def begin(self, run):
                self.runs.append(run)

            async def write(self, batch):
                self.pending += len(batch.invoices)
                return Tally(added=len(batch.invoices))

            async def commit(self, proof):
                self.rows, self.pending = self.rows + self.pending, 0
                self.proofs.append(proof)

            async def rollback(self):
                self.pending = 0

            async def finish(self, run):
                self.runs.append(run)

            async def close(self):
                pass
    """

    def open(self) -> Awaitable[TargetState]: ...
    def begin(self, run: RunRecord, /) -> Awaitable[None]: ...
    def write(self, batch: Batch, /) -> Awaitable[Tally]: ...
    def commit(self, proof: WindowProof, /) -> Awaitable[None]: ...
    def rollback(self) -> Awaitable[None]: ...
    def finish(self, run: RunRecord, /) -> Awaitable[None]: ...
    def close(self) -> Awaitable[None]: ...


class Store(Protocol):
    """The blocking half of a file target: the same calls as `Sink`, all made in one thread."""

    def open(self) -> TargetState: ...
    def begin(self, run: RunRecord, /) -> None: ...
    def write(self, batch: Batch, /) -> Tally: ...
    def commit(self, proof: WindowProof, /) -> None: ...
    def rollback(self) -> None: ...
    def finish(self, run: RunRecord, /) -> None: ...
    def close(self) -> None: ...


class Target(Protocol):
    """What ``into=`` names, before it is opened.

    `key` tells two names of the same place apart from two places. `state` and `records` read without taking
    the target: beside a running backfill they see what is durable.
    """

    @property
    def key(self) -> str: ...
    def sink(self) -> Sink: ...
    async def state(self) -> TargetState: ...
    def records(self) -> AsyncIterator[StoredRecord]: ...
