"""Records survive the way into columns and back."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from confirma_async import from_dict, to_dict
from confirma_async.backfill.sinks.columns import (
    CONTENT,
    flatten,
    flatten_errors,
    from_text,
    keep_case_id,
    to_text,
    unflatten,
)
from confirma_async.records import (
    DistributionDates,
    DistributionError,
    DistributionFile,
    Extra,
    InvoiceDistribution,
    PaymentControl,
)

texts = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
times = st.none() | st.datetimes() | st.datetimes(timezones=st.just(UTC))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
extras = st.dictionaries(st.sampled_from(["x", "account", "_account", "zz"]), values, max_size=2).map(Extra)
records = st.builds(
    InvoiceDistribution,
    texts,
    texts,
    texts,
    texts,
    st.builds(DistributionDates, times, times, times, times, extras),
    st.builds(DistributionFile, texts, extras),
    st.builds(PaymentControl, st.none() | st.booleans(), texts, texts, texts, extras),
    st.lists(st.builds(DistributionError, texts, texts, texts, extras), max_size=2),
    extras,
)


@given(records)
def test_a_record_comes_back_as_it_was(record: InvoiceDistribution) -> None:
    assert unflatten(flatten(record), flatten_errors(record)) == record


def test_absent_objects_come_back_as_absent() -> None:
    record = from_dict(InvoiceDistribution, {"invoiceNumber": 7, "file": None, "errors": None})
    back = unflatten(flatten(record), flatten_errors(record))
    assert (back, back.absent, to_dict(back)) == (record, record.absent, to_dict(record))


def test_a_time_without_a_zone_gets_none() -> None:
    assert to_text(datetime(2025, 1, 2, 3)) == "2025-01-02T03:00:00"
    assert to_text(datetime(2025, 1, 2, 3, tzinfo=UTC)) == "2025-01-02T03:00:00Z"
    assert from_text("2025-01-02T03:00:00").tzinfo is None
    assert from_text("2025-01-02T03:00:00Z").tzinfo is UTC


def test_every_column_has_a_place_in_the_row() -> None:
    assert len(flatten(InvoiceDistribution())) == len(CONTENT)


def test_a_kept_case_id_brings_its_object_back() -> None:
    record = from_dict(InvoiceDistribution, {"invoiceNumber": 7, "paymentControl": None})
    kept = keep_case_id(record, "C1")
    assert (kept.payment_control.case_id, to_dict(kept)["paymentControl"]) == (
        "C1",
        {"enabled": None, "agency": None, "status": None, "caseId": "C1"},
    )
    assert keep_case_id(kept, "C2") is kept
