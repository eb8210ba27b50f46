"""Sets of rows: which were seen, which of them again, which with other content."""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias

import attrs

from .._wire import Number, Row, row_digest, same_row

MOST_KEPT_WHOLE = 4096
"""Rows of one set that are kept as they came; of further ones a digest of 64 bits is kept."""


class Sighting(Enum):
    """What a row is to a set: new, equal in every field to one of it, or another row of the same number."""

    NEW = "new"
    SAME = "same"
    OTHER = "other"


_Kept: TypeAlias = Row | int
_Entry: TypeAlias = _Kept | list[_Kept]
NEW, SAME, OTHER = Sighting


class Rows:
    """The rows of one answer, and the same by number where no number occurs twice."""

    __slots__ = ("all", "by_number")

    def __init__(self, rows: list[Row]) -> None:
        self.all = rows
        by_number = dict(zip([row.invoice_number for row in rows], rows, strict=True))
        self.by_number: dict[Number, Row] | None = by_number if len(by_number) == len(rows) else None


class RowSet:
    """Rows by invoice number; contents are compared only where numbers meet."""

    __slots__ = ("_more", "_rows", "_whole")

    def __init__(self) -> None:
        self._rows: dict[Number, _Entry] = {}
        self._more = 0
        self._whole = 0

    def __len__(self) -> int:
        return len(self._rows) + self._more

    def knows_none_of(self, rows: Rows) -> bool:
        """Tell whether no number of these rows was seen; False where it takes a closer look."""
        return not self._rows or (rows.by_number is not None and self._rows.keys().isdisjoint(rows.by_number))

    def add_unknown(self, rows: Rows) -> bool:
        """Put all rows in if none of their numbers was seen or occurs twice; return whether that was so."""
        if rows.by_number is None or not self._rows.keys().isdisjoint(rows.by_number):
            return False
        self._rows.update(rows.by_number)
        self._kept_whole(len(rows.all))
        return True

    def add(self, row: Row) -> Sighting:
        """Put a row in, and tell what it was to the rows already there."""
        entry = self._rows.setdefault(row.invoice_number, row)
        if entry is row:
            self._kept_whole(1)
            return NEW
        if _holds(entry, row):
            return SAME
        if isinstance(entry, list):
            entry.append(row)
        else:
            self._rows[row.invoice_number] = [entry, row]
        self._more += 1
        return _unlike(row)

    def sight(self, row: Row) -> Sighting:
        """Tell what a row is to this set, without putting it in."""
        entry = self._rows.get(row.invoice_number)
        if entry is None:
            return NEW
        return SAME if _holds(entry, row) else _unlike(row)

    def _kept_whole(self, count: int) -> None:
        self._whole += count
        if self._whole > MOST_KEPT_WHOLE:
            self._whole = 0
            for number, entry in self._rows.items():
                if isinstance(entry, list):
                    self._rows[number] = [_digested(each) for each in entry]
                else:
                    self._rows[number] = _digested(entry)


def _unlike(row: Row) -> Sighting:
    """Tell what a row is that differs from those of its number; no number is no identity."""
    return NEW if row.invoice_number is None else OTHER


def _listed(entry: _Entry) -> list[_Kept]:
    return entry if isinstance(entry, list) else [entry]


def _digested(kept: _Kept) -> int:
    return kept if isinstance(kept, int) else row_digest(kept)


def _holds(entry: _Entry, row: Row) -> bool:
    return any(_is_same(kept, row) for kept in _listed(entry))


def _is_same(kept: _Kept, row: Row) -> bool:
    return kept == row_digest(row) if isinstance(kept, int) else same_row(kept, row)


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
