"""What a run says of itself: reports and events whose counts never go back, and hooks that cost nothing."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from confirma_async import (
    AttemptEnded,
    Event,
    PermissionDeniedError,
    Progress,
    RetryPolicy,
    RetryScheduled,
    Verdict,
    WindowEnded,
    split_date_range,
)
from confirma_async.sandbox import Fault, SandboxServer

from .servers import Asked, Reply, Service, day, numbers, paged, reply, rows_by_day

PATIENT = RetryPolicy(max_attempts=9, initial_wait=0.001, max_wait=0.002)
COUNTERS = ("windows", "records", "requests", "retries", "bytes", "seconds")


def flaky(asked: Asked) -> Reply:
    """Pages of ten, and now and then a 503."""
    return Reply(status=503) if asked.place % 5 == 2 else paged(asked, rows_by_day(asked.window, 5), 10)


@pytest.mark.parametrize("ordered", [True, False])
async def test_counters_of_progress_never_go_back(ordered: bool) -> None:
    events: list[Event] = []
    async with Service(flaky) as service, service.client(hooks=[events.append], retry=PATIENT) as client:
        await client.distributions.list(day(0), day(29), window_days=5, ordered=ordered).collect()
    told = [event for event in events if isinstance(event, Progress)]
    assert len(told) > 6
    assert all(getattr(a, name) <= getattr(b, name) for name in COUNTERS for a, b in pairwise(told))
    assert (told[-1].windows, told[-1].windows_total, told[-1].records) == (6, 6, 150)


async def test_a_report_counts_what_reached_the_wire() -> None:
    events: list[Event] = []
    async with Service(flaky) as service, service.client(hooks=[events.append], retry=PATIENT) as client:
        invoices = client.distributions.list(day(0), day(29), window_days=5)
        await invoices.collect()
    report = invoices.report
    assert report.requests == len(service.asked) == sum(isinstance(event, AttemptEnded) for event in events)
    assert report.retries == sum(isinstance(event, RetryScheduled) for event in events) > 0
    assert report.bytes == sum(event.bytes for event in events if isinstance(event, AttemptEnded))


async def test_each_window_is_told_once_and_the_outcomes_add_up_to_the_report() -> None:
    events: list[Event] = []
    async with Service(flaky) as service, service.client(hooks=[events.append], retry=PATIENT) as client:
        invoices = client.distributions.list(day(0), day(29), window_days=5)
        await invoices.collect()
    outcomes = [event.outcome for event in events if isinstance(event, WindowEnded)]
    report = invoices.report
    assert [outcome.window for outcome in outcomes] == list(split_date_range(day(0), day(29), 5))
    assert {(outcome.promised, outcome.received, outcome.delivered) for outcome in outcomes} == {(25, 25, 25)}
    for name in ("requests", "retries", "bytes", "pages", "duplicates", "conflicts", "rereads", "halvings"):
        assert sum(getattr(outcome, name) for outcome in outcomes) == getattr(report, name)


async def test_a_report_counts_each_record_as_it_is_handed_out() -> None:
    async with SandboxServer(2) as sandbox, sandbox.client() as client:
        invoices = client.distributions.list(day(0), day(2), window_days=1)
        counts = [invoices.report.records]
        async for _ in invoices:
            counts.append(invoices.report.records)
    assert counts == [0, 1, 2, 3, 4, 5, 6]


async def test_a_report_before_the_first_run_knows_the_windows() -> None:
    async with SandboxServer(2) as sandbox, sandbox.client() as client:
        report = client.distributions.list(day(0), day(99)).report
    assert (report.verdict, report.windows, report.windows_total, report.requests) == (Verdict.INCOMPLETE, 0, 4, 0)


async def test_a_report_of_a_failed_run_is_incomplete_and_of_the_run_that_went_on_is_not() -> None:
    faults = [Fault.status(403, when=lambda request: request.query["fromInvDate"] == str(day(2)))]
    async with SandboxServer(2, faults=faults) as sandbox, sandbox.client() as client:
        invoices = client.distributions.list(day(0), day(5), window_days=1)
        iterator = aiter(invoices)
        got = [await anext(iterator) for _ in range(4)]
        with pytest.raises(PermissionDeniedError):
            await anext(iterator)
        failed = invoices.report
        got += [invoice async for invoice in iterator]
    assert (failed.verdict, failed.windows, failed.records) == (Verdict.INCOMPLETE, 2, 4)
    assert (len(got), invoices.report.verdict, invoices.report.windows) == (12, Verdict.COMPLETE, 6)


async def test_a_report_of_the_latest_run_does_not_count_the_earlier_ones() -> None:
    async with SandboxServer(2) as sandbox, sandbox.client() as client:
        invoices = client.distributions.list(day(0), day(5), window_days=1)
        await invoices.collect()
        await invoices.collect()
    assert (invoices.report.records, invoices.report.requests) == (12, 6)


async def test_the_seconds_of_a_run_end_with_it() -> None:
    async with SandboxServer(2) as sandbox, sandbox.client() as client:
        invoices = client.distributions.list(day(0), day(0))
        await invoices.collect()
        took = invoices.report.seconds
        await asyncio.sleep(0.02)
    assert invoices.report.seconds == took > 0


async def test_a_report_reads_as_text() -> None:
    async with SandboxServer(2) as sandbox, sandbox.client() as client:
        invoices = client.distributions.list(day(0), day(5), window_days=1)
        await invoices.collect()
    assert str(invoices.report).startswith("COMPLETE: 12 records from 6 of 6 windows (6 pages, 6 requests")


class Watcher:
    """A hook that is an object, and always fails."""

    def __init__(self, error: type[BaseException]) -> None:
        self.error, self.told = error, 0

    async def on_event(self, event: Event) -> None:
        """Fail, after a turn of the loop."""
        self.told += 1
        await asyncio.sleep(0)
        raise self.error


@pytest.mark.parametrize("error", [ValueError, TimeoutError, asyncio.CancelledError])
async def test_a_hook_that_fails_loses_no_record(error: type[BaseException]) -> None:
    watcher, events = Watcher(error), list[Event]()
    async with SandboxServer(2) as sandbox, sandbox.client(hooks=[watcher, events.append]) as client:
        invoices = client.distributions.list(day(0), day(5), window_days=1)
        assert len(await invoices.collect()) == 12
    assert invoices.report.verdict == Verdict.COMPLETE
    assert watcher.told == len(events) > 12


async def test_a_run_that_is_cancelled_in_a_hook_loses_no_record() -> None:
    slow = True

    async def hook(event: Event) -> None:
        if slow and isinstance(event, Progress):
            await asyncio.sleep(10)

    async with SandboxServer(5) as sandbox, sandbox.client(hooks=[hook]) as client:
        iterator = aiter(client.distributions.list(day(0), day(3), window_days=1))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await anext(iterator)
        slow = False
        assert len(numbers([invoice async for invoice in iterator])) == 20


async def test_events_hold_no_invoice_number() -> None:
    events: list[Event] = []
    async with Service(lambda asked: reply(asked, [])) as service, service.client(hooks=[events.append]) as client:
        await client.distributions.list(day(0), day(0), invoice_number="SECRET-7").collect()
    assert len(events) > 1
    assert "SECRET-7" not in repr(events)
