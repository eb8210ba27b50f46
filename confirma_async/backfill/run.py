"""The run of a backfill: read windows in order, stage their rows, make each window durable with its rows."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol, TypeAlias

import attrs

from ..events import Event, Progress, notify
from ..records import DistributionPage, InvoiceDistribution
from ..reports import FetchReport, WindowOutcome
from ..windows import DateWindow
from .job import Job
from .proof import RunRecord, Tally, prove
from .report import BackfillReport, finished, report_on
from .sharing import OpenTarget, opened, undisturbed
from .sinks.protocol import Batch, Target

BATCH = 2000
"""Rows that are gathered before they go to the target; a smaller window takes its turn only once it is whole."""


class WindowReading(Protocol):
    """Pages of window 0, its outcome, pages of window 1, and so on; `aclose` cancels and awaits everything."""

    @property
    def report(self) -> FetchReport: ...
    def __aiter__(self) -> AsyncIterator[DistributionPage | WindowOutcome]: ...
    async def aclose(self) -> None: ...


OnProgress: TypeAlias = Callable[[Progress], Awaitable[None] | None]
ReadWindows: TypeAlias = Callable[[Sequence[DateWindow]], WindowReading]


@attrs.define
class Meter:
    """Tells how far a run is; `windows` and `windows_total` count those that were done before, too."""

    progress: OnProgress | None
    windows: int
    windows_total: int
    records: int = 0
    started: float = attrs.field(factory=time.monotonic)

    async def tell(self, so_far: FetchReport | None = None) -> None:
        """Report progress; what the callable raises is logged and contained."""
        await notify(
            (self._hook,),
            Progress(
                windows=self.windows,
                windows_total=self.windows_total,
                records=self.records,
                requests=0 if so_far is None else so_far.requests,
                retries=0 if so_far is None else so_far.retries,
                bytes=0 if so_far is None else so_far.bytes,
                seconds=time.monotonic() - self.started,
            ),
        )

    def _hook(self, event: Event) -> Awaitable[None] | None:
        return None if self.progress is None or not isinstance(event, Progress) else self.progress(event)


async def run_backfill(
    job: Job, target: Target, read: ReadWindows, progress: OnProgress | None = None
) -> BackfillReport:
    """Run the job and return its proof; whatever is raised, every finished window is kept.

    Raises `TargetError`, `CheckpointError`, and what reading raises; then the run is unfinished, and the same
    job goes on where it stopped.
    """
    async with opened(target, job.account) as held:
        job.require_same_origin(held.state)
        state = held.of(job.account)
        planned = job.windows(state)
        run = job.run_on(state)
        await held.begin(run)
        asked = [one.window for one in planned if one.asked]
        meter = Meter(progress, len(planned) - len(asked), len(planned))
        await meter.tell()
        if asked:
            await _Copying(held, job, run, asked, meter).copy(read(asked))
        await held.finish(attrs.evolve(finished(run, state), finished_at=datetime.now(UTC)))
        return report_on(held.state, job.account, job.span)


class _Copying:
    """From one reading into one target: a window is staged in batches and committed when its outcome comes."""

    def __init__(self, held: OpenTarget, job: Job, run: RunRecord, windows: Sequence[DateWindow], meter: Meter) -> None:
        self._held, self._job, self._run, self._windows, self._meter = held, job, run, windows, meter
        self._waiting: list[InvoiceDistribution] = []
        self._window = 0
        self._moment = datetime.now(UTC)
        self._tally = Tally()
        self._has_turn = False

    async def copy(self, reading: WindowReading) -> None:
        """Copy everything; a window that is not whole when this ends for whatever reason leaves nothing behind."""
        try:
            async for item in reading:
                if isinstance(item, WindowOutcome):
                    await self._end(item)
                    await self._meter.tell(reading.report)
                else:
                    await self._take(item)
        finally:
            try:
                await undisturbed(reading.aclose())
            finally:
                await self._give_back()

    async def _take(self, page: DistributionPage) -> None:
        self._waiting += page.invoices
        while len(self._waiting) >= BATCH:
            await self._stage(BATCH)

    async def _end(self, outcome: WindowOutcome) -> None:
        while self._waiting:
            await self._stage(BATCH)
        await self._take_turn()
        window = self._windows[outcome.index]
        await self._held.commit(prove(outcome, window, self._run, self._job.today, self._tally))
        self._meter.windows += 1
        self._window, self._tally = outcome.index + 1, Tally()
        self._let_turn_go()

    async def _stage(self, rows: int) -> None:
        await self._take_turn()
        some, self._waiting = self._waiting[:rows], self._waiting[rows:]
        batch = Batch(self._job.account, self._windows[self._window], some, self._moment)
        self._tally += await undisturbed(self._held.sink.write(batch))
        self._meter.records += len(some)

    async def _take_turn(self) -> None:
        if not self._has_turn:
            await self._held.turn.acquire()
            self._has_turn, self._moment = True, datetime.now(UTC)

    def _let_turn_go(self) -> None:
        self._has_turn = False
        self._held.turn.release()

    async def _give_back(self) -> None:
        """Drop the rows of a window that did not become whole, if there are any."""
        if self._has_turn:
            try:
                with contextlib.suppress(Exception):  # the failure that led here says more; closing drops them, too
                    await undisturbed(self._held.sink.rollback())
            finally:
                self._let_turn_go()
