"""Laws of records over generated answers: the fast way and the tolerant way agree, and dictionaries come back."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import UTC, datetime
from typing import Any

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from confirma_async import (
    DistributionDates,
    DistributionError,
    DistributionFile,
    InvoiceDistribution,
    PaymentControl,
    from_dict,
    to_dict,
)
from confirma_async._wire.fast import decode_exact

from .peers import Peer, Row, ask, body, reply, row

TEXT = st.none() | st.text(max_size=12)
IDENTIFIER = st.none() | st.text(max_size=8) | st.integers(-(10**30), 10**30)
MOMENT = (st.datetimes(timezones=st.just(UTC)) | st.datetimes()).map(lambda moment: moment.replace(fold=0))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
STAMP = st.none() | st.sampled_from(
    [
        "2025-01-02T03:04:05Z",
        "2019-08-24T14:15:22.123Z",
        "2019-08-24T14:15:22.1234567Z",
        "2025-01-02T03:04:05.5+02:00",
        "2025-01-02T03:04:05-0930",
        "2025-01-02T03:04:05",
        "2025-01-02",
        "9999-12-31T23:59:59.999999Z",
        "0001-01-01",
    ]
)


def wire(required: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Row]:
    """An object with its documented fields, some of them missing or beside unknown ones at times."""
    whole = st.fixed_dictionaries(required)
    partly = st.fixed_dictionaries({}, optional=required)
    more = st.builds(lambda known, unknown: {**unknown, **known}, whole, st.dictionaries(st.text(min_size=1), JSON))
    return whole | whole | partly | more


ROW = wire(
    {
        "invoiceNumber": IDENTIFIER,
        "distributionStatus": TEXT,
        "distributionMethod": TEXT,
        "distributionMessage": TEXT,
        "dates": st.none()
        | wire(
            {"createdAt": STAMP, "printedAt": STAMP, "distributedAt": STAMP, "paymentControlActivatedAt": STAMP},
        ),
        "file": st.none() | wire({"url": TEXT}),
        "paymentControl": st.none()
        | wire({"enabled": st.none() | st.booleans(), "agency": TEXT, "status": TEXT, "caseId": IDENTIFIER}),
        "errors": st.none()
        | st.lists(wire({"errorCode": TEXT, "errorDescription": TEXT, "errorType": TEXT}), max_size=2),
    }
)

EXTRA: st.SearchStrategy[Row] = st.just({}) | st.dictionaries(st.text(min_size=1).map("x-".__add__), JSON, max_size=2)
RECORD = st.builds(
    InvoiceDistribution,
    invoice_number=TEXT,
    distribution_status=TEXT,
    distribution_method=TEXT,
    distribution_message=TEXT,
    dates=st.builds(DistributionDates, st.none() | MOMENT, st.none() | MOMENT, extra=EXTRA),
    file=st.builds(DistributionFile, TEXT, extra=EXTRA),
    payment_control=st.builds(PaymentControl, st.none() | st.booleans(), TEXT, TEXT, TEXT, extra=EXTRA),
    errors=st.lists(st.builds(DistributionError, TEXT, TEXT, TEXT, extra=EXTRA), max_size=2),
    extra=EXTRA,
)


async def fetched(*rows: Row, **more: object) -> list[InvoiceDistribution]:
    async with Peer(reply(body(*rows, **more))) as peer, peer.client() as client:
        return await ask(client)


def distinct(rows: list[Row]) -> list[Row]:
    """Rows that differ in a status, so that none is taken for another one's double."""
    return [{**each, "distributionStatus": f"{place}"} for place, each in enumerate(rows)]


@settings(max_examples=60, deadline=None)
@given(st.lists(ROW, max_size=4))
async def test_the_way_an_answer_is_read_changes_nothing_in_its_records(rows: list[Row]) -> None:
    plain = await fetched(*distinct(rows))
    tolerant = await fetched(*distinct(rows), unknown=1)  # a field that only the tolerant way takes
    by_hand = [from_dict(InvoiceDistribution, each) for each in distinct(rows)]
    assert plain == tolerant == by_hand
    assert [hash(each) for each in plain] == [hash(each) for each in by_hand]
    assert [repr(each) for each in plain] == [repr(each) for each in tolerant]


def test_what_the_laws_take_for_documented_is_read_the_fast_way() -> None:
    assert decode_exact(body(row(), row(errors=None, file=None)))[0].total_count == 2


@settings(max_examples=60, deadline=None)
@given(ROW)
async def test_a_fetched_row_comes_back_as_it_was_sent(sent: Row) -> None:
    (record,) = await fetched(sent)
    back = json.loads(json.dumps(to_dict(record)))
    assert from_dict(InvoiceDistribution, back) == record
    for name, value in sent.items():
        if name not in {"dates", "paymentControl", "errors", "file"}:
            assert back[name] == (str(value) if name == "invoiceNumber" and isinstance(value, int) else value)


@settings(max_examples=150)
@given(RECORD)
def test_records_come_back_from_dictionaries_pickles_and_copies(record: InvoiceDistribution) -> None:
    for back in (
        from_dict(InvoiceDistribution, to_dict(record)),
        from_dict(InvoiceDistribution, json.loads(json.dumps(to_dict(record)))),
        pickle.loads(pickle.dumps(record)),
        copy.deepcopy(record),
        attrs.evolve(record),
    ):
        assert back == record
        assert hash(back) == hash(record)
        assert repr(back) == repr(record)


@settings(max_examples=100)
@given(RECORD)
def test_a_dictionary_is_stable(record: InvoiceDistribution) -> None:
    once = to_dict(record)
    assert to_dict(from_dict(InvoiceDistribution, once)) == once


@given(MOMENT)
def test_instants_survive_the_dictionary(moment: datetime) -> None:
    back = from_dict(DistributionDates, to_dict(DistributionDates(moment))).created_at
    assert back == moment
    assert back is not None
    assert back.tzinfo == moment.tzinfo
