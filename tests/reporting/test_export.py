"""Files for accountants: nothing is a formula, identifiers stay what they are, a file is whole or not there."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import openpyxl  # type: ignore[import-untyped]  # openpyxl ships no types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from confirma_async.errors import ConfigurationError, TargetError
from confirma_async.records import PaymentControl
from confirma_async.reporting import export, xlsx_file
from confirma_async.reporting.cells import COLUMNS, csv_cell, xlsx_cell
from confirma_async.reports import Verdict

from .targets import Window, invoice, stored

JANUARY = date(2025, 1, 1), date(2025, 1, 30)
HOSTILE = [
    "=1+1",
    "+358401234567",
    "-5",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "\uff1d1",
    "a;=1+1",
    'x;"=1',
    "a\n=1",
]
Rows = list[dict[str, str]]


async def target_of(tmp_path: Path, *messages: str, account: str = "") -> Path:
    records = [invoice(f"00{place}", message=message) for place, message in enumerate(messages)]
    place = tmp_path / "x.sqlite"
    await stored(place, [Window(*JANUARY, records)], account)
    return place


def csv_rows(path: Path) -> Rows:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def xlsx_rows(path: Path) -> Rows:
    book = openpyxl.load_workbook(path, read_only=True)
    rows: Rows = []
    for sheet in book.worksheets[1:]:
        head, *body = ([str(cell or "") for cell in row] for row in sheet.iter_rows(values_only=True))
        rows += [dict(zip(head, row, strict=True)) for row in body]
    book.close()
    return rows


READERS: dict[str, Callable[[Path], Rows]] = {"csv": csv_rows, "xlsx": xlsx_rows}


@pytest.mark.parametrize("form", [*READERS])
async def test_every_row_arrives_with_its_identifiers_as_text(tmp_path: Path, form: str) -> None:
    target, long = tmp_path / "x.sqlite", "12345678901234567890"
    control = PaymentControl(True, "CashIn", "OPEN", long)
    await stored(target, [Window(*JANUARY, [invoice("007", control=control, codes=("E1", None))])], "north")
    path = tmp_path / f"out.{form}"
    assert await export(target, path) == 1
    (row,) = READERS[form](path)
    assert tuple(row) == COLUMNS
    assert (row["account"], row["invoice_number"], row["case_id"]) == ("north", "007", long)
    assert (row["created_at"], row["printed_at"]) == ("2025-01-01T08:00:00Z", "")
    assert (row["error_count"], row["error_codes"], row["payment_control_enabled"]) == ("2", "E1 | -", "true")


async def test_a_csv_is_what_a_spreadsheet_expects(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    await export(await target_of(tmp_path, 'say "hi", ä\nand go'), path)
    data = path.read_bytes()
    assert data.startswith(b"\xef\xbb\xbfaccount,invoice_number,")
    assert data.count(b"\r\n") == 2
    assert csv_rows(path)[0]["distribution_message"] == 'say "hi", ä\nand go'


async def test_no_csv_cell_can_be_a_formula(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    await export(await target_of(tmp_path, *HOSTILE), path)
    got = {row["distribution_message"] for row in csv_rows(path)}
    assert got == {
        "'=1+1",
        "'+358401234567",
        "'-5",
        "'@SUM(A1)",
        "'\t'=1",
        "'\r'=1",
        "'\n'=1",
        " '=1",
        "'\uff1d1",
        "a;'=1+1",
        "x;\"'=1",
        "a\n'=1",
    }


@given(st.text())
def test_no_text_begins_a_formula_in_any_cell_that_a_spreadsheet_may_see(text: str) -> None:
    cell = csv_cell(text)
    for separator in (";", "\t", "\r", "\n"):
        for piece in cell.split(separator):
            assert piece.strip(" \t\r\n\ufeff\"'")[:1] not in {"=", "+", "@"} or "'" in piece


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_./: -]*", fullmatch=True))
def test_identifiers_and_times_are_never_touched(text: str) -> None:
    assert csv_cell(text) == text


async def test_xlsx_cells_are_text_and_nothing_is_a_formula(tmp_path: Path) -> None:
    path = tmp_path / "out.xlsx"
    await export(await target_of(tmp_path, *HOSTILE, "#N/A"), path)
    sheet = openpyxl.load_workbook(path)["distribution"]
    cells = [cell for row in sheet.iter_rows(min_row=2) for cell in row if cell.value is not None]
    assert {(cell.data_type, cell.number_format) for cell in cells} == {("s", "@")}
    assert {str(cell.value) for cell in cells} >= {"=1+1", "-5", "#N/A"}
    assert all(cell.quotePrefix for cell in cells if str(cell.value).startswith("="))
    assert sheet.freeze_panes == "C2"


@pytest.mark.parametrize("form", [*READERS])
async def test_what_no_spreadsheet_can_hold_costs_no_row(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"out.{form}"
    assert await export(await target_of(tmp_path, "a\x00b\x0b\x1f\ufffe", "plain"), path) == 2
    assert {row["distribution_message"] for row in READERS[form](path)} == {"a\ufffdb\ufffd\ufffd\ufffd", "plain"}


def test_a_cell_that_is_too_long_says_that_it_was_cut() -> None:
    cut = xlsx_cell("\U0001f600" * 20_000)
    assert cut.endswith("… (cut)")
    assert len(cut.encode("utf-16-le")) // 2 <= 32_767
    assert xlsx_cell("_x0041_") == "_x005F_x0041_"


async def test_rows_beyond_a_full_sheet_go_to_the_next_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    defaults = xlsx_file.XlsxFile.__init__.__defaults__
    monkeypatch.setattr(xlsx_file.XlsxFile.__init__, "__defaults__", (3,))
    assert defaults == (1_048_576,)
    path = tmp_path / "out.xlsx"
    await export(await target_of(tmp_path, *"abcde"), path)
    assert openpyxl.load_workbook(path, read_only=True).sheetnames == [
        "about",
        "distribution",
        "distribution 2",
        "distribution 3",
    ]
    assert sorted(row["distribution_message"] for row in xlsx_rows(path)) == list("abcde")


async def test_an_xlsx_says_how_complete_it_is(tmp_path: Path) -> None:
    target, path = tmp_path / "x.sqlite", tmp_path / "out.xlsx"
    await stored(target, [Window(*JANUARY, [invoice()], Verdict.INCOMPLETE, ("2 rows were promised",), promised=2)])
    await export(target, path)
    rows = openpyxl.load_workbook(path)["about"].iter_rows(values_only=True)
    about = {str(name): str(text) for name, text in rows}
    assert about["verdict"].startswith("INCOMPLETE, as of each window's fetch time: 2026-01-02 03:04:05 UTC")
    assert "2 rows were promised" in about["reason"]


async def test_one_account_alone(tmp_path: Path) -> None:
    target = await target_of(tmp_path, "a", account="north")
    await target_of(tmp_path, "b", "c", account="south")
    assert await export(target, tmp_path / "out.csv", "south") == 2
    assert {row["account"] for row in csv_rows(tmp_path / "out.csv")} == {"south"}


@pytest.mark.parametrize("name", ["out.txt", "out", "", "out.xls", "a\0.csv"])
async def test_another_ending_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError):
        await export(await target_of(tmp_path, "a"), os.path.join(tmp_path, name) if name else name)  # noqa: PTH118  # a NUL


async def test_a_target_that_nobody_wrote_gives_no_file(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="no backfill has written this"):
        await export(tmp_path / "nothing.sqlite", tmp_path / "out.csv")
    assert os.listdir(tmp_path) == []  # noqa: PTH208  # names are enough


@pytest.mark.parametrize("form", [*READERS])
async def test_what_fails_half_way_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    target, folder = await target_of(tmp_path, "a"), tmp_path / "out"
    folder.mkdir()
    path = folder / f"out.{form}"
    path.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("confirma_async.reporting.exporting.os.fsync", full)
    with pytest.raises(TargetError, match="cannot be written: No space left on device"):
        await export(target, path)
    assert path.read_text() == "old"
    assert [one.name for one in folder.iterdir()] == [path.name]


async def test_a_folder_in_the_way_and_a_missing_one_are_told(tmp_path: Path) -> None:
    target = await target_of(tmp_path, "a")
    (tmp_path / "out.csv").mkdir()
    with pytest.raises(TargetError, match="this is a folder"):
        await export(target, tmp_path / "out.csv")
    with pytest.raises(TargetError, match="No such file"):
        await export(target, tmp_path / "missing" / "out.csv")


async def test_a_missing_extra_is_told_before_anything_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'confirma-async\[xlsx\]'"):
        await export(tmp_path / "nothing.sqlite", tmp_path / "out.xlsx")
