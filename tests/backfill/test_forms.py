"""What each form of target looks like to those who read it without this package."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import date, datetime
from pathlib import Path

import attrs
import duckdb
import pandas as pd
import polars as pl
import pytest

from confirma_async import to_dict
from confirma_async.backfill import load_report, open_target
from confirma_async.backfill.sinks.parts import SCHEMA
from confirma_async.errors import CheckpointError, ConfigurationError, ServerError, TargetError
from confirma_async.records import DistributionDates, Extra
from confirma_async.reports import Verdict

from .conftest import PostgresServer
from .fakes import Calendar, Rows, Service, invoice, run

FIRST, LAST = date(2025, 1, 1), date(2025, 3, 31)
LATER = Calendar(day=date(2026, 6, 1))


async def test_jsonl_holds_to_dict_of_the_records(tmp_path: Path) -> None:
    into, service = tmp_path / "x.jsonl", Service()
    await run(service, FIRST, LAST, into)
    lines = [json.loads(line) for line in into.read_text().splitlines()]
    assert lines == [to_dict(row) for window in service.asked for row in service.rows_in(window)]


async def test_an_interrupted_jsonl_is_equal_byte_by_byte(tmp_path: Path) -> None:
    service = Service(profile=LATER)
    await run(service, FIRST, LAST, tmp_path / "whole.jsonl", window_days=7)
    for broken in range(0, 13, 4):
        service.fail_after, service.failure = broken, ServerError("down", status=500)
        with pytest.raises(ServerError):
            await run(service, FIRST, LAST, tmp_path / f"x{broken}.jsonl", window_days=7)
        service.fail_after = None
        await run(service, FIRST, LAST, tmp_path / f"x{broken}.jsonl", window_days=7)
        assert (tmp_path / f"x{broken}.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


async def test_jsonl_gets_a_line_per_change(tmp_path: Path) -> None:
    into, service = tmp_path / "x.jsonl", Service(profile=Calendar(day=FIRST))
    states = [
        [invoice("1", "NEW"), invoice("2")],
        [invoice("1", "SENT", case_id="C1"), invoice("2")],
        [invoice("1", "SENT"), invoice("2")],
        [invoice("1", "PAID"), invoice("2")],
    ]
    for rows in states:
        service.rows_of = lambda _, rows=rows: rows  # type: ignore[misc]  # bound at once
        await run(service, FIRST, FIRST, into)
    lines = [json.loads(line) for line in into.read_text().splitlines()]
    assert [
        (line["invoiceNumber"], line["distributionStatus"], line["paymentControl"]["caseId"]) for line in lines
    ] == [
        ("1", "NEW", None),
        ("2", "SENT", None),
        ("1", "SENT", "C1"),
        ("1", "PAID", "C1"),
    ]


async def test_a_labelled_jsonl_line_says_whose_it_is(tmp_path: Path) -> None:
    row = attrs.evolve(invoice("1"), extra=Extra({"account": 1, "_account": 2, "other": 3}))
    await run(Service(rows_of=lambda _: [row]), FIRST, FIRST, tmp_path / "x.jsonl", account="ours")
    line = json.loads((tmp_path / "x.jsonl").read_text())
    assert next(iter(line)) == "account"
    assert (line["account"], line["_account"], line["__account"], line["other"]) == ("ours", 1, 2, 3)


async def test_the_checkpoint_grows_by_the_same_for_every_window(tmp_path: Path) -> None:
    sizes = []
    for days in (10, 1000):
        into = tmp_path / f"x{days}.jsonl"
        await run(
            Service(rows_of=lambda _: []), FIRST, date.fromordinal(FIRST.toordinal() + days - 1), into, window_days=1
        )
        sizes.append(into.with_name(into.name + ".checkpoint").stat().st_size / days)
    assert sizes[1] < 1.1 * sizes[0]


def _odd_rows(day: date) -> Rows:
    """Rows whose columns would be guessed differently from part to part."""
    naive = DistributionDates(datetime(2025, 1, 1))
    if day.month == 1:
        return [attrs.evolve(invoice(f"00{day.day}"), dates=DistributionDates(), errors=())]
    return [attrs.evolve(invoice(str(day)), dates=naive), attrs.evolve(invoice(None), distribution_method=None)]


async def test_parquet_is_one_table_for_every_reader(tmp_path: Path) -> None:
    into = tmp_path / "x.parquet"
    report = await run(Service(rows_of=_odd_rows), FIRST, LAST, into, window_days=7)
    with closing(duckdb.connect()) as connection:
        for form in (str(into), f"{into}/*.parquet"):
            sql = f"SELECT count(*), count(DISTINCT invoice_number) FROM read_parquet('{form}')"
            assert connection.execute(sql).fetchall()[0][0] == report.records
    for form in (str(into), f"{into}/*.parquet"):
        assert len(pl.read_parquet(form)) == len(pl.scan_parquet(form).collect()) == report.records
    frame = pd.read_parquet(into)
    assert (len(frame), list(frame.columns)) == (report.records, SCHEMA.names)
    assert "001" in set(frame["invoice_number"])


async def test_a_parquet_folder_holds_parts_alone_even_while_it_is_written(tmp_path: Path) -> None:
    into = tmp_path / "x.parquet"
    seen: set[str] = set()

    def rows_of(day: date) -> Rows:
        seen.update(path.suffix for path in into.iterdir())
        return [invoice(f"{day}{number}") for number in range(300)]

    await run(Service(rows_of=rows_of), FIRST, LAST, into, window_days=30)
    assert seen == {".parquet"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.parquet", "x.parquet.checkpoint", "x.parquet.lock"]


async def test_a_part_published_before_the_checkpoint_knew_is_taken_in(tmp_path: Path) -> None:
    into, service = tmp_path / "x.parquet", Service(profile=LATER)
    await run(service, FIRST, LAST, into)
    checkpoint = tmp_path / "x.parquet.checkpoint"
    lines = checkpoint.read_bytes().splitlines(keepends=True)
    windows = [place for place, line in enumerate(lines) if b'"entry":"window"' in line]
    checkpoint.write_bytes(b"".join(lines[: windows[-1]]))
    assert (await load_report(into)).verdict is Verdict.INCOMPLETE
    report = await run(service, FIRST, LAST, into)
    assert (len(service.asked), report.verdict, report.records) == (3, Verdict.COMPLETE, 270)
    assert await load_report(into) == report
    assert len([one async for one in open_target(into).records()]) == 270


@pytest.mark.parametrize("form", ["{}", "sqlite+aiosqlite:///{}"])
async def test_sqlite_has_the_documented_tables(tmp_path: Path, form: str) -> None:
    path = tmp_path / "x.db"
    rows = [invoice("007", errors=2), attrs.evolve(invoice("7", case_id="0123"), distribution_message="å")]
    await run(Service(rows_of=lambda _: rows), FIRST, FIRST, form.format(path))
    with closing(sqlite3.connect(path)) as connection:
        names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        found = connection.execute(
            "SELECT invoice_number, case_id, created_at, printed_at, file_url, distribution_message, error_count"
            " FROM invoice_distribution ORDER BY invoice_number"
        ).fetchall()
        errors = connection.execute("SELECT invoice_number, position, error_code FROM distribution_error").fetchall()
        for column, index in (
            ("invoice_number", "invoice_distribution_number"),
            ("case_id", "invoice_distribution_case"),
        ):
            plan = connection.execute(
                f"EXPLAIN QUERY PLAN SELECT * FROM invoice_distribution WHERE {column} = 'x'"
            ).fetchall()
            assert index in plan[0][3]
        assert connection.execute("PRAGMA journal_mode").fetchall() == [("wal",)]
    assert names >= {"invoice_distribution", "distribution_error", "backfill_window", "backfill_run"}
    assert found == [
        ("007", None, "2025-01-01T08:30:00Z", "2025-01-02T00:00:00", "https://files.example/007", None, 2),
        ("7", "0123", "2025-01-01T08:30:00Z", "2025-01-02T00:00:00", "https://files.example/7", "å", 0),
    ]
    assert errors == [("007", 0, "E0"), ("007", 1, "E1")]


async def test_a_sqlite_file_and_its_address_are_one_form(tmp_path: Path) -> None:
    path, service = tmp_path / "x.db", Service(profile=LATER)
    await run(service, FIRST, LAST, path)
    report = await run(service, FIRST, LAST, f"sqlite+aiosqlite:///{path}")
    assert (len(service.asked), report.records) == (3, 270)


async def test_postgresql_has_text_columns_and_indexes(
    postgres: PostgresServer, new_target: Callable[[str], str]
) -> None:
    into = new_target("postgresql")
    await run(Service(), FIRST, LAST, into)
    database = into.partition("@/")[2].partition("?")[0]
    types = await postgres.execute(
        database,
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'invoice_distribution'",
    )
    kinds = {str(row["column_name"]): str(row["data_type"]) for row in types}
    assert {kinds.pop("payment_control_enabled"), kinds.pop("error_count")} == {"boolean", "bigint"}
    assert set(kinds.values()) == {"text"}
    indexes = await postgres.execute(
        database, "SELECT indexname FROM pg_indexes WHERE tablename = 'invoice_distribution'"
    )
    assert {"invoice_distribution_number", "invoice_distribution_case"} <= {str(row["indexname"]) for row in indexes}


async def test_a_second_writer_to_postgresql_is_refused(
    postgres: PostgresServer, new_target: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from confirma_async.backfill.sinks import sql

    monkeypatch.setattr(sql, "_PAUSE", 0.001)
    into = new_target("postgresql")
    held = sql.database_target(into).sink()
    await held.open()
    service = Service()
    with pytest.raises(CheckpointError, match="another backfill") as caught:
        await run(service, FIRST, LAST, into)
    assert "s3cret" not in str(caught.value)
    assert service.asked == []
    await held.close()
    await run(service, FIRST, LAST, into)


async def test_a_lost_connection_ends_the_run_and_the_next_goes_on(
    postgres: PostgresServer, new_target: Callable[[str], str]
) -> None:
    into = new_target("postgresql")
    database = into.partition("@/")[2].partition("?")[0]
    statement = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"

    async def cut(progress: object) -> None:
        if getattr(progress, "windows", 0) == 1:
            await postgres.execute("postgres", statement)

    service = Service(profile=LATER)
    with pytest.raises(TargetError) as caught:
        await run(service, FIRST, LAST, into, progress=cut)
    assert "s3cret" not in str(caught.value)
    assert "\n" not in str(caught.value)
    report = await run(service, FIRST, LAST, into)
    assert (report.verdict, report.records, len(service.asked)) == (Verdict.COMPLETE, 270, 4)


async def test_a_database_that_cannot_be_reached_is_named_without_its_password() -> None:
    for address in (
        "postgresql+asyncpg://user:s3cret@127.0.0.1:1/db",
        "postgresql+asyncpg://user:s3cret@/db?host=/nowhere",
    ):
        service = Service()
        with pytest.raises(TargetError) as caught:
            await run(service, FIRST, LAST, address)
        assert "s3cret" not in str(caught.value)
        assert "user:***@" in str(caught.value)
        assert service.asked == []
        with pytest.raises(TargetError):
            await load_report(address)


async def test_the_beliefs_that_a_run_rests_on_are_kept(into: str) -> None:
    report = await run(Service(), FIRST, FIRST, into)
    assert "the end date of a window is inside the range" in report.rests_on[0]
    assert (await load_report(into)).rests_on == report.rests_on
    assert "rests on: " in str(report)


def test_two_databases_of_one_name_are_two_targets() -> None:
    one, other = (open_target(f"postgresql+asyncpg://u:p@/db?host=/{place}").target.key for place in "ab")
    assert one != other
    assert ":p@" not in one


@pytest.mark.parametrize(
    "address",
    [
        "sqlite+aiosqlite://",
        "sqlite+aiosqlite:///:memory:",
        "mysql+aiomysql://u:s3cret@h/d",
        "postgresql+asyncpg://u:s3cret@h:port/d",
    ],
)
def test_an_address_that_cannot_work_is_refused_without_repeating_it(address: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        open_target(address)
    assert "s3cret" not in str(caught.value)


async def test_rows_read_back_in_the_order_of_account_and_key_over_many_batches(into: str) -> None:
    service = Service(rows_of=lambda day: [invoice(f"{day}-{number}", errors=1) for number in range(400)])
    await run(service, FIRST, date(2025, 1, 4), into)
    held = [one.invoice async for one in open_target(into).records()]
    assert len({one.invoice_number for one in held}) == len(held) == 1600
    assert all(len(one.errors) == 1 for one in held)


async def test_a_parameter_that_the_driver_does_not_take_is_named(new_target: Callable[[str], str]) -> None:
    into = f"{new_target('postgresql')}&colour=red"
    with pytest.raises(ConfigurationError, match="colour"):
        await run(Service(), FIRST, LAST, into)
    with pytest.raises(ConfigurationError, match="colour"):
        await load_report(into)
