"""Rows into a CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import BinaryIO

from .cells import COLUMNS, Row, csv_cell


class CsvFile:
    """Writes rows as they come; see `cells` for the form."""

    def __init__(self, file: BinaryIO) -> None:
        self._text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=False)
        self._text.write("\ufeff")
        self._rows = csv.writer(self._text, lineterminator="\r\n")
        self._rows.writerow(COLUMNS)

    def write(self, rows: Iterable[Row]) -> None:
        """Write some rows."""
        self._rows.writerows([csv_cell(cell) for cell in row] for row in rows)

    def finish(self) -> None:
        """Hand everything to the file, which stays open."""
        self._text.flush()
        self._text.detach()

    def drop(self) -> None:
        """Let go of what was written."""
