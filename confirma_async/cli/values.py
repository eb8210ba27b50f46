"""What was typed, checked: every refusal is one line that names the option and never repeats the value."""

from __future__ import annotations

import math
import os
import re
from datetime import date

from .._checks import require_base_url
from ..config import ENVIRONMENT_VARIABLE, Environment, ServiceProfile
from ..errors import ConfigurationError
from ..windows import DateWindow, require_range

LONGEST_WINDOW = 36_600
"""Days: a hundred years; more is a slip of the finger."""
MOST_REQUESTS = 1000
"""Requests in flight, or per second; more would need other system limits than the usual ones."""

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WHOLE = re.compile(r"[0-9]{1,18}")
_DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


def day(option: str, text: str) -> date:
    """Return the day; only ASCII YYYY-MM-DD."""
    if not _DATE.fullmatch(text):
        raise ConfigurationError(f"{option} must be a date written as YYYY-MM-DD, such as 2025-01-31")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(f"{option}: the calendar has no day {text}") from None


def whole(option: str, text: str, low: int, high: int) -> int:
    """Return the whole number from `low` to `high`; only ASCII digits."""
    value = int(text) if _WHOLE.fullmatch(text) else None
    if value is None or not low <= value <= high:
        raise ConfigurationError(f"{option} must be a whole number from {low} to {high:,}".replace(",", " "))
    return value


def decimal(option: str, text: str, high: float, *, zero: bool = False) -> float:
    """Return the number up to `high`, above 0 (or at it, if `zero`); digits and a point only."""
    value = float(text) if _DECIMAL.fullmatch(text) else math.nan
    if not (0 < value <= high or (zero and value == 0)):
        raise ConfigurationError(f"{option} must be a number {'from' if zero else 'above'} 0 up to {high:g}, as in 2.5")
    return value


def span(from_text: str | None, to_text: str | None) -> DateWindow | None:
    """Return the days asked for; no end means today in the service's time zone, no dates mean None."""
    if from_text is None:
        if to_text is not None:
            raise ConfigurationError("--to needs a --from: an open start would leave the range unknown")
        return None
    start = day("--from", from_text)
    end = ServiceProfile().today() if to_text is None else day("--to", to_text)
    return DateWindow(*require_range(start, end))


def environment(text: str | None) -> Environment | None:
    """Return the named environment; None reads ``CONFIRMA_ENVIRONMENT``, and stays None where it is empty."""
    source, name = "--environment", text
    if name is None:
        source, name = ENVIRONMENT_VARIABLE, os.environ.get(ENVIRONMENT_VARIABLE) or None
    if name is None or name.upper() in Environment.__members__:
        return None if name is None else Environment[name.upper()]
    known = " or ".join(member.lower() for member in Environment.__members__)
    raise ConfigurationError(f"{source} names no environment of the service: use {known}")


def base_url(text: str) -> str:
    """Return the address: https anywhere, http on loopback."""
    try:
        return require_base_url(text)
    except ConfigurationError as error:
        message = error.message
    raise ConfigurationError(message.replace("base_url", "--base-url", 1))


def file_name(option: str, text: str) -> str:
    """Return a file name that is not empty."""
    if not text.strip():
        raise ConfigurationError(f"{option} must name a file")
    return text


def printable(option: str, text: str) -> str:
    """Return text that a query can carry."""
    if not text.strip() or not text.isprintable():
        raise ConfigurationError(f"{option} must be printable text and not empty")
    return text
