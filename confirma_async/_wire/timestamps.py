"""Timestamps: three forms occur on the vendor's pages, with a zone, with a fraction, or a bare date."""

from __future__ import annotations

from datetime import UTC, datetime


def parse_timestamp(text: str) -> datetime:
    """Return the instant: aware in UTC where the text has a zone, naive where it has none.

    A bare date is its midnight; digits beyond the microsecond are cut. Raises ValueError for what is not ISO
    8601, and for an instant that UTC cannot express within the years 1 to 9999.
    """
    try:
        moment = datetime.fromisoformat(text.upper())
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
