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
        draft = _DraftDates()
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
        draft = _DraftPaymentControl()
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

    def made(self) -> DistributionError:
        draft = _DraftError()
        draft.error_code = self.error_code
        draft.error_description = self.error_description
        draft.error_type = self.error_type
        draft.extra = NO_EXTRA
        draft.__class__ = DistributionError  # type: ignore[assignment]  # a draft becomes its record
        return draft


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
class _Writable:
    __slots__ = ()
    __setattr__ = object.__setattr__
    __delattr__ = object.__delattr__  # with one of the two in Python, both would be slow
    __init__ = object.__init__  # leaves every field open, and calls faster than __new__


class _DraftDates(_Writable, DistributionDates):
    __slots__ = ()


class _DraftPaymentControl(_Writable, PaymentControl):
    __slots__ = ()


class _DraftError(_Writable, DistributionError):
    __slots__ = ()


class _DraftInvoice(_Writable, InvoiceDistribution):
    __slots__ = ()


for _name in WAITING_PARTS:  # a draft's parts are put where they wait, past what makes them
    setattr(_DraftInvoice, _name, vars(InvoiceDistribution)[_name].slot)

_decoder = msgspec.json.Decoder(_Body)
_encode = msgspec.json.Encoder().encode
_encode_sorted = msgspec.json.Encoder(order="sorted").encode
_NOTHING_ABSENT: frozenset[str] = frozenset()
_finer_than_microseconds = re.compile(rb"\.[0-9]{7}").search
_escaped_digit_or_dot = re.compile(rb"\\u00(?:2[eE]|3[0-9])").search


def decode_exact(body: bytes) -> tuple[DistributionMetadata, list[Row]]:
    """Return metadata and rows of a body that is exactly as documented, with identifiers as text.

    Raises `msgspec.DecodeError` or ValueError for any other.
    """
    if _finer_than_microseconds(body) or (b"\\" in body and _escaped_digit_or_dot(body)):
        raise ValueError("msgspec would round such a fraction, and so move an instant")
    answer = _decoder.decode(body)
    rows = answer.invoices
    for dates in _read_values(rows):
        _bring_to_utc(dates)
    return _metadata(answer.meta_data), cast("list[Row]", rows)


def _read_values(rows: list[_Invoice]) -> list[_Dates]:
    """Make invoice numbers text, and return the dates that are not all in UTC.

    One loop for both, written out, since it runs for every row.
    """
    elsewhere: list[_Dates] = []
    for row in rows:
        number = row.invoice_number
        if number.__class__ is int:
            row.invoice_number = str(number)
        dates = row.dates
        if dates is None:
            continue
        moment = dates.created_at
        if moment is not None and moment.tzinfo is not UTC:
            elsewhere.append(dates)
            continue
        moment = dates.printed_at
        if moment is not None and moment.tzinfo is not UTC:
            elsewhere.append(dates)
            continue
        moment = dates.distributed_at
        if moment is not None and moment.tzinfo is not UTC:
            elsewhere.append(dates)
            continue
        moment = dates.payment_control_activated_at
        if moment is not None and moment.tzinfo is not UTC:
            elsewhere.append(dates)
    return elsewhere


def _bring_to_utc(dates: _Dates) -> None:
    for name in _Dates.__struct_fields__:
        moment = getattr(dates, name)
        if moment is not None:
            setattr(dates, name, in_utc(moment))


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
    """Return the records that rows stand for; written out, since it runs for every row."""
    records: list[InvoiceDistribution] = []
    for row in rows:
        if row.__class__ is not _Invoice:
            records.append(cast("InvoiceDistribution", row))
            continue
        draft = _DraftInvoice()
        draft.invoice_number = row.invoice_number  # type: ignore[assignment]  # text since `decode_exact`
        draft.distribution_status = row.distribution_status
        draft.distribution_method = row.distribution_method
        draft.distribution_message = row.distribution_message
        dates, file, control, errors = row.dates, row.file, row.payment_control, row.errors
        if dates is None or file is None or control is None or errors is None:
            draft.dates = NO_DATES if dates is None else dates  # type: ignore[assignment]  # made when it is read
            draft.file = NO_FILE if file is None else file  # type: ignore[assignment]  # as above
            draft.payment_control = NO_PAYMENT_CONTROL if control is None else control  # type: ignore[assignment]  # as above
            draft.absent = _absent(row)
        else:
            draft.dates = dates  # type: ignore[assignment]  # as above
            draft.file = file  # type: ignore[assignment]  # as above
            draft.payment_control = control  # type: ignore[assignment]  # as above
            draft.absent = _NOTHING_ABSENT
        draft.errors = tuple([error.made() for error in errors]) if errors else ()
        draft.extra = NO_EXTRA
        draft.__class__ = InvoiceDistribution  # type: ignore[assignment]  # a draft becomes its record
        records.append(draft)
    return records


def _absent(row: _Invoice) -> frozenset[str]:
    parts = (("dates", row.dates), ("file", row.file), ("paymentControl", row.payment_control), ("errors", row.errors))
    return frozenset(name for name, part in parts if part is None)


def same_row(one: Row, other: Row) -> bool:
    """Tell whether two rows are equal in every field, however each was read."""
    return _canonical(one) == _canonical(other)


def row_digest(row: Row) -> int:
    """Return 64 bits that equal rows have in common, however each was read."""
    return hash(_canonical(row))


def _canonical(row: Row) -> bytes:
    """Return the one text of all rows that are equal: instants in UTC, identifiers as text, unknown fields sorted."""
    if isinstance(row, InvoiceDistribution):
        return _encode(_plain(row)) + _encoded_extra(row)
    control = row.payment_control
    if control is not None and control.case_id.__class__ is int:
        control.case_id = str(control.case_id)
    return _encode(row)


def _plain(record: InvoiceDistribution) -> _Invoice:
    """Return the row that a record would have come as, but for its unknown fields."""
    dates, control, absent = record.dates, record.payment_control, record.absent
    return _Invoice(
        record.invoice_number,
        record.distribution_status,
        record.distribution_method,
        record.distribution_message,
        None
        if "dates" in absent
        else _Dates(dates.created_at, dates.printed_at, dates.distributed_at, dates.payment_control_activated_at),
        None if "file" in absent else _File(record.file.url),
        None
        if "paymentControl" in absent
        else _PaymentControl(control.enabled, control.agency, control.status, control.case_id),
        None
        if "errors" in absent
        else tuple(_Error(each.error_code, each.error_description, each.error_type) for each in record.errors),
    )


def _encoded_extra(record: InvoiceDistribution) -> bytes:
    parts = [record.extra, record.dates.extra, record.file.extra, record.payment_control.extra]
    extra = [*parts, *(error.extra for error in record.errors)]
    return _encode_sorted(extra) if any(extra) else b""
