"""What a summary says about a target: the proof, and how delivery went."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import attrs
import pytest

from confirma_async.errors import ConfigurationError
from confirma_async.records import DistributionDates, PaymentControl
from confirma_async.reporting import HandOver, summarize
from confirma_async.reports import Verdict
from confirma_async.sandbox import SandboxServer

from .targets import Window, invoice, stored

JANUARY = date(2025, 1, 1), date(2025, 1, 30)
FEBRUARY = date(2025, 1, 31), date(2025, 2, 28)


@pytest.fixture(params=["x.sqlite", "x.jsonl", "x.parquet"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Every kind of file target."""
    return tmp_path / str(request.param)


async def test_it_agrees_with_the_backfill_that_wrote_the_target(place: Path) -> None:
    async with SandboxServer(20) as sandbox, sandbox.client() as client:
        report = await client.backfill(date(2025, 1, 1), date(2025, 2, 28), into=place)
    summary = await summarize(place)
    assert (summary.verdict, summary.proof.windows) == (report.verdict, report.windows)
    assert (summary.promised, summary.received, summary.proof.records, summary.results.records) == (1180,) * 4


async def test_the_verdict_and_its_reasons_are_those_of_the_windows(place: Path) -> None:
    await stored(
        place,
        [
            Window(
                *JANUARY, [invoice("1")], Verdict.UNVERIFIED, ("the service promised no total",), without_total=True
            ),
            Window(*FEBRUARY, [invoice("2")], Verdict.INCOMPLETE, ("3 rows were promised",), promised=3, halvings=2),
        ],
    )
    summary = await summarize(place)
    assert summary.verdict is Verdict.INCOMPLETE
    assert [reason.rpartition(": ")[2] for reason in summary.reasons] == [
        "3 rows were promised",
        "the service promised no total",
    ]
    assert (summary.promised, summary.without_total, summary.received) == (3, 1, 2)
    assert [window.window_start for window in summary.in_doubt] == [JANUARY[0], FEBRUARY[0]]


async def test_rows_that_something_else_removed_make_it_incomplete(tmp_path: Path) -> None:
    place = tmp_path / "x.sqlite"
    await stored(place, [Window(*JANUARY, [invoice("1"), invoice("2")])])
    with sqlite3.connect(place) as connection:
        table = next(
            name for (name,) in connection.execute("SELECT name FROM sqlite_master") if name.endswith("distribution")
        )
        connection.execute(f"DELETE FROM {table} WHERE invoice_number = '2'")
    connection.close()
    summary = await summarize(place)
    assert summary.verdict is Verdict.INCOMPLETE
    assert summary.reasons == (
        "2025-01-01..2025-01-30: 2 rows were stored, the target holds 1 now: something else removed rows",
    )


async def test_a_target_that_nobody_wrote_is_incomplete_and_says_so(tmp_path: Path) -> None:
    summary = await summarize(tmp_path / "nothing.sqlite")
    assert (summary.verdict, summary.results.records) == (Verdict.INCOMPLETE, 0)
    assert "holds no run" in str(summary)


async def test_delivery_is_counted_by_status_method_error_code_and_day(place: Path) -> None:
    second = datetime(2025, 1, 2, 23, 59, tzinfo=UTC)
    records = [
        invoice("1"),
        invoice("2", "FAILED", codes=("E1", "E1")),
        invoice("3", "FAILED", "PRINT", codes=("E2",), created=second),
        invoice("4", None, None, created=None),
    ]
    await stored(place, [Window(*JANUARY, records)])
    results = (await summarize(place)).results
    assert dict(results.by_status.rows) == {"DISTRIBUTED": 1, "FAILED": 2, None: 1}
    assert dict(results.by_method.rows) == {"EMAIL": 2, "PRINT": 1, None: 1}
    assert [(one.code, one.errors, one.description) for one in results.error_codes] == [
        ("E1", 2, "no such address"),
        ("E2", 1, "no such address"),
    ]
    assert (results.with_errors, results.errors, results.undated) == (2, 3, 1)
    assert [(day.day, day.records, day.with_errors) for day in results.days] == [
        (date(2025, 1, 1), 2, 1),
        (date(2025, 1, 2), 1, 1),
    ]


async def test_a_case_id_counts_as_handed_over(place: Path) -> None:
    controls = [
        PaymentControl(None, "CashIn", "OPEN", "7"),
        PaymentControl(True, "CashIn", "WAITING", None),
        PaymentControl(False, None, None, None),
        PaymentControl(),
    ]
    records = [invoice(str(place), control=control) for place, control in enumerate(controls)]
    await stored(place, [Window(*JANUARY, records)])
    assert (await summarize(place)).results.by_hand_over == dict.fromkeys(HandOver, 1)


async def test_times_are_compared_only_where_they_can_be(place: Path) -> None:
    records = [invoice(str(hours), took=timedelta(hours=hours)) for hours in range(1, 11)]
    records += [invoice("late", took=timedelta(days=400)), invoice("never"), invoice("before", took=timedelta(days=-1))]
    dates = DistributionDates(datetime(2025, 1, 1), None, datetime(2025, 1, 1, 5, tzinfo=UTC))
    mixed = attrs.evolve(invoice("mixed"), dates=dates)
    await stored(place, [Window(*JANUARY, [*records, mixed])])
    took = (await summarize(place)).results.distribution
    assert (took.known, took.missing, took.incomparable) == (12, 1, 1)
    assert (took.median, took.ninety) == (5 * 60, 10 * 60)
    assert dict(took.buckets)["before creation"] == 1
    assert dict(took.buckets)["30 days and more"] == 1
    assert sum(count for _, count in took.buckets) == took.known


async def test_one_account_is_counted_alone(place: Path) -> None:
    await stored(place, [Window(*JANUARY, [invoice("1"), invoice("2")])], "north")
    await stored(place, [Window(*JANUARY, [invoice("1")])], "south")
    assert (await summarize(place)).results.records == 3
    south = await summarize(place, "south")
    assert (south.accounts, south.results.records, south.proof.records) == (("south",), 1, 1)
    assert "account south" in str(south)


async def test_an_account_that_is_not_there_is_refused_with_those_that_are(place: Path) -> None:
    await stored(place, [Window(*JANUARY, [invoice()])], "north")
    with pytest.raises(ConfigurationError, match="holds no account 'nort': it holds north"):
        await summarize(place, "nort")


async def test_it_is_ready_for_json_whole(place: Path) -> None:
    await stored(place, [Window(*JANUARY, [invoice("1", codes=(None,))])])
    plain = json.loads(json.dumps((await summarize(place)).to_dict()))
    assert plain["verdict"] == "COMPLETE"
    assert plain["windows"][0]["promised"] == 1
    assert plain["results"]["by_error_code"][0]["code"] is None
    assert plain["results"]["by_day"][0]["by_status"] == [{"status": "DISTRIBUTED", "records": 1}]


async def test_the_text_names_everything_and_shortens_thousands_of_windows(tmp_path: Path) -> None:
    first = date(2000, 1, 1)
    windows = [Window(first + timedelta(day), first + timedelta(day)) for day in range(1500)]
    windows[700] = Window(windows[700].start, windows[700].end, (), Verdict.INCOMPLETE, ("cut",), promised=5)
    text = str(await summarize(await stored(tmp_path / "x.sqlite", windows)))
    assert text.startswith("INCOMPLETE: ")
    assert "2001-12-01 2001-12-01  INCOMPLETE" in text
    assert "1,499 COMPLETE windows not shown" in text
    assert len(text.splitlines()) < 30


async def test_what_comes_from_outside_cannot_drive_the_terminal(tmp_path: Path) -> None:
    records = [invoice("1", "\x1b[31mRED\u202e", "", codes=("a\nb",))]
    text = str(await summarize(await stored(tmp_path / "x.sqlite", [Window(*JANUARY, records)])))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert r"\u001b[31mRED\u202e" in text
    assert r"a\u000ab" in text
    assert "(empty)" in text


async def test_values_without_end_are_counted_together(tmp_path: Path) -> None:
    records = [invoice(str(number), f"S{number}", codes=(f"E{number}",)) for number in range(1200)]
    results = (await summarize(await stored(tmp_path / "x.sqlite", [Window(*JANUARY, records)]))).results
    assert (len(results.by_status.rows), results.by_status.others) == (1000, 200)
    assert (len(results.error_codes), results.other_errors, results.errors) == (1000, 200, 1200)
    assert results.days[0].records == 1200
