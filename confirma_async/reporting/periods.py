"""Days, weeks and months: how fine a chart or a table can be and still be read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from enum import StrEnum

import attrs

from .results import DayCount, HandOver


class Period(StrEnum):
    """The width of one bar or row; a week starts on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    def start(self, day: date) -> date:
        """Return the first day of the period that `day` is in."""
        return _STARTS[self](day)


def _monday(day: date) -> date:
    return day - timedelta(days=min(day.weekday(), day.toordinal() - 1))


_STARTS: dict[Period, Callable[[date], date]] = {
    Period.DAY: lambda day: day,
    Period.WEEK: _monday,
    Period.MONTH: lambda day: day.replace(day=1),
}


@attrs.define
class PeriodCount:
    """The records created in one period."""

    start: date
    records: int = 0
    with_errors: int = 0
    by_status: dict[str | None, int] = attrs.field(factory=dict)
    by_hand_over: dict[HandOver, int] = attrs.field(factory=dict)

    def take(self, day: DayCount) -> None:
        """Add a day."""
        self.records += day.records
        self.with_errors += day.with_errors
        for status, count in day.by_status.items():
            self.by_status[status] = self.by_status.get(status, 0) + count
        for state, count in day.by_hand_over.items():
            self.by_hand_over[state] = self.by_hand_over.get(state, 0) + count


def gathered(days: Iterable[DayCount], period: Period) -> list[PeriodCount]:
    """Return the periods that hold records, in order; one without records is left out."""
    found: dict[date, PeriodCount] = {}
    for day in days:
        start = period.start(day.day)
        found.setdefault(start, PeriodCount(start)).take(day)
    return [found[start] for start in sorted(found)]


def finest(days: Iterable[DayCount], most: int) -> tuple[Period, list[PeriodCount]]:
    """Return the finest periods of which there are at most `most`; months where none is coarse enough."""
    listed = list(days)
    for period in Period:
        rows = gathered(listed, period)
        if len(rows) <= most or period is Period.MONTH:
            return period, rows
    raise AssertionError("months are the last period")
