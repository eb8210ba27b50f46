"""Pages whose names and sizes the caller declared: where they end, and what that proves."""

from __future__ import annotations

import asyncio
from typing import Literal

import pytest

from confirma_async import ConfigurationError, ConfirmaError, Paging, Verdict
from confirma_async.sandbox import SandboxServer

from .servers import Asked, Reply, Service, day, numbers, paged, reply, row, without_total


async def test_declared_names_and_sizes_are_sent_with_the_first_page_too() -> None:
    paging = Paging.numbered(page="p", size="per", per_page=7, first=0)
    async with Service(lambda asked: reply(asked, [])) as service, service.client(paging=paging) as client:
        await client.distributions.list(day(0), day(0)).collect()
    assert (service.asked[0].query["p"], service.asked[0].query["per"]) == ("0", "7")


@pytest.mark.parametrize("past", ["empty", "repeat", 404, 400])
@pytest.mark.parametrize("total", ["all", "page", "absent"])
@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("rows", [0, 3, 4, 5, 8, 25])
async def test_every_row_comes_once_however_the_pages_end(
    rows: int,
    first: int,
    total: Literal["all", "page", "absent"],
    past: Literal["empty", "repeat", 404, 400],
) -> None:
    async with (
        SandboxServer(rows, "number", 4, total=total, page_past_end=past, first_page=first) as sandbox,
        sandbox.client(paging=Paging.numbered(per_page=4, first=first)) as client,
    ):
        invoices = client.distributions.list(day(0), day(1), window_days=1)
        got = numbers(await invoices.collect())
    assert len(got) == len(set(got)) == 2 * rows
    assert invoices.report.verdict != Verdict.INCOMPLETE


async def test_a_total_larger_than_a_page_ends_the_run_without_another_request() -> None:
    rows = [row(place) for place in range(20)]
    async with (
        Service(lambda asked: paged(asked, rows, 10)) as service,
        service.client(paging=Paging.numbered(per_page=10)) as client,
    ):
        invoices = client.distributions.list(day(0), day(0))
        assert len(await invoices.collect()) == 20
    assert sorted(service.pages) == [1, 2]
    assert invoices.report.verdict == Verdict.COMPLETE


async def test_a_short_page_alone_does_not_end_the_run() -> None:
    pages = {1: 3, 2: 1, 3: 3, 4: 2}

    def answer(asked: Asked) -> Reply:
        return without_total(asked, [row(10 * asked.page + place) for place in range(pages.get(asked.page, 0))])

    async with Service(answer) as service, service.client(paging=Paging.numbered(per_page=3)) as client:
        invoices = client.distributions.list(day(0), day(0))
        assert len(await invoices.collect()) == 9
    assert service.pages == [1, 2, 3, 4, 5]
    assert invoices.report.verdict == Verdict.UNVERIFIED


async def test_pages_without_a_total_are_unverified() -> None:
    async with (
        SandboxServer(25, "number", 10, total="absent") as sandbox,
        sandbox.client(paging=Paging.numbered(per_page=10)) as client,
    ):
        invoices = client.distributions.list(day(0), day(0))
        await invoices.collect()
    assert [doubt.reason for doubt in invoices.report.unverified] == [
        "the service gave no total; the end was found by a page without new rows"
    ]


async def test_a_size_that_is_clamped_by_the_service_loses_nothing() -> None:
    rows = [row(place) for place in range(150)]

    def answer(asked: Asked) -> Reply:
        return paged(asked, rows, min(20, int(asked.query["pageSize"])))

    async with Service(answer) as service, service.client(paging=Paging.numbered(per_page=100)) as client:
        invoices = client.distributions.list(day(0), day(0))
        assert len(await invoices.collect()) == 150
    assert sorted(service.pages) == list(range(1, 9))
    assert invoices.report.verdict == Verdict.COMPLETE


async def test_pages_larger_than_declared_lose_nothing() -> None:
    rows = [row(place) for place in range(500)]
    async with (
        Service(lambda asked: paged(asked, rows, 200)) as service,
        service.client(paging=Paging.numbered(per_page=10)) as client,
    ):
        assert len(await client.distributions.list(day(0), day(0)).collect()) == 500
    assert sorted(service.pages) == [1, 2, 3]


@pytest.mark.parametrize("total", [None, 2])
async def test_a_page_that_repeats_ends_the_run(total: int | None) -> None:
    def answer(asked: Asked) -> Reply:
        return without_total(asked, [row(1), row(2)]) if total is None else reply(asked, [row(1), row(2)], total)

    async with Service(answer) as service, service.client(paging=Paging.numbered(per_page=2)) as client:
        invoices = client.distributions.list(day(0), day(0))
        assert numbers(await invoices.collect()) == ["1", "2"]
    assert service.pages == [1, 2]
    assert invoices.report.verdict == Verdict.UNVERIFIED


async def test_a_repeated_page_with_a_changing_row_ends_the_run() -> None:
    async with (
        Service(lambda asked: without_total(asked, [row(1), row(2, f"ATTEMPT {asked.place}")])) as service,
        service.client(paging=Paging.numbered(per_page=2)) as client,
    ):
        async with asyncio.timeout(5):
            await client.distributions.list(day(0), day(0)).collect()
    assert len(service.asked) <= 3


async def test_a_repeated_page_with_an_invalid_row_ends_the_run() -> None:
    async with (
        Service(lambda asked: without_total(asked, [row(1), {"invoiceNumber": False}])) as service,
        service.client(paging=Paging.numbered(per_page=2)) as client,
    ):
        async with asyncio.timeout(5):
            await client.distributions.list(day(0), day(0), on_invalid="report").collect()
    assert len(service.asked) <= 3


async def test_an_empty_first_page_does_not_end_the_run_while_the_total_says_more() -> None:
    rows = [row(place) for place in range(25)]

    def answer(asked: Asked) -> Reply:
        if asked.window == service.windows[0]:
            return paged(asked, rows, 10)
        return reply(asked, rows[:5] if asked.page == 2 else [], 5)

    async with Service(answer) as service, service.client(paging=Paging.numbered(per_page=10)) as client:
        await client.distributions.list(day(0), day(0)).collect()
        async with asyncio.timeout(5):
            assert len(await client.distributions.list(day(1), day(1)).collect()) == 5


async def test_more_rows_than_the_total_are_not_complete() -> None:
    def answer(asked: Asked) -> Reply:
        return reply(asked, [row(place) for place in range(5)] if asked.page == 1 else [], 3)

    async with Service(answer) as service, service.client(paging=Paging.numbered(per_page=5)) as client:
        invoices = client.distributions.list(day(0), day(0), completeness="report")
        await invoices.collect()
    assert invoices.report.verdict != Verdict.COMPLETE


async def test_pages_that_end_before_the_total_are_an_error() -> None:
    rows = [row(place) for place in range(15)]
    async with (
        Service(lambda asked: reply(asked, rows[10 * (asked.page - 1) : 10 * asked.page], 25)) as service,
        service.client(paging=Paging.numbered(per_page=10)) as client,
    ):
        with pytest.raises(ConfirmaError, match="promised 25 rows, 15 came"):
            await client.distributions.list(day(0), day(0)).collect()


@pytest.mark.parametrize("name", ["page", "pageSize"])
async def test_declared_names_cannot_be_set_by_extra_parameters(name: str) -> None:
    async with Service(lambda asked: reply(asked, [])) as service, service.client(paging=Paging.numbered()) as client:
        with pytest.raises(ConfigurationError):
            client.distributions.list(day(0), day(0), params={name: "5"})


@pytest.mark.parametrize(("per_page", "first"), [(0, 1), (-1, 1), (10, -1), (True, 1)])
def test_sizes_and_first_pages_that_cannot_be_are_refused(per_page: int, first: int) -> None:
    with pytest.raises(ConfigurationError):
        Paging.numbered(per_page=per_page, first=first)
