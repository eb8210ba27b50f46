"""Counters whose memory stays bounded, whatever the outside sends."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from datetime import datetime
from typing import Generic, TypeVar

import attrs

NAMED = 1000
"""Different values that are counted by name; all others are counted together."""

DAY = 24 * 60
_LONGEST = 90 * DAY
_EDGES = (
    (60, "under 1 h"),
    (6 * 60, "1 to 6 h"),
    (DAY, "6 to 24 h"),
    (2 * DAY, "1 to 2 days"),
    (3 * DAY, "2 to 3 days"),
    (5 * DAY, "3 to 5 days"),
    (7 * DAY, "5 to 7 days"),
    (14 * DAY, "7 to 14 days"),
    (30 * DAY, "14 to 30 days"),
)
_BEFORE, _BEYOND = "before creation", "30 days and more"

_K = TypeVar("_K", bound=Hashable)


@attrs.frozen
class Breakdown(Generic[_K]):
    """How often each value occurred, the most frequent first.

    `others`: occurrences of values beyond the first 1,000 different ones.
    """

    rows: tuple[tuple[_K, int], ...] = ()
    others: int = 0

    @property
    def total(self) -> int:
        """All occurrences."""
        return sum(count for _, count in self.rows) + self.others

    def top(self, most: int) -> tuple[tuple[tuple[_K, int], ...], int]:
        """Return the most frequent values, and the occurrences of all others."""
        return self.rows[:most], self.total - sum(count for _, count in self.rows[:most])


@attrs.define
class Tally(Generic[_K]):
    """Counts by value."""

    limit: int = NAMED
    counts: dict[_K, int] = attrs.field(factory=dict)
    others: int = 0

    def add(self, value: _K, count: int = 1) -> None:
        """Count a value."""
        if value in self.counts:
            self.counts[value] += count
        elif len(self.counts) < self.limit:
            self.counts[value] = count
        else:
            self.others += count

    def done(self) -> Breakdown[_K]:
        """Return what was counted."""
        rows = sorted(self.counts.items(), key=lambda row: (-row[1], _order(row[0])))
        return Breakdown(tuple(rows), self.others)


def _order(value: object) -> tuple[tuple[bool, str], ...]:
    parts = value if isinstance(value, tuple) else (value,)
    return tuple((part is None, str(part)) for part in parts)


@attrs.frozen
class Durations:
    """How long something took, over the records that say it.

    `known`: records with both times, comparable. `median`, `ninety`: minutes, cut to whole ones, within
    which half and nine in ten of them were done; None where nothing is known, or where it is beyond 90 days.
    `buckets`: counts by named length; they are of different widths. `missing`: records without one of the
    times. `incomparable`: one of the times has a zone, the other has none.
    """

    known: int
    median: int | None
    ninety: int | None
    buckets: tuple[tuple[str, int], ...]
    missing: int
    incomparable: int


@attrs.define
class Stopwatch:
    """Counts lengths of time by whole minutes up to 90 days; beyond that only how many there are."""

    minutes: dict[int, int] = attrs.field(factory=dict)
    before: int = 0
    beyond: int = 0
    missing: int = 0
    incomparable: int = 0

    def add(self, start: datetime | None, end: datetime | None) -> None:
        """Count the time from `start` to `end`."""
        if start is None or end is None:
            self.missing += 1
            return
        if (start.tzinfo is None) is not (end.tzinfo is None):
            self.incomparable += 1
            return
        gap = end - start
        whole = gap.days * DAY + gap.seconds // 60
        if whole < 0:
            self.before += 1
        elif whole >= _LONGEST:
            self.beyond += 1
        else:
            self.minutes[whole] = self.minutes.get(whole, 0) + 1

    def done(self) -> Durations:
        """Return what was counted."""
        ordered = sorted(self.minutes.items())
        known = self.before + self.beyond + sum(self.minutes.values())
        return Durations(
            known=known,
            median=self._within(ordered, known, 50),
            ninety=self._within(ordered, known, 90),
            buckets=self._buckets(ordered),
            missing=self.missing,
            incomparable=self.incomparable,
        )

    def _within(self, ordered: Iterable[tuple[int, int]], known: int, percent: int) -> int | None:
        wanted = -(-known * percent // 100)
        passed = self.before
        if not known or passed >= wanted:
            return None
        for minutes, count in ordered:
            passed += count
            if passed >= wanted:
                return minutes
        return None

    def _buckets(self, ordered: Iterable[tuple[int, int]]) -> tuple[tuple[str, int], ...]:
        counts = dict.fromkeys((name for _, name in _EDGES), 0) | {_BEYOND: self.beyond}
        for minutes, count in ordered:
            counts[next((name for edge, name in _EDGES if minutes < edge), _BEYOND)] += count
        return ((_BEFORE, self.before), *counts.items()) if self.before else tuple(counts.items())
