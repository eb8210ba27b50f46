"""How values from the outside are shown to people: visible, bounded, and never as something else."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

NOT_GIVEN = "(none)"
EMPTY = "(empty)"
_HIDDEN = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"})


def visible(text: str, longest: int = 200) -> str:
    """Return text on one line in which nothing is hidden.

    Control, direction and unassigned characters are written as their code (``\\u202e``), so that they can
    neither drive a terminal nor turn a line around. Longer text is cut, which an ellipsis shows.
    """
    cut = text if len(text) <= longest else text[: longest - 1] + "…"
    if cut.isprintable():
        return cut
    return "".join(_coded(one) if unicodedata.category(one) in _HIDDEN else one for one in cut)


def _coded(one: str) -> str:
    return f"\\u{ord(one):04x}" if ord(one) <= 0xFFFF else f"\\U{ord(one):08x}"


def named(value: str | None, longest: int = 200) -> str:
    """Return a value of an open set as a label; the absent and the empty one have names of their own."""
    if value is None:
        return NOT_GIVEN
    return visible(value, longest) if value.strip() else EMPTY


def number(count: int) -> str:
    """Return a count with a comma at every third digit."""
    return f"{count:,}"


def share(part: int, whole: int) -> str:
    """Return a part in per cent, with one decimal; never 0.0 % or 100.0 % where that is not exact."""
    if not whole:
        return "-"
    percent = 100 * part / whole
    if part and percent < 0.05:  # half of the last decimal
        return "<0.1 %"
    if part < whole and percent > 99.95:  # as above
        return ">99.9 %"
    return f"{percent:.1f} %"


def moment(at: datetime | None) -> str:
    """Return a point in time to the second, in UTC."""
    if at is None:
        return "never"
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def span_of(minutes: int | None) -> str:
    """Return a length of time in its two largest units."""
    if minutes is None:
        return "?"
    days, rest = divmod(minutes, 24 * 60)
    hours, left = divmod(rest, 60)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {left} min" if hours else f"{left} min"


def counted(count: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
