"""Rows into an XLSX file: text cells only, as many sheets as they need, and one that says what this is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, BinaryIO, TypeAlias

from openpyxl import Workbook  # type: ignore[import-untyped]  # openpyxl ships no types
from openpyxl.cell import WriteOnlyCell  # type: ignore[import-untyped]  # as above
from openpyxl.styles import Alignment, Font  # type: ignore[import-untyped]  # as above
from openpyxl.utils import get_column_letter  # type: ignore[import-untyped]  # as above

from .cells import COLUMNS, Row, looks_like_formula, xlsx_cell

Notes: TypeAlias = Sequence[tuple[str, str]]
"""Names and texts of the sheet that says what the file is."""

ROWS_OF_A_SHEET = 1_048_576
"""Rows of one sheet, its header included (the vendor's documented limit)."""

_WIDTHS = {"distribution_message": 34, "file_url": 34, "error_descriptions": 34, "account": 14, "error_count": 12}
_WIDTH = 22
_BOLD = Font(bold=True)
_WRAPPED = Alignment(wrap_text=True, vertical="top")


_DISTRIBUTION = "distribution"


class XlsxFile:
    """Writes rows as they come; see `cells` for the form. A sheet that is full is followed by another."""

    def __init__(self, file: BinaryIO, notes: Notes, rows_of_a_sheet: int = ROWS_OF_A_SHEET) -> None:
        self._file, self._limit = file, rows_of_a_sheet
        self._book = Workbook(write_only=True)
        _write_about(self._book.create_sheet("about"), notes)
        self._next_sheet()

    def write(self, rows: Iterable[Row]) -> None:
        """Write some rows."""
        for row in rows:
            if self._rows == self._limit:
                self._end_sheet()
                self._next_sheet()
            self._sheet.append(self._cells(row))
            self._rows += 1

    def finish(self) -> None:
        """Write the whole book to the file, which stays open."""
        self._end_sheet()
        self._book.active = 1
        self._book.save(self._file)

    def drop(self) -> None:
        """Let go of what was written: every sheet is a temporary file until the book is saved."""
        for sheet in self._book.worksheets:
            with suppress(Exception):  # what led here says more; openpyxl removes what is left at exit
                sheet.close()
                sheet._writer.cleanup()  # type: ignore[attr-defined,unused-ignore]  # openpyxl has no public way

    def _next_sheet(self) -> None:
        place = len(self._book.worksheets)
        self._sheet = self._book.create_sheet(_DISTRIBUTION if place == 1 else f"{_DISTRIBUTION} {place}")
        self._plain, self._marked = _text_cell(self._sheet), _text_cell(self._sheet)
        self._marked.quotePrefix = True
        self._sheet.freeze_panes = "C2"
        for column, name in enumerate(COLUMNS, 1):
            self._sheet.column_dimensions[get_column_letter(column)].width = _WIDTHS.get(name, _WIDTH)
        self._sheet.append(_in_bold(self._sheet, COLUMNS))
        self._rows = 1

    def _end_sheet(self) -> None:
        self._sheet.auto_filter.ref = f"A1:{get_column_letter(len(COLUMNS))}{self._rows}"

    def _cells(self, row: Row) -> Iterator[Any]:
        """Yield two cells again and again: a write-only sheet is done with one before it asks for the next."""
        for text in row:
            if not text:
                yield None
                continue
            cell = self._marked if looks_like_formula(text) else self._plain
            _fill(cell, text)
            yield cell


def _text_cell(sheet: Any) -> Any:  # noqa: ANN401  # openpyxl ships no types
    cell = WriteOnlyCell(sheet, value="")
    cell.number_format = "@"
    return cell


def _fill(cell: Any, text: str) -> None:  # noqa: ANN401  # as above
    cell.value = xlsx_cell(text)
    cell.data_type = "s"  # openpyxl takes text with = in front for a formula, and "#N/A" for an error


def _in_bold(sheet: Any, texts: Iterable[str]) -> Iterator[Any]:  # noqa: ANN401  # as above
    for text in texts:
        cell = _text_cell(sheet)
        cell.font = _BOLD
        _fill(cell, text)
        yield cell


def _write_about(sheet: Any, notes: Notes) -> None:  # noqa: ANN401  # as above
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 22, 110
    for name, text in notes:
        label, value = _text_cell(sheet), _text_cell(sheet)
        label.font, value.alignment = _BOLD, _WRAPPED
        _fill(label, name)
        _fill(value, text)
        sheet.append([label, value])
