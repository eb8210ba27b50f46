"""Every row of a target into one file for a spreadsheet."""

from __future__ import annotations

import asyncio
import os
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from ..backfill import BackfillReport, Into, StoredTarget, open_target
from ..backfill.report import report_on
from ..backfill.sharing import undisturbed
from ..errors import ConfigurationError, TargetError
from .cells import Row, row_of
from .output import replacing, require_extra, require_path
from .summary import require_account, stored_records
from .wording import moment, visible

_BATCH = 2000
_REASONS = 20


class RowFile(Protocol):
    """A file of rows: `finish` completes it, `drop` lets go of whatever was not."""

    def write(self, rows: list[Row], /) -> None: ...
    def finish(self) -> None: ...
    def drop(self) -> None: ...


async def export(target: Into, path: str | os.PathLike[str], account: str | None = None) -> int:
    """Write every row that a target holds to a ``.csv`` or ``.xlsx`` file; return how many rows.

    The module `cells` says what the columns are, what is formula-safe and what stays text. The file appears
    whole or not at all; memory does not grow with the rows. An XLSX sheet that is full (1,048,576 rows) is
    followed by another, and the sheet ``about`` says what the file holds and how complete it is; a CSV has no
    place for that: see `summarize`. Raises `ConfigurationError` for another ending, a missing extra or an
    account that is not there, `TargetError` where nothing was ever stored or a file cannot be read or written.
    """
    place = require_path(path, (".csv", ".xlsx"))
    if place.suffix.lower() == ".xlsx":
        require_extra("openpyxl", "xlsx", "an .xlsx file")
    opened = open_target(target)
    if opened.target.key == str(place):
        raise ConfigurationError(f"{place}: this is the target itself: choose another name")
    state = await opened.state()
    if not state:
        raise TargetError(f"{opened.target.key}: no backfill has written this: check the name")
    require_account(state, account)
    with replacing(place) as file:
        rows = _file_for(place, file, opened.target.key, report_on(state, account))
        count = await _copy(opened, account, rows)
        await undisturbed(asyncio.to_thread(_settle, file))
    return count


async def _copy(opened: StoredTarget, account: str | None, rows: RowFile) -> int:
    count, done = 0, False
    try:
        async with aclosing(stored_records(opened, account)) as records:
            waiting: list[Row] = []
            async for stored in records:
                waiting.append(row_of(stored))
                if len(waiting) == _BATCH:
                    await undisturbed(asyncio.to_thread(rows.write, waiting))
                    count, waiting = count + _BATCH, []
        await undisturbed(asyncio.to_thread(rows.write, waiting))
        await undisturbed(asyncio.to_thread(rows.finish))
        done = True
        return count + len(waiting)
    finally:
        if not done:
            rows.drop()


def _settle(file: BinaryIO) -> None:
    """Bring the bytes to the disk, away from the event loop: hundreds of megabytes take their time."""
    file.flush()
    os.fsync(file.fileno())


def _file_for(place: Path, file: BinaryIO, target: str, proof: BackfillReport) -> RowFile:
    if place.suffix.lower() == ".xlsx":
        from .xlsx_file import XlsxFile

        return XlsxFile(file, _notes(target, proof))
    from .csv_file import CsvFile

    return CsvFile(file)


def _notes(target: str, proof: BackfillReport) -> list[tuple[str, str]]:
    times = [window.fetched_at for window in proof.windows]
    fetched = f"{moment(min(times))} to {moment(max(times))}" if times else "no window was read"
    notes = [
        ("source", visible(target)),
        ("written at", moment(datetime.now(UTC))),
        ("verdict", f"{proof.verdict}, as of each window's fetch time: {fetched}"),
        *(("rests on", visible(belief, 400)) for belief in proof.rests_on),
        *(("reason", visible(reason, 400)) for reason in proof.reasons[:_REASONS]),
    ]
    if (left := len(proof.reasons) - _REASONS) > 0:
        notes.append(("reason", f"and {left:,} more: `confirma report` lists them"))
    return [
        *notes,
        ("cells", "every cell is text, so that numbers keep their zeros and digits; times are ISO 8601, Z is UTC"),
        ("errors", "error_codes, error_types and error_descriptions hold the errors of a row in order, joined by |"),
        ("not here", "fields that the records do not name; rows that a window no longer brings are kept"),
    ]
