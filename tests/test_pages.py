"""Pages of one answer after another: every record once, in order, at the price of the pages there are."""

from __future__ import annotations

import pytest

from confirma_async import DateWindow, Verdict
from confirma_async.sandbox import SandboxServer

from .servers import Asked, Reply, Service, day, numbers, paged, reply, row, rows_by_day

FIVE = [row(place) for place in range(1, 6)]


def by_two(asked: Asked) -> Reply:
    """Five rows in pages of two."""
    return paged(asked, FIVE, 2)


async def test_three_pages_bring_five_records_in_three_requests() -> None:
    async with Service(by_two) as service, service.client() as client:
        got = [invoice.invoice_number async for invoice in client.distributions.list(day(0), day(0))]
    assert got == ["1", "2", "3", "4", "5"]
    assert sorted(service.pages) == [1, 2, 3]


async def test_pages_are_handed_out_in_order() -> None:
    async with Service(by_two) as service, service.client() as client:
        pages = [page async for page in client.distributions.list(day(0), day(0)).pages()]
    assert [numbers(page.invoices) for page in pages] == [["1", "2"], ["3", "4"], ["5"]]
    assert [page.number for page in pages] == [1, 2, 3]
    assert {page.window for page in pages} == {DateWindow(day(0), day(0))}
    assert {page.metadata.total_count for page in pages} == {5}


async def test_a_single_page_is_a_single_request() -> None:
    async with Service(lambda asked: paged(asked, FIVE, 5)) as service, service.client() as client:
        assert len(await client.distributions.list(day(0), day(0)).collect()) == 5
    assert len(service.asked) == 1


async def test_collected_pages_stay_different_from_each_other() -> None:
    async with Service(by_two) as service, service.client() as client:
        pages = [page async for page in client.distributions.list(day(0), day(0)).pages()]
    assert len({id(page) for page in pages}) == len({page.invoices for page in pages}) == 3


async def test_each_iteration_is_a_run_of_its_own() -> None:
    async with Service(lambda asked: reply(asked, [row(asked.place)])) as service, service.client() as client:
        invoices = client.distributions.list(day(0), day(0))
        assert [numbers(await invoices.collect()) for _ in range(3)] == [["0"], ["1"], ["2"]]


async def test_two_runs_of_one_paginator_do_not_disturb_each_other() -> None:
    async with Service(by_two) as service, service.client() as client:
        invoices = client.distributions.list(day(0), day(0))
        one, other = aiter(invoices), aiter(invoices)
        got = [(await anext(one)).invoice_number, (await anext(other)).invoice_number]
        got += [invoice.invoice_number async for invoice in one]
        got += [invoice.invoice_number async for invoice in other]
    assert got == ["1", "1", "2", "3", "4", "5", "2", "3", "4", "5"]


async def test_options_of_the_call_reach_every_page_of_every_window() -> None:
    params = {"lang": "fi å&=#+", "pageSize": "3"}
    async with (
        Service(lambda asked: paged(asked, rows_by_day(asked.window, 4), 3)) as service,
        service.client() as client,
    ):
        await client.distributions.list(day(0), day(5), window_days=2, fetch_type="ALL", params=params).collect()
    assert len(service.asked) == 9
    assert {(asked.query["fetchType"], asked.query["lang"], asked.query["pageSize"]) for asked in service.asked} == {
        ("ALL", "fi å&=#+", "3")
    }


async def test_other_pages_of_a_window_are_asked_for_side_by_side() -> None:
    async with SandboxServer(100, "number", 10, latency=0.02) as sandbox, sandbox.client(concurrency=4) as client:
        assert len(await client.distributions.list(day(0), day(0)).collect()) == 100
        assert sandbox.max_in_flight == 4


async def test_what_was_learned_of_the_paging_saves_the_probe_in_later_windows() -> None:
    async with Service(by_two) as service, service.client(concurrency=1) as client:
        await client.distributions.list(day(0), day(0)).collect()
        service.asked.clear()
        await client.distributions.list(day(1), day(1)).collect()
    assert service.pages == [1, 2, 3]


@pytest.mark.parametrize(("most", "requests"), [(0, 0), (1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (6, 3)])
async def test_as_many_pages_are_asked_for_as_the_wanted_records_need(most: int, requests: int) -> None:
    async with Service(by_two) as service, service.client() as client:
        got = await client.distributions.list(day(0), day(0), max_items=most).collect()
    assert numbers(got) == ["1", "2", "3", "4", "5"][:most]
    assert len(service.asked) == requests


async def test_as_many_windows_are_asked_for_as_the_wanted_records_need() -> None:
    async with (
        Service(lambda asked: reply(asked, rows_by_day(asked.window, 3))) as service,
        service.client() as client,
    ):
        got = await client.distributions.list(day(0), day(99), window_days=1, max_items=7).collect()
    assert numbers(got)[-1] == "20250103-0"
    assert service.windows == [DateWindow(day(place), day(place)) for place in range(3)]


async def test_the_first_record_costs_one_request() -> None:
    async with Service(by_two) as service, service.client() as client:
        found = await client.distributions.list(day(0), day(99), window_days=1).first()
    assert (found and found.invoice_number, len(service.asked)) == ("1", 1)


async def test_the_first_record_lies_behind_empty_windows() -> None:
    async with (
        Service(lambda asked: reply(asked, [row(7)] if asked.place == 3 else [])) as service,
        service.client() as client,
    ):
        found = await client.distributions.list(day(0), day(9), window_days=1).first()
    assert (found and found.invoice_number, len(service.asked)) == ("7", 4)


async def test_there_is_no_first_record_where_there_is_none() -> None:
    async with Service(lambda asked: reply(asked, [])) as service, service.client() as client:
        assert await client.distributions.list(day(0), day(1), window_days=1).first() is None


async def test_no_record_is_wanted_so_there_is_no_first_one() -> None:
    async with Service(by_two) as service, service.client() as client:
        assert await client.distributions.list(day(0), day(0), max_items=0).first() is None
    assert service.asked == []


async def test_pages_end_where_the_wanted_records_do() -> None:
    async with Service(by_two) as service, service.client() as client:
        pages = [page.invoices async for page in client.distributions.list(day(0), day(0), max_items=3).pages()]
    assert [numbers(page) for page in pages] == [["1", "2"], ["3"]]


async def test_everything_about_a_year_is_counted() -> None:
    async with SandboxServer(3, "number", 20) as sandbox, sandbox.client() as client:
        invoices = client.distributions.list(day(0), day(364))
        got = numbers(await invoices.collect())
    report = invoices.report
    assert got == sorted(set(got), key=str)
    assert (report.verdict, report.records, report.windows, report.windows_total) == (Verdict.COMPLETE, 1095, 13, 13)
    assert (report.requests, report.pages, report.duplicates) == (len(sandbox.requests), 12 * 5 + 1, 0)
