"""Sets of rows: which were seen, which of them again, which with other content."""

from __future__ import annotations

import bisect
import itertools
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from typing import TypeAlias

import attrs

from .._findings import Diagnosis
from .._wire import Answer, row_digest, rows_again
from ..records import InvoiceDistribution

MOST_KEPT_BYTES = 2 * 1024 * 1024
"""Bytes of answers that one set keeps as they came; of rows beyond, a digest of 64 bits each is kept."""


class Sighting(Enum):
    """What a row is to a set: new, equal in every field to one of it, or another row of the same number."""

    NEW = "new"
    SAME = "same"
    OTHER = "other"


NEW, SAME, OTHER = Sighting


_Stretch: TypeAlias = tuple[str, str]


class Rows:
    """The rows of one answer with their numbers, and the body that they were read from.

    `stretch`: the least and the greatest number where they come in order, None where they do not.
    """

    __slots__ = ("all", "body", "numbers", "stretch")

    def __init__(self, answer: Answer) -> None:
        self.all, self.body = answer.rows, answer.body
        self.numbers = [row.invoice_number for row in answer.rows]
        self.stretch = _stretch(self.numbers)


def _stretch(numbers: Sequence[str | None]) -> _Stretch | None:
    first, last = (numbers[0], numbers[-1]) if numbers else (None, None)
    if first is None or last is None:
        return None
    precedes: Callable[..., bool] = operator.lt if first <= last else operator.gt
    try:
        in_order = all(map(precedes, numbers, itertools.islice(numbers, 1, None)))
    except TypeError:  # one of them is None
        return None
    return (min(first, last), max(first, last)) if in_order else None


class RowSet:
    """Rows by invoice number; contents are compared only where numbers meet.

    It begins with little and takes a closer look when it has to. `_stretches`: where numbers came in order in
    answers that do not overlap, it is enough to know from where to where each reached. `_numbers`: else each of
    them. `_digests`: once a number was met again, 64 bits for each row of each number. Until then the bodies
    that the rows were read from are kept, which are smaller than the rows and hardly ever looked at again, up
    to `MOST_KEPT_BYTES`; `_further` has the digests of rows beyond. A set `of` a client whose numbers are known
    to be out of order does not begin with stretches.
    """

    __slots__ = ("_bodies", "_diagnosis", "_digests", "_further", "_kept_bytes", "_numbers", "_stretches")

    def __init__(self, of: Diagnosis | None = None) -> None:
        self._diagnosis = of
        self._stretches: list[_Stretch] = []
        self._numbers: set[str | None] | None = None if of is not None and of.numbers_in_order else set()
        self._digests: dict[str | None, list[int]] | None = None
        self._bodies: list[bytes] = []
        self._further: dict[str | None, int] = {}
        self._kept_bytes = 0

    def __bool__(self) -> bool:
        return bool(self._stretches or self._numbers or self._digests)

    def knows_none_of(self, rows: Rows) -> bool:
        """Tell whether no number of these rows was seen."""
        if not rows.numbers:
            return True
        if self._digests is not None:
            return self._digests.keys().isdisjoint(rows.numbers)
        if self._numbers is None and self._is_clear_of(rows):
            return True
        return self._each_number().isdisjoint(rows.numbers)

    def add_unknown(self, rows: Rows) -> bool:
        """Put all rows in if none of their numbers was seen or occurs twice; return whether that was so."""
        if not rows.numbers:
            return True  # nothing to keep: a 204 has no body that could be read again
        if self._digests is not None:
            return False
        if self._numbers is None and rows.stretch is not None and self._is_clear_of(rows):
            bisect.insort(self._stretches, rows.stretch)
        else:
            numbers = self._each_number()
            before = len(numbers)
            numbers.update(rows.numbers)
            if len(numbers) - before != len(rows.numbers):
                self._each_digest()
                return False
        if self._kept_bytes + len(rows.body) <= MOST_KEPT_BYTES:
            self._kept_bytes += len(rows.body)
            self._bodies.append(rows.body)
        else:
            self._further.update(_by_number(rows.all))
        return True

    def _is_clear_of(self, rows: Rows) -> bool:
        """Tell whether stretches alone show that no number was seen."""
        if not self._stretches:
            return True
        if rows.stretch is None:
            return False
        low, high = rows.stretch
        after = bisect.bisect(self._stretches, rows.stretch)
        return (after == 0 or self._stretches[after - 1][1] < low) and (
            after == len(self._stretches) or high < self._stretches[after][0]
        )

    def _each_number(self) -> set[str | None]:
        """Return all numbers; where stretches were enough so far, read the kept bodies again for them, once."""
        if self._numbers is None:
            kept = (row.invoice_number for body in self._bodies for row in rows_again(body))
            self._numbers, self._stretches = {*self._further, *kept}, []
            if self._diagnosis is not None:
                self._diagnosis.numbers_in_order = False
        return self._numbers

    def _each_digest(self) -> dict[str | None, list[int]]:
        """Return digests of all rows; read the kept bodies again for them, once."""
        if self._digests is None:
            for body in self._bodies:
                self._further.update(_by_number(rows_again(body)))
            self._digests = {number: [digest] for number, digest in self._further.items()}
            self._bodies, self._numbers, self._stretches, self._further = [], set(), [], {}
        return self._digests

    def add(self, row: InvoiceDistribution) -> Sighting:
        """Put a row in, and tell what it was to the rows already there."""
        digest = row_digest(row)
        known = self._each_digest().setdefault(row.invoice_number, [])
        if digest in known:
            return SAME
        known.append(digest)
        return NEW if len(known) == 1 else _unlike(row)

    def sight(self, row: InvoiceDistribution) -> Sighting:
        """Tell what a row is to this set, without putting it in."""
        known = self._each_digest().get(row.invoice_number)
        if known is None:
            return NEW
        return SAME if row_digest(row) in known else _unlike(row)


def _by_number(rows: Iterable[InvoiceDistribution]) -> Iterator[tuple[str | None, int]]:
    return ((row.invoice_number, row_digest(row)) for row in rows)


def _unlike(row: InvoiceDistribution) -> Sighting:
    """Tell what a row is that differs from those of its number; no number is no identity."""
    return NEW if row.invoice_number is None else OTHER


@attrs.define(eq=False, repr=False)
class Novelty:
    """What an answer brought: rows of unknown numbers, other rows of known ones, and those that may leave."""

    unknown: int
    other: int
    leaving: list[InvoiceDistribution]


class Delivery:
    """Which rows of one window were handed out, over all its parts and readings.

    A part that is read again, or in halves, brings rows that were handed out before: they are dropped without
    being counted, since each reading brings them once. `duplicates` counts the rows that came twice in one
    reading, or before in a neighbouring window; `conflicts` those that share their number with another row.
    `unique`: of several rows with one number the first stays.
    """

    __slots__ = ("conflicts", "duplicates", "handed", "unique")

    def __init__(self, diagnosis: Diagnosis, *, unique: bool) -> None:
        self.unique = unique
        self.duplicates = self.conflicts = 0
        self.handed = RowSet(of=diagnosis)

    def take(self, reading: RowSet, rows: Rows) -> Novelty:
        """Return what rows are to a reading, and those of them that may leave.

        The first reading of a whole window is the set of what was handed out itself: nothing is kept twice.
        """
        if reading.add_unknown(rows):
            if reading is self.handed or self.handed.add_unknown(rows):
                return Novelty(len(rows.all), 0, rows.all)
            return Novelty(len(rows.all), 0, [row for row in rows.all if self._hand_out(row)])
        found_all = [reading.add(row) for row in rows.all]
        if reading is self.handed:
            leaving = [row for row, found in zip(rows.all, found_all, strict=True) if self.weigh(found)]
        else:
            self.duplicates += found_all.count(SAME)
            pairs = zip(rows.all, found_all, strict=True)
            leaving = [row for row, found in pairs if found is not SAME and self._hand_out(row)]
        unknown = found_all.count(NEW)
        if not unknown:  # a page that is repeated: its rows did not come twice, they were shown twice
            self.duplicates -= found_all.count(SAME)
        return Novelty(unknown, found_all.count(OTHER), leaving)

    def _hand_out(self, row: InvoiceDistribution) -> bool:
        found = self.handed.add(row)
        return found is not SAME and self.weigh(found)

    def weigh(self, found: Sighting) -> bool:
        """Count what a row was found to be, and tell whether it may leave."""
        if found is SAME:
            self.duplicates += 1
            return False
        if found is OTHER:
            self.conflicts += 1
            return not self.unique
        return True
