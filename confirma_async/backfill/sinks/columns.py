"""One record as one flat row, and back, with nothing lost.

Columns carry the records' attribute names. Those that would not say what they belong to have the name of
their group in front: `file_url`, `payment_control_enabled`, `payment_control_agency`,
`payment_control_status`; `case_id` and the four times need none. Times are ISO 8601 text: with ``Z`` where
the service sent a zone, without where it sent none, since a timestamp column would have to invent one.
`extra` is JSON text with unknown fields by the group they came in, and the names of absent objects; null
where there is nothing to say. The errors of an invoice are rows of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import TypeAlias, cast

import attrs
import msgspec

from ...records import (
    DistributionDates,
    DistributionError,
    DistributionFile,
    Extra,
    InvoiceDistribution,
    PaymentControl,
)

CONTENT = (
    "invoice_number",
    "distribution_status",
    "distribution_method",
    "distribution_message",
    "created_at",
    "printed_at",
    "distributed_at",
    "payment_control_activated_at",
    "file_url",
    "payment_control_enabled",
    "payment_control_agency",
    "payment_control_status",
    "case_id",
    "extra",
)
"""What the service said, in the order of the row; only `payment_control_enabled` is not text."""

ERROR_CONTENT = ("error_code", "error_description", "error_type", "extra")
"""What the service said about one error of an invoice."""

NUMBER, CASE_ID = CONTENT.index("invoice_number"), CONTENT.index("case_id")

Content: TypeAlias = tuple[str | bool | None, ...]
ErrorContent: TypeAlias = tuple[str | None, ...]
Errors: TypeAlias = tuple[ErrorContent, ...]

_compact = msgspec.json.Encoder(order="deterministic")
_GROUPS = ("dates", "file", "payment_control")


def flatten(record: InvoiceDistribution) -> Content:
    """Return the record's own row, without its errors."""
    dates, control = record.dates, record.payment_control
    return (
        record.invoice_number,
        record.distribution_status,
        record.distribution_method,
        record.distribution_message,
        None if dates.created_at is None else to_text(dates.created_at),
        None if dates.printed_at is None else to_text(dates.printed_at),
        None if dates.distributed_at is None else to_text(dates.distributed_at),
        None if dates.payment_control_activated_at is None else to_text(dates.payment_control_activated_at),
        record.file.url,
        control.enabled,
        control.agency,
        control.status,
        control.case_id,
        _leftover(record),
    )


def flatten_errors(record: InvoiceDistribution) -> Errors:
    """Return one row per error, in the order they came."""
    return tuple(
        (e.error_code, e.error_description, e.error_type, _compact.encode(e.extra).decode() if e.extra else None)
        for e in record.errors
    )


def fingerprint(content: Content, errors: Errors) -> str:
    """Return 32 hexadecimal digits, equal where the content is; raises UnicodeEncodeError for what is not text."""
    return blake2b(_compact.encode((content, errors)), digest_size=16).hexdigest()


def to_text(moment: datetime) -> str:
    """Return ISO 8601 text; UTC is written as ``Z``, naive stays without a zone."""
    text = moment.isoformat()
    return text[:-6] + "Z" if text.endswith("+00:00") else text


def from_text(text: str) -> datetime:
    """Return the moment that `to_text` wrote."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is None else moment.astimezone(UTC)


def unflatten(content: Sequence[str | bool | None], errors: Sequence[ErrorContent]) -> InvoiceDistribution:
    """Return the record that the rows were made of."""
    values = dict(zip(CONTENT, content, strict=True))
    text = cast("Mapping[str, str | None]", values)
    left = _NOTHING if text["extra"] is None else _decode_leftover(text["extra"])
    enabled = values["payment_control_enabled"]
    return InvoiceDistribution(
        invoice_number=text["invoice_number"],
        distribution_status=text["distribution_status"],
        distribution_method=text["distribution_method"],
        distribution_message=text["distribution_message"],
        dates=_dates(text, Extra(left.dates)),
        file=DistributionFile(text["file_url"], Extra(left.file)),
        payment_control=PaymentControl(
            None if enabled is None else bool(enabled),
            text["payment_control_agency"],
            text["payment_control_status"],
            text["case_id"],
            Extra(left.payment_control),
        ),
        errors=[_error(error) for error in errors],
        extra=Extra(left.extra),
        absent=left.absent,  # type: ignore[arg-type]  # as above
    )


def _leftover(record: InvoiceDistribution) -> str | None:
    dates, file, control = record.dates, record.file, record.payment_control
    if not (record.extra or dates.extra or file.extra or control.extra or record.absent):
        return None
    left: dict[str, object] = {"extra": record.extra} if record.extra else {}
    left |= {name: getattr(record, name).extra for name in _GROUPS if getattr(record, name).extra}
    if record.absent:
        left["absent"] = sorted(record.absent)
    return _compact.encode(left).decode()


@attrs.frozen
class _Leftover:
    """What has no column of its own, by group."""

    extra: dict[str, object] = attrs.field(factory=dict)
    dates: dict[str, object] = attrs.field(factory=dict)
    file: dict[str, object] = attrs.field(factory=dict)
    payment_control: dict[str, object] = attrs.field(factory=dict)
    absent: frozenset[str] = frozenset()


_NOTHING = _Leftover()
_decode_leftover = msgspec.json.Decoder(_Leftover).decode
_decode_extra = msgspec.json.Decoder(dict[str, object]).decode


def _dates(text: Mapping[str, str | None], extra: Extra) -> DistributionDates:
    created, printed, distributed, activated = (_moment(text[name]) for name in CONTENT[4:8])
    return DistributionDates(created, printed, distributed, activated, extra)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else from_text(text)


def _error(row: ErrorContent) -> DistributionError:
    code, description, kind, extra = row
    return DistributionError(code, description, kind, Extra() if extra is None else Extra(_decode_extra(extra)))


def keep_case_id(record: InvoiceDistribution, case_id: str | None) -> InvoiceDistribution:
    """Return the record with the case id that is known, where it came without one."""
    if case_id is None or record.payment_control.case_id is not None:
        return record
    control = attrs.evolve(record.payment_control, case_id=case_id)
    left = record.absent - {"paymentControl"}
    return attrs.evolve(record, payment_control=control, absent=left)  # type: ignore[arg-type]  # as above
