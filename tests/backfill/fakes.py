"""A service without HTTP: rows by day, windows counted as they are asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import UTC, date, datetime

import attrs

from confirma_async.backfill.job import Job
from confirma_async.backfill.report import BackfillReport
from confirma_async.backfill.run import OnProgress, run_backfill
from confirma_async.backfill.targets import Into, SharedTarget, target_for
from confirma_async.config import ServiceProfile
from confirma_async.records import (
    DistributionDates,
    DistributionError,
    DistributionFile,
    DistributionMetadata,
    DistributionPage,
    InvoiceDistribution,
    PaymentControl,
)
from confirma_async.reports import FetchReport, Verdict, WindowOutcome
from confirma_async.windows import DateWindow

Rows = list[InvoiceDistribution]


@attrs.frozen
class Calendar(ServiceProfile):
    """A profile whose today is chosen by the test."""

    day: date = date(2026, 1, 1)

    def today(self) -> date:
        return self.day


def invoice(
    number: str | None,
    status: str = "SENT",
    *,
    case_id: str | None = None,
    errors: int = 0,
    when: date = date(2025, 1, 1),
) -> InvoiceDistribution:
    """Return a plain record."""
    return InvoiceDistribution(
        number,
        status,
        "EMAIL",
        None,
        DistributionDates(datetime(when.year, when.month, when.day, 8, 30, tzinfo=UTC), datetime(2025, 1, 2)),
        DistributionFile(f"https://files.example/{number}"),
        PaymentControl(True, "CashIn", "OPEN", case_id),
        [DistributionError(f"E{place}", "no such address", "DELIVERY") for place in range(errors)],
    )


def three_a_day(day: date) -> Rows:
    """Return three invoices of a day."""
    return [
        invoice(f"{day:%Y%m%d}{place}", case_id=None if place else f"C{day:%Y%m%d}", errors=place % 2, when=day)
        for place in range(3)
    ]


@attrs.define
class Service:
    """What the server would answer; `fail_after`: windows until it breaks down; `asked`: what reached it."""

    rows_of: Callable[[date], Rows] = three_a_day
    base_url: str = "https://service.example"
    profile: Calendar = attrs.field(factory=Calendar)
    page: int = 50
    asked: list[DateWindow] = attrs.field(factory=list)
    fail_after: int | None = None
    failure: BaseException | None = None
    verdicts: dict[date, Verdict] = attrs.field(factory=dict)
    closed: int = 0

    def read(self, windows: Sequence[DateWindow]) -> FakeReading:
        """Return a reading of those windows."""
        return FakeReading(self, windows)

    def rows_in(self, window: DateWindow) -> Rows:
        """Return what lies in a window."""
        days = range(window.start.toordinal(), window.end.toordinal() + 1)
        return [row for day in days for row in self.rows_of(date.fromordinal(day))]


class FakeReading:
    """Ordered: pages of a window, then its outcome."""

    def __init__(self, service: Service, windows: Sequence[DateWindow]) -> None:
        self._service, self._windows = service, windows
        self._requests = 0

    @property
    def report(self) -> FetchReport:
        return FetchReport(Verdict.COMPLETE, requests=self._requests, retries=0, bytes=100 * self._requests)

    async def __aiter__(self) -> AsyncIterator[DistributionPage | WindowOutcome]:
        service = self._service
        for index, window in enumerate(self._windows):
            service.asked.append(window)
            self._requests += 1
            rows = service.rows_in(window)
            for page in self._pages(window, rows):
                yield page
            if service.fail_after is not None and index >= service.fail_after:
                raise service.failure or RuntimeError("the test forgot to say how")
            yield outcome(index, window, len(rows), service.verdicts.get(window.start, Verdict.COMPLETE))

    def _pages(self, window: DateWindow, rows: Rows) -> Iterator[DistributionPage]:
        for number, start in enumerate(range(0, len(rows), self._service.page), 1):
            some = tuple(rows[start : start + self._service.page])
            yield DistributionPage(window, number, some, DistributionMetadata(total_count=len(rows)))

    async def aclose(self) -> None:
        self._service.closed += 1


def outcome(index: int, window: DateWindow, rows: int, verdict: Verdict = Verdict.COMPLETE) -> WindowOutcome:
    """Return the outcome of a window that went well."""
    return WindowOutcome(
        index=index,
        window=window,
        verdict=verdict,
        reasons=() if verdict is Verdict.COMPLETE else (f"made {verdict} by the test",),
        promised=rows,
        received=rows,
        delivered=rows,
        duplicates=0,
        conflicts=0,
        invalid=(),
        pages=1,
        requests=1,
        retries=0,
        rereads=0,
        halvings=0,
        bytes=100,
        fetched_at=datetime.now(UTC),
    )


async def run(
    service: Service,
    from_date: date,
    to_date: date,
    into: Into,
    *,
    window_days: int = 30,
    refresh_days: int = 30,
    fetch_type: str | None = None,
    account: str | None = None,
    environment: str | None = None,
    progress: OnProgress | None = None,
) -> BackfillReport:
    """Backfill from the fake service."""
    job = Job.checked(
        service,
        from_date,
        to_date,
        window_days=window_days,
        refresh_days=refresh_days,
        fetch_type=fetch_type,
        account=account,
        environment=environment,
        may_join=isinstance(into, SharedTarget),
    )
    return await run_backfill(job, target_for(into), service.read, progress)
