"""Timestamps: three forms occur on the vendor's pages, with a zone, with a fraction, or a bare date."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_SHAPE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[Tt ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?(?:[Zz]|[+-][0-9]{2}:?[0-9]{2})?)?"
)


def parse_timestamp(text: str) -> datetime:
    """Return the instant: aware in UTC where the text has a zone, naive where it has none.

    A bare date is its midnight; digits beyond the microsecond are cut. Raises ValueError for any other
    form, and for an instant that UTC cannot express within the years 1 to 9999.
    """
    # The common form is let through by its five separators: a regular expression costs three times as much.
    if not (len(text) > 19 and text[-1] == "Z" and text[10] == "T" and text[4] == text[7] == "-" and text[16] == ":"):
        if not _SHAPE.fullmatch(text):
            raise ValueError("not an ISO 8601 date or timestamp")
        text = text.upper()
    try:
        moment = datetime.fromisoformat(text)
        zone = moment.tzinfo
        return moment if zone is None or zone is UTC else moment.astimezone(UTC)
    except ValueError:  # its message would show the value
        raise ValueError("no such day or time") from None
    except OverflowError:
        raise ValueError("outside the years 1 to 9999 in UTC") from None


def format_timestamp(moment: datetime) -> str:
    """Return the ISO 8601 text of the same instant; UTC is written as ``Z``, naive stays without a zone."""
    text = moment.isoformat()
    return text[:-6] + "Z" if text.endswith("+00:00") else text
