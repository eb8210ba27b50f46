"""Looking one invoice up: found, known not to be there, or not known; never a guess."""

from __future__ import annotations

from typing import cast

import pytest

from confirma_async import (
    ApiStatusError,
    ConfigurationError,
    DataIntegrityError,
    DateWindow,
    FilterNotAppliedError,
    IncompleteResultError,
    NotFoundError,
)
from confirma_async.sandbox import SandboxServer

from .servers import Reply, Row, Service, day, reply, row, without_total


async def test_an_invoice_is_found_by_its_number() -> None:
    async with SandboxServer(5, today=day(30)) as sandbox, sandbox.client() as client:
        found = await client.distributions.get("202501002")
        assert (found.invoice_number, len(sandbox.requests)) == ("202501002", 1)
        assert dict(sandbox.requests[0].query) == {"invoiceNumber": "202501002"}


async def test_a_range_is_searched_in_one_request() -> None:
    async with SandboxServer(5) as sandbox, sandbox.client() as client:
        found = await client.distributions.get("202501002", from_date=day(0), to_date=day(364))
        assert (found.invoice_number, len(sandbox.requests)) == ("202501002", 1)


@pytest.mark.parametrize("number", ["007", "INV-2024-001", "7/8 ä"])
async def test_a_number_is_sent_as_it_is(number: str) -> None:
    async with Service(lambda asked: reply(asked, [row(number)])) as service, service.client() as client:
        assert (await client.distributions.get(number)).invoice_number == number
    assert service.asked[0].query == {"invoiceNumber": number}


async def test_an_integer_number_and_echo_are_the_number_asked_for() -> None:
    async with (
        Service(lambda asked: reply(asked, [row(7)], None, invoiceNumber=7)) as service,
        service.client() as client,
    ):
        assert (await client.distributions.get("7")).invoice_number == "7"


async def test_nothing_in_a_searched_range_is_not_found() -> None:
    async with Service(lambda asked: reply(asked, [])) as service, service.client() as client:
        with pytest.raises(NotFoundError):
            await client.distributions.get("7", from_date=day(0), to_date=day(99))
    assert service.windows == [DateWindow(day(0), day(99))]


async def test_nothing_in_the_last_30_days_is_not_known_and_says_how_to_widen() -> None:
    async with Service(lambda asked: reply(asked, [])) as service, service.client() as client:
        with pytest.raises(IncompleteResultError, match="from_date"):
            await client.distributions.get("7")


@pytest.mark.parametrize("said", [{"fromInvDate": None}, {"toInvDate": "soon"}, {"invoiceNumber": None}], ids=str)
async def test_nothing_with_an_echo_that_does_not_say_what_was_searched_is_not_known(said: Row) -> None:
    async with Service(lambda asked: reply(asked, [], None, **said)) as service, service.client() as client:
        with pytest.raises(IncompleteResultError, match="not known what was searched"):
            await client.distributions.get("7", from_date=day(0), to_date=day(99))


async def test_nothing_without_a_total_is_not_known() -> None:
    async with Service(lambda asked: without_total(asked, [])) as service, service.client() as client:
        with pytest.raises(IncompleteResultError):
            await client.distributions.get("7", from_date=day(0), to_date=day(99))


async def test_no_content_is_not_known() -> None:
    async with Service(lambda _: Reply(status=204)) as service, service.client() as client:
        with pytest.raises(IncompleteResultError):
            await client.distributions.get("7", from_date=day(0), to_date=day(99))


async def test_a_404_may_mean_the_address_and_is_not_known() -> None:
    async with Service(lambda _: Reply(status=404)) as service, service.client() as client:
        with pytest.raises(IncompleteResultError, match="404"):
            await client.distributions.get("7", from_date=day(0), to_date=day(99))


@pytest.mark.parametrize("status", [400, 403, 422, 501])
async def test_another_failure_is_that_failure(status: int) -> None:
    async with Service(lambda _: Reply(status=status)) as service, service.client() as client:
        with pytest.raises(ApiStatusError) as caught:
            await client.distributions.get("7")
    assert (caught.value.status, "7" in caught.value.url.rpartition("?")[2]) == (status, False)


async def test_a_row_with_another_number_is_an_error() -> None:
    async with Service(lambda asked: reply(asked, [row(7), row(8)])) as service, service.client() as client:
        with pytest.raises(FilterNotAppliedError) as caught:
            await client.distributions.get("7", from_date=day(0), to_date=day(99))
    assert caught.value.field == "invoiceNumber"


async def test_an_echo_of_another_number_is_an_error() -> None:
    async with (
        Service(lambda asked: reply(asked, [row(7)], None, invoiceNumber="8")) as service,
        service.client() as client,
    ):
        with pytest.raises(FilterNotAppliedError):
            await client.distributions.get("7")


async def test_the_last_30_days_instead_of_the_asked_range_are_an_error() -> None:
    async with (
        Service(lambda asked: reply(asked, [row(7)], None, defaultLast30DaysApplied=True)) as service,
        service.client() as client,
    ):
        with pytest.raises(FilterNotAppliedError):
            await client.distributions.get("7", from_date=day(0), to_date=day(99))


async def test_two_different_records_of_one_number_are_an_error() -> None:
    async with Service(lambda asked: reply(asked, [row(7), row(7, "OTHER")])) as service, service.client() as client:
        with pytest.raises(DataIntegrityError, match="2 different records"):
            await client.distributions.get("7")


async def test_the_same_record_twice_is_that_record() -> None:
    async with Service(lambda asked: reply(asked, [row(7), row(7)])) as service, service.client() as client:
        assert (await client.distributions.get("7")).invoice_number == "7"


async def test_a_record_is_found_where_the_echo_says_nothing() -> None:
    async with Service(lambda _: Reply({"invoices": [row(7)]})) as service, service.client() as client:
        assert (await client.distributions.get("7")).invoice_number == "7"


@pytest.mark.parametrize("number", [None, 7, "", " ", "7\n", b"7"])
async def test_what_is_no_number_is_refused_before_anything_is_sent(number: object) -> None:
    async with Service(lambda asked: reply(asked, [row(8)])) as service, service.client() as client:
        with pytest.raises(ConfigurationError):
            await client.distributions.get(cast("str", number))
    assert service.asked == []


async def test_an_end_without_a_start_is_refused_before_anything_is_sent() -> None:
    async with Service(lambda asked: reply(asked, [])) as service, service.client() as client:
        with pytest.raises(ConfigurationError):
            await client.distributions.get("7", to_date=day(3))
    assert service.asked == []
