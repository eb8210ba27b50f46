"""Laws over services that behave at random: all rows once or a typed error, and nothing left behind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

import attrs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from confirma_async import ConfirmaError, DateWindow, Paginator, RetryPolicy, Verdict
from confirma_async.records import InvoiceDistribution

from .servers import Asked, Reply, Row, Service, day, days_of, reply, row, running, sent, settled, without_total

ENOUGH_FAILURES = 8


@attrs.frozen
class World:
    """A service: rows by day, how it cuts and numbers pages, its faults by place; and how it is read."""

    rows: tuple[int, ...]
    paging: str
    size: int
    past: str
    first: int
    empty: frozenset[int]
    total: bool
    cap: int
    twins: bool
    faults: tuple[tuple[int, int], ...]
    concurrency: int
    window_days: int
    ordered: bool

    @property
    def end(self) -> int:
        """The last day, from 0."""
        return len(self.rows) - 1

    @property
    def numbers(self) -> set[str]:
        """The numbers of all rows."""
        return {str(number) for number in sent(self.rows_of(DateWindow(day(0), day(self.end))))}

    def rows_of(self, window: DateWindow | None) -> list[Row]:
        """The rows of a window; with `twins`, each day's first row comes twice."""
        found: list[Row] = []
        for each in days_of(window):
            place = (each - day(0)).days
            rows = [row(f"{place}-{number}") for number in range(self.rows[place])] if place < len(self.rows) else []
            found += [*rows, *rows[:1]] if self.twins else rows
        return found

    def __call__(self, asked: Asked) -> Reply:
        """Answer, or fail as the script says."""
        fault = dict(self.faults).get(asked.place)
        if fault is not None:
            return Reply(status=fault)
        rows = self.rows_of(asked.window)
        if self.cap and len(rows) > self.cap:
            return Reply(status=413)
        page = (
            self.page(asked, rows) if self.paging == "number" else rows[: self.size if self.paging == "cut" else None]
        )
        if isinstance(page, Reply):
            return page
        return reply(asked, page, len(rows)) if self.total else without_total(asked, page)

    def page(self, asked: Asked, rows: list[Row]) -> list[Row] | Reply:
        """The asked page."""
        number = self.first if asked.is_plain else asked.page
        if number in self.empty:
            return []
        at = number - self.first - sum(self.first <= each < number for each in self.empty)
        last = max(0, (len(rows) - 1) // self.size)
        if not 0 <= at <= last:
            if self.past == "empty":
                return []
            if self.past != "repeat":
                return Reply(status=int(self.past))
            at = max(0, min(at, last))
        return rows[at * self.size : (at + 1) * self.size]


faults = st.lists(st.tuples(st.integers(0, 25), st.sampled_from([503, 429, 500, 403])), max_size=4).map(tuple)
passing_faults = st.lists(st.tuples(st.integers(0, 25), st.sampled_from([503, 429, 500])), max_size=4).map(tuple)
no_faults = st.just(())


def worlds_with(
    paging: list[str],
    totals: list[bool],
    caps: list[int],
    twins: list[bool],
    faults: st.SearchStrategy[tuple[object, ...]],
) -> st.SearchStrategy[World]:
    """Worlds of these kinds; whatever else they are differs freely."""
    return st.builds(
        World,
        rows=st.lists(st.integers(0, 12), min_size=1, max_size=9).map(tuple),
        paging=st.sampled_from(paging),
        size=st.integers(1, 15),
        past=st.sampled_from(["empty", "repeat", "404", "400"]),
        first=st.sampled_from([1, 1, 0]),
        empty=st.frozensets(st.integers(2, 6), max_size=1),
        total=st.sampled_from(totals),
        cap=st.sampled_from(caps),
        twins=st.sampled_from(twins),
        faults=faults,
        concurrency=st.integers(1, 4),
        window_days=st.integers(1, 9),
        ordered=st.booleans(),
    )


def readable_worlds(faults: st.SearchStrategy[tuple[object, ...]]) -> st.SearchStrategy[World]:
    """Worlds all of whose rows can be had, and proved to be all."""
    return worlds_with(["none", "number", "number"], [True], [0], [False], faults)


worlds = worlds_with(["none", "number", "number", "cut"], [True, True, False], [0, 0, 0, 13], [False, True], faults)
law = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def run(story: Callable[[], Coroutine[object, object, None]]) -> None:
    """Run one example in a loop of its own, within ten seconds."""

    async def timed() -> None:
        async with asyncio.timeout(10):
            await story()

    asyncio.run(timed())


async def read(paginator: Paginator[InvoiceDistribution], service: Service) -> tuple[list[str | None], int]:
    """Read to the end, going on after errors; after each, nothing may be left running or asked any more."""
    got: list[str | None] = []
    failures = 0
    iterator = aiter(paginator)
    while failures < ENOUGH_FAILURES:
        try:
            got.append((await anext(iterator)).invoice_number)
        except StopAsyncIteration:
            break
        except ConfirmaError:
            failures += 1
        else:
            continue
        await settled()
        before = len(service.asked)
        await asyncio.sleep(0.002)
        assert (running(), len(service.asked), service.in_flight) == ([], before, 0)
    return got, failures


@law
@given(worlds)
def test_a_run_brings_every_row_once_or_a_typed_error(world: World) -> None:
    async def story() -> None:
        retry = RetryPolicy(max_attempts=2, initial_wait=0.0, max_wait=0.0)
        async with Service(world) as service, service.client(concurrency=world.concurrency, retry=retry) as client:
            paginator = client.distributions.list(
                day(0), day(world.end), window_days=world.window_days, ordered=world.ordered
            )
            got, failures = await read(paginator, service)
            assert len(got) == len(set(got))
            assert set(got) <= world.numbers
            assert service.most_in_flight <= world.concurrency
            ended = failures < ENOUGH_FAILURES
            assert ended == (paginator.report.verdict is not Verdict.INCOMPLETE)
            if paginator.report.verdict is Verdict.COMPLETE:
                assert set(got) == world.numbers

    run(story)


@law
@given(readable_worlds(passing_faults))
def test_a_service_that_can_be_read_whole_is_read_whole(world: World) -> None:
    async def story() -> None:
        retry = RetryPolicy(max_attempts=6, initial_wait=0.0, max_wait=0.0)
        async with Service(world) as service, service.client(concurrency=world.concurrency, retry=retry) as client:
            paginator = client.distributions.list(
                day(0), day(world.end), window_days=world.window_days, ordered=world.ordered
            )
            got = sorted(str(invoice.invoice_number) for invoice in await paginator.collect())
            assert got == sorted(world.numbers)
            assert paginator.report.verdict is Verdict.COMPLETE

    run(story)


@law
@given(readable_worlds(no_faults), st.lists(st.integers(0, 40), max_size=4), st.booleans())
def test_a_run_that_is_left_and_resumed_brings_every_row_once(world: World, stops: list[int], same: bool) -> None:
    async def story() -> None:
        got: list[str] = []
        token = None
        async with Service(world) as service, service.client(concurrency=world.concurrency) as kept:
            for stop in [*stops, None]:
                client = kept if same else service.client(concurrency=world.concurrency)
                paginator = client.distributions.list(
                    day(0), day(world.end), window_days=world.window_days, ordered=world.ordered, resume_token=token
                )
                iterator = aiter(paginator)
                while stop is None or stop > 0:
                    invoice = await anext(iterator, None)
                    if invoice is None:
                        break
                    got.append(str(invoice.invoice_number))
                    stop = None if stop is None else stop - 1
                token = paginator.resume_token
                if not same:
                    await client.aclose()
        assert sorted(got) == sorted(
            {str(number) for number in sent(world.rows_of(DateWindow(day(0), day(world.end))))}
        )

    run(story)


@law
@given(readable_worlds(no_faults), st.integers(0, 60))
def test_no_more_records_come_than_were_wanted(world: World, most: int) -> None:
    async def story() -> None:
        async with Service(world) as service, service.client(concurrency=world.concurrency) as client:
            paginator = client.distributions.list(
                day(0), day(world.end), window_days=world.window_days, ordered=world.ordered, max_items=most
            )
            got = [invoice.invoice_number for invoice in await paginator.collect()]
            assert len(got) == len(set(got)) == min(most, len(world.numbers))

    run(story)
