"""What a caller iterates: records, pages, and where the run stands."""

from __future__ import annotations

import weakref
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Generic, Self, TypeVar, cast

import attrs

from ..errors import ClientClosedError, ConfirmaError
from ..records import DistributionPage, InvoiceDistribution
from ..reports import FetchReport, Verdict, WindowOutcome
from ..session import SessionManager
from .plan import RunPlan
from .run import Run
from .token import Position, write_token

T = TypeVar("T")
R = TypeVar("R", bound="_Reader")


class Listing:
    """What a paginator lists: its plan, the query it belongs to, and the position it starts from."""

    def __init__(self, session: SessionManager, plan: RunPlan, query: str, start: Position) -> None:
        self.session, self.plan, self.query, self.start = session, plan, query, start

    def token(self, run: Run | None) -> str:
        """Return the resume token of a run; None stands for one that has not begun."""
        if run is None:
            return write_token(self.query, self.start)
        head, delivered = run.position()
        return write_token(self.query, Position(self.start.start, self.start.end, head, delivered))


class _Reader:
    """One run over a listing, at the hand of one consumer.

    The run's tasks know the run but not its reader: when the reader is dropped, by `break` or otherwise,
    they are cancelled there and then.
    """

    def __init__(self, listing: Listing) -> None:
        if listing.session.closed:
            raise ClientClosedError("the client is closed")
        self._listing = listing
        self.run = Run(listing.session, listing.plan)
        self._rows = self.run.unread
        weakref.finalize(self, self.run.cancel).atexit = False

    async def next_page(self) -> DistributionPage | None:
        """Return the next page, None at the end; an error carries the resume token."""
        try:
            while True:
                item = await self.run.next_item()
                if not isinstance(item, WindowOutcome):
                    return item
        except ConfirmaError as error:
            failure = error
        failure.resume_token = self._listing.token(self.run)
        raise failure

    async def aclose(self) -> None:
        """Leave nothing running; what was not taken stays untaken."""
        self._rows = []
        await self.run.aclose()


class RecordIterator(_Reader, AsyncIterator[InvoiceDistribution]):
    """Records one by one; after an error, the next `anext` asks for the same page again."""

    async def __anext__(self) -> InvoiceDistribution:
        if self._rows:
            return self._rows.pop()  # the iterator keeps none that was handed out
        page = await self.next_page()
        if page is None:
            raise StopAsyncIteration
        self._rows = self.run.unread = list(reversed(page.invoices))
        return self._rows.pop()


class PageIterator(_Reader, AsyncIterator[DistributionPage]):
    """Pages one by one; after an error, the next `anext` asks for the same page again."""

    async def __anext__(self) -> DistributionPage:
        page = await self.next_page()
        if page is None:
            raise StopAsyncIteration
        return page


class Reading(_Reader, AsyncIterator[DistributionPage | WindowOutcome]):
    """Pages, and after a window's last page its outcome; for those who keep books about windows."""

    async def __anext__(self) -> DistributionPage | WindowOutcome:
        item = await self.run.next_item()
        if item is None:
            raise StopAsyncIteration
        return item

    @property
    def report(self) -> FetchReport:
        """The sums so far."""
        return self.run.report()


class Paginator(Generic[T]):
    """The invoices that a query lists; nothing is asked before it is iterated.

    ``async for invoice in paginator`` starts a new, independent run each time, and asks the service again.
    To go on after an error, keep the iterator: ``it = aiter(paginator)``, and ``await anext(it)`` asks for
    the same page again. `report` and `resume_token` speak of the latest run.
    """

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self._run: Run | None = None
        self._stands_at: Run | None = None
        self._readers: weakref.WeakSet[_Reader] = weakref.WeakSet()

    def __aiter__(self) -> AsyncIterator[T]:
        # The one thing there is to list today; T leaves room for the neighbouring endpoints.
        return cast("AsyncIterator[T]", self._begin(RecordIterator(self._listing)))

    def pages(self) -> AsyncIterator[DistributionPage]:
        """Iterate over pages: each answer that brought records, with its window and the service's metadata."""
        return self._begin(PageIterator(self._listing))

    async def collect(self) -> list[T]:
        """Return all records in one list; an error's resume token then stands at the beginning."""
        pages = self._begin(PageIterator(self._listing))
        self._stands_at = None  # until all is collected: what was collected is lost with an error
        found: list[InvoiceDistribution] = []
        try:
            async for page in pages:
                found += page.invoices
        except ConfirmaError as error:
            error.resume_token = self.resume_token
            raise
        finally:
            await pages.aclose()
        self._stands_at = pages.run
        return cast("list[T]", found)

    async def first(self) -> T | None:
        """Return the first record, or None if there is none; nothing beyond it is asked for."""
        listing = self._listing
        plan = attrs.evolve(
            listing.plan, max_items=min(1, 1 if listing.plan.max_items is None else listing.plan.max_items)
        )
        one = Listing(listing.session, plan, listing.query, listing.start)
        reader = self._begin(RecordIterator(one))
        try:
            return cast("T | None", await anext(reader, None))
        finally:
            await reader.aclose()

    @property
    def report(self) -> FetchReport:
        """What the latest run asked and got so far; its verdict is INCOMPLETE until the run has ended."""
        if self._run is None:
            return FetchReport(Verdict.INCOMPLETE, windows_total=len(self._listing.plan.windows))
        return self._run.report()

    @property
    def resume_token(self) -> str:
        """Where the latest run stands: pass it to `list(..., resume_token=)` with the same arguments.

        Exact to the record over data that holds still. JSON-safe text; it holds the resolved dates and no
        invoice number.
        """
        return self._listing.token(self._stands_at)

    async def aclose(self) -> None:
        """End every run of this paginator that is under way."""
        for reader in list(self._readers):
            await reader.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _begin(self, reader: R) -> R:
        self._run = self._stands_at = reader.run
        self._readers.add(reader)
        return reader
