"""One run over windows: which request goes out next, what is handed out next, how it all ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import attrs

from .._gate import Lane
from .._wire import Request, distribution_request
from ..errors import ConfigurationError, ConfirmaError
from ..events import Progress, WindowEnded, being_cancelled, notify
from ..records import DistributionPage, InvoiceDistribution
from ..reports import FetchReport, WindowOutcome
from ..session import SessionManager
from .ledger import Ledger, report_on
from .places import Places, ReadAhead, more_is_needed
from .plan import RunPlan
from .rules import WindowState
from .scouting import Scouting
from .span import Ask, Result
from .token import ENDED
from .track import Place, Track


class Run:
    """Reads windows side by side and hands out pages and outcomes, never far ahead of who takes them.

    At most ``2 * concurrency`` answers are under way or waiting beyond the page that was handed out. The
    head window always finds a place: others leave as many free as it is known to need, up to `concurrency`.
    A window that fails stops those behind it at once; those before it are finished and handed out, then the
    error is raised. The next call asks for the same page again. `unread` is what the consumer has left of the
    page it is reading, if it reads record by record.
    """

    def __init__(self, session: SessionManager, plan: RunPlan) -> None:
        self._session, self._plan = session, plan
        self._tracks: dict[int, Track] = {}
        self._scouting = Scouting()
        self._recent: dict[int, WindowState] = {}
        self._ended = {index for index, count in plan.delivered.items() if count == ENDED}
        self._head = self._unopened = plan.head
        self._lane = Lane(plan.head)
        self._left = plan.max_items
        self._ahead = ReadAhead(2 * session.settings.concurrency)
        self._ledger = Ledger(windows=len(self._ended) + plan.head)
        self._last: Place | None = None
        self._untold: DistributionPage | WindowOutcome | None = None
        self._wake: asyncio.Future[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._busy = False
        self.unread: list[InvoiceDistribution] = []
        self._began = time.monotonic()
        self._took: float | None = None
        self._finished = False
        self._failed_at: int | None = None
        self._dying: list[asyncio.Task[None]] = []
        self._advance_head()

    async def next_item(self) -> DistributionPage | WindowOutcome | None:
        """Return the next page, or the outcome of a window after its last page; None at the end.

        Raises the typed error of a window that failed, with its window, once its siblings are gone.
        """
        loop = self._settle_in()
        if self._busy:
            raise ConfigurationError("another task is waiting on this iterator: give each task an iterator of its own")
        self._busy = True
        try:
            while True:
                if self._untold is None and (self._finished or self._is_over()):
                    await self.aclose()
                    return None
                self._untold = self._untold or self._take()
                if self._untold is not None:
                    return await self._hand_over()
                await self._raise_failure()
                self._wake = loop.create_future()
                self._ahead.wait_begins()
                self._pump(waiting=True)
                await self._wake
                self._ahead.wait_ends()
        except asyncio.CancelledError:
            self._wake = None
            await self._halt()
            raise
        finally:
            self._busy = False

    def _settle_in(self) -> asyncio.AbstractEventLoop:
        """Forget what was under way on a loop that has ended; it is asked for again on the running one, returned."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._wake, self._dying, self._busy = loop, None, [], False
            self._ahead.restore()
            for track in self._tracks.values():
                track.forget_requests()
        return loop

    async def _hand_over(self) -> DistributionPage | WindowOutcome | None:
        """Tell the hooks, then let the item go; if the consumer is cancelled meanwhile it is not lost."""
        item = self._untold
        if self._session.hooks and item is not None:
            await self._tell(item)
        if not self._ahead.is_steady:
            await asyncio.sleep(0)  # what was just allowed out goes on the wire before the consumer works on this page
        self._untold = None
        return item

    async def aclose(self) -> None:
        """Cancel and await whatever is under way; the run is over."""
        self._finished = True
        self._took = self._took or time.monotonic() - self._began
        for track in self._tracks.values():
            track.state.abandon()
        await self._halt()

    def cancel(self) -> None:
        """Cancel whatever is under way, without waiting: for a consumer that is gone."""
        self._finished = True
        for track in self._tracks.values():
            track.state.abandon()
            for task in track.tasks.values():
                if not task.get_loop().is_closed():
                    task.cancel()

    @property
    def _unread(self) -> int:
        if isinstance(self._untold, DistributionPage):
            return len(self._untold.invoices)
        return len(self.unread)

    def position(self) -> tuple[int, dict[int, int]]:
        """Return the head window, and how much of it and of later ones was consumed."""
        at = {track.index: track.position for track in self._tracks.values() if track.position}
        at |= {index: max(count, at.get(index, 0)) for index, count in self._plan.delivered.items() if count != ENDED}
        at |= dict.fromkeys(self._ended, ENDED)
        last = self._last
        if last is not None and last.index in self._tracks:
            at[last.index] = last.position_after(last.size - self._unread)
        return self._head, {index: count for index, count in at.items() if index >= self._head and count}

    def report(self) -> FetchReport:
        """Return the sums so far."""
        return report_on(
            self._ledger,
            self._tracks.values(),
            windows_total=len(self._plan.windows),
            unread=self._unread,
            over=self._is_over() and self._left != 0,
            seconds=self._took or time.monotonic() - self._began,
            rests_on=self._session.profile.rests_on() if any(self._plan.windows[:1]) else (),
        )

    def _is_over(self) -> bool:
        return self._left == 0 or (self._head >= len(self._plan.windows) and not self._tracks)

    def _take(self) -> DistributionPage | WindowOutcome | None:
        """Return what can be handed out now; the place of an answer is free once it is handed out."""
        for track in self._in_turn():
            found = track.next_page(self._neighbours(track.index))
            if found is not None:
                return self._hand_out(*found, track)
            if track.ended:
                return self._close(track)
        return None

    def _in_turn(self) -> Iterator[Track]:
        if not self._plan.ordered:
            yield from list(self._tracks.values())  # opened in window order
        elif self._head in self._tracks:
            yield self._tracks[self._head]

    def _neighbours(self, index: int) -> list[WindowState]:
        around = (index - 1,) if self._plan.ordered else (index - 1, index + 1)
        return [self._recent[near] for near in around if near in self._recent]

    def _hand_out(self, page: DistributionPage, place: Place, track: Track) -> DistributionPage:
        if self._left is not None:
            if place.size > self._left:
                track.delivered -= place.size - self._left
                place.size = self._left
                page = attrs.evolve(page, invoices=page.invoices[: self._left])
            self._left -= place.size
        self._last = place
        self._ahead.taken(track, self._tracks.values())
        self._pump(waiting=False)
        return page

    def _close(self, track: Track) -> WindowOutcome:
        outcome = track.outcome()
        self._ledger.enter(outcome)
        self._ledger.pages += track.pages
        self._ledger.records += track.delivered
        del self._tracks[track.index]
        self._ended.add(track.index)
        self._advance_head()
        self._session.move_on(self._lane, self._head)
        for near in (track.index - 1, track.index, track.index + 1):
            if all(map(self._has_ended, (near - 1, near, near + 1))):
                self._recent.pop(near, None)
        self._pump(waiting=False)
        return outcome

    def _has_ended(self, index: int) -> bool:
        return index < self._head or index in self._ended or (self._plan.ordered and index > self._head)

    def _advance_head(self) -> None:
        while self._head in self._ended:
            self._ended.remove(self._head)
            self._head += 1

    def _pump(self, *, waiting: bool) -> None:
        """Send what may go out, in window order, while there are places."""
        places = Places(self._tracks, self._head, self._ahead.places + waiting)
        if self._finished or places.all_taken:
            return
        for track in self._tracks.values():
            while track.state.wanted is not None:
                if not self._may_send(track.index) or not places.take(track.index, track.grows):
                    return
                self._send(track)
        while (index := self._next_unopened()) is not None:
            if not self._may_send(index) or not places.take(index, 1):
                return
            self._send(self._open(index))

    def _may_send(self, index: int) -> bool:
        if self._left is not None and not more_is_needed(self._tracks.values(), self._left):
            return False
        return not self._is_stopped(index)

    def _send(self, track: Track) -> None:
        ask = track.state.send()
        assert self._loop is not None  # noqa: S101  # a run that sends has settled in
        track.tasks[ask] = self._loop.create_task(self._fetch(track, ask), name="confirma_async request")

    def _next_unopened(self) -> int | None:
        while self._unopened < self._head or self._unopened in self._ended:
            self._unopened += 1
        return self._unopened if self._unopened < len(self._plan.windows) else None

    def _open(self, index: int) -> Track:
        settings, plan = self._session.settings, self._plan
        state = WindowState(
            index,
            plan.windows[index],
            plan.filters,
            settings.profile,
            settings.paging,
            self._session.diagnosis,
            self._scouting,
            require=plan.completeness == "require",
        )
        self._recent[index] = state
        skip = plan.delivered.get(index, 0)
        track = self._tracks[index] = Track(index, state, skip=skip, position=skip)
        self._unopened = index + 1
        return track

    async def _fetch(self, track: Track, ask: Ask) -> None:
        """Make one request and hand what came of it to the rules."""
        session, plan = self._session, self._plan
        result: Result
        try:
            result = await session.call(
                self._request(ask),
                rank=track.index,
                lane=self._lane,
                tally=track.tally,
                skip_invalid=plan.on_invalid == "report",
            )
        except ConfirmaError as error:
            result = error
        except Exception as error:  # noqa: BLE001  # whatever it is, the consumer must hear of it
            self._fail(track, ask, error)
            return
        except asyncio.CancelledError:
            if being_cancelled():
                raise  # by this run, which has forgotten it already, or by a loop that ends
            result = ConfirmaError("a request was cancelled by something that it called")
        self._receive(track, ask, result)

    def _request(self, ask: Ask) -> Request:
        span, session = ask.span, self._session
        if span.request is None:
            span.request = distribution_request(session.base_url, session.profile, self._plan.filters, span.asked)
        return span.request if ask.page is None else span.request.at_page(ask.page)

    def _receive(self, track: Track, ask: Ask, result: Result) -> None:
        try:
            more_may_go_out = track.state.receive(ask, result)
        except Exception as error:  # noqa: BLE001  # whatever it is, the consumer must hear of it
            if isinstance(error, ConfirmaError):
                error.window = error.window or ask.span.asked
            self._fail(track, ask, error)
            return
        del track.tasks[ask]
        if more_may_go_out:
            self._scouting.release()
            self._pump(waiting=False)
        self._awaken()

    def _fail(self, track: Track, ask: Ask, error: Exception) -> None:
        """Note a window that failed for good; what lies behind it stops at once."""
        del track.tasks[ask]
        track.state.dropped(ask)
        track.failure = track.failure or error
        self._failed_at = track.index if self._failed_at is None else min(self._failed_at, track.index)
        for other in self._tracks.values():
            if self._is_stopped(other.index):
                self._dying += other.drop_requests()
        self._awaken()

    def _is_stopped(self, index: int) -> bool:
        return self._failed_at is not None and (index >= self._failed_at or not self._plan.ordered)

    async def _raise_failure(self) -> None:
        """Raise the failure that nothing is left to be handed out before."""
        failed = [track for track in self._in_turn() if track.failure is not None]
        if not failed:
            return
        track = failed[0]
        await self._halt()
        failure = track.failure
        for other in self._tracks.values():
            other.failure = None
            if other.state.broken:
                other.state.restart()
        self._failed_at = None
        assert failure is not None  # noqa: S101  # by its choice above
        raise failure

    async def _halt(self) -> None:
        """Cancel and await everything under way; what was asked for is wanted again."""
        self._ahead.restore()
        for track in self._tracks.values():
            self._dying += track.drop_requests()
        dying, self._dying = self._dying, []
        if dying:
            await asyncio.gather(*dying, return_exceptions=True)

    def _awaken(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    async def _tell(self, item: DistributionPage | WindowOutcome) -> None:
        hooks = self._session.hooks
        if isinstance(item, WindowOutcome):
            await notify(hooks, WindowEnded(item))
        now = self.report()
        await notify(
            hooks,
            Progress(now.windows, now.windows_total, now.records, now.requests, now.retries, now.bytes, now.seconds),
        )
