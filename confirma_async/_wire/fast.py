"""From bytes to records at the speed of C, for answers that are exactly as documented.

Private structs with every documented field and no other; whatever does not fit is refused here and read by
`tolerant`, so that no field is lost. Both give equal records. The parts of a record stay structs until they
are read: the garbage collector does not track structs, so answers that wait cost it little.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TypeAlias, TypeVar, cast

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

_Identifier: TypeAlias = int | str | None
_R = TypeVar("_R")


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
        draft.__class__ = DistributionDates
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
        draft = _DraftPaymentControl()
        draft.enabled = self.enabled
        draft.agency = self.agency
        draft.status = self.status
        draft.case_id = _identifier(self.case_id)
        draft.extra = NO_EXTRA
        draft.__class__ = PaymentControl
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
        draft.__class__ = DistributionError
        return draft


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


def _draft_of(record: type[_R]) -> type[_R]:
    """Return a record's class, still writable.

    Filling a draft and then giving it its record's class takes a third of the time that the immutable class's
    own __init__ takes. Nothing but this module ever holds a draft.
    """
    writable = {
        "__slots__": (),
        "__setattr__": object.__setattr__,
        "__delattr__": object.__delattr__,  # with one of the two in Python, both would be slow
        "__init__": object.__init__,  # every field is filled by hand
    }
    return cast("type[_R]", type(f"_Draft{record.__name__}", (record,), writable))


_DraftDates = _draft_of(DistributionDates)
_DraftPaymentControl = _draft_of(PaymentControl)
_DraftError = _draft_of(DistributionError)
_DraftInvoice = _draft_of(InvoiceDistribution)
_WAITING = {name: vars(InvoiceDistribution)[name].slot for name in WAITING_PARTS}
for _name, _slot in _WAITING.items():  # a draft's parts are put where they wait, past what makes them
    setattr(_DraftInvoice, _name, _slot)

_decoder = msgspec.json.Decoder(_Body)
_encode = msgspec.json.Encoder().encode
_encode_sorted = msgspec.json.Encoder(order="sorted").encode
_NOTHING_ABSENT: frozenset[str] = frozenset()
_latest: tuple[_Metadata, DistributionMetadata] | None = None
_finer_than_microseconds = re.compile(rb"\.[0-9]{7}").search
_escaped_digit_or_dot = re.compile(rb"\\u00(?:2[eE]|3[0-9])").search


def decode_exact(body: bytes) -> tuple[DistributionMetadata, list[InvoiceDistribution]]:
    """Return metadata and records of a body that is exactly as documented.

    Raises `msgspec.DecodeError` or ValueError for any other.
    """
    if _finer_than_microseconds(body) or (b"\\" in body and _escaped_digit_or_dot(body)):
        raise ValueError("msgspec would round such a fraction, and so move an instant")
    answer = _decoder.decode(body)
    return _metadata(answer.meta_data), _records(answer.invoices)


def _records(rows: list[_Invoice]) -> list[InvoiceDistribution]:
    """Return the records that rows stand for; written out, since it runs for every row."""
    records: list[InvoiceDistribution] = []
    for row in rows:
        draft = _DraftInvoice()
        number = row.invoice_number
        draft.invoice_number = str(number) if type(number) is int else number  # type: ignore[assignment]  # or text
        draft.distribution_status = row.distribution_status
        draft.distribution_method = row.distribution_method
        draft.distribution_message = row.distribution_message
        dates, errors = row.dates, row.errors
        if dates is not None and not (
            ((moment := dates.created_at) is None or moment.tzinfo is UTC)
            and ((moment := dates.printed_at) is None or moment.tzinfo is UTC)
            and ((moment := dates.distributed_at) is None or moment.tzinfo is UTC)
            and ((moment := dates.payment_control_activated_at) is None or moment.tzinfo is UTC)
        ):
            _bring_to_utc(dates)
        draft.dates = dates  # type: ignore[assignment]  # a struct is made a record when it is read
        draft.file = row.file  # type: ignore[assignment]  # as above
        draft.payment_control = row.payment_control  # type: ignore[assignment]  # as above
        draft.absent = _NOTHING_ABSENT
        if dates is None or row.file is None or row.payment_control is None or errors is None:
            _note_absent(draft, errors)
        draft.errors = tuple([error.made() for error in errors]) if errors else ()
        draft.extra = NO_EXTRA
        draft.__class__ = InvoiceDistribution
        records.append(draft)
    return records


def _note_absent(draft: InvoiceDistribution, errors: tuple[_Error, ...] | None) -> None:
    """Put objects of Nones where the row has none, and their wire names where they are looked for."""
    parts = (
        ("dates", draft.dates),
        ("file", draft.file),
        ("paymentControl", draft.payment_control),
        ("errors", errors),
    )
    draft.absent = frozenset(name for name, part in parts if part is None)
    draft.dates = draft.dates or NO_DATES
    draft.file = draft.file or NO_FILE
    draft.payment_control = draft.payment_control or NO_PAYMENT_CONTROL


def _bring_to_utc(dates: _Dates) -> None:
    for name in _Dates.__struct_fields__:
        moment = getattr(dates, name)
        if moment is not None:
            setattr(dates, name, in_utc(moment))


def _metadata(row: _Metadata) -> DistributionMetadata:
    """Return the record of an answer's metadata: the pages of a window have the same, one after the other."""
    global _latest  # a memory of one, replaced as a whole
    latest = _latest
    if latest is not None and latest[0] == row:
        return latest[1]
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
    metadata = DistributionMetadata(row.total_count, row.successful_count, row.failed_count, filters)
    if echo.invoice_number is None:  # none that was asked for is remembered
        _latest = (row, metadata)
    return metadata


def _identifier(value: _Identifier) -> str | None:
    return str(value) if isinstance(value, int) else value


def same_row(one: InvoiceDistribution, other: InvoiceDistribution) -> bool:
    """Tell whether two rows are equal in every field, however each was read."""
    return _canonical(one) == _canonical(other)


def row_digest(row: InvoiceDistribution) -> int:
    """Return 64 bits that equal rows have in common, however each was read."""
    return hash(_canonical(row))


def _canonical(record: InvoiceDistribution) -> bytes:
    """Return the one text of all records that are equal, with true told apart from 1, which Python takes for equal."""
    dates, file, control = (slot.__get__(record) for slot in _WAITING.values())
    extra = [part.extra for part in (record, dates, file, control, *record.errors) if not isinstance(part, _Wire)]
    absent = record.absent
    if not isinstance(dates, _Dates):
        known = (dates.created_at, dates.printed_at, dates.distributed_at, dates.payment_control_activated_at)
        dates = None if "dates" in absent else _Dates(*known)
    if not isinstance(file, _File):
        file = None if "file" in absent else _File(file.url)
    if not isinstance(control, _PaymentControl) or control.case_id.__class__ is int:
        known = (control.enabled, control.agency, control.status, _identifier(control.case_id))
        control = None if "paymentControl" in absent else _PaymentControl(*known)
    errors = [_Error(each.error_code, each.error_description, each.error_type) for each in record.errors]
    row = _Invoice(
        record.invoice_number,
        record.distribution_status,
        record.distribution_method,
        record.distribution_message,
        dates,
        file,
        control,
        None if "errors" in absent else tuple(errors),
    )
    return _encode(row) + (_encode_sorted(extra) if any(extra) else b"")
