"""Finding out how a service pages: by what it does, never by what it says."""

from __future__ import annotations

import asyncio
from typing import Literal

import pytest

from confirma_async import DateWindow, IncompleteResultError, Paging, PagingError, PermissionDeniedError, Verdict
from confirma_async.sandbox import Fault, SandboxServer

from .servers import Asked, Reply, Service, day, numbers, paged, reply, row, rows_by_day, sent

EIGHT_DAYS = sent(rows_by_day(DateWindow(day(0), day(7)), 4))


def cut(asked: Asked) -> Reply:
    """Four rows a day, of which an answer holds ten at most; pages are not known."""
    rows = rows_by_day(asked.window, 4)
    return reply(asked, rows[:10], len(rows))


@pytest.mark.parametrize("empty", [{2}, {3}, {2, 3}, {4}, {5}, {2, 5}])
async def test_an_empty_page_in_the_middle_does_not_end_the_run(empty: set[int]) -> None:
    async with SandboxServer(50, "number", 10, empty_pages=empty) as sandbox, sandbox.client() as client:
        invoices = client.distributions.list(day(0), day(0))
        assert len(set(numbers(await invoices.collect()))) == 50
        assert invoices.report.verdict == Verdict.COMPLETE


@pytest.mark.parametrize("past", ["empty", "repeat", 404, 400])
async def test_pages_from_zero_are_all_found(past: Literal["empty", "repeat", 404, 400]) -> None:
    async with (
        SandboxServer(25, "number", 10, first_page=0, page_past_end=past) as sandbox,
        sandbox.client() as client,
    ):
        invoices = client.distributions.list(day(0), day(0))
        assert len(set(numbers(await invoices.collect()))) == 25
        assert invoices.report.verdict == Verdict.COMPLETE


@pytest.mark.parametrize("past", ["empty", "repeat", 404, 400])
async def test_two_pages_from_zero_are_both_found(past: Literal["empty", "repeat", 404, 400]) -> None:
    async with (
        SandboxServer(15, "number", 10, first_page=0, page_past_end=past) as sandbox,
        sandbox.client() as client,
    ):
        assert len(await client.distributions.list(day(0), day(0)).collect()) == 15


@pytest.mark.parametrize("past", ["empty", "repeat", 404, 400])
@pytest.mark.parametrize("rows", [19, 20, 21, 30])
async def test_a_page_behind_the_last_one_may_look_like_anything(
    rows: int, past: Literal["empty", "repeat", 404, 400]
) -> None:
    async with SandboxServer(rows, "number", 10, page_past_end=past) as sandbox, sandbox.client() as client:
        invoices = client.distributions.list(day(0), day(1), window_days=1)
        assert len(set(numbers(await invoices.collect()))) == 2 * rows
        assert invoices.report.verdict == Verdict.COMPLETE


async def test_a_service_that_ignores_the_page_costs_one_probe() -> None:
    async with Service(cut) as service, service.client(concurrency=1) as client:
        got = numbers(await client.distributions.list(day(0), day(7)).collect())
    assert sorted(got, key=str) == EIGHT_DAYS
    assert service.pages.count(2) == 1
    assert len(service.asked) - 1 <= 2 * 8 - 1


async def test_a_probe_that_taught_something_is_not_repeated_by_later_windows() -> None:
    async with Service(cut) as service, service.client() as client:
        await client.distributions.list(day(0), day(7)).collect()
        await client.distributions.list(day(8), day(31), window_days=8).collect()
    assert service.pages.count(2) == 1


@pytest.mark.parametrize("status", [400, 404, 422])
async def test_a_refused_second_page_means_that_there_are_no_pages(status: int) -> None:
    def answer(asked: Asked) -> Reply:
        return cut(asked) if asked.is_plain else Reply(status=status)

    async with Service(answer) as service, service.client() as client:
        assert len(await client.distributions.list(day(0), day(7)).collect()) == 32


@pytest.mark.parametrize("status", [401, 403, 429, 500])
async def test_a_second_page_that_fails_otherwise_is_an_error(status: int) -> None:
    async with (
        Service(lambda asked: cut(asked) if asked.is_plain else Reply(status=status)) as service,
        service.client() as client,
    ):
        with pytest.raises(Exception, match=f"^{status} "):
            await client.distributions.list(day(0), day(7)).collect()


async def test_a_changing_row_does_not_pass_for_a_second_page() -> None:
    def answer(asked: Asked) -> Reply:
        rows = rows_by_day(asked.window, 4)
        rows[0]["distributionStatus"] = f"ATTEMPT {asked.place}"
        return reply(asked, rows[:10], len(rows))

    async with Service(answer) as service, service.client() as client:
        got = await client.distributions.list(day(0), day(7)).collect()
    assert set(EIGHT_DAYS) == set(numbers(got))
    assert len(service.asked) <= 2 * (2 * 8 - 1)


async def test_what_was_learned_is_tested_again_where_it_does_not_hold() -> None:
    rows = [row(place) for place in range(15)]

    def answer(asked: Asked) -> Reply:
        if asked.window == DateWindow(day(0), day(0)):
            return paged(asked, rows, 10)
        return cut(asked)  # pages no more

    async with Service(answer) as service, service.client() as client:
        await client.distributions.list(day(0), day(0)).collect()
        service.asked.clear()
        invoices = client.distributions.list(day(10), day(17))
        assert len(await invoices.collect()) == 32
        assert invoices.report.verdict == Verdict.COMPLETE
    assert {asked.window and asked.window.days for asked in service.asked if not asked.is_plain} == {8, 4}
    assert sum(asked.page == 2 for asked in service.asked) == 2


@pytest.mark.parametrize("size", [50, 100])
async def test_a_total_that_counts_the_page_is_found_out(size: int) -> None:
    async with SandboxServer(120, "number", size, total="page") as sandbox, sandbox.client() as client:
        with pytest.raises(PagingError):
            await client.distributions.list(day(0), day(3), window_days=1).collect()


async def test_a_customary_total_is_looked_behind_once_per_client() -> None:
    async with SandboxServer(50) as sandbox, sandbox.client(concurrency=1) as client:
        for _ in range(2):
            await client.distributions.list(day(0), day(9), window_days=1).collect()
        assert [request.query.get("page") for request in sandbox.requests].count("2") == 1


async def test_an_uncustomary_total_is_believed() -> None:
    async with SandboxServer(51) as sandbox, sandbox.client() as client:
        await client.distributions.list(day(0), day(9), window_days=1).collect()
        assert len(sandbox.requests) == 10


async def test_a_look_that_failed_is_taken_again() -> None:
    async with SandboxServer(60, "number", 50, total="page") as sandbox, sandbox.client() as client:
        sandbox.script(Fault.status(403, when=lambda request: "page" in request.query))
        invoices = client.distributions.list(day(0), day(3), window_days=1)
        with pytest.raises(PermissionDeniedError):
            await invoices.collect()
        with pytest.raises(PagingError):
            await invoices.collect()


async def test_a_look_that_was_broken_off_is_taken_again() -> None:
    async with SandboxServer(60, "number", 50, total="page") as sandbox, sandbox.client() as client:
        sandbox.script(Fault.hang(when=lambda request: "page" in request.query))
        invoices = client.distributions.list(day(0), day(3), window_days=1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await invoices.collect()
        with pytest.raises(PagingError):
            await invoices.collect()


async def test_what_was_learned_is_shared_with_a_copy_that_pages_alike() -> None:
    async with Service(cut) as service, service.client() as client:
        await client.distributions.list(day(0), day(7)).collect()
        await client.with_options(concurrency=2).distributions.list(day(8), day(15)).collect()
    assert service.pages.count(2) == 1


async def test_what_one_paging_taught_is_not_believed_under_another() -> None:
    def answer(asked: Asked) -> Reply:
        at = 50 * (int(asked.query.get("p", "1")) - 1)
        return reply(asked, rows_by_day(asked.window, 120)[at : at + 50])

    async with Service(answer) as service, service.client() as client:
        await client.distributions.list(day(0), day(3), window_days=1).collect()
        other = client.with_options(paging=Paging.numbered(page="p", per_page=50))
        assert len(await other.distributions.list(day(0), day(0)).collect()) == 120


async def test_a_total_in_the_millions_is_not_believed_in_advance() -> None:
    async with (
        Service(lambda asked: reply(asked, [row(asked.page)] if asked.page <= 3 else [], 10**12)) as service,
        service.client(concurrency=2) as client,
    ):
        iterator = aiter(client.distributions.list(day(0), day(0)))
        assert [(await anext(iterator)).invoice_number for _ in range(3)] == ["1", "2", "3"]
        with pytest.raises(IncompleteResultError):
            await anext(iterator)
    assert len(service.asked) < 1000


async def test_pages_that_are_switched_off_are_never_asked_for() -> None:
    async with Service(cut) as service, service.client(paging=Paging.off()) as client:
        assert len(await client.distributions.list(day(0), day(7)).collect()) == 32
    assert all(asked.is_plain for asked in service.asked)


async def test_one_page_of_a_probe_that_tells_is_enough_for_all() -> None:
    held = asyncio.Event()

    async def answer(asked: Asked) -> Reply:
        if asked.window == DateWindow(day(0), day(0)) and asked.page == 3:
            await held.wait()
        return paged(asked, rows_by_day(asked.window, 30), 10)

    async with Service(answer) as service, service.client(concurrency=8) as client:
        reading = asyncio.create_task(client.distributions.list(day(0), day(3), window_days=1).collect())
        async with asyncio.timeout(5):
            while service.answered < 4 * 3 - 1:  # all but the one that is held back
                await asyncio.sleep(0.01)
        held.set()
        assert len(await reading) == 4 * 30
    assert len(service.asked) == 4 * 3


async def test_pages_are_asked_in_the_order_of_their_windows() -> None:
    async with (
        Service(lambda asked: paged(asked, rows_by_day(asked.window, 60), 10)) as service,
        service.client(concurrency=3) as client,
    ):
        assert len(await client.distributions.list(day(0), day(5), window_days=1).collect()) == 6 * 60
    pages = [(asked.window.start, asked.page) for asked in service.asked if asked.window and not asked.is_plain]
    settled = [place for place in pages if place[0] > day(0)]  # the pages of the first window are how pages are found
    assert settled == sorted(settled)
