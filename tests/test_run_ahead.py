"""How far a run reads ahead of who takes its records: at once where it matters, and never without bound."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from confirma_async import DateWindow, RetryPolicy
from confirma_async.sandbox import SandboxServer

from .servers import Asked, Reply, Row, Service, day, numbers, paged, reply, row, rows_by_day, settled

Rule = Callable[[Asked, list[Row]], Reply]


def whole(asked: Asked, rows: list[Row]) -> Reply:
    """Everything at once."""
    return reply(asked, rows)


def by_ten(asked: Asked, rows: list[Row]) -> Reply:
    """Pages of ten."""
    return paged(asked, rows, 10)


def cut_at_ten(asked: Asked, rows: list[Row]) -> Reply:
    """Ten rows at most, and no pages."""
    return reply(asked, rows[:10], len(rows))


def refused_over_ten(asked: Asked, rows: list[Row]) -> Reply:
    """413 where there are more than ten rows."""
    return Reply(status=413) if len(rows) > 10 else reply(asked, rows)


@pytest.mark.parametrize("concurrency", [1, 3])
@pytest.mark.parametrize("days", [1, 10])
@pytest.mark.parametrize("rule", [whole, by_ten, cut_at_ten, refused_over_ten])
async def test_a_slow_consumer_stops_the_fetching(rule: Rule, days: int, concurrency: int) -> None:
    known: set[str] = set()
    waiting: list[set[str]] = []  # new rows of each answer that brought some

    def answer(asked: Asked) -> Reply:
        said = rule(asked, rows_by_day(asked.window, 5))
        rows = said.body["invoices"] if isinstance(said.body, dict) else []
        if new := {each["invoiceNumber"] for each in rows} - known:
            known.update(new)
            waiting.append(new)
        return said

    async with (
        Service(answer) as service,
        service.client(concurrency=concurrency, retry=RetryPolicy(max_attempts=1)) as client,
    ):
        taken: set[str | None] = set()
        ahead = []
        pages = client.distributions.list(day(0), day(179), window_days=days).pages()
        for _ in range(6):
            taken.update(numbers((await anext(pages)).invoices))
            await settled()
            ahead.append(sum(not new <= taken for new in waiting))
        await pages.aclose()  # type: ignore[attr-defined]  # iterators of the package can be closed
    assert max(ahead) <= 2 * concurrency


async def test_a_run_that_nobody_reads_on_stops_asking() -> None:
    async with (
        Service(lambda asked: reply(asked, [row(asked.place)])) as service,
        service.client(concurrency=2) as client,
    ):
        iterator = aiter(client.distributions.list(day(0), day(999), window_days=1))
        await anext(iterator)
        await settled()
        before = len(service.asked)
        await asyncio.sleep(0.05)
        assert len(service.asked) == before <= 1 + 2 * 2
        for _ in range(3):
            await anext(iterator)
        await settled()
        assert before < len(service.asked) <= 4 + 2 * 2


async def test_the_first_record_needs_one_answer_whatever_the_range() -> None:
    async def answer(asked: Asked) -> Reply:
        if asked.place:
            await asyncio.Event().wait()
        return paged(asked, rows_by_day(asked.window, 50), 10)

    async with Service(answer) as service, service.client(concurrency=4) as client:
        iterator = aiter(client.distributions.list(day(0), day(7299), window_days=5))
        async with asyncio.timeout(5):
            assert (await anext(iterator)).invoice_number == "20250101-0"
        await iterator.aclose()  # type: ignore[attr-defined]


async def test_the_first_page_is_handed_out_before_its_second_is_answered() -> None:
    async def answer(asked: Asked) -> Reply:
        if not asked.is_plain:
            await asyncio.Event().wait()
        return paged(asked, rows_by_day(asked.window, 50), 10)

    async with Service(answer) as service, service.client(concurrency=4) as client:
        async with asyncio.timeout(5):
            pages = client.distributions.list(day(0), day(0)).pages()
            assert len((await anext(pages)).invoices) == 10
        await pages.aclose()  # type: ignore[attr-defined]


async def test_windows_behind_do_not_take_the_places_of_the_first_one() -> None:
    pages = 0
    most = 0

    async def answer(asked: Asked) -> Reply:
        nonlocal pages, most
        if asked.window != DateWindow(day(0), day(0)):
            return reply(asked, rows_by_day(asked.window, 1))
        pages += 1
        most = max(most, pages)
        await asyncio.sleep(0.01)
        pages -= 1
        return paged(asked, rows_by_day(asked.window, 30), 1)

    async with Service(answer) as service, service.client(concurrency=4) as client:
        iterator = aiter(client.distributions.list(day(0), day(499), window_days=1))
        for _ in range(30):
            await anext(iterator)
        await iterator.aclose()  # type: ignore[attr-defined]
    assert most == 4


async def test_pages_that_wait_behind_a_slower_one_count_for_the_wanted_records() -> None:
    third = asyncio.Event()
    rows = [row(place) for place in range(1000)]

    async def answer(asked: Asked) -> Reply:
        if asked.page == 2:
            await third.wait()
            await asyncio.sleep(0.03)
        if asked.page == 3:
            third.set()
        return paged(asked, rows, 100)

    async with Service(lambda asked: paged(asked, rows, 100)) as service, service.client() as client:
        await client.distributions.list(day(0), day(0), max_items=150).collect()
        service.asked.clear()
        service.answer = answer
        assert len(await client.distributions.list(day(0), day(0), max_items=300).collect()) == 300
    assert sorted(service.pages) == [1, 2, 3]


async def test_a_million_windows_cost_no_more_than_the_first_ones() -> None:
    async with SandboxServer(1) as sandbox, sandbox.client(concurrency=2) as client:
        iterator = aiter(client.distributions.list(day(-365_000), day(1_000_000), window_days=1))
        assert (await anext(iterator)).invoice_number is not None
        assert len(sandbox.requests) <= 5
        await iterator.aclose()  # type: ignore[attr-defined]
