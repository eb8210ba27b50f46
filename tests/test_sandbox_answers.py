"""What the sandbox's distribution endpoint answers, over HTTP and switch by switch."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from confirma_async.sandbox import SandboxServer
from confirma_async.sandbox._ledger import CountSource
from confirma_async.sandbox._question import today_in

PATH = "/api/v1/partner/invoice/distribution"
TODAY = date(2025, 3, 31)
Answer = dict[str, Any]


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


class Asker:
    """Asks one sandbox."""

    def __init__(self, http: aiohttp.ClientSession, sandbox: SandboxServer) -> None:
        self.http, self.sandbox = http, sandbox

    async def raw(self, **query: str | int) -> tuple[int, bytes]:
        headers = {"X-Api-Key": self.sandbox.api_key}
        async with self.http.get(self.sandbox.url + PATH, params=query, headers=headers) as response:
            return response.status, await response.read()

    async def __call__(self, start: str = "2025-01-01", end: str = "2025-01-10", **query: str | int) -> Answer:
        status, body = await self.raw(fromInvDate=start, toInvDate=end, **query)
        assert status == 200, body
        answer: Answer = json.loads(body)
        return answer


Starter = Callable[..., Awaitable[Asker]]


@pytest.fixture
async def asking(http: aiohttp.ClientSession) -> AsyncIterator[Starter]:
    """A function that starts a sandbox with these switches and gives something to ask it with."""
    running: list[SandboxServer] = []

    async def start(**switches: object) -> Asker:
        chosen = {"today": TODAY, "invoices_per_day": 5, **switches}
        sandbox = SandboxServer(**chosen)  # type: ignore[arg-type]  # each test knows its switches
        running.append(sandbox)
        await sandbox.start()
        return Asker(http, sandbox)

    yield start
    for sandbox in running:
        await sandbox.aclose()


async def test_an_answer_has_the_shape_of_the_vendors_page(asking: Starter) -> None:
    answer = await (await asking())()
    assert list(answer) == ["metaData", "invoices"]
    assert list(answer["metaData"]) == ["totalCount", "successfulCount", "failedCount", "filtersApplied"]
    row = answer["invoices"][0]
    assert list(row) == [
        "invoiceNumber",
        "distributionStatus",
        "distributionMethod",
        "distributionMessage",
        "dates",
        "file",
        "paymentControl",
        "errors",
    ]
    assert list(row["dates"]) == ["createdAt", "printedAt", "distributedAt", "paymentControlActivatedAt"]
    assert list(row["file"]) == ["url"]
    assert list(row["paymentControl"]) == ["enabled", "agency", "status", "caseId"]
    failed = next(row for row in answer["invoices"] if row["errors"])
    assert list(failed["errors"][0]) == ["errorCode", "errorDescription", "errorType"]


async def test_both_dates_are_inside_and_the_echo_says_what_was_applied(asking: Starter) -> None:
    answer = await (await asking())(fetchType="ALL")
    assert answer["metaData"] == {
        "totalCount": 50,
        "successfulCount": 40,
        "failedCount": 10,
        "filtersApplied": {
            "invoiceNumber": None,
            "fromInvDate": "2025-01-01",
            "toInvDate": "2025-01-10",
            "fetchType": "ALL",
            "defaultLast30DaysApplied": False,
        },
    }
    assert [row["invoiceNumber"] for row in answer["invoices"]][::49] == [202500100, 202501004]


async def test_without_dates_the_last_thirty_days_are_applied(asking: Starter) -> None:
    status, body = await (await asking()).raw()
    meta = json.loads(body)["metaData"]
    assert (status, meta["totalCount"]) == (200, 30 * 5)
    assert meta["filtersApplied"]["defaultLast30DaysApplied"] is True
    assert meta["filtersApplied"]["fromInvDate"] == "2025-03-02"
    assert meta["filtersApplied"]["toInvDate"] == "2025-03-31"


@pytest.mark.parametrize(("query", "days"), [({"fromInvDate": "2025-03-30"}, 2), ({"toInvDate": "2025-01-30"}, 30)])
async def test_one_date_alone_is_completed(asking: Starter, query: dict[str, str], days: int) -> None:
    meta = json.loads((await (await asking()).raw(**query))[1])["metaData"]
    assert meta["totalCount"] == days * 5
    assert meta["filtersApplied"]["defaultLast30DaysApplied"] is False


async def test_without_a_day_of_its_own_the_sandbox_uses_the_one_in_helsinki(asking: Starter) -> None:
    ask = await asking(today=None)
    before = today_in("Europe/Helsinki")
    applied = json.loads((await ask.raw())[1])["metaData"]["filtersApplied"]["toInvDate"]
    assert before.isoformat() <= applied <= today_in("Europe/Helsinki").isoformat()
    assert abs(before - datetime.now(ZoneInfo("UTC")).date()) <= timedelta(days=1)


def test_without_time_zone_data_today_is_that_of_utc() -> None:
    before = datetime.now(ZoneInfo("UTC")).date()
    assert before <= today_in("No/Where") <= datetime.now(ZoneInfo("UTC")).date()


@pytest.mark.parametrize(
    "query",
    [
        {"fromInvDate": "20250101"},
        {"fromInvDate": "2025-02-30"},
        {"fromInvDate": ""},
        {"toInvDate": "\u0662\u0660\u0662\u0665-01-01"},
        {"fromInvDate": "2025-01-02", "toInvDate": "2025-01-01"},
        {"page": "one"},
        {"page": "-1"},
        {"pageSize": "0"},
    ],
)
async def test_what_cannot_be_read_is_a_400_with_a_json_body(asking: Starter, query: dict[str, str]) -> None:
    status, body = await (await asking(paging="number")).raw(**query)
    assert status == 400
    assert json.loads(body)["message"]


@pytest.mark.parametrize("style", ["int", "text"])
async def test_a_lookup_finds_exactly_the_row_with_that_number(asking: Starter, style: str) -> None:
    ask = await asking(invoice_numbers=style, invoices_per_day=30)
    whole = (await ask())["invoices"]
    for row in whole[::37]:
        found = await ask(invoiceNumber=str(row["invoiceNumber"]))
        assert found["invoices"] == [row]
        assert found["metaData"]["totalCount"] == 1
        assert found["metaData"]["filtersApplied"]["invoiceNumber"] == row["invoiceNumber"]


@pytest.mark.parametrize("number", ["202500105", "202504500", "0202500100", "nonsense", "202500100 ", "9" * 5000])
async def test_a_lookup_finds_nothing_else(asking: Starter, number: str) -> None:
    found = await (await asking())(invoiceNumber=number)
    assert (found["metaData"]["totalCount"], found["invoices"]) == (0, [])
    assert str(found["metaData"]["filtersApplied"]["invoiceNumber"]) == number


async def test_a_lookup_makes_one_row(asking: Starter) -> None:
    ask = await asking()
    await ask(start="2005-01-01", end="2025-12-31", invoiceNumber=202500104)
    assert ask.sandbox.generated == 1


@pytest.mark.parametrize(
    "source", [{date(2025, 1, 2): 2, date(2025, 1, 9): 3, date(2026, 1, 1): 9}, lambda day: day.day % 2]
)
async def test_the_number_of_invoices_may_differ_by_day(asking: Starter, source: CountSource) -> None:
    answer = await (await asking(invoices_per_day=source))()
    assert answer["metaData"]["totalCount"] == len(answer["invoices"]) == 5


async def test_a_day_may_have_none(asking: Starter) -> None:
    assert (await (await asking(invoices_per_day=0))())["invoices"] == []


async def test_the_end_may_be_outside_although_the_echo_repeats_it(asking: Starter) -> None:
    answer = await (await asking(exclusive_end=True))()
    assert answer["metaData"]["totalCount"] == len(answer["invoices"]) == 45
    assert answer["metaData"]["filtersApplied"]["toInvDate"] == "2025-01-10"


async def test_an_ignored_filter_gives_the_last_thirty_days_and_an_honest_echo_admits_it(asking: Starter) -> None:
    answer = await (await asking(ignore_filter=True))(invoiceNumber=202500100)
    echo = answer["metaData"]["filtersApplied"]
    assert len(answer["invoices"]) == 150
    assert (echo["fromInvDate"], echo["invoiceNumber"]) == ("2025-03-02", None)
    assert echo["defaultLast30DaysApplied"] is True


async def test_an_ignored_filter_may_be_hidden_by_an_echo_of_what_was_sent(asking: Starter) -> None:
    answer = await (await asking(ignore_filter=True, echo="sent"))(invoiceNumber="X-1")
    assert len(answer["invoices"]) == 150
    assert answer["metaData"]["filtersApplied"] == {
        "invoiceNumber": "X-1",
        "fromInvDate": "2025-01-01",
        "toInvDate": "2025-01-10",
        "fetchType": None,
        "defaultLast30DaysApplied": False,
    }


async def test_the_echo_may_be_absent_null_or_noise(asking: Starter) -> None:
    ask = await asking(echo="absent")
    assert "filtersApplied" not in (await ask())["metaData"]
    ask.sandbox.echo = "null"
    assert (await ask())["metaData"]["filtersApplied"] is None
    ask.sandbox.echo = "garbled"
    with pytest.raises(ValueError, match="isoformat"):
        date.fromisoformat((await ask())["metaData"]["filtersApplied"]["toInvDate"])


async def test_unknown_fields_may_stand_at_every_level(asking: Starter) -> None:
    answer = await (await asking(extra_fields=True))()
    failed = next(row for row in answer["invoices"] if row["errors"])
    meta = answer["metaData"]
    objects = [answer, meta, meta["filtersApplied"], failed, failed["errors"][0]]
    objects += [part for row in answer["invoices"] for part in (row["dates"], row["file"], row["paymentControl"])]
    assert all(part["futureField"] == {"kept": True} for part in objects if part is not None)


async def test_metadata_without_any_known_field_is_still_json(asking: Starter) -> None:
    assert (await (await asking(total="absent", echo="absent"))())["metaData"] == {}
    bare = await (await asking(total="absent", echo="absent", extra_fields=True))()
    assert bare["metaData"] == {"futureField": {"kept": True}}


async def test_rows_may_be_changed_or_left_out_on_their_way(asking: Starter) -> None:
    def odd(row: dict[str, object]) -> dict[str, object] | None:
        return None if row["invoiceNumber"] == 202500101 else {**row, "distributionStatus": "ODD"}

    answer = await (await asking(mutate=odd))(end="2025-01-01")
    assert [row["invoiceNumber"] for row in answer["invoices"]] == [202500100, 202500102, 202500103, 202500104]
    assert {row["distributionStatus"] for row in answer["invoices"]} == {"ODD"}
    assert answer["metaData"]["totalCount"] == 5


async def test_answers_may_be_compressed_for_those_who_accept_it(asking: Starter) -> None:
    ask = await asking(gzip=True)
    headers = {"X-Api-Key": ask.sandbox.api_key}
    async with ask.http.get(ask.sandbox.url + PATH, headers=headers) as response:
        assert response.headers["Content-Encoding"] == "gzip"
        packed = await response.read()
    async with ask.http.get(ask.sandbox.url + PATH, headers={**headers, "Accept-Encoding": "identity"}) as response:
        assert "Content-Encoding" not in response.headers
        assert await response.read() == packed


async def test_the_same_seed_answers_the_same_bytes_and_another_seed_others(asking: Starter) -> None:
    one, same, other = [await (await asking(seed=seed)).raw() for seed in (7, 7, 8)]
    assert one == same
    assert one != other
