"""The run itself: progress, interruption, turns, sinks of one's own."""

from __future__ import annotations

import asyncio
import time
from datetime import date
from pathlib import Path

import attrs
import pytest

from confirma_async.backfill import (
    BackfillPlan,
    Batch,
    RunRecord,
    Sink,
    Tally,
    TargetState,
    WindowProof,
    WindowState,
    gather,
    load_report,
    open_target,
    shared,
)
from confirma_async.backfill.coverage import PlannedWindow
from confirma_async.backfill.job import Job
from confirma_async.backfill.sharing import _OPEN, undisturbed
from confirma_async.errors import CheckpointError, ConfigurationError, ServerError, TargetError
from confirma_async.events import Progress
from confirma_async.reports import Verdict
from confirma_async.windows import DateWindow

from .fakes import Calendar, Rows, Service, invoice, run

FIRST, LAST = date(2025, 1, 1), date(2025, 3, 31)


@attrs.define
class Counting:
    """The sink of the protocol's own example; `fail` raises where it is named."""

    rows: int = 0
    pending: int = 0
    runs: list[RunRecord] = attrs.field(factory=list)
    proofs: list[WindowProof] = attrs.field(factory=list)
    calls: list[str] = attrs.field(factory=list)
    fail: str = ""
    slow: float = 0.0

    async def _called(self, name: str) -> None:
        self.calls.append(name)
        await asyncio.sleep(self.slow)
        if self.fail == name:
            raise TargetError(f"{name} fails")

    async def open(self) -> TargetState:
        await self._called("open")
        return gather(self.runs, self.proofs)

    async def begin(self, run: RunRecord, /) -> None:
        await self._called("begin")
        self.runs.append(run)

    async def write(self, batch: Batch, /) -> Tally:
        await self._called("write")
        self.pending += len(batch.invoices)
        return Tally(added=len(batch.invoices))

    async def commit(self, proof: WindowProof, /) -> None:
        await self._called("commit")
        self.rows, self.pending = self.rows + self.pending, 0
        self.proofs.append(proof)

    async def rollback(self) -> None:
        self.pending = 0
        await self._called("rollback")

    async def finish(self, run: RunRecord, /) -> None:
        await self._called("finish")
        self.runs[-1] = run

    async def close(self) -> None:
        await self._called("close")


async def test_a_sink_of_ones_own_is_a_target() -> None:
    sink = Counting()
    assert isinstance(sink, Sink)
    report = await run(Service(), FIRST, LAST, sink)
    assert (sink.rows, report.records, report.verdict) == (270, 270, Verdict.COMPLETE)
    assert sink.calls == ["open", "begin", *["write", "commit"] * 3, "finish", "close"]
    assert await load_report(sink) == report
    with pytest.raises(ConfigurationError, match="read it where you keep it"):
        open_target(sink).records()


@pytest.mark.parametrize("place", ["open", "begin", "write", "commit", "finish"])
async def test_what_a_sink_raises_ends_the_run_and_lets_go(place: str) -> None:
    sink, service = Counting(fail=place), Service()
    with pytest.raises(TargetError, match=place):
        await run(service, FIRST, LAST, sink)
    assert sink.calls[-1] == "close"
    assert (sink.pending, _OPEN) == (0, {})
    sink.fail = ""
    report = await run(service, FIRST, LAST, sink)
    assert (sink.rows, report.verdict) == (270, Verdict.COMPLETE)


async def test_a_rollback_that_fails_does_not_hide_the_failure() -> None:
    sink = Counting(fail="rollback")
    service = Service(fail_after=0, failure=ServerError("down", status=500), rows_of=lambda _: [invoice("1")] * 3000)
    with pytest.raises(ServerError):
        await run(service, FIRST, FIRST, sink)
    assert sink.calls[-2:] == ["rollback", "close"]


@pytest.mark.parametrize("place", ["open", "begin", "write", "commit", "finish", "close"])
async def test_a_cancelled_run_lets_the_call_that_is_under_way_come_to_its_end(place: str) -> None:
    sink, service = Counting(slow=0.01), Service()
    task = asyncio.ensure_future(run(service, FIRST, LAST, sink))
    while place not in sink.calls:
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sink.calls[-1] == "close"
    assert (sink.pending, sink.rows, _OPEN) == (0, sum(proof.stored for proof in sink.proofs), {})
    assert (place == "commit") <= (sink.rows == 90)
    sink.slow = 0
    assert (await run(service, FIRST, LAST, sink)).verdict is Verdict.COMPLETE


async def test_undisturbed_work_that_fails_or_is_cancelled_itself_raises_the_cancellation() -> None:
    async def failing() -> None:
        await asyncio.sleep(0.01)
        raise ValueError

    async def cancelled() -> None:
        await asyncio.sleep(0.01)
        raise asyncio.CancelledError

    for work in (failing, cancelled):
        task = asyncio.ensure_future(undisturbed(work()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_progress_counts_what_is_durable_and_never_goes_back(tmp_path: Path) -> None:
    told: list[Progress] = []
    service = Service(fail_after=1, failure=ServerError("down", status=500))
    with pytest.raises(ServerError):
        await run(service, FIRST, LAST, tmp_path / "x.jsonl", progress=told.append)
    service.fail_after = None
    await run(service, FIRST, LAST, tmp_path / "x.jsonl", progress=told.append)
    assert [(one.windows, one.windows_total, one.records) for one in told] == [
        (0, 3, 0),
        (1, 3, 90),
        (1, 3, 0),
        (2, 3, 90),
        (3, 3, 180),
    ]
    assert [one.requests for one in told] == [0, 1, 0, 1, 2]
    assert told[-1].seconds >= told[-2].seconds >= 0


async def test_what_progress_raises_loses_no_record(tmp_path: Path) -> None:
    def broken(_: Progress) -> None:
        raise RuntimeError("the watcher is broken")

    report = await run(Service(), FIRST, LAST, tmp_path / "x.jsonl", progress=broken)
    assert report.records == 270


async def test_progress_may_be_a_coroutine_function(tmp_path: Path) -> None:
    told: list[int] = []

    async def watch(progress: Progress) -> None:
        await asyncio.sleep(0)
        told.append(progress.windows)

    await run(Service(), FIRST, LAST, tmp_path / "x.jsonl", progress=watch)
    assert told == [0, 1, 2, 3]


async def test_accounts_write_to_one_target_at_the_same_time(into: str) -> None:
    services = {name: Service(base_url=f"https://{name}.example") for name in ("a", "b", "c")}
    reports = await asyncio.gather(
        *(run(service, FIRST, LAST, shared(into), window_days=7, account=name) for name, service in services.items())
    )
    assert [(report.records, report.verdict) for report in reports] == [(270, Verdict.COMPLETE)] * 3
    assert (await load_report(into)).records == 810
    numbers = [(one.account, one.invoice.invoice_number) async for one in open_target(into).records()]
    assert len(numbers) == len(set(numbers)) == 810
    assert _OPEN == {}


async def test_one_account_twice_at_the_same_time_is_refused(into: str) -> None:
    results = await asyncio.gather(
        run(Service(), FIRST, LAST, into), run(Service(), FIRST, LAST, into), return_exceptions=True
    )
    refused = [result for result in results if isinstance(result, CheckpointError)]
    assert (len(refused), "already" in str(refused) or "same account" in str(refused)) == (1, True)


async def test_a_target_closed_by_one_is_opened_anew_by_the_next() -> None:
    sink = Counting(slow=0.005)
    first = asyncio.ensure_future(run(Service(), FIRST, FIRST, shared(sink), account="a"))
    while "close" not in sink.calls:
        await asyncio.sleep(0)
    await run(Service(base_url="https://b.example"), FIRST, FIRST, shared(sink), account="b")
    await first
    assert (sink.calls.count("open"), sink.rows) == (2, 6)


async def test_the_event_loop_is_not_blocked_while_files_are_written(file_target: Path) -> None:
    def rows_of(day: date) -> Rows:
        return [invoice(f"{day}-{number}") for number in range(200)]

    gaps: list[float] = []

    async def watch() -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.001)
            gaps.append(time.monotonic() - before)

    watcher = asyncio.ensure_future(watch())
    await run(Service(rows_of=rows_of), FIRST, LAST, file_target)
    watcher.cancel()
    assert len(gaps) > 3


def job(service: Service, **changed: object) -> Job:
    given: dict[str, object] = {
        "window_days": 30,
        "refresh_days": 30,
        "fetch_type": None,
        "account": None,
        "environment": None,
    }
    return Job.checked(service, FIRST, None, **(given | changed))  # type: ignore[arg-type]  # no test changes may_join


@pytest.mark.parametrize(
    "bad",
    [
        {"window_days": 0},
        {"window_days": True},
        {"window_days": 1.0},
        {"refresh_days": -1},
        {"refresh_days": None},
        {"fetch_type": ""},
        {"account": ""},
        {"account": "a\nb"},
        {"account": 7},
        {"account": "a" * 201},
        {"environment": ""},
    ],
)
def test_bad_input_is_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        job(Service(), **bad)


def test_a_job_without_an_end_runs_until_today_and_knows_its_environment() -> None:
    from confirma_async import Environment

    plain = job(Service(profile=Calendar(day=LAST)))
    assert (plain.span, plain.environment) == (DateWindow(FIRST, LAST), "custom")
    assert job(Service(base_url=Environment.STAGING.value)).environment == "staging"
    assert job(Service(), environment=Environment.PRODUCTION).environment == "production"
    assert job(Service(), environment="STAGING").environment == "staging"


def planned(state: WindowState, requests: int = 0, retries: int = 0) -> PlannedWindow:
    window = DateWindow(FIRST, FIRST)
    proof = None
    if state is not WindowState.MISSING:
        from .test_coverage import proof as plain_proof

        proof = attrs.evolve(plain_proof(0, 0), requests=requests, retries=retries)
    return PlannedWindow(window, state, proof)


def test_a_plan_expects_as_many_requests_as_the_windows_before_needed() -> None:
    def plan(*windows: PlannedWindow) -> BackfillPlan:
        return BackfillPlan(DateWindow(FIRST, LAST), windows)

    fresh = plan(planned(WindowState.MISSING), planned(WindowState.MISSING))
    assert (fresh.requests_expected, len(fresh), len(list(fresh))) == (2, 2, 2)
    assert "one request each" in fresh.reasoning
    known = plan(
        planned(WindowState.DONE, 5, 2), planned(WindowState.DONE, 2), planned(WindowState.REFRESH, 3), *fresh.windows
    )
    assert known.requests_expected == 8
    assert "as in the 3 windows read before" in str(known)
    assert (known.count(WindowState.MISSING), len(known.to_ask)) == (2, 3)
    assert plan().requests_expected == 0
