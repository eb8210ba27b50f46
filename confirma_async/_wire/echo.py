"""Does an answer belong to its request? The echoed filters say so, or contradict it, or say nothing."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import attrs

from ..config import ServiceProfile
from ..records import AppliedFilters
from ..windows import DateWindow
from .reply import Answer
from .request import Filters, sent_end
from .timestamps import parse_timestamp

_PLAIN_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SLACK = timedelta(hours=24)  # a timestamp echo may carry any zone and either end of its day


@attrs.define(eq=False, repr=False)
class Contradiction:
    """A filter that the service says it applied otherwise; `default`: it used its own 30 days instead."""

    field: str
    message: str
    default: bool = False


@attrs.define(eq=False, repr=False)
class EchoVerdict:
    """What the echo says: at most one contradiction, and why it proves nothing where it does not."""

    contradiction: Contradiction | None = None
    doubt: str | None = None


CLEAR = EchoVerdict()


def judge_echo(answer: Answer, filters: Filters, window: DateWindow | None, profile: ServiceProfile) -> EchoVerdict:
    """Compare what came with what was asked."""
    echo = answer.metadata.filters_applied
    if window is not None and _is_plain_echo(echo, filters, window, profile):
        return CLEAR
    if window is not None and echo.default_last30_days_applied:
        return EchoVerdict(
            Contradiction(
                profile.from_name,
                "the service ignored the dates and answered with its own last 30 days"
                f" (asked for {window}; correct ServiceProfile.from_name and to_name if the names have changed)",
                default=True,
            )
        )
    stranger = _other_number(answer, filters, profile)
    if stranger is not None:
        return EchoVerdict(stranger)
    return _join(
        *_dates(echo, window, profile),
        _equal(profile.invoice_number_name, filters.invoice_number, echo.invoice_number, unasked_is_doubt=False),
        _equal(profile.fetch_type_name, filters.fetch_type, echo.fetch_type, unasked_is_doubt=True),
    )


def _is_plain_echo(echo: AppliedFilters, filters: Filters, window: DateWindow, profile: ServiceProfile) -> bool:
    """Tell whether the echo says exactly what was sent, and no invoice number was: what most answers say."""
    return (
        echo.from_inv_date == window.start.isoformat()
        and echo.to_inv_date == sent_end(window, profile).isoformat()
        and not echo.default_last30_days_applied
        and filters.invoice_number is None
        and not echo.invoice_number
        and filters.fetch_type == (echo.fetch_type or None)
    )


def _other_number(answer: Answer, filters: Filters, profile: ServiceProfile) -> Contradiction | None:
    asked = filters.invoice_number
    if asked is None or all(row.invoice_number == asked for row in answer.rows):
        return None
    return Contradiction(profile.invoice_number_name, "a row has another invoice number than was asked for")


def _dates(echo: AppliedFilters, window: DateWindow | None, profile: ServiceProfile) -> list[EchoVerdict]:
    if window is None:
        if echo.default_last30_days_applied:
            return []
        return [EchoVerdict(doubt="the service does not say which days it applied")]
    return [
        _day(profile.from_name, window.start, echo.from_inv_date),
        _day(profile.to_name, sent_end(window, profile), echo.to_inv_date),
    ]


def _day(name: str, sent: date, echoed: str | None) -> EchoVerdict:
    if echoed is None:
        return EchoVerdict(doubt=f"the answer does not say which {name} was applied")
    if echoed == sent.isoformat():
        return CLEAR
    try:
        moment = parse_timestamp(echoed)
    except ValueError:
        return EchoVerdict(doubt=f"the {name} in the answer cannot be read")
    if _PLAIN_DATE.fullmatch(echoed):
        differs = moment.date() != sent
    else:
        midnight = datetime(sent.year, sent.month, sent.day, tzinfo=UTC)
        differs = abs((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - midnight) > _SLACK
    if not differs:
        return CLEAR
    return EchoVerdict(Contradiction(name, f"asked for {name}={sent}, the service applied {moment.date()}"))


def _equal(name: str, sent: str | None, echoed: str | None, *, unasked_is_doubt: bool) -> EchoVerdict:
    echoed = echoed or None
    if sent == echoed:
        return CLEAR
    if sent is None:
        if unasked_is_doubt:
            return EchoVerdict(doubt=f"the service applied a {name} of its own")
        return EchoVerdict(Contradiction(name, f"the service applied a {name} that was not asked for"))
    if echoed is None:
        return EchoVerdict(doubt=f"the answer does not say which {name} was applied")
    return EchoVerdict(Contradiction(name, f"the service applied another {name} than was asked for"))


def _join(*verdicts: EchoVerdict) -> EchoVerdict:
    if all(verdict is CLEAR for verdict in verdicts):
        return CLEAR
    for verdict in verdicts:
        if verdict.contradiction is not None:
            return verdict
    doubts = [verdict.doubt for verdict in verdicts if verdict.doubt is not None]
    return EchoVerdict(doubt="; ".join(doubts) or None)


def echoed_days(answer: Answer) -> DateWindow | None:
    """Return the days that the service says it applied, where it says so in plain dates."""
    echo = answer.metadata.filters_applied
    texts = (echo.from_inv_date, echo.to_inv_date)
    try:
        start, end = (date.fromisoformat(text) for text in texts if text and _PLAIN_DATE.fullmatch(text))
    except ValueError:  # a day that does not exist, or one of the two is missing
        return None
    return DateWindow(start, end) if start <= end else None
