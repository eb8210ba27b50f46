"""From bytes to rows at the speed of C, for answers that are exactly as documented, and from rows to records.

Private structs with every documented field and no other; whatever does not fit is refused here and read by
`tolerant`, so that no field is lost. Both give equal records. A row stays a struct until it is handed out:
the garbage collector does not track structs, so answers that wait cost it nothing.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TypeAlias, cast

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
from .timestamps import in_utc

Number: TypeAlias = int | str | None


class _Wire(msgspec.Struct, rename="camel", forbid_unknown_fields=True, gc=False):
    """An object as it comes: all its fields, no more, no fewer."""


class _Filters(_Wire):
    invoice_number: Number
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
    created_at: datetime | None
    printed_at: datetime | None
    distributed_at: datetime | None
    payment_control_activated_at: datetime | None

    def made(self) -> DistributionDates:
        draft = _new(_DraftDates)
        draft.created_at = self.created_at
        draft.printed_at = self.printed_at
        draft.distributed_at = self.distributed_at
        draft.payment_control_activated_at = self.payment_control_activated_at
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
    case_id: Number

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
    invoice_number: Number  # text once `decode_exact` is through with it
    distribution_status: str | None
    distribution_method: str | None
    distribution_message: str | None
    dates: _Dates | None
    file: _File | None
    payment_control: _PaymentControl | None
    errors: tuple[_Error, ...] | None


Row: TypeAlias = _Invoice | InvoiceDistribution
"""One row of an answer as it waits to be handed out; `records_of` makes its record."""


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
_NOTHING_ABSENT: frozenset[str] = frozenset()
_finer_than_microseconds = re.compile(rb"\.[0-9]{7}").search
_escaped_digit_or_dot = re.compile(rb"\\u00(?:2[eE]|3[0-9])").search


def decode_exact(body: bytes) -> tuple[DistributionMetadata, list[Row]]:
    """Return metadata and rows of a body that is exactly as documented, with identifiers as text.

    Raises `msgspec.DecodeError` or ValueError for any other.
    """
    if _finer_than_microseconds(body) or (b"\\u00" in body and _escaped_digit_or_dot(body)):
        raise ValueError("msgspec would round such a fraction, and so move an instant")
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
    """Bring instants with another zone to UTC; written out, since it runs for every row."""
    moment = dates.created_at
    if moment is not None and moment.tzinfo is not UTC:
        dates.created_at = in_utc(moment)
    moment = dates.printed_at
    if moment is not None and moment.tzinfo is not UTC:
        dates.printed_at = in_utc(moment)
    moment = dates.distributed_at
    if moment is not None and moment.tzinfo is not UTC:
        dates.distributed_at = in_utc(moment)
    moment = dates.payment_control_activated_at
    if moment is not None and moment.tzinfo is not UTC:
        dates.payment_control_activated_at = in_utc(moment)


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


def _identifier(value: Number) -> str | None:
    return str(value) if isinstance(value, int) else value


def records_of(rows: list[Row]) -> list[InvoiceDistribution]:
    """Return the records that rows stand for."""
    return [row if isinstance(row, InvoiceDistribution) else _record(row) for row in rows]


def same_row(one: Row, other: Row) -> bool:
    """Tell whether two rows are equal in every field, however each was read."""
    if isinstance(one, _Invoice) and isinstance(other, _Invoice):
        return bool(one == other)
    (first,), (second,) = records_of([one]), records_of([other])
    return first == second and _encoded_extra(first) == _encoded_extra(second)  # Python takes true for 1


def row_digest(row: Row) -> int:
    """Return 64 bits that equal rows have in common, however each was read."""
    (record,) = records_of([row])
    return hash((record, _encoded_extra(record)))


def _encoded_extra(record: InvoiceDistribution) -> bytes:
    parts = [record.extra, record.dates.extra, record.file.extra, record.payment_control.extra]
    extra = [*parts, *(error.extra for error in record.errors)]
    return msgspec.json.encode(extra, order="sorted") if any(extra) else b""


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
