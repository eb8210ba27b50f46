"""What a query asks for, and what of it is applied."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import attrs

from ._reply import refusal

DEFAULT_DAYS = 30
"""Days without dates in the question: the vendor's page names the field `defaultLast30DaysApplied`."""

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER = re.compile(r"[0-9]{1,9}")


class RefusedError(Exception):
    """The question gets an error status instead of rows."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.reply = refusal(status, message)


@attrs.frozen
class Question:
    """What was asked for; None where nothing was said."""

    invoice_number: str | None = None
    start: date | None = None
    end: date | None = None
    fetch_type: str | None = None
    page: int | None = None
    page_size: int | None = None


@attrs.frozen
class Filters:
    """What is applied: the days `start` to `end`, and what else was asked for."""

    invoice_number: str | None
    start: date
    end: date
    fetch_type: str | None
    last_30_days: bool


def read_question(query: Mapping[str, str], *, paged: bool) -> Question:
    """Read the query; an inverted range, and what is no date or number, is refused with 400 (ours).

    Page parameters are looked at only if `paged`: a service without pages does not know them.
    """
    question = Question(
        invoice_number=query.get("invoiceNumber") or None,
        start=_day(query, "fromInvDate"),
        end=_day(query, "toInvDate"),
        fetch_type=query.get("fetchType") or None,
        page=_number(query, "page", lowest=0) if paged else None,
        page_size=_number(query, "pageSize", lowest=1) if paged else None,
    )
    if question.start and question.end and question.end < question.start:
        raise RefusedError(400, "toInvDate is before fromInvDate")
    return question


def filters_for(question: Question, today: date) -> Filters:
    """Fill in the range: without an end it ends today, without a start it has 30 days (ours, but for no dates)."""
    end = question.end or today
    start = question.start or date.fromordinal(max(1, end.toordinal() - DEFAULT_DAYS + 1))
    undated = question.start is None and question.end is None
    return Filters(question.invoice_number, start, end, question.fetch_type, undated)


def today_in(zone: str) -> date:
    """The current day there; in UTC where the machine has no time zone data (Windows without tzdata)."""
    try:
        return datetime.now(ZoneInfo(zone)).date()
    except (KeyError, OSError):  # ZoneInfoNotFoundError is a KeyError
        return datetime.now(UTC).date()


def _day(query: Mapping[str, str], name: str) -> date | None:
    text = query.get(name)
    if text is None:
        return None
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass  # such as 2025-02-30
    raise RefusedError(400, f"{name} is not a date (YYYY-MM-DD)")


def _number(query: Mapping[str, str], name: str, *, lowest: int) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    if not _NUMBER.fullmatch(text) or int(text) < lowest:
        raise RefusedError(400, f"{name} is not a number from {lowest}")
    return int(text)
