"""Sets of rows: which were seen, which of them again, which with other content."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum

import attrs

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


class Rows:
    """The rows of one answer with their numbers, and the body that they were read from."""

    __slots__ = ("all", "body", "numbers")

    def __init__(self, answer: Answer) -> None:
        self.all, self.body = answer.rows, answer.body
        self.numbers = [row.invoice_number for row in answer.rows]


class RowSet:
    """Rows by invoice number; contents are compared only where numbers meet.

    While no number meets another, the numbers are kept, and the bodies that the rows were read from: they are
    smaller than the rows, and hardly ever looked at again. `_digests`, once it takes a closer look: 64 bits for
    each row of each number. `_further`: the same for rows whose bodies would be more than `MOST_KEPT_BYTES`.
    """

    __slots__ = ("_bodies", "_digests", "_further", "_kept_bytes", "_more", "_numbers")

    def __init__(self) -> None:
        self._numbers: set[str | None] = set()
        self._bodies: list[bytes] = []
        self._kept_bytes = self._more = 0
        self._further: dict[str | None, int] = {}
        self._digests: dict[str | None, list[int]] | None = None

    def __len__(self) -> int:
        return self._more + len(self._numbers if self._digests is None else self._digests)

    def knows_none_of(self, rows: Rows) -> bool:
        """Tell whether no number of these rows was seen."""
        seen = self._numbers if self._digests is None else self._digests.keys()
        return seen.isdisjoint(rows.numbers)

    def add_unknown(self, rows: Rows) -> bool:
        """Put all rows in if none of their numbers was seen or occurs twice; return whether that was so."""
        if self._digests is not None:
            return False
        numbers = self._numbers
        before = len(numbers)
        numbers.update(rows.numbers)
        if len(numbers) - before != len(rows.numbers):
            self._open()
            return False
        if self._kept_bytes + len(rows.body) <= MOST_KEPT_BYTES:
            self._kept_bytes += len(rows.body)
            self._bodies.append(rows.body)
        else:
            self._further.update(_by_number(rows.all))
        return True

    def _open(self) -> dict[str | None, list[int]]:
        """Read the kept bodies again, once: from now on contents can be compared."""
        if self._digests is None:
            for body in self._bodies:
                self._further.update(_by_number(rows_again(body)))
            self._digests = {number: [digest] for number, digest in self._further.items()}
            self._bodies, self._numbers, self._further = [], set(), {}
        return self._digests

    def add(self, row: InvoiceDistribution) -> Sighting:
        """Put a row in, and tell what it was to the rows already there."""
        digest = row_digest(row)
        known = self._open().setdefault(row.invoice_number, [])
        if digest in known:
            return SAME
        known.append(digest)
        if len(known) == 1:
            return NEW
        self._more += 1
        return _unlike(row)

    def sight(self, row: InvoiceDistribution) -> Sighting:
        """Tell what a row is to this set, without putting it in."""
        known = self._open().get(row.invoice_number)
        if known is None:
            return NEW
        return SAME if row_digest(row) in known else _unlike(row)


def _by_number(rows: Iterable[InvoiceDistribution]) -> Iterator[tuple[str | None, int]]:
    return ((row.invoice_number, row_digest(row)) for row in rows)


def _unlike(row: InvoiceDistribution) -> Sighting:
    """Tell what a row is that differs from those of its number; no number is no identity."""
    return NEW if row.invoice_number is None else OTHER


@attrs.define
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

    def __init__(self, *, unique: bool) -> None:
        self.unique = unique
        self.duplicates = self.conflicts = 0
        self.handed = RowSet()

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
