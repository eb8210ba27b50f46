"""`confirma report` and `confirma export`: what a target holds, without a request."""

from __future__ import annotations

import asyncio
import csv
import json
from pathlib import Path

import pytest

from .conftest import DAYS, Call


@pytest.fixture
def target(call: Call, tmp_path: Path) -> str:
    path = tmp_path / "records.jsonl"
    assert call("backfill", "--sandbox", *DAYS, "--into", str(path), "--quiet", "--account", "north").code == 0
    return str(path)


def test_a_report_shows_the_verdict(call: Call, target: str) -> None:
    outcome = call("report", target)
    assert outcome.code == 0
    assert outcome.out.startswith("COMPLETE")


def test_a_report_for_programs_is_one_line_of_json(call: Call, target: str) -> None:
    outcome = call("report", target, "--json", "--account", "north")
    assert outcome.code == 0
    assert json.loads(outcome.out)["verdict"] == "COMPLETE"


def test_a_report_of_an_account_that_is_not_there_is_refused(call: Call, target: str) -> None:
    assert call("report", target, "--account", "south").code == 2


def test_a_report_can_be_a_page(call: Call, target: str, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    outcome = call("report", target, "--html", str(page))
    assert (outcome.code, outcome.out) == (0, "")
    assert outcome.err == f"wrote {page}\n"
    assert "<html" in page.read_text("utf-8")


def test_an_export_holds_every_row(call: Call, target: str, tmp_path: Path) -> None:
    table = tmp_path / "records.csv"
    outcome = call("export", target, "--to", str(table))
    assert outcome.code == 0
    assert outcome.err == f"wrote 150 rows to {table}\n"
    with table.open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.reader(file))) == 151


def test_an_export_into_an_unknown_form_is_refused(call: Call, target: str) -> None:
    assert call("export", target, "--to", "records.docx").code == 2


def test_an_interrupted_export_says_that_it_starts_over(
    call: Call, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cancelled(*_: object) -> int:
        raise asyncio.CancelledError

    monkeypatch.setattr("confirma_async.reporting.export", cancelled)
    outcome = call("export", target, "--to", "x.csv")
    assert outcome.code == 130
    assert outcome.err == "confirma: interrupted: the file was not written; the same command starts over\n"


def test_a_name_that_no_file_can_have_is_refused(call: Call) -> None:
    assert call("report", "x" * 5000).code == 2


@pytest.mark.parametrize("command", [("report",), ("export", "--to", "x.csv")])
def test_a_file_that_no_backfill_wrote_is_told(
    call: Call, tmp_path: Path, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "broken.sqlite"
    path.write_bytes(b"no database at all, but long enough to be looked at" * 20)
    outcome = call(command[0], str(path), *command[1:])
    assert outcome.code == 1
    assert outcome.err.startswith("confirma: ")
    assert outcome.err.count("\n") == 1
