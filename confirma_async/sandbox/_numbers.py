"""Invoice numbers of the sandbox: each one names its day and index, so a look-up searches nothing.

As integers (the type on the vendor's page): year, day of the year, index, `202500145` being index 45 of
2025-001. As text (the type on the vendor's neighbouring pages): `INV-2025-001045`, and one in seven with leading
zeros, `002025001045`. A day with more invoices gets longer numbers. The forms are ours.
"""

import re
from collections.abc import Callable
from datetime import date
from typing import Literal

NumberStyle = Literal["int", "text"]

_LEADING_ZEROS_EVERY = 7
_INT = re.compile(r"(?P<year>[0-9]{4})(?P<day>[0-9]{3})(?P<index>[0-9]{2,12})")
_TEXT = re.compile(r"(?:INV-|00)(?P<year>[0-9]{4})-?(?P<day>[0-9]{3})(?P<index>[0-9]{3,12})")


def numbers_of(style: NumberStyle, ordinal: int) -> Callable[[int], str]:
    """The numbers of one day, by index."""
    day = date.fromordinal(ordinal)
    year, in_year = f"{day.year:04d}", f"{day.timetuple().tm_yday:03d}"
    if style == "int":
        return lambda index: f"{year}{in_year}{index:02d}"
    return lambda index: (
        f"INV-{year}-{in_year}{index:03d}" if index % _LEADING_ZEROS_EVERY else f"00{year}{in_year}{index:03d}"
    )


def place_of(style: NumberStyle, number: str) -> tuple[int, int] | None:
    """The day (as ordinal) and index that a number names; None for what this style never issues."""
    found = (_INT if style == "int" else _TEXT).fullmatch(number)
    if found is None or found["year"] < "1000":
        return None
    year, in_year, index = int(found["year"]), int(found["day"]), int(found["index"])
    ordinal = date(year, 1, 1).toordinal() + in_year - 1
    if ordinal > date.max.toordinal() or numbers_of(style, ordinal)(index) != number:
        return None  # the same place is never written in two ways
    return ordinal, index
