"""The arithmetic of synthetic invoices: counting and cutting without making them."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confirma_async.sandbox._ledger import FIRST_DAY, CountSource, Selection, Span, exists, select
from confirma_async.sandbox._numbers import NumberStyle, numbers_of, place_of
from confirma_async.sandbox._rows import RowWriter, TimestampStyle

DAY = date(2025, 1, 1)
FIRST = DAY.toordinal()

styles = st.sampled_from(["int", "text"])
ordinals = st.integers(FIRST_DAY, date.max.toordinal())
counts = st.lists(st.integers(0, 45), min_size=1, max_size=12)


def sources(days: list[int]) -> list[CountSource]:
    by_day = {DAY + timedelta(days=n): count for n, count in enumerate(days)}
    every = days[0]
    return [every, by_day, lambda day: by_day[day]]


def places(selection: Selection, start: int = 0, stop: int = 10**9) -> list[tuple[int, int]]:
    return [(span.ordinal, index) for span in selection.spans(start, stop) for index in range(span.start, span.stop)]


def writer(
    *, seed: int = 0, numbers: NumberStyle = "int", timestamps: TimestampStyle = "mixed", extra: bool = False
) -> RowWriter:
    return RowWriter(seed=seed, numbers=numbers, timestamps=timestamps, extra=extra)


def made(rows: RowWriter, *spans: Span) -> list[dict[str, Any]]:
    page: list[dict[str, Any]] = json.loads(f"[{rows.page(spans)}]")
    return page


@given(counts, st.integers(0, 600), st.integers(0, 120))
def test_any_slice_is_that_slice_of_the_whole(days: list[int], start: int, length: int) -> None:
    for source in sources(days):
        selection = select(source, FIRST, FIRST + len(days) - 1)
        assert places(selection, start, start + length) == places(selection)[start : start + length]


@given(counts)
def test_the_tally_is_what_the_rows_say(days: list[int]) -> None:
    for source in sources(days):
        selection = select(source, FIRST, FIRST + len(days) - 1)
        statuses = [row["distributionStatus"] for row in made(writer(), *selection.spans(0, 10**9))]
        tally = selection.tally()
        assert tally.total == len(statuses)
        assert tally.failed == statuses.count("FAILED")
        assert tally.successful == statuses.count("DISTRIBUTED")


@given(counts, st.integers(1, 30))
def test_pages_together_are_the_whole(days: list[int], size: int) -> None:
    selection = select(sources(days)[1], FIRST, FIRST + len(days) - 1)
    pages = [places(selection, at, at + size) for at in range(0, selection.tally().total, size)]
    assert [place for page in pages for place in page] == places(selection)


@given(styles, ordinals, st.integers(0, 200_000))
def test_a_number_names_its_place(style: NumberStyle, ordinal: int, index: int) -> None:
    assert place_of(style, numbers_of(style, ordinal)(index)) == (ordinal, index)


@given(styles, st.tuples(ordinals, st.integers(0, 5000)), st.tuples(ordinals, st.integers(0, 5000)))
def test_two_places_never_share_a_number(style: NumberStyle, one: tuple[int, int], other: tuple[int, int]) -> None:
    same = numbers_of(style, one[0])(one[1]) == numbers_of(style, other[0])(other[1])
    assert same == (one == other)


@given(styles, st.text(st.sampled_from("0123456789INV- "), max_size=16))
def test_no_other_spelling_of_a_number_is_known(style: NumberStyle, text: str) -> None:
    place = place_of(style, text)
    assert place is None or numbers_of(style, place[0])(place[1]) == text


@pytest.mark.parametrize("number", ["", "2025", "099900100", "202536600", "999936600", "202500000", "20250010045"])
def test_a_number_that_is_never_issued_has_no_place(number: str) -> None:
    assert place_of("int", number) is None


def test_numbers_look_like_those_of_the_vendor() -> None:
    assert numbers_of("int", FIRST)(45) == "202500145"
    assert numbers_of("text", FIRST)(45) == "INV-2025-001045"
    assert numbers_of("text", FIRST)(7) == "002025001007"


def test_a_page_deep_in_twenty_years_makes_only_its_own_rows() -> None:
    rows, selection = writer(), select(50, date(2005, 1, 1).toordinal(), date(2024, 12, 31).toordinal())
    assert selection.tally().total == 7305 * 50
    rows.page(list(selection.spans(300_000, 300_100)))
    assert rows.written == 100


def test_a_page_asked_again_is_not_made_again_but_only_a_few_are_kept() -> None:
    rows = writer()
    first = rows.page([Span(FIRST, 0, 10)])
    assert rows.page([Span(FIRST, 0, 10)]) == first
    assert rows.written == 10
    for day in range(1, 40):
        rows.page([Span(FIRST + day, 0, 1)])
    assert rows.page([Span(FIRST, 0, 10)]) == first
    assert rows.written == 10 + 39 + 10


def test_a_long_answer_is_not_kept() -> None:
    rows = writer()
    for _ in range(2):
        rows.page([Span(FIRST, 0, 501)])
    assert rows.written == 1002


@pytest.mark.parametrize("style", ["int", "text"])
def test_every_row_has_a_number_of_its_own(style: NumberStyle) -> None:
    numbers = [
        row["invoiceNumber"] for row in made(writer(numbers=style), *select(120, FIRST, FIRST + 9).spans(0, 1200))
    ]
    assert len(set(numbers)) == 1200
    assert {type(number) for number in numbers} == {int if style == "int" else str}


def test_the_same_seed_writes_the_same_rows_and_another_seed_others() -> None:
    span = Span(FIRST, 0, 50)
    assert writer(seed=1).page([span]) == writer(seed=1).page([span])
    assert writer(seed=1).page([span]) != writer(seed=2).page([span])


def test_rows_agree_with_their_status() -> None:
    for row in made(writer(), *select(50, FIRST, FIRST + 19).spans(0, 1000)):
        dates, control = row["dates"], row["paymentControl"]
        delivered = row["distributionStatus"] == "DISTRIBUTED"
        assert (dates["distributedAt"] is not None) == delivered
        assert bool(row["errors"]) == (row["distributionStatus"] == "FAILED")
        assert (row["file"] is None) == (row["distributionStatus"] == "PENDING")
        assert (dates["paymentControlActivatedAt"] is None) == (control["caseId"] is None)
        times = [dates[name] for name in ("createdAt", "printedAt", "distributedAt") if dates[name]]
        assert times == sorted(times)


def test_rows_cover_what_the_vendors_pages_show() -> None:
    page = made(writer(), *select(50, FIRST, FIRST + 19).spans(0, 1000))
    assert {row["distributionStatus"] for row in page} == {"DISTRIBUTED", "FAILED", "PENDING"}
    assert {row["distributionMethod"] for row in page} == {"EMAIL", "EINVOICE", "PRINT", None}
    assert {row["paymentControl"]["agency"] for row in page} == {"CashIn", "CASH-IN"}
    assert {len(row["errors"]) for row in page} == {0, 1, 2}
    assert {type(row["paymentControl"]["caseId"]) for row in page} == {int, type(None)}


@pytest.mark.parametrize(
    ("style", "lengths"),
    [
        ("mixed", {len("2025-01-01T00:00:00Z"), len("2025-01-01T00:00:00.000Z")}),
        ("whole", {len("2025-01-01T00:00:00Z")}),
        ("fraction", {len("2025-01-01T00:00:00.000Z")}),
        ("naive", {len("2025-01-01T00:00:00")}),
        ("date", {len("2025-01-01")}),
    ],
)
def test_timestamps_are_spelled_as_told(style: TimestampStyle, lengths: set[int]) -> None:
    page = made(writer(timestamps=style), Span(FIRST, 0, 50))
    assert {len(row["dates"]["createdAt"]) for row in page} == lengths


def test_the_last_day_there_is_has_invoices() -> None:
    last = date.max.toordinal()
    assert len(made(writer(), *select(50, last, last).spans(0, 50))) == 50


def test_there_are_no_invoices_before_the_year_1000() -> None:
    assert select(5, 1, FIRST_DAY - 1).tally().total == 0
    assert select(5, 1, FIRST_DAY).tally().total == 5


@pytest.mark.parametrize("source", [3, {DAY: 3}, lambda _: 3])
def test_an_invoice_exists_if_its_day_has_that_many(source: CountSource) -> None:
    assert [exists(source, FIRST, index) for index in (0, 2, 3)] == [True, True, False]


@pytest.mark.parametrize("count", [-1, True, 1.0, None])
def test_a_function_that_gives_no_count_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match="whole number"):
        select(lambda _: count, FIRST, FIRST)
