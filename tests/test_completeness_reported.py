"""What a report says where something is missing or cannot be proved, and what it never hides."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from confirma_async import (
    DataIntegrityError,
    DateWindow,
    Doubt,
    PagingError,
    ResponseDecodeError,
    Verdict,
)
from confirma_async.sandbox import SandboxServer

from .servers import Asked, Reply, Row, Service, day, echo, numbers, reply, row, rows_by_day, without_total

BROKEN = row("20250101-0", distributionStatus=5)


def cut(size: int) -> Callable[[Asked], Reply]:
    """Two rows a day, the first of the year broken; an answer holds `size` at most."""

    def answer(asked: Asked) -> Reply:
        rows: list[Row] = [BROKEN if each["invoiceNumber"] == "20250101-0" else each for each in of(asked)]
        return reply(asked, rows[:size], len(rows))

    return answer


def of(asked: Asked) -> list[Row]:
    """Two rows for each day that is asked for."""
    return rows_by_day(asked.window, 2)


async def test_a_shortfall_is_noted_where_the_caller_wants_a_report() -> None:
    def answer(asked: Asked) -> Reply:
        return reply(asked, of(asked)[:3], 4) if asked.window == DateWindow(day(2), day(3)) else reply(asked, of(asked))

    def short_day(asked: Asked) -> Reply:
        return reply(asked, of(asked)[:1], 2) if asked.window == DateWindow(day(3), day(3)) else answer(asked)

    async with Service(short_day) as service, service.client() as client:
        invoices = client.distributions.list(day(0), day(5), window_days=2, completeness="report")
        assert len(await invoices.collect()) == 11
    assert invoices.report.verdict == Verdict.INCOMPLETE
    assert invoices.report.incomplete == (Doubt(DateWindow(day(2), day(3)), "the service promised 2 rows, 1 came"),)


async def test_windows_behind_a_short_one_are_still_read() -> None:
    async with (
        Service(lambda asked: reply(asked, of(asked), 3 if asked.window == DateWindow(day(0), day(0)) else 2)) as it,
        it.client() as client,
    ):
        invoices = client.distributions.list(day(0), day(9), window_days=1, completeness="report")
        assert len(await invoices.collect()) == 20
    assert (invoices.report.verdict, invoices.report.windows) == (Verdict.INCOMPLETE, 10)


async def test_a_total_that_counts_the_page_is_noted() -> None:
    async with SandboxServer(120, "number", 50, total="page") as sandbox, sandbox.client() as client:
        invoices = client.distributions.list(day(0), day(3), window_days=1, completeness="report")
        await invoices.collect()
    assert invoices.report.verdict == Verdict.INCOMPLETE


async def test_two_halves_that_hold_less_than_the_whole_are_noted() -> None:
    def answer(asked: Asked) -> Reply:
        rows = of(asked)
        return reply(asked, rows[:6], 10) if len(rows) == 8 else reply(asked, rows)

    async with Service(answer) as service, service.client() as client:
        invoices = client.distributions.list(day(0), day(3), completeness="report")
        assert len(await invoices.collect()) == 8
        assert invoices.report.verdict == Verdict.INCOMPLETE
        with pytest.raises(DataIntegrityError):
            await client.distributions.list(day(0), day(3)).collect()


async def test_no_content_is_no_records_and_unverified() -> None:
    async with Service(lambda _: Reply(status=204)) as service, service.client() as client:
        invoices = client.distributions.list(day(0), day(3))
        assert await invoices.collect() == []
    assert (invoices.report.verdict, len(service.asked)) == (Verdict.UNVERIFIED, 1)


@pytest.mark.parametrize("meta", [{}, {"metaData": None}, {"metaData": {}}, {"metaData": {"totalCount": None}}])
async def test_an_answer_without_a_total_is_unverified(meta: Row) -> None:
    async with Service(lambda _: Reply({**meta, "invoices": [row(1)]})) as service, service.client() as client:
        invoices = client.distributions.list(day(0), day(3))
        assert numbers(await invoices.collect()) == ["1"]
    assert (invoices.report.verdict, len(service.asked)) == (Verdict.UNVERIFIED, 1)


async def test_unverified_neighbours_with_one_reason_are_named_together() -> None:
    async with Service(lambda asked: without_total(asked, of(asked))) as service, service.client() as client:
        invoices = client.distributions.list(day(0), day(9), window_days=2)
        await invoices.collect()
    assert invoices.report.unverified == (Doubt(DateWindow(day(0), day(9)), "the service gave no total"),)


async def test_only_the_unverified_windows_are_named() -> None:
    async with (
        Service(
            lambda asked: (without_total if asked.window == DateWindow(day(2), day(3)) else reply)(asked, of(asked))
        ) as service,
        service.client() as client,
    ):
        invoices = client.distributions.list(day(0), day(9), window_days=2)
        await invoices.collect()
    assert [doubt.span for doubt in invoices.report.unverified] == [DateWindow(day(2), day(3))]


async def test_rows_that_came_for_the_neighbour_too_are_a_doubt() -> None:
    async with Service(lambda asked: reply(asked, [row(1), row(2)])) as service, service.client() as client:
        invoices = client.distributions.list(day(0), day(3), window_days=1)
        assert numbers(await invoices.collect()) == ["1", "2"]
    assert invoices.report.verdict == Verdict.UNVERIFIED


async def test_a_report_names_the_beliefs_that_no_answer_can_confirm() -> None:
    async with Service(lambda asked: reply(asked, [])) as service, service.client() as client:
        invoices = client.distributions.list(day(0), day(3))
        await invoices.collect()
    assert ["end date" in belief for belief in invoices.report.rests_on] == [True]


async def test_an_invalid_row_is_an_error_by_default() -> None:
    async with Service(cut(100)) as service, service.client() as client:
        with pytest.raises(ResponseDecodeError) as caught:
            await client.distributions.list(day(0), day(0)).collect()
    assert (caught.value.path, caught.value.window) == (
        "invoices[0].distributionStatus",
        DateWindow(day(0), day(0)),
    )


async def test_an_invalid_row_is_skipped_and_named_where_the_caller_wants_a_report() -> None:
    async with Service(cut(100)) as service, service.client() as client:
        invoices = client.distributions.list(day(0), day(0), on_invalid="report")
        assert numbers(await invoices.collect()) == ["20250101-1"]
    report = invoices.report
    assert (report.verdict, report.invalid_count) == (Verdict.INCOMPLETE, 1)
    assert [place.endswith("invoices[0].distributionStatus") for place in report.invalid] == [True]


async def test_an_invalid_row_counts_once_where_its_window_is_halved() -> None:
    async with Service(cut(4)) as service, service.client() as client:
        invoices = client.distributions.list(day(0), day(3), on_invalid="report")
        assert len(await invoices.collect()) == 7
    assert (invoices.report.verdict, invoices.report.invalid_count) == (Verdict.INCOMPLETE, 1)


async def test_an_invalid_row_hides_no_other_where_the_service_pages_by_number() -> None:
    def answer(asked: Asked) -> Reply:
        rows = [BROKEN, *(row(place) for place in range(24))]
        return reply(asked, rows[10 * (asked.page - 1) : 10 * asked.page], 25)

    async with Service(answer) as service, service.client() as client:
        invoices = client.distributions.list(day(0), day(0), on_invalid="report")
        assert len(await invoices.collect()) == 24
    assert invoices.report.invalid_count == 1


async def test_a_report_does_not_excuse_the_default_range_of_the_service() -> None:
    async with (
        Service(lambda asked: reply(asked, of(asked), None, defaultLast30DaysApplied=True)) as service,
        service.client() as client,
    ):
        with pytest.raises(DataIntegrityError):
            await client.distributions.list(day(0), day(3), completeness="report").collect()


async def test_a_count_that_is_not_a_count_is_an_error_and_not_a_guess() -> None:
    async with (
        Service(
            lambda asked: Reply({"metaData": {"totalCount": "1", "filtersApplied": echo(asked)}, "invoices": []})
        ) as service,
        service.client() as client,
    ):
        with pytest.raises(ResponseDecodeError) as caught:
            await client.distributions.list(day(0), day(3)).collect()
    assert caught.value.path == "metaData.totalCount"


async def test_the_verdict_is_incomplete_until_the_run_has_ended() -> None:
    async with Service(lambda asked: reply(asked, of(asked))) as service, service.client() as client:
        invoices = client.distributions.list(day(0), day(1), window_days=1)
        verdicts = [invoices.report.verdict]
        async for _ in invoices:
            verdicts.append(invoices.report.verdict)
        verdicts.append(invoices.report.verdict)
    assert verdicts == [*[Verdict.INCOMPLETE] * 5, Verdict.COMPLETE]


async def test_a_paging_error_names_the_way_out() -> None:
    async with SandboxServer(120, "number", 100, total="page") as sandbox, sandbox.client() as client:
        with pytest.raises(PagingError, match=r"Paging\.numbered"):
            await client.distributions.list(day(0), day(3), window_days=1).collect()
