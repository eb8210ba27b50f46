"""A window is complete, unverified or an error: halving what does not fit, and refusing what falls short."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from confirma_async import (
    ApiStatusError,
    ConfirmaError,
    DataIntegrityError,
    DateWindow,
    IncompleteResultError,
    RequestTimeoutError,
    ResponseTooLargeError,
    RetryPolicy,
    ServerError,
    Timeouts,
    Verdict,
)
from confirma_async.sandbox import Fault, SandboxServer

from .servers import Asked, Reply, Service, day, days_of, numbers, reply, row, rows_by_day, sent

ONCE = RetryPolicy(max_attempts=1)
EIGHT_DAYS = sent(rows_by_day(DateWindow(day(0), day(7)), 4))


def cut(size: int) -> Callable[[Asked], Reply]:
    """Four rows a day, of which an answer holds `size` at most."""
    return lambda asked: reply(asked, rows_by_day(asked.window, 4)[:size], len(rows_by_day(asked.window, 4)))


def refusing(status: int, most: int) -> Callable[[Asked], Reply]:
    """Four rows a day, and that status where an answer would hold more than `most`."""

    def answer(asked: Asked) -> Reply:
        rows = rows_by_day(asked.window, 4)
        return Reply(status=status) if len(rows) > most else reply(asked, rows)

    return answer


async def test_as_many_rows_as_were_promised_are_complete() -> None:
    async with Service(cut(100)) as service, service.client() as client:
        invoices = client.distributions.list(day(0), day(7))
        assert numbers(await invoices.collect()) == EIGHT_DAYS
    assert (invoices.report.verdict, invoices.report.unverified, len(service.asked)) == (Verdict.COMPLETE, (), 1)


async def test_no_rows_where_none_were_promised_are_complete() -> None:
    async with Service(lambda asked: reply(asked, [])) as service, service.client() as client:
        invoices = client.distributions.list(day(0), day(0))
        assert await invoices.collect() == []
    assert invoices.report.verdict == Verdict.COMPLETE


async def test_a_window_that_is_cut_off_is_halved() -> None:
    async with Service(cut(16)) as service, service.client() as client:
        invoices = client.distributions.list(day(0), day(7))
        assert sorted(numbers(await invoices.collect()), key=str) == EIGHT_DAYS
    plain = [asked.window for asked in service.asked if asked.is_plain]
    assert plain == [DateWindow(day(0), day(7)), DateWindow(day(0), day(3)), DateWindow(day(4), day(7))]
    assert (invoices.report.verdict, invoices.report.halvings) == (Verdict.COMPLETE, 1)


async def test_halving_goes_down_to_single_days() -> None:
    async with Service(cut(4)) as service, service.client() as client:
        invoices = client.distributions.list(day(0), day(7))
        assert sorted(numbers(await invoices.collect()), key=str) == EIGHT_DAYS
    assert sum(asked.is_plain for asked in service.asked) == 2 * 8 - 1
    assert (invoices.report.verdict, invoices.report.duplicates) == (Verdict.COMPLETE, 0)


async def test_a_single_day_that_is_cut_off_is_an_error() -> None:
    async with Service(cut(3)) as service, service.client() as client:
        with pytest.raises(IncompleteResultError) as caught:
            await client.distributions.list(day(0), day(7)).collect()
    error = caught.value
    assert (error.expected, error.received) == (4, 3)
    assert error.window is not None
    assert error.window.days == 1


async def test_a_single_day_that_is_cut_off_costs_three_requests() -> None:
    async with Service(cut(3)) as service, service.client() as client:
        with pytest.raises(IncompleteResultError):
            await client.distributions.list(day(0), day(0)).collect()
    assert service.pages == [1, 2, 1]


async def test_a_cut_day_is_an_error_whatever_became_of_the_days_beside_it() -> None:
    counts = [1, 3, 3, 8, 1, 1]

    def answer(asked: Asked) -> Reply:
        rows = [row(f"{each}/{place}") for each in days_of(asked.window) for place in range(counts[each.day - 1])]
        return reply(asked, rows[:4], len(rows))

    async with Service(answer) as service, service.client() as client:
        with pytest.raises(IncompleteResultError) as caught:
            await client.distributions.list(day(0), day(5)).collect()
    assert (caught.value.window, caught.value.expected, caught.value.received) == (DateWindow(day(3), day(3)), 8, 4)


async def test_a_repeated_page_counts_for_nothing_whatever_became_of_the_days_beside_it() -> None:
    counts = [1, 3, 3, 8, 1, 1]
    moving = iter([5, 4, 3, 2])  # the totals of the second and third day, which does not settle at first

    def answer(asked: Asked) -> Reply:
        rows = [row(f"{each}/{place}") for each in days_of(asked.window) for place in range(counts[each.day - 1])]
        if asked.window == DateWindow(day(1), day(1)):
            return reply(asked, rows, next(moving, 3))
        return reply(asked, rows[:4], len(rows))

    async with Service(answer) as service, service.client() as client:
        invoices = client.distributions.list(day(0), day(5), completeness="report")
        await invoices.collect()
    assert (invoices.report.verdict, invoices.report.records) == (Verdict.INCOMPLETE, 13)


async def test_a_single_day_is_read_again_before_it_is_given_up() -> None:
    answers = iter([3, 3, 4])

    def answer(asked: Asked) -> Reply:
        return reply(asked, rows_by_day(asked.window, 4)[: next(answers)], 4)

    async with Service(answer) as service, service.client() as client:
        invoices = client.distributions.list(day(0), day(0))
        assert len(await invoices.collect()) == 4
    assert (invoices.report.verdict, invoices.report.rereads) == (Verdict.COMPLETE, 1)


@pytest.mark.parametrize("status", [413, 504])
async def test_an_answer_that_is_too_large_or_too_slow_is_halved(status: int) -> None:
    async with Service(refusing(status, 8)) as service, service.client(retry=ONCE) as client:
        invoices = client.distributions.list(day(0), day(7))
        assert sorted(numbers(await invoices.collect()), key=str) == EIGHT_DAYS
    assert len(service.asked) == 7
    assert invoices.report.verdict == Verdict.COMPLETE


async def test_halves_of_what_is_too_large_are_asked_for_side_by_side() -> None:
    both = asyncio.Barrier(2)

    async def answer(asked: Asked) -> Reply:
        if asked.place:
            await both.wait()
        return refusing(413, 16)(asked)

    async with Service(answer) as service, service.client() as client:
        async with asyncio.timeout(5):
            assert len(await client.distributions.list(day(0), day(7)).collect()) == 32


async def test_halves_of_what_is_too_slow_are_asked_for_one_after_the_other() -> None:
    async def answer(asked: Asked) -> Reply:
        await asyncio.sleep(0.005)
        return refusing(504, 4)(asked)

    async with Service(answer) as service, service.client(retry=ONCE) as client:
        assert len(await client.distributions.list(day(0), day(3)).collect()) == 16
    assert service.most_in_flight == 1


async def test_an_answer_over_the_limit_of_bytes_is_halved() -> None:
    async with Service(cut(100)) as service, service.client(max_response_bytes=6000) as client:
        invoices = client.distributions.list(day(0), day(7))
        assert sorted(numbers(await invoices.collect()), key=str) == EIGHT_DAYS
    assert invoices.report.halvings > 0


async def test_a_total_timeout_is_halved() -> None:
    def is_long(request: object) -> bool:
        query = getattr(request, "query", {})
        return (query["fromInvDate"], query["toInvDate"]) == (str(day(0)), str(day(3)))

    async with (
        SandboxServer(2, faults=[Fault.hang(times=None, when=is_long)]) as sandbox,
        sandbox.client(retry=ONCE, timeouts=Timeouts(total=0.1)) as client,
    ):
        assert len(await client.distributions.list(day(0), day(3)).collect()) == 8


@pytest.mark.parametrize(("status", "kind"), [(413, ApiStatusError), (504, ServerError)])
async def test_a_single_day_that_is_too_large_or_too_slow_is_an_error(status: int, kind: type[ConfirmaError]) -> None:
    async with Service(refusing(status, 3)) as service, service.client(retry=ONCE) as client:
        with pytest.raises(kind) as caught:
            await client.distributions.list(day(0), day(1)).collect()
    assert caught.value.window == DateWindow(day(0), day(0))


async def test_a_single_day_over_the_limit_of_bytes_is_an_error() -> None:
    async with Service(cut(100)) as service, service.client(max_response_bytes=1000) as client:
        with pytest.raises(ResponseTooLargeError) as caught:
            await client.distributions.list(day(0), day(7)).collect()
    assert caught.value.limit == 1000


@pytest.mark.parametrize("status", [400, 403, 404, 500, 503])
async def test_other_failures_are_not_halved(status: int) -> None:
    async with Service(lambda _: Reply(status=status)) as service, service.client(retry=ONCE) as client:
        with pytest.raises(ApiStatusError):
            await client.distributions.list(day(0), day(7)).collect()
    assert len(service.asked) == 1


async def test_an_outage_of_gateway_timeouts_costs_little() -> None:
    async with Service(lambda _: Reply(status=504)) as service, service.client(retry=ONCE, concurrency=2) as client:
        with pytest.raises(ServerError):
            await client.distributions.list(day(0), day(299)).collect()
    assert len(service.asked) <= 2 * 2 * 6


async def test_halving_stops_where_both_halves_promise_the_whole() -> None:
    async with Service(lambda asked: reply(asked, [row(1)], 500)) as service, service.client() as client:
        with pytest.raises(DataIntegrityError, match="same 500 rows for each half"):
            await client.distributions.list(day(0), day(29)).collect()
    assert len(service.asked) == 4


async def test_halving_stops_there_where_the_caller_wants_a_report_too() -> None:
    async with Service(lambda asked: reply(asked, [row(1)], 500)) as service, service.client() as client:
        invoices = client.distributions.list(day(0), day(29), completeness="report")
        await invoices.collect()
    assert {asked.window and asked.window.days for asked in service.asked} == {30, 15}
    assert invoices.report.verdict == Verdict.INCOMPLETE


async def test_two_halves_that_hold_less_than_the_whole_are_an_error() -> None:
    def answer(asked: Asked) -> Reply:
        rows = rows_by_day(asked.window, 1)
        return reply(asked, rows[:6], 10) if len(rows) == 8 else reply(asked, rows)

    async with Service(answer) as service, service.client() as client:
        with pytest.raises(DataIntegrityError, match="promised 10 rows, and for the two halves 4 and 4"):
            await client.distributions.list(day(0), day(7)).collect()


async def test_more_rows_than_were_promised_are_an_error() -> None:
    async with Service(lambda asked: reply(asked, [row(1), row(2)], 1)) as service, service.client() as client:
        with pytest.raises(IncompleteResultError) as caught:
            await client.distributions.list(day(0), day(0)).collect()
    assert (caught.value.expected, caught.value.received) == (1, 2)
    assert all(asked.is_plain for asked in service.asked)


async def test_the_default_range_is_halved_by_the_days_that_the_service_names() -> None:
    def answer(asked: Asked) -> Reply:
        if asked.window is None:
            return reply(asked, [row("20250101-0")], 8, fromInvDate="2025-01-01", toInvDate="2025-01-02")
        return cut(100)(asked)

    async with Service(answer) as service, service.client() as client:
        invoices = client.distributions.list()
        assert numbers(await invoices.collect()) == sent(rows_by_day(DateWindow(day(0), day(1)), 4))
    assert service.windows[-2:] == [DateWindow(day(0), day(0)), DateWindow(day(1), day(1))]


async def test_the_default_range_cannot_be_halved_where_the_service_names_no_days() -> None:
    async with (
        Service(lambda asked: reply(asked, [row(1)], 8, defaultLast30DaysApplied=True)) as service,
        service.client() as client,
    ):
        with pytest.raises(IncompleteResultError):
            await client.distributions.list().collect()


async def test_a_single_day_that_times_out_is_an_error() -> None:
    async with SandboxServer(1, faults=[Fault.hang(times=None)]) as sandbox:
        impatient = sandbox.client(retry=ONCE, timeouts=Timeouts(total=0.05))
        async with impatient as client:
            with pytest.raises(RequestTimeoutError):
                await client.distributions.list(day(0), day(0)).collect()
        assert len(sandbox.requests) == 1
