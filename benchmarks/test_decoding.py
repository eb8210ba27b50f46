"""Micro-benchmarks of decoding one answer: `python -m pytest benchmarks/test_decoding.py`.

Each turns the same bytes, a page of 100 invoices, into what its caller would hold, and gives the number
of rows. Numbers are per page: divide by 100 for one record. Transport is not in here.
"""

import json
from datetime import datetime

import attrs
import cattrs.preconf.json
import msgspec
import orjson
import pytest

from benchmarks import own_reader
from benchmarks.bodies import Pages
from benchmarks.jobs import throughput
from benchmarks.pydantic_models import Reply

ROWS = 100
Identifier = int | str | None


@pytest.fixture(scope="module")
def body() -> bytes:
    """A full page."""
    return Pages(throughput(10_000)).body(0, 1)


@attrs.define
class Dates:
    """Attribute names equal the wire's, so that cattrs needs no renaming."""

    createdAt: datetime | None  # noqa: N815
    printedAt: datetime | None  # noqa: N815
    distributedAt: datetime | None  # noqa: N815
    paymentControlActivatedAt: datetime | None  # noqa: N815


@attrs.define
class File:
    """The link."""

    url: str | None


@attrs.define
class Control:
    """The hand-over to payment control."""

    enabled: bool
    agency: str | None
    status: str | None
    caseId: Identifier  # noqa: N815


@attrs.define
class Failure:
    """Why an invoice did not arrive."""

    errorCode: str | None  # noqa: N815
    errorDescription: str | None  # noqa: N815
    errorType: str | None  # noqa: N815


@attrs.define
class Invoice:
    """One invoice."""

    invoiceNumber: Identifier  # noqa: N815
    distributionStatus: str | None  # noqa: N815
    distributionMethod: str | None  # noqa: N815
    distributionMessage: str | None  # noqa: N815
    dates: Dates
    file: File
    paymentControl: Control  # noqa: N815
    errors: list[Failure]


class Struct(msgspec.Struct, rename="camel"):
    """Common to the msgspec models."""


class DatesStruct(Struct):
    """The timestamps."""

    created_at: datetime | None
    printed_at: datetime | None
    distributed_at: datetime | None
    payment_control_activated_at: datetime | None


class FileStruct(Struct):
    """The link."""

    url: str | None


class ControlStruct(Struct):
    """The hand-over to payment control."""

    enabled: bool
    agency: str | None
    status: str | None
    case_id: int | str | None


class FailureStruct(Struct):
    """Why an invoice did not arrive."""

    error_code: str | None
    error_description: str | None
    error_type: str | None


class InvoiceStruct(Struct):
    """One invoice."""

    invoice_number: int | str | None
    distribution_status: str | None
    distribution_method: str | None
    distribution_message: str | None
    dates: DatesStruct
    file: FileStruct
    payment_control: ControlStruct
    errors: tuple[FailureStruct, ...]


class ReplyStruct(Struct):
    """The whole answer."""

    meta_data: dict[str, object]
    invoices: tuple[InvoiceStruct, ...]


def test_stdlib_json_to_dicts(benchmark, body) -> None:
    """What `response.json()` does."""
    reply = benchmark(json.loads, body)
    assert len(reply["invoices"]) == ROWS


def test_orjson_to_dicts(benchmark, body) -> None:
    """The fastest way to dicts; what the limit uses."""
    reply = benchmark(orjson.loads, body)
    assert len(reply["invoices"]) == ROWS


def test_pydantic_validate_json(benchmark, body) -> None:
    """Bytes straight into models."""
    reply = benchmark(Reply.model_validate_json, body)
    assert len(reply.invoices) == ROWS


def test_cattrs_out_of_the_box(benchmark, body) -> None:
    """The preconfigured JSON converter, no hooks; orjson underneath to spare it the parser."""
    converter = cattrs.preconf.json.make_converter()

    def decode() -> list[Invoice]:
        return converter.structure(orjson.loads(body)["invoices"], list[Invoice])

    assert len(benchmark(decode)) == ROWS


def test_msgspec_structs(benchmark, body) -> None:
    """Bytes straight into slotted structs; unknown fields are dropped."""
    decoder = msgspec.json.Decoder(ReplyStruct)
    assert len(benchmark(decoder.decode, body).invoices) == ROWS


def test_confirma_async_reply_reader(benchmark, body) -> None:
    """Ours, with every check it makes on an answer."""
    try:
        own_reader.read_records(body)
    except (ImportError, NotImplementedError) as reason:
        pytest.skip(str(reason))
    assert benchmark(own_reader.read_records, body) == ROWS
