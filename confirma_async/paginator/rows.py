"""Sets of records: which rows were seen, which of them again, which with other content."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import TypeAlias

from ..records import InvoiceDistribution


class Sighting(Enum):
    """What a row is to a set: new, equal in every field to one of it, or another row of the same number."""

    NEW = "new"
    SAME = "same"
    OTHER = "other"


class _Several(dict[InvoiceDistribution, None]):
    """Rows that share a number."""


_Entry: TypeAlias = InvoiceDistribution | _Several
_ByNumber: TypeAlias = dict[str | None, InvoiceDistribution]
NEW, SAME, OTHER = Sighting


class Rows:
    """The rows of one answer, and the same by number where no number occurs twice."""

    __slots__ = ("all", "by_number")

    def __init__(self, rows: list[InvoiceDistribution]) -> None:
        self.all = rows
        by_number = dict(zip([row.invoice_number for row in rows], rows, strict=True))
        self.by_number: _ByNumber | None = by_number if len(by_number) == len(rows) else None


class RowSet:
    """Records by invoice number; full comparison only where numbers meet, since hashing a record is dear."""

    __slots__ = ("_more", "_rows")

    def __init__(self) -> None:
        self._rows: dict[str | None, _Entry] = {}
        self._more = 0

    def __len__(self) -> int:
        return len(self._rows) + self._more

    def __iter__(self) -> Iterator[InvoiceDistribution]:
        for entry in self._rows.values():
            if isinstance(entry, _Several):
                yield from entry
            else:
                yield entry

    def knows_none_of(self, rows: Rows) -> bool:
        """Tell whether no number of these rows was seen; False where it takes a closer look."""
        return not self._rows or (rows.by_number is not None and self._rows.keys().isdisjoint(rows.by_number))

    def add_unknown(self, rows: Rows) -> bool:
        """Put all rows in if none of their numbers was seen or occurs twice; return whether that was so."""
        if rows.by_number is None or not self._rows.keys().isdisjoint(rows.by_number):
            return False
        self._rows.update(rows.by_number)
        return True

    def add(self, row: InvoiceDistribution) -> Sighting:
        """Put a row in, and tell what it was to the rows already there."""
        entry = self._rows.setdefault(row.invoice_number, row)
        if entry is row:
            return NEW
        if isinstance(entry, _Several):
            if row in entry:
                return SAME
            entry[row] = None
        elif entry == row:
            return SAME
        else:
            self._rows[row.invoice_number] = _Several({entry: None, row: None})
        self._more += 1
        return OTHER

    def sight(self, row: InvoiceDistribution) -> Sighting:
        """Tell what a row is to this set, without putting it in."""
        entry = self._rows.get(row.invoice_number)
        if entry is None:
            return NEW
        same = row in entry if isinstance(entry, _Several) else entry == row
        return SAME if same else OTHER


class Delivery:
    """Which rows of one window were handed out, over all its readings.

    A window that is read again, or in halves, brings rows that were handed out before: they are dropped
    without being counted, since each reading brings them once. `duplicates` counts the rows that came twice
    in one reading, or before in a neighbouring window; `conflicts` those that share their number with
    another row. `unique`: of several rows with one number the first stays. `position`: rows handed out.
    """

    __slots__ = ("_earlier", "_now", "_reading", "conflicts", "duplicates", "position", "unique")

    def __init__(self, *, unique: bool) -> None:
        self.unique = unique
        self.duplicates = self.conflicts = self.position = 0
        self._earlier: RowSet | None = None
        self._now = RowSet()
        self._reading = 0

    def knows_none_of(self, rows: Rows) -> bool:
        """Tell whether none of these rows' numbers was handed out; False where it takes a closer look."""
        return self._now.knows_none_of(rows) and (self._earlier is None or self._earlier.knows_none_of(rows))

    def sight(self, row: InvoiceDistribution) -> Sighting:
        """Tell what a row is to all that was handed out."""
        found = self._now.sight(row)
        if found is SAME or self._earlier is None:
            return found
        before = self._earlier.sight(row)
        return found if before is NEW else before

    def fresh(self, reading: int, rows: Rows) -> list[InvoiceDistribution]:
        """Return the rows that this window has not handed out yet; they count as handed out from now on."""
        if reading != self._reading:
            self._begin(reading)
        if self._earlier is None and self._now.add_unknown(rows):
            fresh = rows.all
        else:
            fresh = [row for row in rows.all if self._admit(row)]
        self.position += len(fresh)
        return fresh

    def _begin(self, reading: int) -> None:
        self._reading = reading
        if not len(self._now):
            return
        earlier = self._earlier = self._earlier or RowSet()
        for row in self._now:
            earlier.add(row)
        self._now = RowSet()

    def _admit(self, row: InvoiceDistribution) -> bool:
        found = self._now.add(row)
        if found is NEW and self._earlier is not None:
            found = self._earlier.sight(row)
            if found is SAME:
                return False
        return self.weigh(found)

    def weigh(self, found: Sighting) -> bool:
        """Count what a row was found to be, and tell whether it may leave."""
        if found is SAME:
            self.duplicates += 1
            return False
        if found is OTHER:
            self.conflicts += 1
            return not self.unique
        return True
