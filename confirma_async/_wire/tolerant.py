"""From plain JSON values to records: unknown fields are kept, nothing is coerced, errors name their place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeAlias, TypeVar, cast

import attrs

from ..records import (
    NO_DATES,
    NO_FILE,
    NO_FILTERS,
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

Reader: TypeAlias = Callable[[object], object]
_R = TypeVar("_R")

_JSON_NAMES: dict[type, str] = {bool: "a boolean", int: "an integer", float: "a fraction", str: "text"}


class Broken(Exception):
    """A value that breaks the contract, and the path to it; never the value itself."""

    def __init__(self, problem: str, path: str = "") -> None:
        super().__init__(problem, path)
        self.problem, self.path = problem, path

    def under(self, parent: str) -> Broken:
        """Return the same fault seen from one level up."""
        joint = "" if not self.path or self.path.startswith("[") else "."
        return Broken(self.problem, f"{parent}{joint}{self.path}")


def _kind(value: object) -> str:
    if value is None:
        return "null"
    return _JSON_NAMES.get(type(value), "a list" if isinstance(value, list | tuple) else "an object")


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise Broken(f"expected text or null, got {_kind(value)}")


def _flag(value: object) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise Broken(f"expected a boolean or null, got {_kind(value)}")


def _count(value: object) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise Broken(f"expected a whole number or null, got {_kind(value)}")
    if value < 0:
        raise Broken("expected a count, got a negative number")
    return value


def _identifier(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if not isinstance(value, int) or isinstance(value, bool):
        raise Broken(f"expected an integer, text or null, got {_kind(value)}")
    try:
        return str(value)
    except ValueError:
        raise Broken("expected an identifier, got an integer of thousands of digits") from None


def _timestamp(value: object) -> datetime | None:
    if value is None:
        return None
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise Broken(f"expected a timestamp or null, got {_kind(value)}")
    try:
        return parse_timestamp(value)
    except ValueError as error:
        problem = f"expected a timestamp: {error}"
    raise Broken(problem)


def _errors(value: object) -> tuple[DistributionError, ...]:
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise Broken(f"expected a list or null, got {_kind(value)}")
    found = []
    for index, item in enumerate(value):
        try:
            found.append(read_record(DistributionError, item))
        except Broken as fault:
            raise fault.under(f"[{index}]") from None
    return tuple(found)


def _nested(cls: type[_R], missing: _R) -> Callable[[object], _R]:
    return lambda value: missing if value is None else read_record(cls, value)


def _filters(value: object) -> AppliedFilters:
    return read_record(AppliedFilters, value) if isinstance(value, Mapping) else NO_FILTERS


SHAPES: dict[type, dict[str, tuple[str, Reader]]] = {
    DistributionDates: {
        "createdAt": ("created_at", _timestamp),
        "printedAt": ("printed_at", _timestamp),
        "distributedAt": ("distributed_at", _timestamp),
        "paymentControlActivatedAt": ("payment_control_activated_at", _timestamp),
    },
    DistributionFile: {"url": ("url", _text)},
    PaymentControl: {
        "enabled": ("enabled", _flag),
        "agency": ("agency", _text),
        "status": ("status", _text),
        "caseId": ("case_id", _identifier),
    },
    DistributionError: {
        "errorCode": ("error_code", _text),
        "errorDescription": ("error_description", _text),
        "errorType": ("error_type", _text),
    },
    InvoiceDistribution: {
        "invoiceNumber": ("invoice_number", _identifier),
        "distributionStatus": ("distribution_status", _text),
        "distributionMethod": ("distribution_method", _text),
        "distributionMessage": ("distribution_message", _text),
        "dates": ("dates", _nested(DistributionDates, NO_DATES)),
        "file": ("file", _nested(DistributionFile, NO_FILE)),
        "paymentControl": ("payment_control", _nested(PaymentControl, NO_PAYMENT_CONTROL)),
        "errors": ("errors", _errors),
    },
    AppliedFilters: {
        "invoiceNumber": ("invoice_number", _identifier),
        "fromInvDate": ("from_inv_date", _text),
        "toInvDate": ("to_inv_date", _text),
        "fetchType": ("fetch_type", _text),
        "defaultLast30DaysApplied": ("default_last30_days_applied", _flag),
    },
    DistributionMetadata: {
        "totalCount": ("total_count", _count),
        "successfulCount": ("successful_count", _count),
        "failedCount": ("failed_count", _count),
        "filtersApplied": ("filters_applied", _filters),
    },
}
"""Wire name -> attribute and reader, for every record."""

PARTS: dict[type, tuple[str, ...]] = {
    InvoiceDistribution: ("dates", "file", "paymentControl", "errors"),
    DistributionMetadata: ("filtersApplied",),
}
"""Wire names of the objects whose null is remembered in `absent`."""


def read_object(value: object) -> Mapping[str, object]:
    """Return the value if it is a JSON object."""
    if not isinstance(value, Mapping):
        raise Broken(f"expected an object, got {_kind(value)}")
    return value


def read_record(cls: type[_R], value: object) -> _R:
    """Return the record that a JSON object stands for; raises `Broken` with the path inside it."""
    source = read_object(value)
    shape = SHAPES[cls]
    fields: dict[str, object] = {}
    unreadable: dict[str, object] = {}
    for wire, (name, reader) in shape.items():
        raw = source.get(wire)
        try:
            fields[name] = reader(raw)
        except Broken as fault:
            if cls is not AppliedFilters:
                raise fault.under(wire) from None
            unreadable[wire] = raw
    unknown = {name: raw for name, raw in source.items() if name not in shape}
    parts = PARTS.get(cls)
    if parts:
        fields["absent"] = frozenset(name for name in parts if source.get(name) is None)
        if cls is DistributionMetadata and not isinstance(source.get("filtersApplied"), Mapping | None):
            unknown["filtersApplied"] = source["filtersApplied"]
    make = cast("Callable[..., _R]", cls)
    return make(**fields, extra={**unreadable, **unknown})


def wire_names(cls: type[attrs.AttrsInstance]) -> dict[str, str]:
    """Return attribute -> wire name of a record class."""
    return {name: wire for wire, (name, _) in SHAPES[cls].items()}


def read_rows(body: Mapping[str, object]) -> list[object]:
    """Return the rows of an answer as plain values."""
    rows = body.get("invoices")
    if not isinstance(rows, list):
        kind = _kind(rows) if "invoices" in body else "nothing"
        raise Broken(f"expected a list, got {kind}", "invoices")
    return cast("list[object]", rows)
