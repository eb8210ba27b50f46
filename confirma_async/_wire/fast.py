"""From bytes to records at the speed of C, for answers that are exactly as documented.

Private structs with every documented field and no other; whatever does not fit is refused here and read by
`tolerant`, so that no field is lost. Both give equal records.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from ..records import (
    NO_DATES,
    NO_EXTRA,
    NO_FILE,
    NO_PAYMENT_CONTROL,
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


class _File(_Wire):
    url: str | None


class _PaymentControl(_Wire):
    enabled: bool | None
    agency: str | None
    status: str | None
    case_id: _Identifier


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
    errors: list[_Error] | None


class _Body(_Wire):
    meta_data: _Metadata
    invoices: list[_Invoice]


# A draft is its record, still writable: filling one and then giving it its record's class takes a third of
# the time that the immutable class's own __init__ takes. Nothing but this module ever holds a draft.
class _DraftDates(DistributionDates):
    __slots__ = ()
    __setattr__ = object.__setattr__
    __delattr__ = object.__delattr__  # type: ignore[assignment]  # with one slot in Python, both would be slow


class _DraftFile(DistributionFile):
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


_decoder = msgspec.json.Decoder(_Body)
_new = object.__new__
_NOTHING_ABSENT: frozenset[str] = frozenset()


def decode_exact(body: bytes) -> tuple[DistributionMetadata, list[InvoiceDistribution]]:
    """Return metadata and records of a body that is exactly as documented.

    Raises `msgspec.DecodeError` or ValueError for any other.
    """
    answer = _decoder.decode(body)
    return _metadata(answer.meta_data), [_invoice(row) for row in answer.invoices]


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


def _invoice(row: _Invoice) -> InvoiceDistribution:
    draft = _new(_DraftInvoice)
    number = row.invoice_number
    draft.invoice_number = number if number is None or number.__class__ is str else str(number)
    draft.distribution_status = row.distribution_status
    draft.distribution_method = row.distribution_method
    draft.distribution_message = row.distribution_message
    dates, file, control, errors = row.dates, row.file, row.payment_control, row.errors
    draft.dates = NO_DATES if dates is None else _dates(dates)
    draft.file = NO_FILE if file is None else _file(file)
    draft.payment_control = NO_PAYMENT_CONTROL if control is None else _payment_control(control)
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


def _dates(row: _Dates) -> DistributionDates:
    draft = _new(_DraftDates)
    text = row.created_at
    draft.created_at = None if text is None else parse_timestamp(text)
    text = row.printed_at
    draft.printed_at = None if text is None else parse_timestamp(text)
    text = row.distributed_at
    draft.distributed_at = None if text is None else parse_timestamp(text)
    text = row.payment_control_activated_at
    draft.payment_control_activated_at = None if text is None else parse_timestamp(text)
    draft.extra = NO_EXTRA
    draft.__class__ = DistributionDates  # type: ignore[assignment]  # a draft becomes its record
    return draft


def _file(row: _File) -> DistributionFile:
    draft = _new(_DraftFile)
    draft.url = row.url
    draft.extra = NO_EXTRA
    draft.__class__ = DistributionFile  # type: ignore[assignment]  # a draft becomes its record
    return draft


def _payment_control(row: _PaymentControl) -> PaymentControl:
    draft = _new(_DraftPaymentControl)
    draft.enabled = row.enabled
    draft.agency = row.agency
    draft.status = row.status
    case_id = row.case_id
    draft.case_id = case_id if case_id is None or case_id.__class__ is str else str(case_id)
    draft.extra = NO_EXTRA
    draft.__class__ = PaymentControl  # type: ignore[assignment]  # a draft becomes its record
    return draft


def _error(row: _Error) -> DistributionError:
    return DistributionError(row.error_code, row.error_description, row.error_type)
