"""The public API as a program of a user's writes it: type-checked with the rest, never run."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime
from typing import assert_type

import aiohttp

from confirma_async import (
    AttemptEnded,
    ConfirmaClient,
    DateWindow,
    DistributionDates,
    DistributionError,
    DistributionMetadata,
    DistributionPage,
    Environment,
    Event,
    FetchReport,
    IncompleteResultError,
    InvoiceDistribution,
    Paginator,
    Paging,
    PaymentControl,
    RateLimitError,
    RenewingKey,
    RetryPolicy,
    ServiceProfile,
    Timeouts,
    Verdict,
    from_dict,
    split_date_range,
    to_dict,
)
from confirma_async.backfill import BackfillPlan, BackfillReport
from confirma_async.sandbox import Fault, SandboxServer


async def read() -> None:
    async with ConfirmaClient() as client:
        invoices = client.distributions.list(date(2025, 1, 1), date(2025, 12, 31))
        assert_type(invoices, Paginator[InvoiceDistribution])
        async for invoice in invoices:
            print(invoice.invoice_number, invoice.distribution_status, invoice.payment_control.case_id)  # noqa: T201  # as the example has it
        assert_type(invoices.report, FetchReport)
        assert_type(invoices.report.verdict, Verdict)
        assert_type(invoices.resume_token, str)


async def read_otherwise(client: ConfirmaClient) -> None:
    async with client.distributions.list(invoice_number="7", fetch_type="ALL", params={"x": "y"}) as invoices:
        assert_type(await invoices.collect(), list[InvoiceDistribution])
        assert_type(await invoices.first(), InvoiceDistribution | None)
        assert_type(invoices.pages(), AsyncIterator[DistributionPage])
        async for page in invoices.pages():
            assert_type(page.window, DateWindow | None)
            assert_type(page.invoices, tuple[InvoiceDistribution, ...])
            assert_type(page.metadata, DistributionMetadata)
        iterator = aiter(invoices)
        assert_type(await anext(iterator), InvoiceDistribution)
    assert_type(await client.distributions.get("7", from_date=date(2025, 1, 1)), InvoiceDistribution)


async def read_with_every_option(client: ConfirmaClient, token: str) -> None:
    invoices = client.distributions.list(
        date(2025, 1, 1),
        window_days=7,
        ordered=False,
        max_items=10,
        resume_token=token,
        completeness="report",
        on_invalid="report",
    )
    try:
        await invoices.collect()
    except RateLimitError as error:
        assert_type(error.retry_after, float | None)
        assert_type(error.status, int)
        assert_type(error.attempts, int | None)
    except IncompleteResultError as error:
        assert_type(error.window, DateWindow | None)
        assert_type(error.resume_token, str | None)


async def keep(client: ConfirmaClient) -> None:
    start, end = date(2020, 1, 1), date(2025, 12, 31)
    assert_type(await client.backfill(start, end, into="invoices.sqlite", refresh_days=0), BackfillReport)
    assert_type(await client.plan(start, end), BackfillPlan)


def look(invoice: InvoiceDistribution) -> None:
    assert_type(invoice.invoice_number, str | None)
    assert_type(invoice.payment_control.case_id, str | None)
    assert_type(invoice.payment_control.enabled, bool | None)
    assert_type(invoice.dates.created_at, datetime | None)
    assert_type(invoice.file.url, str | None)
    assert_type([error.error_code for error in invoice.errors], list[str | None])
    assert_type(to_dict(invoice), dict[str, object])
    assert_type(from_dict(InvoiceDistribution, to_dict(invoice)), InvoiceDistribution)


class Vault:
    """A key source of the user's."""

    async def get(self) -> str:
        return "synthetic"

    async def renew(self, rejected: str) -> str:
        return rejected[::-1]


class Watcher:
    """A hook that is an object."""

    async def on_event(self, event: Event, /) -> None:
        if isinstance(event, AttemptEnded):
            assert_type((event.url, event.status, event.seconds), tuple[str, int | None, float])


def watch(event: Event) -> None:
    """A hook that is a function."""


async def save(key: str) -> None:
    """Keep a new key."""


def make(session: aiohttp.ClientSession, context: ssl.SSLContext) -> Sequence[ConfirmaClient]:
    full = ConfirmaClient(
        RenewingKey("synthetic", save=save),
        environment=Environment.STAGING,
        session=session,
        retry=RetryPolicy(max_attempts=3, deadline=60, initial_wait=1, max_wait=10, max_retry_after=30),
        timeouts=Timeouts(connect=1, read=2.5, total=10),
        concurrency=4,
        max_rate=5,
        max_response_bytes=1 << 20,
        paging=Paging.numbered(page="p", size="s", per_page=50, first=0),
        profile=ServiceProfile(end_inclusive=False, time_zone="Europe/Oslo", unique_by="invoice_number"),
        proxy="http://proxy.example:3128",
        ssl_context=context,
        hooks=[Watcher(), watch],
    )
    return [full, ConfirmaClient(Vault(), environment="staging"), full.with_options(concurrency=1, max_rate=None)]


def build() -> InvoiceDistribution:
    return InvoiceDistribution(
        invoice_number="7",
        dates=DistributionDates(created_at=datetime(2025, 1, 1, tzinfo=UTC)),
        payment_control=PaymentControl(case_id="1"),
        errors=(DistributionError(error_code="E"),),
    )


def split() -> None:
    for window in split_date_range(date(2025, 1, 1), date(2025, 12, 31), days=7):
        assert_type(window, DateWindow)
        assert_type(window.halves(), tuple[DateWindow, DateWindow])


async def test_with_the_sandbox() -> None:
    async with SandboxServer(invoices_per_day=2, faults=[Fault.status(503)]) as sandbox:
        assert_type(sandbox.client(), ConfirmaClient)
        assert_type(sandbox.requests[0].status, int | None)
