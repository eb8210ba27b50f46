"""Rows that move, come twice, or share a number while their pages are read."""

from __future__ import annotations

import pytest

from confirma_async import IncompleteResultError, ServiceProfile, Verdict

from .servers import Asked, Reply, Row, Service, day, numbers, paged, reply, row, settled

THIRTY = [str(place) for place in range(30)]


class Moving:
    """Thirty rows in pages of ten, which `move` changes just before page 2 is answered for the first time."""

    def __init__(self, *changes: tuple[str, int]) -> None:
        self.rows: list[Row] = [row(place) for place in range(30)]
        self.changes = list(changes)

    def __call__(self, asked: Asked) -> Reply:
        if asked.page == 2:
            for kind, place in self.changes:
                if kind == "insert":
                    self.rows.insert(place, row(999))
                else:
                    del self.rows[place]
            self.changes.clear()
        return paged(asked, self.rows, 10)


@pytest.mark.parametrize("place", [0, 5, 9, 10, 15, 30])
async def test_a_row_that_is_inserted_between_pages_comes_once(place: int) -> None:
    async with Service(Moving(("insert", place))) as service, service.client() as client:
        invoices = client.distributions.list(day(0), day(0))
        assert sorted([*THIRTY, "999"]) == sorted(numbers(await invoices.collect()), key=str)
    assert (invoices.report.verdict, invoices.report.rereads) == (Verdict.COMPLETE, 1)


@pytest.mark.parametrize("place", [0, 5, 9, 10, 29])
async def test_a_row_that_is_deleted_between_pages_hides_no_other(place: int) -> None:
    async with Service(Moving(("delete", place))) as service, service.client() as client:
        invoices = client.distributions.list(day(0), day(0))
        got = numbers(await invoices.collect())
    assert set(THIRTY) - {str(place)} <= set(got) <= set(THIRTY)
    assert len(got) == len(set(got))
    assert invoices.report.verdict == Verdict.COMPLETE


async def test_a_row_that_moves_to_another_page_comes_once() -> None:
    async with Service(Moving(("delete", 20), ("insert", 0))) as service, service.client() as client:
        got = numbers(await client.distributions.list(day(0), day(0)).collect())
    assert set(THIRTY) - {"20"} <= set(got)
    assert len(got) == len(set(got))


async def test_rows_that_never_stand_still_are_an_error() -> None:
    rows = [row(place) for place in range(30)]

    def answer(asked: Asked) -> Reply:
        rows.insert(0, row(1000 + asked.place))
        return paged(asked, rows, 10)

    async with Service(answer) as service, service.client() as client:
        with pytest.raises(IncompleteResultError, match="moves"):
            await client.distributions.list(day(0), day(0)).collect()
    assert len(service.asked) <= 18


async def test_rows_that_never_stand_still_can_be_reported() -> None:
    rows = [row(place) for place in range(30)]

    def answer(asked: Asked) -> Reply:
        rows.insert(0, row(1000 + asked.place))
        return paged(asked, rows, 10)

    async with Service(answer) as service, service.client() as client:
        invoices = client.distributions.list(day(0), day(0), completeness="report")
        got = numbers(await invoices.collect())
    assert set(THIRTY) <= set(got)
    assert len(got) == len(set(got))
    assert invoices.report.verdict == Verdict.INCOMPLETE


async def test_a_row_that_comes_twice_in_an_answer_is_handed_out_once() -> None:
    async with Service(lambda asked: reply(asked, [row(1), row(1), row(2)])) as service, service.client() as client:
        invoices = client.distributions.list(day(0), day(0))
        assert numbers(await invoices.collect()) == ["1", "2"]
    assert (invoices.report.verdict, invoices.report.duplicates, len(service.asked)) == (Verdict.COMPLETE, 1, 1)


async def test_a_row_that_comes_on_two_pages_is_handed_out_once() -> None:
    rows = [row(1), row(2), row(2), row(3)]
    async with Service(lambda asked: paged(asked, rows, 2)) as service, service.client() as client:
        invoices = client.distributions.list(day(0), day(0))
        assert numbers(await invoices.collect()) == ["1", "2", "3"]
    assert (invoices.report.verdict, invoices.report.duplicates) == (Verdict.COMPLETE, 1)


async def test_a_row_that_comes_in_two_neighbouring_windows_is_handed_out_once() -> None:
    def answer(asked: Asked) -> Reply:
        assert asked.window is not None
        first = asked.window.start.day
        return reply(asked, [row(first), row(first + 1)])

    async with Service(answer) as service, service.client() as client:
        invoices = client.distributions.list(day(0), day(4), window_days=1)
        assert numbers(await invoices.collect()) == ["1", "2", "3", "4", "5", "6"]
    assert (invoices.report.verdict, invoices.report.duplicates) == (Verdict.COMPLETE, 4)


async def test_a_row_of_two_windows_that_wait_for_the_caller_is_not_dropped_by_both() -> None:
    def answer(asked: Asked) -> Reply:
        assert asked.window is not None
        first = asked.window.start.day
        return reply(asked, [row(first), row(first + 1)])

    async with Service(answer) as service, service.client() as client:
        iterator = aiter(client.distributions.list(day(0), day(4), window_days=1, ordered=False))
        got = [(await anext(iterator)).invoice_number]
        await settled()  # all the others have come and wait
        got += [invoice.invoice_number async for invoice in iterator]
    assert sorted(got, key=str) == ["1", "2", "3", "4", "5", "6"]


@pytest.mark.parametrize(
    "change",
    [
        {"distributionStatus": "OTHER"},
        {"dates": {"createdAt": "2025-01-01T08:00:01Z"}},
        {"file": None},
        {"errors": [{"errorCode": "E"}]},
        {"unknownField": 1},
        {"paymentControl": {"enabled": True}},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_rows_that_share_a_number_and_differ_are_both_handed_out(change: Row) -> None:
    async with (
        Service(lambda asked: reply(asked, [row(1), {**row(1), **change}])) as service,
        service.client() as client,
    ):
        invoices = client.distributions.list(day(0), day(0))
        assert len(set(await invoices.collect())) == 2
    assert (invoices.report.duplicates, invoices.report.conflicts) == (0, 1)


@pytest.mark.parametrize(("one", "other"), [(True, 1), (False, 0), ("1", 1), (None, False), ([True], [1])])
async def test_unknown_fields_of_different_types_are_different(one: object, other: object) -> None:
    async with (
        Service(lambda asked: reply(asked, [row(1, x=one), row(1, x=other)])) as service,
        service.client() as client,
    ):
        assert len(await client.distributions.list(day(0), day(0)).collect()) == 2


async def test_of_rows_with_one_number_the_first_stays_where_numbers_are_unique() -> None:
    profile = ServiceProfile(unique_by="invoice_number")
    rows = [row(1, "FIRST"), row(1, "SECOND"), row(2)]
    async with Service(lambda asked: reply(asked, rows)) as service, service.client(profile=profile) as client:
        invoices = client.distributions.list(day(0), day(0))
        got = await invoices.collect()
    assert [(invoice.invoice_number, invoice.distribution_status) for invoice in got] == [
        ("1", "FIRST"),
        ("2", "DISTRIBUTED"),
    ]
    assert (invoices.report.verdict, invoices.report.conflicts) == (Verdict.COMPLETE, 1)


async def test_rows_without_a_number_are_not_each_other_even_where_numbers_are_unique() -> None:
    profile = ServiceProfile(unique_by="invoice_number")
    rows = [row(None, "FIRST"), row(None, "SECOND")]
    async with Service(lambda asked: reply(asked, rows)) as service, service.client(profile=profile) as client:
        invoices = client.distributions.list(day(0), day(0))
        assert len(await invoices.collect()) == 2
    assert invoices.report.conflicts == 0


async def test_a_row_that_changes_between_two_readings_is_handed_out_in_both_forms() -> None:
    rows = [row(place) for place in range(15)]

    def answer(asked: Asked) -> Reply:
        if asked.page == 2 and len(rows) == 15:
            rows[0] = row(0, "CHANGED")
            rows.append(row(15))
        return paged(asked, rows, 10)

    async with Service(answer) as service, service.client() as client:
        invoices = client.distributions.list(day(0), day(0))
        got = await invoices.collect()
    assert [invoice.distribution_status for invoice in got if invoice.invoice_number == "0"] == [
        "DISTRIBUTED",
        "CHANGED",
    ]
    assert len(got) == 17
