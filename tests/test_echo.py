"""The echoed filters: they confirm, contradict, or say nothing; a contradiction stops the first record."""

from __future__ import annotations

import pytest

from confirma_async import DateWindow, FilterNotAppliedError, Verdict
from confirma_async.sandbox import SandboxServer

from .servers import Asked, Reply, Row, Service, day, echo, numbers, reply, row

JANUARY = (day(0), day(29))
CONFIRMING: list[Row] = [
    {},
    {"fromInvDate": "2025-01-01T00:00:00Z"},
    {"fromInvDate": "2025-01-01T00:00:00+02:00"},
    {"fromInvDate": "2024-12-31T22:00:00.000Z"},
    {"fromInvDate": "2025-01-01 00:00:00"},
    {"fromInvDate": "2024-12-31T00:00:00"},
    {"toInvDate": "2025-01-30T23:59:59.999Z"},
    {"toInvDate": "2025-01-31T00:00:00Z"},
    {"invoiceNumber": ""},
    {"defaultLast30DaysApplied": None},
    {"unknownFilter": "x"},
]
CONTRADICTING: list[tuple[Row, str]] = [
    ({"fromInvDate": "2025-01-02"}, "fromInvDate"),
    ({"fromInvDate": "2024-12-31"}, "fromInvDate"),
    ({"toInvDate": "2025-01-31"}, "toInvDate"),
    ({"toInvDate": "2025-01-31T00:00:01Z"}, "toInvDate"),
    ({"fromInvDate": "2024-12-30T23:59:59Z"}, "fromInvDate"),
    ({"fromInvDate": "2025-01-02T00:00:00.001"}, "fromInvDate"),
    ({"fromInvDate": "9999-12-31"}, "fromInvDate"),
    ({"fromInvDate": "0001-01-01T00:00:00Z"}, "fromInvDate"),
    ({"invoiceNumber": "7"}, "invoiceNumber"),
    ({"invoiceNumber": 7}, "invoiceNumber"),
    ({"defaultLast30DaysApplied": True}, "fromInvDate"),
]
SILENT: list[Row] = [
    {"fromInvDate": None},
    {"toInvDate": None},
    {"fromInvDate": ""},
    {"fromInvDate": "01.01.2025"},
    {"fromInvDate": "2025-1-1"},
    {"fromInvDate": " 2025-01-01"},
    {"fromInvDate": "2025-13-45"},
    {"fromInvDate": "\uff12025-01-01"},
    {"fromInvDate": 20250101},
    {"fromInvDate": 1735689600000},
    {"fromInvDate": ["2025-01-01"]},
    {"fromInvDate": "0001-01-01T00:00:00+05:00"},
    {"toInvDate": "9999-12-31T23:59:59-05:00"},
    {"fetchType": "ALL"},
]


@pytest.mark.parametrize("said", CONFIRMING, ids=str)
async def test_an_echo_that_confirms_makes_a_window_complete(said: Row) -> None:
    async with Service(lambda asked: reply(asked, [row(1)], None, **said)) as service, service.client() as client:
        invoices = client.distributions.list(*JANUARY)
        assert numbers(await invoices.collect()) == ["1"]
    assert (invoices.report.verdict, invoices.report.unverified) == (Verdict.COMPLETE, ())


@pytest.mark.parametrize(("said", "field"), CONTRADICTING, ids=str)
async def test_an_echo_that_contradicts_is_an_error_before_the_first_record(said: Row, field: str) -> None:
    async with Service(lambda asked: reply(asked, [row(1)], None, **said)) as service, service.client() as client:
        invoices = client.distributions.list(*JANUARY)
        with pytest.raises(FilterNotAppliedError) as caught:
            await anext(aiter(invoices))
    assert (caught.value.field, caught.value.window) == (field, DateWindow(*JANUARY))
    assert (invoices.report.records, len(service.asked)) == (0, 1)


@pytest.mark.parametrize("said", SILENT, ids=str)
async def test_an_echo_that_says_nothing_readable_makes_a_window_unverified(said: Row) -> None:
    async with Service(lambda asked: reply(asked, [row(1)], None, **said)) as service, service.client() as client:
        invoices = client.distributions.list(*JANUARY)
        assert numbers(await invoices.collect()) == ["1"]
    assert invoices.report.verdict == Verdict.UNVERIFIED
    assert [doubt.span for doubt in invoices.report.unverified] == [DateWindow(*JANUARY)]


@pytest.mark.parametrize("filters", [None, [], "x", 5, {}], ids=str)
async def test_no_echo_at_all_makes_a_window_unverified(filters: object) -> None:
    body = {"metaData": {"totalCount": 1, "filtersApplied": filters}, "invoices": [row(1)]}
    async with Service(lambda _: Reply(body)) as service, service.client() as client:
        invoices = client.distributions.list(*JANUARY)
        assert numbers(await invoices.collect()) == ["1"]
    assert invoices.report.verdict == Verdict.UNVERIFIED


@pytest.mark.parametrize(("said", "field"), CONTRADICTING[:-1], ids=str)
async def test_a_contradiction_can_be_reported_instead(said: Row, field: str) -> None:
    async with Service(lambda asked: reply(asked, [row(1)], None, **said)) as service, service.client() as client:
        invoices = client.distributions.list(*JANUARY, completeness="report")
        assert numbers(await invoices.collect()) == ["1"]
    assert invoices.report.verdict == Verdict.INCOMPLETE
    assert field in invoices.report.incomplete[0].reason


async def test_a_service_that_ignores_the_dates_and_says_so_is_an_error() -> None:
    async with SandboxServer(ignore_filter=True) as sandbox, sandbox.client() as client:
        with pytest.raises(FilterNotAppliedError, match="its own last 30 days"):
            await client.distributions.list(day(0), day(364)).collect()


async def test_a_later_page_that_contradicts_is_an_error() -> None:
    def answer(asked: Asked) -> Reply:
        if asked.is_plain:
            return reply(asked, [row(1), row(2)], 4)
        return reply(asked, [row(3), row(4)], 4, fromInvDate="2025-02-01")

    async with Service(answer) as service, service.client() as client:
        iterator = aiter(client.distributions.list(*JANUARY))
        got = [(await anext(iterator)).invoice_number, (await anext(iterator)).invoice_number]
        with pytest.raises(FilterNotAppliedError):
            await anext(iterator)
    assert got == ["1", "2"]


async def test_a_stray_answer_to_another_window_is_an_error() -> None:
    other = Asked(0, {"fromInvDate": "2025-03-01", "toInvDate": "2025-03-30"})
    async with (
        Service(
            lambda _: Reply({"metaData": {"totalCount": 1, "filtersApplied": echo(other)}, "invoices": [row(1)]})
        ) as service,
        service.client() as client,
    ):
        with pytest.raises(FilterNotAppliedError):
            await client.distributions.list(*JANUARY).collect()


async def test_the_default_range_is_complete_only_where_the_service_says_that_it_used_it() -> None:
    async with Service(lambda asked: reply(asked, [row(1)])) as service, service.client() as client:
        invoices = client.distributions.list()
        await invoices.collect()
        verdicts = [invoices.report.verdict]
        service.answer = lambda asked: reply(asked, [row(1)], None, defaultLast30DaysApplied=False)
        await invoices.collect()
        verdicts.append(invoices.report.verdict)
    assert verdicts == [Verdict.COMPLETE, Verdict.UNVERIFIED]


@pytest.mark.parametrize(
    ("said", "verdict"),
    [("ALL", Verdict.COMPLETE), (None, Verdict.UNVERIFIED)],
)
async def test_a_fetch_type_is_confirmed_or_not(said: str | None, verdict: Verdict) -> None:
    async with (
        Service(lambda asked: reply(asked, [row(1)], None, fetchType=said)) as service,
        service.client() as client,
    ):
        invoices = client.distributions.list(*JANUARY, fetch_type="ALL")
        await invoices.collect()
    assert invoices.report.verdict == verdict


async def test_another_fetch_type_is_an_error() -> None:
    async with (
        Service(lambda asked: reply(asked, [row(1)], None, fetchType="NEW")) as service,
        service.client() as client,
    ):
        with pytest.raises(FilterNotAppliedError) as caught:
            await client.distributions.list(*JANUARY, fetch_type="ALL").collect()
    assert caught.value.field == "fetchType"
