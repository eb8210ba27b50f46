"""Rows that a target cannot hold: counted, named and kept aside, so that they neither stop a run nor get lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

import attrs

from ..._wire import to_dict
from ...records import InvoiceDistribution
from ..proof import NAMES_KEPT, Tally
from .matching import Row

Check = Callable[[Row], str | None]
_UNENCODABLE = "a text that is not valid Unicode, or a value that JSON has no form for"


@attrs.frozen
class Quarantined:
    """A row kept aside: its invoice number in printable form, why, and the record as ASCII JSON text."""

    invoice_number: str
    reason: str
    record: str

    @property
    def name(self) -> str:
        """The row and its reason, in a few words."""
        return f"invoice {self.invoice_number}: {self.reason}"


def fits(_: Row) -> None:
    """Accept every row that is text at all."""


def sift(invoices: Iterable[InvoiceDistribution], check: Check = fits) -> tuple[list[Row], list[Quarantined]]:
    """Return the rows that a target can hold, and those it cannot; `check` gives the reason, or None."""
    rows: list[Row] = []
    aside: list[Quarantined] = []
    for record in invoices:
        row, reason = _judge(record, check)
        if row is not None and reason is None:
            rows.append(row)
        else:
            aside.append(set_aside(record, reason or _UNENCODABLE))
    return rows, aside


def _judge(record: InvoiceDistribution, check: Check) -> tuple[Row | None, str | None]:
    try:
        row = Row.of(record)
    except (ValueError, OverflowError, TypeError):
        return None, _UNENCODABLE
    return row, check(row)


def set_aside(record: InvoiceDistribution, reason: str) -> Quarantined:
    """Return the quarantined form of a record; ASCII escapes carry what no encoding would."""
    number = "without a number" if record.invoice_number is None else ascii(record.invoice_number[:60])[1:-1]
    return Quarantined(number, reason, json.dumps(to_dict(record), default=str))


def counted(aside: Iterable[Quarantined]) -> Tally:
    """Return the tally of quarantined rows."""
    names = [one.name for one in aside]
    return Tally(quarantined=len(names), quarantined_names=tuple(names[:NAMES_KEPT]))
