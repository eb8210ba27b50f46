"""How the sandbox cuts long answers, and what its totals then say; switches are changed while it runs."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import date
from typing import Any, Literal

import aiohttp
import pytest

from confirma_async.sandbox import SandboxServer

PATH = "/api/v1/partner/invoice/distribution"
TEN_DAYS = {"fromInvDate": "2025-01-01", "toInvDate": "2025-01-10"}


@pytest.fixture
async def sandbox() -> AsyncIterator[SandboxServer]:
    """Fifty invoices in ten days, in pages of twenty by number."""
    async with SandboxServer(5, "number", 20, today=date(2025, 3, 31)) as server:
        yield server


async def ask(sandbox: SandboxServer, **query: str | int) -> tuple[int, Any]:
    headers = {"X-Api-Key": sandbox.api_key}
    async with (
        aiohttp.ClientSession(sandbox.url, headers=headers) as http,
        http.get(PATH, params={**TEN_DAYS, **query}) as response,
    ):
        return response.status, json.loads(await response.read())


async def numbers(sandbox: SandboxServer, **query: str | int) -> list[int]:
    _, answer = await ask(sandbox, **query)
    return [row["invoiceNumber"] for row in answer["invoices"]]


async def whole(sandbox: SandboxServer) -> list[int]:
    sandbox.paging = "none"
    return await numbers(sandbox)


async def test_without_paging_everything_comes_and_page_parameters_mean_nothing(sandbox: SandboxServer) -> None:
    sandbox.paging = "none"
    everything = await numbers(sandbox)
    assert len(everything) == 50
    assert await numbers(sandbox, page="two", pageSize=3) == everything


async def test_pages_by_number_together_are_the_whole(sandbox: SandboxServer) -> None:
    pages = [await numbers(sandbox, page=page) for page in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [20, 20, 10, 0]
    assert [number for page in pages for number in page] == await whole(sandbox)


async def test_every_page_tells_the_whole_total(sandbox: SandboxServer) -> None:
    totals = [(await ask(sandbox, page=page))[1]["metaData"]["totalCount"] for page in (1, 3, 9)]
    assert totals == [50, 50, 50]


async def test_without_page_parameters_the_first_page_comes(sandbox: SandboxServer) -> None:
    assert await numbers(sandbox) == await numbers(sandbox, page=1)


@pytest.mark.parametrize(("asked", "given"), [(7, 7), (20, 20), (999, 20)])
async def test_a_page_size_is_clamped(sandbox: SandboxServer, asked: int, given: int) -> None:
    assert len(await numbers(sandbox, pageSize=asked)) == given


async def test_a_smaller_page_size_moves_the_pages(sandbox: SandboxServer) -> None:
    pages = [await numbers(sandbox, page=page, pageSize=17) for page in (1, 2, 3)]
    assert [number for page in pages for number in page] == await whole(sandbox)


async def test_pages_may_count_from_zero(sandbox: SandboxServer) -> None:
    sandbox.first_page = 0
    assert await numbers(sandbox) == await numbers(sandbox, page=0)
    assert len(await numbers(sandbox, page=2)) == 10


async def test_a_hidden_cap_sends_the_first_rows_whatever_the_page(sandbox: SandboxServer) -> None:
    sandbox.paging = "cut"
    _, answer = await ask(sandbox, page=2)
    assert answer["metaData"]["totalCount"] == 50
    assert [row["invoiceNumber"] for row in answer["invoices"]] == (await whole(sandbox))[:20]


async def test_a_server_may_repeat_its_first_page(sandbox: SandboxServer) -> None:
    sandbox.ignore_page = True
    assert await numbers(sandbox, page=3) == await numbers(sandbox, page=1) != []


async def test_a_page_past_the_end_may_repeat_the_nearest_one(sandbox: SandboxServer) -> None:
    sandbox.page_past_end = "repeat"
    assert await numbers(sandbox, page=9) == await numbers(sandbox, page=3) != []
    assert await numbers(sandbox, page=0) == await numbers(sandbox, page=1) != []


@pytest.mark.parametrize("status", [404, 400])
async def test_a_page_past_the_end_may_be_refused(sandbox: SandboxServer, status: Literal[404, 400]) -> None:
    sandbox.page_past_end = status
    assert [(await ask(sandbox, page=page))[0] for page in (0, 3, 4)] == [status, 200, status]


async def test_the_first_page_of_nothing_is_empty_and_not_past_the_end(sandbox: SandboxServer) -> None:
    sandbox.page_past_end = 404
    assert await numbers(sandbox, page=1, invoiceNumber=1) == []


async def test_empty_pages_lose_no_row(sandbox: SandboxServer) -> None:
    sandbox.empty_pages = {2, 3}
    pages = [await numbers(sandbox, page=page) for page in range(1, 6)]
    assert [len(page) for page in pages] == [20, 0, 0, 20, 10]
    assert [number for page in pages for number in page] == await whole(sandbox)


async def test_the_total_may_count_the_page(sandbox: SandboxServer) -> None:
    sandbox.total = "page"
    metas = [(await ask(sandbox, page=page))[1]["metaData"] for page in (1, 3)]
    assert [meta["totalCount"] for meta in metas] == [20, 10]
    assert [meta["failedCount"] for meta in metas] == [4, 2]


async def test_the_total_may_be_absent(sandbox: SandboxServer) -> None:
    sandbox.total = "absent"
    _, answer = await ask(sandbox)
    assert list(answer["metaData"]) == ["filtersApplied"]


async def test_rows_may_appear_between_pages() -> None:
    today = {date(2025, 1, 1): 3}
    async with SandboxServer(lambda day: today.get(day, 0), "number", 2) as sandbox:
        assert await numbers(sandbox, page=1) == [202500100, 202500101]
        today[date(2025, 1, 1)] = 4
        assert await numbers(sandbox, page=2) == [202500102, 202500103]


async def test_a_page_deep_in_twenty_years_makes_only_its_rows(sandbox: SandboxServer) -> None:
    _, answer = await ask(sandbox, fromInvDate="2005-01-01", toInvDate="2024-12-31", page=1500)
    assert answer["metaData"]["totalCount"] == 7305 * 5
    assert sandbox.generated == len(answer["invoices"]) == 20
