"""`client.backfill` and `client.plan`, over HTTP."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from confirma_async.backfill import WindowState, load_report
from confirma_async.errors import AuthenticationError, CheckpointError, ConfigurationError
from confirma_async.events import Progress
from confirma_async.reports import Verdict
from confirma_async.sandbox import Fault, SandboxServer

FIRST, LAST = date(2024, 1, 1), date(2024, 3, 31)


async def test_a_backfill_asks_one_window_at_a_time_and_proves_it(tmp_path: Path) -> None:
    told: list[Progress] = []
    async with SandboxServer(invoices_per_day=4) as sandbox, sandbox.client() as client:
        report = await client.backfill(FIRST, LAST, into=tmp_path / "x.sqlite", progress=told.append)
        assert (report.verdict, report.records, report.requests) == (Verdict.COMPLETE, 364, 4)
        assert len(sandbox.requests) == 4
        assert await load_report(tmp_path / "x.sqlite") == report
        again = await client.backfill(FIRST, LAST, into=tmp_path / "x.sqlite")
        assert (again.requests, again.records, len(sandbox.requests)) == (0, 364, 4)
    assert [one.windows for one in told] == [0, 1, 2, 3, 4]
    assert (told[-1].records, told[-1].requests) == (364, 4)


async def test_a_plan_asks_nothing_and_writes_nothing(tmp_path: Path) -> None:
    into = tmp_path / "x.jsonl"
    async with SandboxServer(invoices_per_day=2) as sandbox, sandbox.client() as client:
        assert (await client.plan(FIRST, LAST)).count(WindowState.MISSING) == 4
        assert (await client.plan(FIRST, LAST, into=into)).requests_expected == 4
        assert list(tmp_path.iterdir()) == []
        await client.backfill(FIRST, date(2024, 1, 30), into=into)
        plan = await client.plan(FIRST, LAST, into=into)
        assert [one.state for one in plan] == [WindowState.DONE, *[WindowState.MISSING] * 3]
        assert len(sandbox.requests) == 1
        with pytest.raises(CheckpointError, match="fetch_type"):
            await client.plan(FIRST, LAST, into=into, fetch_type="OTHER")
        with pytest.raises(ConfigurationError):
            await client.plan(FIRST, LAST, into="x.csv")


async def test_what_reading_raises_reaches_the_caller_and_the_run_goes_on(tmp_path: Path) -> None:
    async with SandboxServer(invoices_per_day=2) as sandbox, sandbox.client(concurrency=1) as client:
        sandbox.script(Fault.status(401))
        with pytest.raises(AuthenticationError):
            await client.backfill(FIRST, LAST, into=tmp_path / "x.parquet")
        report = await client.backfill(FIRST, LAST, into=tmp_path / "x.parquet")
    assert (report.verdict, report.records) == (Verdict.COMPLETE, 182)


async def test_another_environment_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    async with SandboxServer(invoices_per_day=2) as one, SandboxServer(invoices_per_day=2) as other:
        async with one.client() as client:
            await client.backfill(FIRST, LAST, into=tmp_path / "x.db")
        async with other.client() as client:
            with pytest.raises(CheckpointError, match="another target"):
                await client.backfill(FIRST, LAST, into=tmp_path / "x.db")
        assert other.requests == []


async def test_a_service_that_cuts_answers_off_is_proved_by_halving(tmp_path: Path) -> None:
    async with SandboxServer(invoices_per_day=10, paging="cut", page_size=100) as sandbox, sandbox.client() as client:
        report = await client.backfill(FIRST, LAST, into=tmp_path / "x.parquet")
    assert (report.verdict, report.records) == (Verdict.COMPLETE, 910)
    assert report.halvings > 0
