"""Records are tolerant without lying: what came is kept, nothing is coerced, nothing can be changed."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from confirma_async import (
    AppliedFilters,
    ConfigurationError,
    DistributionDates,
    DistributionError,
    DistributionFile,
    DistributionMetadata,
    InvoiceDistribution,
    PaymentControl,
    ResponseDecodeError,
    from_dict,
    to_dict,
)

from .peers import Anything, Peer, Row, ask, body, failure, reply, row

RECORDS: list[attrs.AttrsInstance] = [
    DistributionDates(created_at=datetime(2025, 1, 2, tzinfo=UTC)),
    DistributionFile(url="u"),
    PaymentControl(enabled=True, case_id="1"),
    DistributionError(error_code="E"),
    AppliedFilters(from_inv_date="2025-01-01"),
    DistributionMetadata(total_count=1),
    InvoiceDistribution(invoice_number="7", errors=(DistributionError(error_code="E"),)),
]


async def fetched(invoice: Row) -> InvoiceDistribution:
    async with Peer(reply(body(invoice))) as peer, peer.client() as client:
        (record,) = await ask(client)
    return record


async def broken_path(content: bytes) -> str:
    async with Peer(reply(content)) as peer, peer.client() as client:
        error = await failure(client)
    assert isinstance(error, ResponseDecodeError)
    assert error.path in str(error)
    return error.path


async def test_every_documented_field_arrives() -> None:
    assert await fetched(row()) == InvoiceDistribution(
        invoice_number="7",
        distribution_status="SENT",
        distribution_method="EMAIL",
        distribution_message=None,
        dates=DistributionDates(created_at=datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)),
        file=DistributionFile(url="https://files.example/7"),
        payment_control=PaymentControl(enabled=True, agency="CashIn", status="OPEN", case_id="1"),
        errors=(DistributionError(error_code="E1", error_description="no address", error_type="DELIVERY"),),
    )


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (7, "7"),
        (0, "0"),
        ("7", "7"),
        ("007", "007"),
        ("INV-2024-001", "INV-2024-001"),
        (2**64, str(2**64)),
        (None, None),
        (10**300, str(10**300)),
        ("", ""),
        (" 7 ", " 7 "),
        (-5, "-5"),
    ],
)
@pytest.mark.parametrize("extra", [{}, {"unknown": 1}], ids=["as documented", "with an unknown field"])
async def test_identifiers_are_text_whatever_they_came_as(sent: object, kept: str | None, extra: Row) -> None:
    control = {"enabled": True, "agency": None, "status": None, "caseId": sent}
    record = await fetched(row(invoiceNumber=sent, paymentControl=control, **extra))
    assert (record.invoice_number, record.payment_control.case_id) == (kept, kept)


async def test_unknown_fields_are_kept_at_every_level_and_come_back() -> None:
    sent = row()
    sent["new"] = {"deep": [1, None, {"x": 1.5}]}
    for part in (sent["dates"], sent["file"], sent["paymentControl"], sent["errors"][0]):
        part["another"] = [True, "text"]
    record = await fetched(sent)
    assert record.extra == {"new": {"deep": [1, None, {"x": 1.5}]}}
    for kept in (record.dates, record.file, record.payment_control, record.errors[0]):
        assert kept.extra == {"another": [True, "text"]}
    assert to_dict(record) == {
        **sent,
        "invoiceNumber": "7",
        "paymentControl": {**sent["paymentControl"], "caseId": "1"},
    }


async def test_unknown_fields_of_the_metadata_are_kept_too() -> None:
    echo = {"invoiceNumber": None, "defaultLast30DaysApplied": True, "zone": "EET"}
    counts = {"totalCount": 1, "cursor": "c", "filtersApplied": echo}
    async with (
        Peer(reply(json.dumps({"metaData": counts, "invoices": [row()]}).encode())) as peer,
        peer.client() as client,
    ):
        page = await anext(client.distributions.list().pages())
    assert page.metadata.extra == {"cursor": "c"}
    assert page.metadata.filters_applied.extra == {"zone": "EET"}
    assert to_dict(page.metadata)["cursor"] == "c"


async def test_unknown_values_of_open_sets_are_kept() -> None:
    record = await fetched(row(distributionStatus="PERHAPS", distributionMethod="PIGEON"))
    assert (record.distribution_status, record.distribution_method) == ("PERHAPS", "PIGEON")


@pytest.mark.parametrize("name", ["dates", "file", "paymentControl", "errors"])
@pytest.mark.parametrize("how", ["null", "absent"])
async def test_parts_may_be_null_or_absent_and_reading_on_never_fails(name: str, how: str) -> None:
    sent = row()
    if how == "null":
        sent[name] = None
    else:
        del sent[name]
    record = await fetched(sent)
    assert (record.dates.printed_at, record.payment_control.case_id or "1") == (None, "1")
    assert isinstance(record.errors, tuple)
    assert record.absent == {name}
    assert to_dict(record)[name] is None


async def test_an_empty_row_is_a_record_of_nothing() -> None:
    record = await fetched({})
    assert attrs.evolve(record, absent=frozenset()) == InvoiceDistribution()


WRONG: list[tuple[str, Row]] = [
    ("invoices[2].invoiceNumber", {"invoiceNumber": 1.9}),
    ("invoices[2].invoiceNumber", {"invoiceNumber": 7.0}),
    ("invoices[2].invoiceNumber", {"invoiceNumber": True}),
    ("invoices[2].invoiceNumber", {"invoiceNumber": [7]}),
    ("invoices[2].distributionStatus", {"distributionStatus": 5}),
    ("invoices[2].distributionMessage", {"distributionMessage": {}}),
    ("invoices[2].paymentControl.enabled", {"paymentControl": {"enabled": "false"}}),
    ("invoices[2].paymentControl.enabled", {"paymentControl": {"enabled": 1}}),
    ("invoices[2].paymentControl.caseId", {"paymentControl": {"caseId": 1.5}}),
    ("invoices[2].paymentControl", {"paymentControl": []}),
    ("invoices[2].file", {"file": "https://x"}),
    ("invoices[2].file.url", {"file": {"url": 1}}),
    ("invoices[2].dates", {"dates": "2025-01-01"}),
    ("invoices[2].dates.createdAt", {"dates": {"createdAt": 1735689600}}),
    ("invoices[2].dates.printedAt", {"dates": {"printedAt": "yesterday"}}),
    ("invoices[2].dates.distributedAt", {"dates": {"distributedAt": ""}}),
    ("invoices[2].dates.paymentControlActivatedAt", {"dates": {"paymentControlActivatedAt": True}}),
    ("invoices[2].errors", {"errors": {}}),
    ("invoices[2].errors[0]", {"errors": [None]}),
    ("invoices[2].errors[1].errorCode", {"errors": [{"errorCode": "a"}, {"errorCode": 1}]}),
]


@pytest.mark.parametrize(("path", "change"), WRONG)
async def test_nothing_is_coerced_and_the_error_names_the_place(path: str, change: Row) -> None:
    assert await broken_path(body(row(), row(), row(**change))) == path


@pytest.mark.parametrize("count", [1.5, 2.0, "2", True, -1, []])
@pytest.mark.parametrize("name", ["totalCount", "successfulCount", "failedCount"])
async def test_counts_are_whole_numbers(name: str, count: object) -> None:
    counts = {"totalCount": 0, "successfulCount": 0, "failedCount": 0, "filtersApplied": None, name: count}
    content = json.dumps({"metaData": counts, "invoices": []}).encode()
    assert await broken_path(content) == f"metaData.{name}"


async def test_the_error_never_shows_the_value() -> None:
    async with Peer(reply(body(row(distributionStatus=["very private"])))) as peer, peer.client() as client:
        error = await failure(client)
    assert "private" not in f"{error} {vars(error)}"


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
class TestEveryRecord:
    def test_cannot_be_changed(self, record: Anything) -> None:
        for field in attrs.fields(type(record)):
            with pytest.raises(attrs.exceptions.FrozenAttributeError):
                setattr(record, field.name, None)
            with pytest.raises(attrs.exceptions.FrozenAttributeError):
                delattr(record, field.name)
        with pytest.raises(AttributeError):
            record.brand_new = 1

    def test_has_no_dictionary(self, record: Anything) -> None:
        assert not hasattr(record, "__dict__")

    def test_is_equal_to_its_copies_and_pickles(self, record: Anything) -> None:
        for other in (copy.copy(record), copy.deepcopy(record), pickle.loads(pickle.dumps(record))):
            assert other == record
            assert hash(other) == hash(record)
            assert type(other) is type(record)

    def test_comes_back_from_its_dictionary(self, record: Anything) -> None:
        assert from_dict(type(record), to_dict(record)) == record
        assert from_dict(type(record), json.loads(json.dumps(to_dict(record)))) == record

    def test_tells_unknown_fields_apart_but_not_in_its_hash(self, record: Anything) -> None:
        other = from_dict(type(record), {**to_dict(record), "brandNew": [1]})
        assert other != record
        assert hash(other) == hash(record)

    def test_shows_unknown_fields_by_name_only(self, record: Anything) -> None:
        shown = repr(from_dict(type(record), {**to_dict(record), "brandNew": "private"}))
        assert "brandNew" in shown
        assert "private" not in shown

    def test_refuses_changes_of_its_unknown_fields(self, record: Anything) -> None:
        extra = from_dict(type(record), {**to_dict(record), "brandNew": 1}).extra
        changes: list[Callable[[], object]] = [
            lambda: extra.__setitem__("a", 1),
            lambda: extra.__delitem__("brandNew"),
            lambda: extra.update(a=1),
            lambda: extra.pop("brandNew"),
            lambda: extra.setdefault("a", 1),
            lambda: extra.clear(),
            lambda: extra.__ior__({"a": 1}),
        ]
        for change in changes:
            with pytest.raises(TypeError):
                change()
        assert extra == {"brandNew": 1}


async def test_a_fetched_record_is_as_immutable_as_one_made_by_hand() -> None:
    record = await fetched(row())
    for part in (record, record.dates, record.file, record.payment_control, record.errors[0]):
        for field in attrs.fields(type(part)):
            with pytest.raises(attrs.exceptions.FrozenAttributeError):
                setattr(part, field.name, None)
            with pytest.raises(attrs.exceptions.FrozenAttributeError):
                delattr(part, field.name)
    assert record == pickle.loads(pickle.dumps(record)) == copy.deepcopy(record)
    assert {record: 1}[copy.copy(record)] == 1


def test_a_dictionary_does_not_share_what_is_inside_the_record() -> None:
    source = {"invoiceNumber": "7", "new": {"list": [1]}}
    record = from_dict(InvoiceDistribution, source)
    before = copy.deepcopy(record)
    taken: Any = to_dict(record)
    taken["new"]["list"].append(2)
    source["new"]["list"].append(3)  # type: ignore[index]  # a dictionary
    assert record == before


def test_instants_with_another_zone_are_the_same_instants_in_utc() -> None:
    record = from_dict(DistributionDates, {"createdAt": "2025-01-01T02:00:00+02:00"})
    assert record.created_at == datetime(2025, 1, 1, tzinfo=UTC)
    assert record.created_at is not None
    assert record.created_at.utcoffset() == timedelta(0)


@pytest.mark.parametrize("wrong", [None, [], "x", 7, [("url", "u")]])
def test_a_record_comes_from_an_object_only(wrong: Anything) -> None:
    with pytest.raises(ResponseDecodeError):
        from_dict(DistributionFile, wrong)


@pytest.mark.parametrize("wrong", [None, {}, "x", DistributionFile, DistributionMetadata])
def test_only_records_become_dictionaries(wrong: Anything) -> None:
    with pytest.raises(ConfigurationError):
        to_dict(wrong)


@pytest.mark.parametrize("wrong", [dict, int, datetime, attrs.Attribute, None, "InvoiceDistribution"])
def test_dictionaries_become_records_only(wrong: Anything) -> None:
    with pytest.raises(ConfigurationError):
        from_dict(wrong, {})
