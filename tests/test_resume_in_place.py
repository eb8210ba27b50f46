"""After an error the same iterator asks for the same page again: never a silent end, never a record twice."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from confirma_async import (
    ConfirmaError,
    DateWindow,
    FilterNotAppliedError,
    IncompleteResultError,
    RetryPolicy,
    Verdict,
)
from confirma_async.sandbox import Fault, SandboxServer

from .servers import Asked, Reply, Service, day, numbers, paged, reply, rows_by_day, running, sent, settled

MONTH = sent(rows_by_day(DateWindow(day(0), day(29)), 4))
Rule = Callable[[Asked], Reply]


def by_pages(asked: Asked) -> Reply:
    """Pages of seven."""
    return paged(asked, rows_by_day(asked.window, 4), 7)


def cut_off(asked: Asked) -> Reply:
    """Five rows at most, no pages."""
    rows = rows_by_day(asked.window, 4)
    return reply(asked, rows[:5], len(rows))


def too_large(asked: Asked) -> Reply:
    """413 for more than eight rows."""
    rows = rows_by_day(asked.window, 4)
    return Reply(status=413) if len(rows) > 8 else reply(asked, rows)


def too_slow(asked: Asked) -> Reply:
    """504 for more than eight rows."""
    rows = rows_by_day(asked.window, 4)
    return Reply(status=504) if len(rows) > 8 else reply(asked, rows)


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("bad", [0, 1, 2, 5, 8, 11, 15])
@pytest.mark.parametrize("rule", [by_pages, cut_off, too_large, too_slow])
async def test_a_failure_anywhere_can_be_gone_on_from_in_place(rule: Rule, bad: int, ordered: bool) -> None:
    def answer(asked: Asked) -> Reply:
        return Reply(status=403) if asked.place in {bad, bad + 1} else rule(asked)

    once = RetryPolicy(max_attempts=1)
    async with Service(answer) as service, service.client(concurrency=3, retry=once) as client:
        invoices = client.distributions.list(day(0), day(29), window_days=10, ordered=ordered)
        iterator = aiter(invoices)
        got: list[str | None] = []
        failures: list[ConfirmaError] = []
        left = []
        while len(failures) < 5:
            try:
                got.append((await anext(iterator)).invoice_number)
            except StopAsyncIteration:
                break
            except ConfirmaError as error:
                failures.append(error)
                left.append((error.resume_token == invoices.resume_token, running()))
    assert left in ([(True, [])], [(True, [])] * 2)
    assert all(error.window is not None for error in failures)
    assert sorted(got, key=str) == MONTH
    assert (invoices.report.verdict, invoices.report.records) == (Verdict.COMPLETE, 120)


async def test_the_same_page_is_asked_for_again() -> None:
    def answer(asked: Asked) -> Reply:
        return Reply(status=403) if asked.page == 3 and service.pages.count(3) == 1 else by_pages(asked)

    async with Service(answer) as service, service.client(concurrency=1) as client:
        iterator = aiter(client.distributions.list(day(0), day(9)))
        got = [(await anext(iterator)).invoice_number for _ in range(14)]
        with pytest.raises(ConfirmaError):
            await anext(iterator)
        before = len(service.asked)
        got += [invoice.invoice_number async for invoice in iterator]
    assert service.asked[before].page == 3
    assert service.pages.count(1) == service.pages.count(2) == 1
    assert got == sent(rows_by_day(DateWindow(day(0), day(9)), 4))


async def test_a_failure_that_lasts_is_raised_again_each_time() -> None:
    async with Service(lambda _: Reply(status=403)) as service, service.client() as client:
        iterator = aiter(client.distributions.list(day(0), day(0)))
        for _ in range(3):
            with pytest.raises(ConfirmaError):
                await anext(iterator)
    assert len(service.asked) == 3


async def test_nothing_is_asked_between_an_error_and_the_next_try() -> None:
    async with SandboxServer(2, faults=[Fault.status(403)]) as sandbox, sandbox.client(concurrency=3) as client:
        iterator = aiter(client.distributions.list(day(0), day(99), window_days=1))
        with pytest.raises(ConfirmaError):
            await anext(iterator)
        await settled()
        before = len(sandbox.requests)
        await asyncio.sleep(0.05)
        assert (len(sandbox.requests), running()) == (before, [])
        assert len([invoice async for invoice in iterator]) == 200


async def test_an_answer_that_contradicted_is_asked_for_again() -> None:
    def answer(asked: Asked) -> Reply:
        wrong = {"fromInvDate": "2024-01-01"} if asked.place == 0 else {}
        return reply(asked, rows_by_day(asked.window, 4), None, **wrong)

    async with Service(answer) as service, service.client() as client:
        iterator = aiter(client.distributions.list(day(0), day(29)))
        with pytest.raises(FilterNotAppliedError):
            await anext(iterator)
        assert numbers([invoice async for invoice in iterator]) == MONTH


async def test_a_window_that_fell_short_is_begun_again() -> None:
    def answer(asked: Asked) -> Reply:
        rows = rows_by_day(asked.window, 4)
        return reply(asked, rows[:3] if len(service.asked) <= 4 else rows, 4)

    async with Service(answer) as service, service.client() as client:
        invoices = client.distributions.list(day(0), day(0))
        iterator = aiter(invoices)
        got = [(await anext(iterator)).invoice_number for _ in range(3)]
        with pytest.raises(IncompleteResultError):
            await anext(iterator)
        service.answer = lambda asked: reply(asked, rows_by_day(asked.window, 4))
        got += [invoice.invoice_number async for invoice in iterator]
    assert got == MONTH[:4]
    assert (invoices.report.verdict, invoices.report.duplicates) == (Verdict.COMPLETE, 0)


async def test_pages_can_be_gone_on_from_in_place() -> None:
    async with SandboxServer(50, "number", 10) as sandbox, sandbox.client() as client:
        sandbox.script(Fault.status(403, when=lambda request: request.query.get("page") == "4"))
        pages = client.distributions.list(day(0), day(0)).pages()
        got = [numbers((await anext(pages)).invoices) for _ in range(3)]
        with pytest.raises(ConfirmaError):
            await anext(pages)
        got += [numbers(page.invoices) async for page in pages]
    assert [len(page) for page in got] == [10] * 5
    assert len({number for page in got for number in page}) == 50


async def test_a_wait_that_was_cut_short_is_gone_on_from_in_place() -> None:
    async with SandboxServer(4, "number", 7, latency=0.01) as sandbox, sandbox.client(concurrency=2) as client:
        iterator = aiter(client.distributions.list(day(0), day(29), window_days=10))
        got: list[str | None] = []
        cuts = 0
        ended = False
        while not ended:
            try:
                async with asyncio.timeout(0.025):
                    async for invoice in iterator:
                        got.append(invoice.invoice_number)
                    ended = True
            except TimeoutError:
                cuts += 1
                assert running() == []
    assert cuts > 0
    assert len(got) == len(set(got)) == 120


def test_an_iterator_outlives_the_loop_in_which_it_began() -> None:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    sandbox = SandboxServer(5, latency=0.01)
    asyncio.run_coroutine_threadsafe(sandbox.start(), loop).result()
    client = sandbox.client(concurrency=2)
    iterator = aiter(client.distributions.list(day(0), day(9), window_days=1))

    async def take(count: int) -> list[str | None]:
        async with asyncio.timeout(10):
            return [(await anext(iterator)).invoice_number for _ in range(count)]

    got = asyncio.run(take(3)) + asyncio.run(take(47))
    asyncio.run(client.aclose())
    asyncio.run_coroutine_threadsafe(sandbox.aclose(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
    assert len(got) == len(set(got)) == 50
