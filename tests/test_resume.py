"""Resume tokens: a new process goes on where a run stood, exact to the record."""

from __future__ import annotations

import asyncio
import base64
import json
import string
from collections.abc import Callable

import pytest

from confirma_async import (
    ConfigurationError,
    ConfirmaClient,
    InvoiceDistribution,
    Paginator,
    PermissionDeniedError,
    Verdict,
)
from confirma_async.sandbox import Fault, SandboxServer

from .servers import Asked, Reply, Service, day, numbers, paged, reply, row, rows_by_day

Listing = Callable[[ConfirmaClient, str | None], Paginator[InvoiceDistribution]]


def month(client: ConfirmaClient, token: str | None = None) -> Paginator[InvoiceDistribution]:
    """Six windows of five days."""
    return client.distributions.list(day(0), day(29), window_days=5, resume_token=token)


def month_as_it_comes(client: ConfirmaClient, token: str | None = None) -> Paginator[InvoiceDistribution]:
    """The same, in whatever order."""
    return client.distributions.list(day(0), day(29), window_days=5, ordered=False, resume_token=token)


async def take(paginator: Paginator[InvoiceDistribution], count: int) -> list[str | None]:
    """Take so many records and leave."""
    got: list[str | None] = []
    if count:
        async for invoice in paginator:
            got.append(invoice.invoice_number)
            if len(got) == count:
                break
    return got


def by_pages(asked: Asked) -> Reply:
    """Pages of seven."""
    return paged(asked, rows_by_day(asked.window, 4), 7)


def by_pages_with_a_hole(asked: Asked) -> Reply:
    """Pages of three, the second one empty."""
    rows, page = rows_by_day(asked.window, 4), asked.page
    at = 3 * (page - 1 - (page > 2))
    return reply(asked, [] if page == 2 else rows[at : at + 3], len(rows))


def cut_off(asked: Asked) -> Reply:
    """Nine rows at most, no pages."""
    rows = rows_by_day(asked.window, 4)
    return reply(asked, rows[:9], len(rows))


def too_large(asked: Asked) -> Reply:
    """413 for more than nine rows."""
    rows = rows_by_day(asked.window, 4)
    return Reply(status=413) if len(rows) > 9 else reply(asked, rows)


@pytest.mark.parametrize("listing", [month, month_as_it_comes])
@pytest.mark.parametrize("answer", [by_pages, by_pages_with_a_hole, cut_off, too_large])
@pytest.mark.parametrize("count", [0, 1, 6, 7, 20, 21, 47, 119, 120])
async def test_what_was_taken_and_what_is_left_are_the_whole(
    count: int, answer: Callable[[Asked], Reply], listing: Listing
) -> None:
    async with Service(answer) as service:
        async with service.client(concurrency=2) as client:
            first = listing(client, None)
            got = await take(first, count)
        async with service.client(concurrency=3) as client:
            rest = await listing(client, json.loads(json.dumps(first.resume_token))).collect()
    got += numbers(rest)
    assert len(got) == len(set(got)) == 120


async def test_a_run_can_be_left_and_resumed_again_and_again() -> None:
    async with Service(by_pages) as service:
        got: list[str | None] = []
        token = None
        for count in (3, 0, 11, 1, 40, 0, 19, 99):
            async with service.client() as client:
                paginator = month(client, token)
                got += await take(paginator, count)
                token = paginator.resume_token
    assert len(got) == len(set(got)) == 120


async def test_only_what_is_missing_is_asked_for_again() -> None:
    async with Service(lambda asked: reply(asked, rows_by_day(asked.window, 4))) as service:
        async with service.client(concurrency=1) as client:
            paginator = month(client)
            await take(paginator, 61)
        service.asked.clear()
        async with service.client() as client:
            await month(client, paginator.resume_token).collect()
    assert sorted(asked.query["fromInvDate"] for asked in service.asked) == [str(day(place)) for place in (15, 20, 25)]


async def test_an_error_carries_the_token() -> None:
    faults = [Fault.status(403, when=lambda request: request.query["fromInvDate"] == str(day(15)))]
    async with SandboxServer(4, faults=faults) as sandbox, sandbox.client() as client:
        paginator = month(client)
        iterator = aiter(paginator)
        got = [(await anext(iterator)).invoice_number for _ in range(60)]
        with pytest.raises(PermissionDeniedError) as caught:
            await anext(iterator)
        assert caught.value.resume_token == paginator.resume_token is not None
        got += numbers(await month(client, caught.value.resume_token).collect())
    assert len(got) == len(set(got)) == 120


async def test_after_collecting_has_failed_both_tokens_stand_at_the_beginning() -> None:
    faults = [Fault.status(403, when=lambda request: request.query["fromInvDate"] == str(day(15)))]
    async with SandboxServer(4, faults=faults) as sandbox, sandbox.client() as client:
        paginator = month(client)
        with pytest.raises(PermissionDeniedError) as caught:
            await paginator.collect()
        assert caught.value.resume_token == paginator.resume_token
        assert len(await month(client, paginator.resume_token).collect()) == 120


async def test_after_collecting_was_cancelled_the_token_stands_at_the_beginning() -> None:
    async with SandboxServer(4, latency=0.02) as sandbox, sandbox.client(concurrency=1) as client:
        paginator = month(client)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.07):
                await paginator.collect()
        assert len(await month(client, paginator.resume_token).collect()) == 120


async def test_a_token_behind_the_last_record_brings_nothing_more() -> None:
    async with SandboxServer(4) as sandbox, sandbox.client() as client:
        paginator = month(client)
        assert len([invoice async for invoice in paginator]) == 120
        resumed = month(client, paginator.resume_token)
        assert (await resumed.collect(), resumed.report.verdict) == ([], Verdict.COMPLETE)
        assert len(sandbox.requests) == 6


async def test_pages_can_be_resumed() -> None:
    async with Service(by_pages) as service, service.client() as client:
        paginator = month(client)
        got: list[str | None] = []
        async for page in paginator.pages():
            got += numbers(page.invoices)
            if len(got) > 30:
                break
        got += numbers(await month(client, paginator.resume_token).collect())
    assert len(got) == len(set(got)) == 120


async def test_as_many_records_as_were_wanted_can_be_taken_at_a_time() -> None:
    async with Service(by_pages) as service, service.client() as client:
        got: list[str | None] = []
        token = None
        for _ in range(13):
            paginator = client.distributions.list(day(0), day(29), window_days=5, max_items=10, resume_token=token)
            got += [invoice.invoice_number async for invoice in paginator]
            token = paginator.resume_token
    assert len(got) == len(set(got)) == 120


async def test_a_token_keeps_the_days_that_were_resolved() -> None:
    async with SandboxServer(1) as sandbox, sandbox.client() as client:
        paginator = client.distributions.list(day(0), window_days=5000)
        token = paginator.resume_token
        await client.distributions.list(day(0), window_days=5000, resume_token=token).first()
        padded = token + "=" * (-len(token) % 4)
        assert sandbox.requests[0].query["toInvDate"].encode() in base64.urlsafe_b64decode(padded)


async def test_a_token_shows_no_invoice_number() -> None:
    async with Service(lambda asked: reply(asked, [row("20250007")])) as service, service.client() as client:
        paginator = client.distributions.list(day(0), day(29), invoice_number="20250007")
        await take(paginator, 1)
        token = paginator.resume_token
    shown = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    assert b"20250007" not in shown
    assert "20250007" not in token


@pytest.mark.parametrize(
    "other",
    [
        {"to_date": day(30)},
        {"from_date": day(1)},
        {"window_days": 6},
        {"invoice_number": "7"},
        {"fetch_type": "ALL"},
        {"params": {"lang": "fi"}},
    ],
    ids=str,
)
async def test_a_token_of_another_query_is_refused(other: dict[str, object]) -> None:
    async with SandboxServer(1) as sandbox, sandbox.client() as client:
        token = month(client).resume_token
        arguments: dict[str, object] = {"from_date": day(0), "to_date": day(29), "window_days": 5} | other
        with pytest.raises(ConfigurationError, match="another query"):
            client.distributions.list(**arguments, resume_token=token)  # type: ignore[arg-type]  # as they come
        assert sandbox.requests == []


async def test_a_token_with_any_one_character_changed_is_refused_or_stands_at_the_same_place() -> None:
    async with SandboxServer(4) as sandbox, sandbox.client() as client:
        paginator = month_as_it_comes(client)
        await take(paginator, 53)
        token = paginator.resume_token
        accepted = []
        for place in range(len(token)):
            for other in set(string.ascii_letters + string.digits + "-_") - {token[place]}:
                try:
                    accepted.append(month_as_it_comes(client, token[:place] + other + token[place + 1 :]).resume_token)
                except ConfigurationError:
                    continue
    assert set(accepted) <= {token}


@pytest.mark.parametrize("damage", ["", "x", "é", "bnVsbA", "W10", "e30", "=", "eyJ2IjoxfQ", "A" * 5000])
async def test_what_is_no_token_is_refused(damage: str) -> None:
    async with SandboxServer(1) as sandbox, sandbox.client() as client:
        with pytest.raises(ConfigurationError, match="damaged"):
            month(client, damage)


async def test_where_windows_share_rows_a_resume_loses_none() -> None:
    def answer(asked: Asked) -> Reply:
        assert asked.window is not None
        edges = (asked.window.start.toordinal(), asked.window.end.toordinal() + 1)
        return reply(asked, [*rows_by_day(asked.window, 2), *(row(f"edge {edge}") for edge in edges)])

    async with Service(answer) as service, service.client() as client:
        full = set(numbers(await month(client).collect()))
        for count in range(1, len(full)):
            paginator = month(client)
            got = await take(paginator, count)
            got += numbers(await month(client, paginator.resume_token).collect())
            assert (set(got), len(got) - len(full) in {0, 1}) == (full, True)


async def test_what_was_not_taken_before_closing_stays_untaken() -> None:
    async with SandboxServer(20) as sandbox, sandbox.client() as client:
        paginator = month(client)
        iterator = aiter(paginator)
        got = [(await anext(iterator)).invoice_number for _ in range(7)]
        await paginator.aclose()
        assert paginator.report.records == 7
        got += numbers(await month(client, paginator.resume_token).collect())
    assert len(got) == len(set(got)) == 600
