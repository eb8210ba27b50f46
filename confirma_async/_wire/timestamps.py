"""Timestamps: three forms occur on the vendor's pages, with a zone, with a fraction, or a bare date."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_SHAPE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)


def parse_timestamp(text: str) -> datetime:
    """Return the instant: aware in UTC where the text has a zone, naive where it has none.

    A bare date is its midnight; digits beyond the microsecond are cut. Raises ValueError for any other form
    (ISO 8601 has more: weeks, basic format), and for an instant that UTC cannot express within the years 1 to
    9999.
    """
    text = text.upper()
    if not _SHAPE.fullmatch(text) or "T24:" in text:  # what Python makes of hour 24 depends on its version
        raise ValueError("not an ISO 8601 date or timestamp")
    try:
        return in_utc(datetime.fromisoformat(text))
    except ValueError:  # its message would show the value
        raise ValueError("no such day or time") from None


def in_utc(moment: datetime) -> datetime:
    """Return the same instant in UTC; naive stays naive."""
    if moment.tzinfo is None or moment.tzinfo is UTC:
        return moment
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("outside the years 1 to 9999 in UTC") from None


def format_timestamp(moment: datetime) -> str:
    """Return the ISO 8601 text of the same instant; UTC is written as ``Z``, naive stays without a zone."""
    text = moment.isoformat()
    return text[:-6] + "Z" if text.endswith("+00:00") else text
