"""Date windows: pure calendar arithmetic, both ends inside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import overload

import attrs

from ._shown import shown
from .errors import ConfigurationError


def require_date(name: str, value: object) -> date:
    """Return `value` if it is a plain date; a datetime is refused, since its day depends on a time zone."""
    if isinstance(value, datetime):
        raise ConfigurationError(f"{name} must be a datetime.date, not a datetime: say which day is meant")
    if not isinstance(value, date):
        raise ConfigurationError(f"{name} must be a datetime.date, not {type(value).__name__}")
    return value


def require_days(name: str, value: object, *, minimum: int = 1) -> int:
    """Return `value` if it is a whole number of days, `minimum` or more."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ConfigurationError(f"{name} must be a whole number of days, not {type(value).__name__}")
    if value < minimum:
        raise ConfigurationError(f"{name} must be {minimum} or more")
    return value


def require_range(from_date: object, to_date: object) -> tuple[date, date]:
    """Return both days if they are plain dates in order."""
    start, end = require_date("from_date", from_date), require_date("to_date", to_date)
    if end < start:
        raise ConfigurationError(f"the range is inverted: {start} is after {end}")
    return start, end


@attrs.frozen(order=True)
class DateWindow:
    """The days from `start` to `end`, both inside."""

    __repr__ = shown

    start: date
    end: date

    def __attrs_post_init__(self) -> None:
        require_range(self.start, self.end)

    @property
    def days(self) -> int:
        """How many days the window holds, at least 1."""
        return self.end.toordinal() - self.start.toordinal() + 1

    def halves(self) -> tuple[DateWindow, DateWindow]:
        """Return two adjacent windows that cover this one, the first never the longer.

        Raises `ConfigurationError` for a single day, which has no halves.
        """
        if self.days == 1:
            raise ConfigurationError(f"a single day ({self}) cannot be halved")
        middle = self.start.toordinal() + self.days // 2
        return (
            DateWindow(self.start, date.fromordinal(middle - 1)),
            DateWindow(date.fromordinal(middle), self.end),
        )

    def __str__(self) -> str:
        return f"{self.start}..{self.end}"


class DateWindows(Sequence[DateWindow]):
    """A lazy, immutable sequence of windows: each is made when it is asked for."""

    __slots__ = ("_days", "_last", "_starts")

    def __init__(self, starts: range, days: int, last: int) -> None:
        self._starts, self._days, self._last = starts, days, last

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, index: int) -> DateWindow: ...
    @overload
    def __getitem__(self, index: slice) -> DateWindows: ...
    def __getitem__(self, index: int | slice) -> DateWindow | DateWindows:
        if isinstance(index, slice):
            return DateWindows(self._starts[index], self._days, self._last)
        return self._window(self._starts[index])

    def __iter__(self) -> Iterator[DateWindow]:
        return map(self._window, self._starts)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"<{len(self)} windows of up to {self._days} days>"

    def _window(self, start: int) -> DateWindow:
        end = min(start + self._days - 1, self._last)
        return DateWindow(date.fromordinal(start), date.fromordinal(end))


def split_date_range(from_date: date, to_date: date, days: int = 30) -> DateWindows:
    """Split a range of days into adjacent windows of `days` days; the last may be shorter.

    Both dates belong to the range. Every day is in exactly one window. The sequence is lazy: a million
    windows cost no more than one. Raises `ConfigurationError` for anything but two plain dates in order
    and a whole number of days from 1.
    """
    start, end = require_range(from_date, to_date)
    step = require_days("days", days)
    return DateWindows(range(start.toordinal(), end.toordinal() + 1, step), step, end.toordinal())
