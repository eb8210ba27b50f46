"""Windows side by side: how many at once, in which order, and how it ends when one fails or the caller leaves."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from confirma_async import (
    BadRequestError,
    ClientClosedError,
    ConfigurationError,
    DateWindow,
    Event,
    InvoiceDistribution,
    PermissionDeniedError,
    Progress,
    RetryPolicy,
    Verdict,
)
from confirma_async.sandbox import Fault, SandboxServer

from .servers import Asked, Reply, Service, day, numbers, paged, reply, row, rows_by_day, running, sent, settled

Leave = Callable[[AsyncIterator[InvoiceDistribution]], Awaitable[None]]


async def two_a_day(asked: Asked) -> Reply:
    """Two rows a day, after a turn of the loop or two."""
    await asyncio.sleep(0.002)
    return reply(asked, rows_by_day(asked.window, 2))


@pytest.mark.parametrize("concurrency", [1, 4])
async def test_exactly_as_many_requests_are_in_flight_as_were_allowed(concurrency: int) -> None:
    async def answer(asked: Asked) -> Reply:
        await asyncio.sleep(0.005)
        return Reply(status=503) if asked.place % 7 == 3 else paged(asked, rows_by_day(asked.window, 5), 10)

    retry = RetryPolicy(max_attempts=9, initial_wait=0.001, max_wait=0.002)
    async with Service(answer) as service, service.client(concurrency=concurrency, retry=retry) as client:
        got = await client.distributions.list(day(0), day(149), window_days=5).collect()
    assert (len(got), service.most_in_flight) == (750, concurrency)


async def test_windows_come_in_order_whichever_answers_first() -> None:
    async def answer(asked: Asked) -> Reply:
        assert asked.window is not None
        await asyncio.sleep(0.02 if asked.window.start.day % 2 else 0)
        return reply(asked, rows_by_day(asked.window, 2))

    async with Service(answer) as service, service.client() as client:
        got = numbers(await client.distributions.list(day(0), day(19), window_days=1).collect())
    assert got == sent(rows_by_day(DateWindow(day(0), day(19)), 2))


async def test_windows_come_as_they_are_completed_where_order_is_not_wanted() -> None:
    last = asyncio.Event()

    async def answer(asked: Asked) -> Reply:
        if asked.window == DateWindow(day(0), day(0)):
            await last.wait()
        return reply(asked, rows_by_day(asked.window, 1))

    async with Service(answer) as service, service.client(concurrency=2) as client:
        got = []
        async for invoice in client.distributions.list(day(0), day(19), window_days=1, ordered=False):
            got.append(invoice.invoice_number)
            if len(got) == 19:
                last.set()
    assert got[-1] == "20250101-0"
    assert sorted(got, key=str) == sent(rows_by_day(DateWindow(day(0), day(19)), 1))


async def test_records_of_ended_windows_are_forgotten_while_the_first_one_is_slow() -> None:
    last = asyncio.Event()
    alive: list[int] = []

    async def answer(asked: Asked) -> Reply:
        if asked.window == DateWindow(day(0), day(0)):
            await last.wait()
        return reply(asked, rows_by_day(asked.window, 20))

    async with Service(answer) as service, service.client(concurrency=2) as client:
        count = 0
        async for _ in client.distributions.list(day(0), day(99), window_days=1, ordered=False):
            count += 1
            if count == 99 * 20:
                gc.collect()
                alive.append(sum(isinstance(each, InvoiceDistribution) for each in gc.get_objects()))
                last.set()
    assert alive[0] < 20 * 20


async def test_a_window_that_fails_is_named_and_stops_its_siblings() -> None:
    async def answer(asked: Asked) -> Reply:
        if asked.window == DateWindow(day(10), day(19)):
            return Reply(status=403)
        return await two_a_day(asked)

    async with Service(answer) as service, service.client(concurrency=4) as client:
        invoices = client.distributions.list(day(0), day(299), window_days=10)
        with pytest.raises(PermissionDeniedError) as caught:
            await invoices.collect()
        assert (caught.value.window, running()) == (DateWindow(day(10), day(19)), [])
        await settled()
        before = len(service.asked)
        await asyncio.sleep(0.05)
        assert (len(service.asked), service.in_flight) == (before, 0)
    assert before <= 2 + 4 * 2


async def test_windows_before_the_one_that_fails_are_handed_out_first() -> None:
    async def answer(asked: Asked) -> Reply:
        if asked.window == DateWindow(day(3), day(3)):
            return Reply(status=400)
        await asyncio.sleep(0.02)
        return reply(asked, rows_by_day(asked.window, 2))

    async with Service(answer) as service, service.client() as client:
        iterator = aiter(client.distributions.list(day(0), day(9), window_days=1))
        got = [(await anext(iterator)).invoice_number for _ in range(6)]
        with pytest.raises(BadRequestError):
            await anext(iterator)
    assert got == sent(rows_by_day(DateWindow(day(0), day(2)), 2))


async def by_break(records: AsyncIterator[InvoiceDistribution]) -> None:
    async for _ in records:
        break


async def by_closing(records: AsyncIterator[InvoiceDistribution]) -> None:
    await anext(records)
    await records.aclose()  # type: ignore[attr-defined]  # iterators of the package can be closed


async def by_an_exception(records: AsyncIterator[InvoiceDistribution]) -> None:
    with contextlib.suppress(ZeroDivisionError):
        async for _ in records:
            raise ZeroDivisionError


async def by_cancellation(records: AsyncIterator[InvoiceDistribution]) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.03):
            async for _ in records:
                pass


@pytest.mark.parametrize("leave", [by_break, by_closing, by_an_exception, by_cancellation])
async def test_leaving_a_run_leaves_no_task_and_no_later_request(leave: Leave) -> None:
    async def answer(asked: Asked) -> Reply:
        await asyncio.sleep(0.01)
        return reply(asked, rows_by_day(asked.window, 2))

    async with Service(answer) as service, service.client(concurrency=3) as client:
        await leave(aiter(client.distributions.list(day(0), day(299), window_days=1)))
        gc.collect()
        await settled()
        before = len(service.asked)
        assert (running(), before > 0) == ([], True)
        await asyncio.sleep(0.05)
        assert len(service.asked) == before


async def test_leaving_a_paginator_ends_its_runs() -> None:
    async with Service(two_a_day) as service, service.client(concurrency=3) as client:
        async with client.distributions.list(day(0), day(299), window_days=1) as invoices:
            iterator = aiter(invoices)
            await anext(iterator)
        assert running() == []
        with pytest.raises(StopAsyncIteration):
            await anext(iterator)


async def test_collecting_that_is_cancelled_leaves_no_task() -> None:
    async with SandboxServer(2, latency=0.02) as sandbox, sandbox.client(concurrency=3) as client:
        collecting = asyncio.create_task(client.distributions.list(day(0), day(299), window_days=1).collect())
        await asyncio.sleep(0.05)
        collecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await collecting
        assert running() == []


async def test_slots_are_free_again_after_many_cancellations() -> None:
    async with Service(two_a_day) as service, service.client(concurrency=3) as client:
        for _ in range(50):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.001):
                    await client.distributions.list(day(0), day(29), window_days=1).collect()
        await settled()
        service.most_in_flight = 0
        assert len(await client.distributions.list(day(0), day(29), window_days=1).collect()) == 60
        assert service.most_in_flight == 3


async def test_closing_the_client_ends_a_run_with_a_typed_error() -> None:
    async with Service(two_a_day) as service:
        client = service.client(concurrency=2)
        iterator = aiter(client.distributions.list(day(0), day(299), window_days=1))
        await anext(iterator)
        await client.aclose()
        with pytest.raises(ClientClosedError):
            async for _ in iterator:
                pass
        await settled()
        assert running() == []


async def test_a_closed_client_begins_no_run() -> None:
    async with Service(two_a_day) as service:
        client = service.client()
        await client.aclose()
        with pytest.raises(ClientClosedError):
            await client.distributions.list(day(0), day(0)).collect()
    assert service.asked == []


async def test_two_tasks_that_share_an_iterator_get_each_record_once() -> None:
    async with SandboxServer(3, latency=0.005) as sandbox, sandbox.client(concurrency=2) as client:
        iterator = aiter(client.distributions.list(day(0), day(9), window_days=1))
        got: list[str | None] = []

        async def take() -> None:
            async for invoice in iterator:
                got.append(invoice.invoice_number)

        async with asyncio.timeout(5):
            ends = await asyncio.gather(take(), take(), return_exceptions=True)
    assert {type(end) for end in ends} <= {type(None), ConfigurationError}
    assert len(got) == len(set(got)) == 30


async def test_a_second_task_is_refused_while_the_first_is_in_a_hook() -> None:
    told = asyncio.Event()

    async def hook(event: Event) -> None:
        if isinstance(event, Progress):
            await told.wait()

    async with SandboxServer(3) as sandbox, sandbox.client(hooks=[hook]) as client:
        iterator = aiter(client.distributions.list(day(0), day(0)))
        first = asyncio.ensure_future(anext(iterator))
        await settled()
        second = asyncio.ensure_future(anext(iterator))
        await settled()
        told.set()
        ends = await asyncio.gather(first, second, return_exceptions=True)
        got = [end.invoice_number for end in ends if isinstance(end, InvoiceDistribution)]
        got += [invoice.invoice_number async for invoice in iterator]
    assert len(got) == len(set(got)) == 3


async def test_two_runs_at_once_share_the_slots_of_the_client() -> None:
    async with Service(two_a_day) as service, service.client(concurrency=3) as client:
        async with asyncio.timeout(10):
            one, other = await asyncio.gather(
                client.distributions.list(day(0), day(59), window_days=1).collect(),
                client.distributions.list(day(60), day(119), window_days=1).collect(),
            )
    assert (len(one), len(other), service.most_in_flight) == (120, 120, 3)


async def test_a_failing_window_in_a_run_without_order_ends_it_once_its_siblings_are_gone() -> None:
    async with SandboxServer(2) as sandbox, sandbox.client(concurrency=2) as client:
        sandbox.script(Fault.status(403, when=lambda request: request.query["fromInvDate"] == str(day(5))))
        invoices = client.distributions.list(day(0), day(99), window_days=1, ordered=False)
        with pytest.raises(PermissionDeniedError):
            await invoices.collect()
        await settled()
        assert (running(), len(sandbox.requests) < 20) == ([], True)


async def test_the_client_goes_on_after_a_run_has_failed() -> None:
    async with Service(lambda _: Reply(status=400)) as service, service.client() as client:
        invoices = client.distributions.list(day(0), day(9), window_days=1)
        with pytest.raises(BadRequestError):
            await invoices.collect()
        service.answer = lambda asked: reply(asked, [row(str(asked.window))])
        assert len(await invoices.collect()) == 10
        assert invoices.report.verdict == Verdict.COMPLETE
