"""Which rows came before: whatever a set keeps of them to be fast and small, it tells what a list of all would."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confirma_async._findings import Diagnosis
from confirma_async._wire import Answer, RawReply, read_reply
from confirma_async.paginator import rows as sets
from confirma_async.paginator.rows import Delivery, Rows, RowSet

from .servers import Row, row


def answer(rows: Sequence[Row], *, exact: bool = False) -> Answer:
    """An answer of the service, as it is read: `exact` has every documented field, which is read another way."""
    if exact:
        rows = [{**each, "dates": {**DATES, **dict(each["dates"])}} for each in rows]  # type: ignore[call-overload]
    body = {
        "metaData": {
            "totalCount": len(rows),
            "successfulCount": 0,
            "failedCount": 0,
            "filtersApplied": {
                "invoiceNumber": None,
                "fromInvDate": "2025-01-01",
                "toInvDate": "2025-01-30",
                "fetchType": None,
                "defaultLast30DaysApplied": False,
            },
        },
        "invoices": list(rows),
    }
    return read_reply(RawReply(200, {}, json.dumps(body).encode()), "synthetic-key")


DATES = dict.fromkeys(("createdAt", "printedAt", "distributedAt", "paymentControlActivatedAt"))


def told_by_a_list(pages: Sequence[Sequence[Row]]) -> list[tuple[int, int, list[str]]]:
    """For each page: rows of new numbers, other rows of known numbers, and the statuses of rows that may leave."""
    seen: list[tuple[str | None, object]] = []
    told = []
    for page in pages:
        unknown = other = 0
        leaving = []
        for each in page:
            number = None if each["invoiceNumber"] is None else str(each["invoiceNumber"])
            known = [content for name, content in seen if name == number]
            if each["distributionStatus"] in known:
                continue
            seen.append((number, each["distributionStatus"]))
            leaving.append(str(each["distributionStatus"]))
            if known and number is not None:
                other += 1
            else:
                unknown += 1
        told.append((unknown, other, leaving))
    return told


numbers = st.one_of(st.integers(8, 13), st.sampled_from(["9", "010", "10", "A-1"]), st.none())
contents = st.sampled_from(["SENT", "SENT", "FAILED"])
any_page = st.lists(st.builds(row, numbers, contents), max_size=6)
ascending_page = st.builds(
    lambda first, count: [row(first + place, "SENT") for place in range(count)], st.integers(10, 24), st.integers(0, 6)
)
descending_page = ascending_page.map(lambda page: page[::-1])
pages_of_all_kinds = st.lists(st.one_of(any_page, ascending_page, descending_page), max_size=6)


@settings(max_examples=150, deadline=None)
@given(pages_of_all_kinds, st.lists(st.booleans(), min_size=6), st.sampled_from([0, 1500, 10**6]), st.booleans())
def test_what_is_kept_of_rows_changes_nothing_in_what_is_told_of_others(
    pages: list[list[Row]], exact: list[bool], kept: int, in_order: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sets, "MOST_KEPT_BYTES", kept)
        delivery = Delivery(Diagnosis(numbers_in_order=in_order), unique=False)
        told = []
        for page, is_exact in zip(pages, exact, strict=False):
            novelty = delivery.take(delivery.handed, Rows(answer(page, exact=is_exact)))
            told.append((novelty.unknown, novelty.other, [str(each.distribution_status) for each in novelty.leaving]))
    assert told == told_by_a_list(pages)


@settings(max_examples=150, deadline=None)
@given(pages_of_all_kinds, any_page)
def test_a_set_knows_none_of_rows_whose_numbers_it_has_not_seen(pages: list[list[Row]], asked: list[Row]) -> None:
    known = RowSet(of=Diagnosis())
    for page in pages:
        rows = Rows(answer(page))
        if not known.add_unknown(rows):
            for each in rows.all:
                known.add(each)
    seen = {str(each["invoiceNumber"]) for page in pages for each in page}
    assert known.knows_none_of(Rows(answer(asked))) == seen.isdisjoint(str(each["invoiceNumber"]) for each in asked)


def test_answers_in_order_need_no_number_of_theirs_to_be_kept() -> None:
    diagnosis = Diagnosis()
    known = RowSet(of=diagnosis)
    for page in (3, 1, 2):
        assert known.add_unknown(Rows(answer([row(f"{page}{place}") for place in range(5)])))
    assert diagnosis.numbers_in_order
    assert known.knows_none_of(Rows(answer([row("40"), row("41")])))
    assert diagnosis.numbers_in_order


@pytest.mark.parametrize("touching", [(15, 20), (25, 30), (21, 23)])
def test_a_number_at_the_edge_of_an_answer_was_seen(touching: tuple[int, int]) -> None:
    known = RowSet(of=Diagnosis())
    assert known.add_unknown(Rows(answer([row(number) for number in (20, 21, 23, 25)])))
    assert not known.knows_none_of(Rows(answer([row(number) for number in touching])))


def test_answers_that_overlap_are_remembered_for_the_client() -> None:
    diagnosis = Diagnosis()
    known = RowSet(of=diagnosis)
    assert known.add_unknown(Rows(answer([row("10"), row("30")])))
    assert known.add_unknown(Rows(answer([row("20"), row("40")])))
    assert not diagnosis.numbers_in_order
    assert not known.knows_none_of(Rows(answer([row("30")])))


def test_rows_are_equal_however_their_identifiers_and_instants_were_written() -> None:
    delivery = Delivery(Diagnosis(), unique=False)
    control = {"enabled": True, "agency": None, "status": None}
    plain = row(7, dates={"createdAt": "2025-01-02T06:00:00Z"}, paymentControl={**control, "caseId": 5})
    other = row("7", dates={"createdAt": "2025-01-02T08:00:00+02:00"}, paymentControl={**control, "caseId": "5"})
    assert len(delivery.take(delivery.handed, Rows(answer([plain], exact=True))).leaving) == 1
    (novel,) = delivery.take(delivery.handed, Rows(answer([row("8"), other], exact=True))).leaving
    assert novel.invoice_number == "8"
    assert (delivery.duplicates, delivery.conflicts) == (1, 0)


def test_an_answer_without_a_body_is_never_read_again() -> None:
    delivery = Delivery(Diagnosis(), unique=False)
    nothing = read_reply(RawReply(204, {}, b""), "synthetic-key")
    told = [
        delivery.take(delivery.handed, Rows(each)) for each in (answer([row(1)]), nothing, answer([row(1), row(2)]))
    ]
    assert [len(novelty.leaving) for novelty in told] == [1, 0, 1]
    assert delivery.handed.knows_none_of(Rows(nothing))
