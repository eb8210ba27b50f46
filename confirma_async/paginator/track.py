"""One window of a run: its rules, its requests under way, and what of it was handed out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import attrs

from .._findings import Tally
from ..records import DistributionPage, InvoiceDistribution
from ..reports import Verdict, WindowOutcome
from .rows import Sighting
from .rules import WindowState
from .span import Ask


@attrs.define(eq=False, repr=False)
class Track:
    """A window that is being read; `skip`: rows that an earlier run handed out already; `position`: rows
    handed out, those included."""

    index: int
    state: WindowState
    skip: int = 0
    position: int = 0
    tally: Tally = attrs.field(factory=Tally)
    tasks: dict[Ask, asyncio.Task[None]] = attrs.field(factory=dict)
    failure: Exception | None = None
    pages: int = 0
    delivered: int = 0

    @property
    def load(self) -> int:
        """Answers of this window that are under way or wait for the consumer; at least its own place."""
        return len(self.tasks) + self.state.held or 1

    @property
    def grows(self) -> int:
        """How much one more request adds to the load."""
        return 1 if self.tasks or self.state.held else 0

    @property
    def ended(self) -> bool:
        """Whether all of the window was handed out."""
        return self.state.done and not self.state.ready

    def next_page(self, neighbours: Sequence[WindowState]) -> tuple[DistributionPage, Place] | None:
        """Return the next answer that brings records nobody had yet, None where none is ready."""
        while self.state.ready:
            ready = self.state.take_ready()
            leaving, first, positions = ready.leaving, ready.first, None
            if first < self.skip:
                leaving, first = leaving[self.skip - first :], self.skip
            known = [other for other in neighbours if not other.delivery.handed.knows_none_of(ready.rows)]
            if known:
                kept = [(at, row) for at, row in enumerate(leaving, first) if self._is_ours(row, known)]
                positions, leaving = [at for at, _ in kept], [row for _, row in kept]
            self.position = max(self.skip, ready.first + len(ready.leaving))
            if leaving:
                self.pages += 1
                self.delivered += len(leaving)
                page = DistributionPage(ready.span, self.pages, tuple(leaving), ready.answer.metadata)
                return page, Place(self.index, first, len(leaving), positions)
        return None

    def _is_ours(self, row: InvoiceDistribution, neighbours: Iterable[WindowState]) -> bool:
        for other in neighbours:
            found = other.delivery.handed.sight(row)
            if found is not Sighting.NEW and not other.still_holds(row):
                return self.state.delivery.weigh(found)
        return True

    def outcome(self) -> WindowOutcome:
        """Return what became of the window, as of now."""
        state = self.state
        if state.received and not self.delivered and not self.skip and not state.invalid:
            state.doubts["every row came for a neighbouring window too: the dates may not be applied"] = None
        verdict = state.verdict
        reasons = state.gaps or ({f"{len(state.invalid)} rows broke the contract": None} if state.invalid else {})
        return WindowOutcome(
            index=self.index,
            window=state.window,
            verdict=verdict,
            reasons=tuple(reasons) if verdict is Verdict.INCOMPLETE else tuple(state.doubts),
            promised=state.promised,
            received=state.received,
            delivered=self.delivered,
            duplicates=state.delivery.duplicates,
            conflicts=state.delivery.conflicts,
            invalid=tuple(state.invalid.values()),
            pages=self.pages,
            requests=self.tally.requests,
            retries=self.tally.retries,
            rereads=state.rereads,
            halvings=state.halvings,
            bytes=self.tally.bytes,
            fetched_at=datetime.now(UTC),
        )

    def drop_requests(self) -> list[asyncio.Task[None]]:
        """Cancel what is under way; it is wanted again. Returns the tasks, to be awaited."""
        tasks = list(self.tasks.values())
        for task in tasks:
            task.cancel()
        self.forget_requests()
        return tasks

    def forget_requests(self) -> None:
        """Take what is under way for lost; it is wanted again."""
        for ask in self.tasks:
            self.state.dropped(ask)
        self.tasks.clear()


@attrs.define(eq=False, repr=False)
class Place:
    """Where the records of a page stand in their window: `positions` of each, where some were left out."""

    index: int
    first: int
    size: int
    positions: list[int] | None

    def position_after(self, consumed: int) -> int:
        """Return how far the window is handed out once so many records of the page are consumed."""
        if self.positions is None or not consumed:
            return self.first + consumed
        return self.positions[consumed - 1] + 1
