"""One record as one row of a spreadsheet, and the rules that keep a cell what it is.

Columns carry the records' attribute names, flattened as in a backfill's targets, every value as text. The
errors of a record share its row: `error_count`, and their codes, types and descriptions in three columns,
each joined by `` | `` in the order they came, an absent one as ``-``. Unknown fields stay in the target.

**CSV** (RFC 4180: commas, CRLF, quotes doubled; UTF-8 with a byte-order mark, since Excel takes a file
without one for an older encoding). Formula-safe: a cell gets a leading apostrophe where its first character
other than white space is one of ``= + - @`` or its full-width form, or where it begins with a tab or line
break; so does what follows a ``;``, tab or line break *inside* a cell, where a spreadsheet set to that
separator would begin a new one. An invoice number such as ``-5`` is therefore ``'-5``; digits, letters and
times are never touched. Excel still guesses a column's type when a CSV is opened by double-click: ``007``
becomes 7 on the screen, not in the file. Import such columns as text, or take the .xlsx.

**XLSX**: every cell is a text cell with the format ``@``: ``007`` and twenty digits stay, and nothing is ever
a formula, so no apostrophe is added to the value; what looks like a formula is marked as text (quotePrefix),
so that editing the cell does not make it one. Text beyond the 32,767 characters of a cell is cut and ends
in ``… (cut)``.

In both, control characters that no spreadsheet can hold are replaced by U+FFFD; the row stays.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..backfill import StoredRecord
from ..backfill.sinks.columns import CONTENT, flatten, to_text

COLUMNS = (
    "account",
    *CONTENT[:-1],
    "error_count",
    "error_codes",
    "error_types",
    "error_descriptions",
    "window_start",
    "first_seen",
    "last_changed",
)
"""The header, in order; `window_start` is the first day of the window that brought the row."""

LONGEST_CELL = 32_767
"""Characters of an XLSX cell (the vendor's documented limit), in UTF-16 units."""

Row = Sequence[str]

_CUT = "… (cut)"
_STARTERS = "=+\\-@\uff1d\uff0b\uff0d\uff20"
_DANGEROUS = re.compile(rf"(^[\s\ufeff]*|[;\t\r\n][\s\ufeff]*[\"']?[\s\ufeff]*)(?=[{_STARTERS}])")
_BLANK_START = re.compile(r"^[\t\r\n]")
_HARMLESS = re.compile("[0-9A-Za-z][ !-:<-^`-~]*").fullmatch
"""Most cells: printable ASCII that begins with a letter or digit, without the two signs a rule is about."""
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")


def row_of(stored: StoredRecord) -> Row:
    """Return the cells of a record, as the service sent them; an absent value is empty."""
    record = stored.invoice
    errors = record.errors
    return (
        stored.account,
        *(_text(value) for value in flatten(record)[:-1]),
        str(len(errors)),
        " | ".join(error.error_code or "-" for error in errors),
        " | ".join(error.error_type or "-" for error in errors),
        " | ".join(error.error_description or "-" for error in errors),
        stored.window_start,
        to_text(stored.first_seen),
        to_text(stored.last_changed),
    )


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else str(value).lower()


def fit(text: str) -> str:
    """Return text that a spreadsheet can hold."""
    return text if text.isascii() and text.isprintable() else _UNFIT.sub("\ufffd", text)


def formula_safe(text: str) -> str:
    """Return text that no spreadsheet takes for a formula; see the rule above."""
    safe = _DANGEROUS.sub(r"\1'", text)
    return f"'{safe}" if _BLANK_START.match(safe) else safe


def csv_cell(text: str) -> str:
    """Return what a CSV cell holds."""
    return text if not text or _HARMLESS(text) else formula_safe(fit(text))


def looks_like_formula(text: str) -> bool:
    """Tell whether a spreadsheet would take the text for a formula if somebody typed it."""
    return not _HARMLESS(text) and formula_safe(text) != text


def xlsx_cell(text: str) -> str:
    """Return what an XLSX cell holds; ``_x0041_`` is masked, which Excel would read as an ``A``."""
    if _HARMLESS(text) and len(text) <= LONGEST_CELL:
        return text
    return _ESCAPE.sub("_x005F_", _shortened(fit(text)))


def _shortened(text: str) -> str:
    if len(text) <= LONGEST_CELL // 2 or len(text.encode("utf-16-le")) <= 2 * LONGEST_CELL:
        return text
    room = 2 * (LONGEST_CELL - len(_CUT))
    return text.encode("utf-16-le")[:room].decode("utf-16-le", "ignore") + _CUT
