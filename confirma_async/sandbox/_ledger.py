"""Which synthetic invoices exist: pure arithmetic over days and positions, nothing is stored.

An invoice is a place: the ordinal of its invoice date and its index within that day. A window of days is a
`Selection`; a slice of it becomes `Span`s, so a page in the middle of twenty years costs what a page costs.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from itertools import accumulate
from typing import Protocol

from attrs import frozen

CountSource = int | Mapping[date, int] | Callable[[date], int]
"""How many invoices a day has: the same for each day, by day (days not named have none), or by a function."""

OUTCOME_PERIOD = 20
"""Outcomes repeat by index within the day, so that counting them never needs the rows. Ours."""
FAILED_AT = 3
PENDING_AT = 9

FIRST_DAY = date(1000, 1, 1).toordinal()
"""No invoices before the year 1000: their numbers would begin with a zero, which is no JSON integer."""


@frozen
class Span:
    """The invoices `start` to `stop` (not inside) of one day, by index from 0."""

    ordinal: int
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


@frozen
class Tally:
    """How many invoices there are, how many of them were delivered and how many failed; the rest is pending."""

    total: int
    successful: int
    failed: int


class Selection(Protocol):
    """Invoices in order of day and index, which can be counted and cut without being made."""

    def tally(self) -> Tally:
        """Count them by outcome."""
        ...

    def spans(self, start: int, stop: int) -> Iterator[Span]:
        """The places of the rows `start` to `stop` (not inside), by position from 0."""
        ...


@frozen
class SteadyDays:
    """Days that all have the same number of invoices: any slice is found by division."""

    first: int
    days: int
    per_day: int

    def tally(self) -> Tally:
        """Count them by outcome, without visiting a day."""
        total, failed, pending = (self.days * n for n in _outcomes(Span(self.first, 0, self.per_day)))
        return Tally(total, total - failed - pending, failed)

    def spans(self, start: int, stop: int) -> Iterator[Span]:
        """The places of the rows `start` to `stop`, visiting only the days they lie on."""
        stop = min(stop, self.days * self.per_day)
        while start < stop:
            day, index = divmod(start, self.per_day)
            end = min(self.per_day, index + stop - start)
            yield Span(self.first + day, index, end)
            start += end - index


@frozen
class ListedDays:
    """Days whose numbers of invoices differ: one span each, in order, none of them empty."""

    days: Sequence[Span]

    def tally(self) -> Tally:
        """Count them by outcome, visiting every day once."""
        counts = [_outcomes(span) for span in self.days]
        total, failed, pending = (sum(column) for column in zip(*counts, strict=True)) if counts else (0, 0, 0)
        return Tally(total, total - failed - pending, failed)

    def spans(self, start: int, stop: int) -> Iterator[Span]:
        """The places of the rows `start` to `stop`."""
        before = list(accumulate((len(span) for span in self.days), initial=0))
        day = bisect_right(before, start) - 1
        while start < stop and day < len(self.days):
            span = self.days[day]
            first = span.start + start - before[day]
            end = min(span.stop, first + stop - start)
            yield Span(span.ordinal, first, end)
            start += end - first
            day += 1


def select(source: CountSource, first: int, last: int) -> Selection:
    """The invoices of the days `first` to `last`, both inside, as ordinals; `last` before `first` is none."""
    first = max(first, FIRST_DAY)
    if isinstance(source, int):
        return SteadyDays(first, max(0, last - first + 1), source)
    return ListedDays([Span(day, 0, count) for day, count in _counted(source, first, last) if count])


def exists(source: CountSource, ordinal: int, index: int) -> bool:
    """Whether that day has an invoice with that index."""
    tally = select(source, ordinal, ordinal).tally()
    return index < tally.total


def _counted(source: Mapping[date, int] | Callable[[date], int], first: int, last: int) -> Iterator[tuple[int, int]]:
    if isinstance(source, Mapping):
        days = sorted(day for day in source if first <= day.toordinal() <= last)
        return ((day.toordinal(), _checked(day, source[day])) for day in days)
    counts = ((date.fromordinal(ordinal), ordinal) for ordinal in range(first, last + 1))
    return ((ordinal, _checked(day, source(day))) for day, ordinal in counts)


def _checked(day: date, count: object) -> int:
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise ValueError(f"invoices_per_day must give a whole number from 0 for {day}, not {count!r}")
    return count


def _outcomes(span: Span) -> tuple[int, int, int]:
    failed = _hits(span.stop, FAILED_AT) - _hits(span.start, FAILED_AT)
    pending = _hits(span.stop, PENDING_AT) - _hits(span.start, PENDING_AT)
    return len(span), failed, pending


def _hits(below: int, residue: int) -> int:
    """How many indexes under `below` have this residue modulo the period."""
    return (below + OUTCOME_PERIOD - 1 - residue) // OUTCOME_PERIOD
