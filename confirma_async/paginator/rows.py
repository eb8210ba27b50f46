"""Sets of rows: which were seen, which of them again, which with other content."""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias

import attrs

from .._wire import Answer, Number, Row, row_digest, rows_again

MOST_KEPT_BYTES = 2 * 1024 * 1024
"""Bytes of answers that one set keeps as they came; of rows beyond, a digest of 64 bits each is kept."""


class Sighting(Enum):
    """What a row is to a set: new, equal in every field to one of it, or another row of the same number."""

    NEW = "new"
    SAME = "same"
    OTHER = "other"


NEW, SAME, OTHER = Sighting


class Sheet:
    """The body of an answer, kept instead of its rows: it is smaller, and hardly ever looked at again."""

    __slots__ = ("_body", "_digests")

    def __init__(self, answer: Answer) -> None:
        self._body = answer.body
        self._digests: dict[Number, int] | None = None

    def digest_of(self, number: Number) -> int:
        """Return the digest of the row of a number that is there once; the body is read again for it."""
        if self._digests is None:
            self._digests = {row.invoice_number: row_digest(row) for row in rows_again(self._body)}
        return self._digests[number]


_Entry: TypeAlias = Sheet | int | list[int]


class Rows:
    """The rows of one answer, and their sheet by number where no number occurs twice."""

    __slots__ = ("all", "by_number", "size")

    def __init__(self, answer: Answer) -> None:
        self.all, self.size = answer.rows, len(answer.body)
        by_number: dict[Number, _Entry] = dict.fromkeys([row.invoice_number for row in answer.rows], Sheet(answer))
        self.by_number = by_number if len(by_number) == len(answer.rows) else None


class RowSet:
    """Rows by invoice number; contents are compared only where numbers meet."""

    __slots__ = ("_kept_bytes", "_more", "_rows")

    def __init__(self) -> None:
        self._rows: dict[Number, _Entry] = {}
        self._more = self._kept_bytes = 0

    def __len__(self) -> int:
        return len(self._rows) + self._more

    def knows_none_of(self, rows: Rows) -> bool:
        """Tell whether no number of these rows was seen; False where it takes a closer look."""
        return not self._rows or (rows.by_number is not None and self._rows.keys().isdisjoint(rows.by_number))

    def add_unknown(self, rows: Rows) -> bool:
        """Put all rows in if none of their numbers was seen or occurs twice; return whether that was so."""
        if rows.by_number is None or not self.knows_none_of(rows):
            return False
        if self._kept_bytes + rows.size <= MOST_KEPT_BYTES:
            self._kept_bytes += rows.size
            self._rows.update(rows.by_number)
        else:
            self._rows.update(zip(rows.by_number, map(row_digest, rows.all), strict=True))
        return True

    def add(self, row: Row) -> Sighting:
        """Put a row in, and tell what it was to the rows already there."""
        number, digest = row.invoice_number, row_digest(row)
        known = self._digests(number)
        if digest in known:
            return SAME
        if not known:
            self._rows[number] = digest
            return NEW
        self._rows[number] = [*known, digest]
        self._more += 1
        return _unlike(row)

    def sight(self, row: Row) -> Sighting:
        """Tell what a row is to this set, without putting it in."""
        known = self._digests(row.invoice_number)
        if not known:
            return NEW
        return SAME if row_digest(row) in known else _unlike(row)

    def _digests(self, number: Number) -> list[int]:
        entry = self._rows.get(number)
        if entry is None:
            return []
        if isinstance(entry, Sheet):
            entry = self._rows[number] = entry.digest_of(number)
        return entry if isinstance(entry, list) else [entry]


def _unlike(row: Row) -> Sighting:
    """Tell what a row is that differs from those of its number; no number is no identity."""
    return NEW if row.invoice_number is None else OTHER


@attrs.define
class Novelty:
    """What an answer brought: rows of unknown numbers, other rows of known ones, and those that may leave."""

    unknown: int
    other: int
    leaving: list[Row]


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
        if reading is self.handed:
            if reading.add_unknown(rows):
                return Novelty(len(rows.all), 0, rows.all)
            sightings = [(row, reading.add(row)) for row in rows.all]
            leaving = [row for row, found in sightings if self.weigh(found)]
        else:
            sightings = [(row, reading.add(row)) for row in rows.all]
            self.duplicates += sum(found is SAME for _, found in sightings)
            leaving = [row for row, found in sightings if found is not SAME and self._hand_out(row)]
        found_all = [found for _, found in sightings]
        unknown = found_all.count(NEW)
        if not unknown:  # a page that is repeated: its rows did not come twice, they were shown twice
            self.duplicates -= found_all.count(SAME)
        return Novelty(unknown, found_all.count(OTHER), leaving)

    def _hand_out(self, row: Row) -> bool:
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
