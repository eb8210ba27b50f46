"""From bytes to rows at the speed of C, for answers that are exactly as documented, and from rows to records.

Private structs with every documented field and no other; whatever does not fit is refused here and read by
`tolerant`, so that no field is lost. Both give equal records. A row stays a struct until it is handed out:
the garbage collector does not track structs, so answers that wait cost it nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol, TypeAlias, cast

import msgspec

from ..records import (
    NO_DATES,
    NO_EXTRA,
    NO_FILE,
    NO_PAYMENT_CONTROL,
    WAITING_PARTS,
    AppliedFilters,
    DistributionDates,
    DistributionError,
    DistributionFile,
    DistributionMetadata,
    InvoiceDistribution,
    PaymentControl,
)
from .timestamps import parse_timestamp

_Identifier: TypeAlias = int | str | None


class Row(Protocol):
    """One row of an answer as it waits to be handed out; `records_of` makes its record."""

    @property
    def invoice_number(self) -> str | None: ...


class _Wire(msgspec.Struct, rename="camel", forbid_unknown_fields=True, gc=False):
    """An object as it comes: all its fields, no more, no fewer."""


class _Filters(_Wire):
    invoice_number: _Identifier
    from_inv_date: str | None
    to_inv_date: str | None
    fetch_type: str | None
    default_last30_days_applied: bool | None


class _Metadata(_Wire):
    total_count: int
    successful_count: int | None
    failed_count: int | None
    filters_applied: _Filters


class _Dates(_Wire):
    created_at: str | None
    printed_at: str | None
    distributed_at: str | None
    payment_control_activated_at: str | None

    def made(self) -> DistributionDates:
        draft = _new(_DraftDates)
        draft.created_at = self.created_at  # type: ignore[assignment]  # an instant since `decode_exact`
        draft.printed_at = self.printed_at  # type: ignore[assignment]  # as above
        draft.distributed_at = self.distributed_at  # type: ignore[assignment]  # as above
        draft.payment_control_activated_at = self.payment_control_activated_at  # type: ignore[assignment]  # as above
        draft.extra = NO_EXTRA
        draft.__class__ = DistributionDates  # type: ignore[assignment]  # a draft becomes its record
        return draft


class _File(_Wire):
    url: str | None

    def made(self) -> DistributionFile:
        return DistributionFile(self.url)


class _PaymentControl(_Wire):
    enabled: bool | None
    agency: str | None
    status: str | None
    case_id: _Identifier

    def made(self) -> PaymentControl:
        draft = _new(_DraftPaymentControl)
        draft.enabled = self.enabled
        draft.agency = self.agency
        draft.status = self.status
        draft.case_id = _identifier(self.case_id)
        draft.extra = NO_EXTRA
        draft.__class__ = PaymentControl  # type: ignore[assignment]  # a draft becomes its record
        return draft


class _Error(_Wire):
    error_code: str | None
    error_description: str | None
    error_type: str | None


class _Invoice(_Wire):
    invoice_number: _Identifier
    distribution_status: str | None
    distribution_method: str | None
    distribution_message: str | None
    dates: _Dates | None
    file: _File | None
    payment_control: _PaymentControl | None
    errors: tuple[_Error, ...] | None


class _Body(_Wire):
    meta_data: _Metadata
    invoices: list[_Invoice]


# A draft is its record, still writable: filling one and then giving it its record's class takes a third of
# the time that the immutable class's own __init__ takes. Nothing but this module ever holds a draft.
class _DraftDates(DistributionDates):
    __slots__ = ()
    __setattr__ = object.__setattr__
    __delattr__ = object.__delattr__  # type: ignore[assignment]  # with one slot in Python, both would be slow


class _DraftPaymentControl(PaymentControl):
    __slots__ = ()
    __setattr__ = object.__setattr__
    __delattr__ = object.__delattr__  # type: ignore[assignment]  # with one slot in Python, both would be slow


class _DraftInvoice(InvoiceDistribution):
    __slots__ = ()
    __setattr__ = object.__setattr__
    __delattr__ = object.__delattr__  # type: ignore[assignment]  # with one slot in Python, both would be slow


for _name in WAITING_PARTS:  # a draft's parts are put where they wait, past what makes them
    setattr(_DraftInvoice, _name, vars(InvoiceDistribution)[_name].slot)

_decoder = msgspec.json.Decoder(_Body)
_new = object.__new__
_moment = datetime.fromisoformat
_NOTHING_ABSENT: frozenset[str] = frozenset()


def decode_exact(body: bytes) -> tuple[DistributionMetadata, list[Row]]:
    """Return metadata and rows of a body that is exactly as documented, identifiers and timestamps read.

    Raises `msgspec.DecodeError` or ValueError for any other.
    """
    answer = _decoder.decode(body)
    rows = answer.invoices
    for row in rows:
        number = row.invoice_number
        if number.__class__ is int:
            row.invoice_number = str(number)
        if row.dates is not None:
            _read_dates(row.dates)
    return _metadata(answer.meta_data), cast("list[Row]", rows)


def _read_dates(dates: _Dates) -> None:
    """Replace the texts of a row by the instants they stand for; written out, since it runs for every row."""
    text = dates.created_at
    if text is not None:
        moment = _moment(text)
        dates.created_at = moment if moment.tzinfo is UTC else parse_timestamp(text)  # type: ignore[assignment]  # from here
    text = dates.printed_at
    if text is not None:
        moment = _moment(text)
        dates.printed_at = moment if moment.tzinfo is UTC else parse_timestamp(text)  # type: ignore[assignment]  # on
    text = dates.distributed_at
    if text is not None:
        moment = _moment(text)
        dates.distributed_at = moment if moment.tzinfo is UTC else parse_timestamp(text)  # type: ignore[assignment]  # they
    text = dates.payment_control_activated_at
    if text is not None:
        dates.payment_control_activated_at = parse_timestamp(text)  # type: ignore[assignment]  # are instants


def _metadata(row: _Metadata) -> DistributionMetadata:
    echo = row.filters_applied
    if row.total_count < 0 or (row.successful_count or 0) < 0 or (row.failed_count or 0) < 0:
        raise ValueError("a negative count")
    filters = AppliedFilters(
        _identifier(echo.invoice_number),
        echo.from_inv_date,
        echo.to_inv_date,
        echo.fetch_type,
        echo.default_last30_days_applied,
    )
    return DistributionMetadata(row.total_count, row.successful_count, row.failed_count, filters)


def _identifier(value: _Identifier) -> str | None:
    return value if value is None or value.__class__ is str else str(value)


def records_of(rows: list[Row]) -> list[InvoiceDistribution]:
    """Return the records that rows stand for."""
    return [row if row.__class__ is InvoiceDistribution else _record(row) for row in rows]  # type: ignore[arg-type]  # the one or the other


def same_row(one: Row, other: Row) -> bool:
    """Tell whether two rows are equal in every field, however each was read."""
    if one.__class__ is other.__class__:
        return one == other
    return records_of([one]) == records_of([other])


def row_digest(row: Row) -> int:
    """Return 64 bits that equal rows have in common, however each was read."""
    (record,) = records_of([row])
    extra = [record.extra, record.dates.extra, record.file.extra, record.payment_control.extra]
    extra = [fields for fields in (*extra, *(error.extra for error in record.errors)) if fields]
    return hash((record, msgspec.json.encode(extra, order="sorted"))) if extra else hash(record)


def _record(row: _Invoice) -> InvoiceDistribution:
    draft = _new(_DraftInvoice)
    draft.invoice_number = row.invoice_number  # type: ignore[assignment]  # text since `decode_exact`
    draft.distribution_status = row.distribution_status
    draft.distribution_method = row.distribution_method
    draft.distribution_message = row.distribution_message
    dates, file, control, errors = row.dates, row.file, row.payment_control, row.errors
    draft.dates = NO_DATES if dates is None else dates  # type: ignore[assignment]  # made when it is read
    draft.file = NO_FILE if file is None else file  # type: ignore[assignment]  # as above
    draft.payment_control = NO_PAYMENT_CONTROL if control is None else control  # type: ignore[assignment]  # as above
    draft.errors = tuple([_error(error) for error in errors]) if errors else ()
    draft.extra = NO_EXTRA
    if dates is None or file is None or control is None or errors is None:
        draft.absent = _absent(row)
    else:
        draft.absent = _NOTHING_ABSENT
    draft.__class__ = InvoiceDistribution  # type: ignore[assignment]  # a draft becomes its record
    return draft


def _absent(row: _Invoice) -> frozenset[str]:
    parts = (("dates", row.dates), ("file", row.file), ("paymentControl", row.payment_control), ("errors", row.errors))
    return frozenset(name for name, part in parts if part is None)


def _error(row: _Error) -> DistributionError:
    return DistributionError(row.error_code, row.error_description, row.error_type)
