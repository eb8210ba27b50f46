"""Which stored row an incoming row is a later state of.

The service may send several rows with one invoice number (whether it does is unknown), so the number alone
does not identify a row. A row is identified by its account, its number and its *occurrence*: the first row
with a number is occurrence 0, one that differs from it is occurrence 1, and so on. An incoming row is

1. the same row again, where every field is equal to a stored row's (a null case id equals a known one);
2. otherwise a later state of a row with its number that came from the same window and that this reading
   of the window has not brought yet, first of all one with the same case id;
3. otherwise a new row: the next occurrence.

A row without a number is identified by its content, since nothing else tells it from another: a later
state of it is a further row. Rows that a window no longer brings are kept. So nothing that came is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum

import attrs

from ...records import InvoiceDistribution
from ..proof import Tally
from .columns import CASE_ID, NUMBER, Content, Errors, fingerprint, flatten, flatten_errors, keep_case_id


class Fate(Enum):
    """What became of an incoming row."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"


@attrs.frozen
class Row:
    """An incoming record, flat."""

    record: InvoiceDistribution
    content: Content
    errors: Errors
    fingerprint: str

    @classmethod
    def of(cls, record: InvoiceDistribution) -> Row:
        """Return the record's row; raises ValueError or OverflowError where a value is not encodable text."""
        content, errors = flatten(record), flatten_errors(record)
        return cls(record, content, errors, fingerprint(content, errors))

    @property
    def family(self) -> str:
        """The key of occurrence 0: rows of one family may be states of one another."""
        number = self.content[NUMBER]
        return f"null:{self.fingerprint}" if number is None else f"0:{number}"

    def with_case_id(self, case_id: str | None) -> Row:
        """Return the row with a case id that is known already, where it came without one."""
        if case_id is None or self.content[CASE_ID] is not None:
            return self
        return Row.of(keep_case_id(self.record, case_id))


@attrs.define
class Known:
    """A stored row; `taken`: this reading of its window has brought it."""

    key: str
    fingerprint: str
    case_id: str | None
    window_start: str
    first_seen: str
    taken: bool = False


@attrs.frozen
class Placed:
    """An incoming row, what became of it, and the stored row it now is."""

    row: Row
    fate: Fate
    known: Known


def family_of(key: str) -> str:
    """Return the family of a record key."""
    return key if key.startswith("null:") else f"0:{key.partition(':')[2]}"


def by_family(known: Iterable[Known]) -> dict[str, list[Known]]:
    """Return stored rows by their family, in the order of their occurrence."""
    families: dict[str, list[Known]] = {}
    for row in known:
        families.setdefault(family_of(row.key), []).append(row)
    for rows in families.values():
        rows.sort(key=lambda row: (len(row.key), row.key))
    return families


def settle(rows: Sequence[Row], families: dict[str, list[Known]], window_start: str, moment: str) -> list[Placed]:
    """Return what becomes of each row, in order; `families` learns the new and changed rows.

    `families` must hold every stored row that shares a family with one of `rows`.
    """
    waiting: dict[str, list[Row]] = {}
    for row in rows:
        waiting.setdefault(row.family, []).append(row)
    placed: dict[int, Placed] = {}
    for family, members in waiting.items():
        held = families.setdefault(family, [])
        late = [row for row in members if not _recognised(row, held, window_start, placed)]
        for row in late:
            if len(late) > 1 and _recognised(row, held, window_start, placed):
                continue  # equal to one just before it
            placed[id(row)] = _replaced(row, held, window_start) or _new(row, held, window_start, moment)
    return [placed[id(row)] for row in rows]


def _recognised(row: Row, held: list[Known], window_start: str, placed: dict[int, Placed]) -> bool:
    """Rule 1. A row of another window stays where it is."""
    for known in sorted(held, key=lambda known: (known.window_start != window_start, known.taken)):
        if row.with_case_id(known.case_id).fingerprint == known.fingerprint:
            again = known.taken or known.window_start != window_start
            known.taken = known.taken or not again
            placed[id(row)] = Placed(row, Fate.DUPLICATE if again else Fate.UNCHANGED, known)
            return True
    return False


def _replaced(row: Row, held: list[Known], window_start: str) -> Placed | None:
    """Rule 2."""
    free = [known for known in held if known.window_start == window_start and not known.taken]
    if not free:
        return None
    case_id = row.content[CASE_ID]
    known = next((known for known in free if known.case_id == case_id), free[0])
    row = row.with_case_id(known.case_id)
    new_case_id = row.content[CASE_ID]
    known.taken, known.fingerprint = True, row.fingerprint
    known.case_id = None if new_case_id is None else str(new_case_id)
    return Placed(row, Fate.CHANGED, known)


def _new(row: Row, held: list[Known], window_start: str, moment: str) -> Placed:
    """Rule 3."""
    number, case_id = row.content[NUMBER], row.content[CASE_ID]
    key = row.family if number is None else f"{len(held)}:{number}"
    known = Known(key, row.fingerprint, None if case_id is None else str(case_id), window_start, moment, taken=True)
    held.append(known)
    return Placed(row, Fate.ADDED, known)


def tally(placed: Iterable[Placed]) -> Tally:
    """Return how many rows met which fate."""
    counts = dict.fromkeys(Fate, 0)
    for one in placed:
        counts[one.fate] += 1
    return Tally(counts[Fate.ADDED], counts[Fate.CHANGED], counts[Fate.UNCHANGED], counts[Fate.DUPLICATE])
