"""Services of our own on 127.0.0.1: each answers by a function of what is asked, and counts what reaches it.

Wire names are written here by hand, so that a mistake in the codec cannot hide in a shared constant.
"""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from types import TracebackType
from typing import Self, TypeAlias, TypedDict, Unpack

import attrs
from aiohttp import web

from confirma_async import (
    ConfirmaClient,
    DateWindow,
    Hook,
    InvoiceDistribution,
    Paging,
    RetryPolicy,
    ServiceProfile,
    Timeouts,
)

KEY = "synthetic-key"
Row: TypeAlias = dict[str, object]


class Options(TypedDict, total=False):
    """What a test chooses for its client."""

    retry: RetryPolicy
    timeouts: Timeouts
    concurrency: int
    max_response_bytes: int
    paging: Paging
    profile: ServiceProfile
    hooks: Iterable[Hook]


def day(place: int) -> date:
    """A day counted from the first of January 2025, which is 0."""
    return date(2025, 1, 1) + timedelta(days=place)


@attrs.frozen
class Asked:
    """One request as it arrived: `place` counts from 0, `query` holds its parameters."""

    place: int
    query: Mapping[str, str]

    @property
    def window(self) -> DateWindow | None:
        """The days asked for; None where none were sent."""
        if "fromInvDate" not in self.query:
            return None
        return DateWindow(date.fromisoformat(self.query["fromInvDate"]), date.fromisoformat(self.query["toInvDate"]))

    @property
    def page(self) -> int:
        """The page asked for; a request without a page asks for the first one."""
        return int(self.query.get("page", "1"))

    @property
    def is_plain(self) -> bool:
        """Whether no page was named."""
        return "page" not in self.query


@attrs.frozen
class Reply:
    """One answer: a JSON value or bytes."""

    body: object = b""
    status: int = 200
    headers: Mapping[str, str] = attrs.field(factory=dict)


Answer: TypeAlias = Callable[[Asked], Reply | Awaitable[Reply]]


class Service:
    """A server that asks `answer` what to say, and notes every request in `asked`.

    `answered` counts the answers that went out; `in_flight` and `most_in_flight` the requests that have no
    answer yet, now and at most.
    """

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[Asked] = []
        self.answered = self.in_flight = self.most_in_flight = 0
        self.url = ""
        self._runner: web.ServerRunner | None = None

    def client(self, **options: Unpack[Options]) -> ConfirmaClient:
        """A client of this service that waits milliseconds between two attempts."""
        options.setdefault("retry", RetryPolicy(max_attempts=2, initial_wait=0.001, max_wait=0.002))
        return ConfirmaClient(KEY, base_url=self.url, **options)

    @property
    def windows(self) -> list[DateWindow | None]:
        """The windows of the requests so far, in order of arrival."""
        return [asked.window for asked in self.asked]

    @property
    def pages(self) -> list[int]:
        """The pages of the requests so far, in order of arrival; 1 where none was named."""
        return [asked.page for asked in self.asked]

    async def __aenter__(self) -> Self:
        self._runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        asked = Asked(len(self.asked), dict(request.query))
        self.asked.append(asked)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            said = self.answer(asked)
            reply = await said if inspect.isawaitable(said) else said
        finally:
            self.in_flight -= 1
        self.answered += 1
        body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        return web.Response(status=reply.status, body=body, headers=reply.headers)


def row(number: object, status: str = "DISTRIBUTED", **others: object) -> Row:
    """One invoice as the wire has it."""
    return {
        "invoiceNumber": number,
        "distributionStatus": status,
        "distributionMethod": "EMAIL",
        "distributionMessage": None,
        "dates": {"createdAt": "2025-01-01T08:00:00Z", "printedAt": None, "distributedAt": None},
        "file": {"url": f"https://files.example/{number}"},
        "paymentControl": {"enabled": False, "agency": None, "status": None, "caseId": None},
        "errors": [],
        **others,
    }


def echo(asked: Asked, **others: object) -> dict[str, object]:
    """The filters as they were sent."""
    query = asked.query
    return {
        "invoiceNumber": query.get("invoiceNumber"),
        "fromInvDate": query.get("fromInvDate"),
        "toInvDate": query.get("toInvDate"),
        "fetchType": query.get("fetchType"),
        "defaultLast30DaysApplied": "fromInvDate" not in query,
        **others,
    }


def reply(asked: Asked, rows: Iterable[Row], total: int | None = None, **echoed: object) -> Reply:
    """An honest 200 with these rows; the total is their number unless it is said otherwise."""
    invoices = list(rows)
    meta = {"totalCount": len(invoices) if total is None else total, "filtersApplied": echo(asked, **echoed)}
    return Reply({"metaData": meta, "invoices": invoices})


def without_total(asked: Asked, rows: Iterable[Row]) -> Reply:
    """A 200 that echoes the filters and promises nothing."""
    return Reply({"metaData": {"filtersApplied": echo(asked)}, "invoices": list(rows)})


def days_of(window: DateWindow | None) -> list[date]:
    """The days of a window."""
    assert window is not None
    return [window.start + timedelta(days=place) for place in range(window.days)]


def rows_by_day(window: DateWindow | None, per_day: int) -> list[Row]:
    """So many rows for each day, numbered by day and place."""
    return [row(f"{day:%Y%m%d}-{place}") for day in days_of(window) for place in range(per_day)]


def paged(asked: Asked, rows: Sequence[Row], size: int, *, first: int = 1) -> Reply:
    """The asked page of these rows; pages outside are empty."""
    at = (asked.page if not asked.is_plain else first) - first
    return reply(asked, rows[at * size : (at + 1) * size] if at >= 0 else [], len(rows))


def numbers(records: Iterable[InvoiceDistribution]) -> list[str | None]:
    """The invoice numbers of records."""
    return [record.invoice_number for record in records]


def sent(rows: Iterable[Row]) -> list[object]:
    """The invoice numbers of rows."""
    return [each["invoiceNumber"] for each in rows]


def running() -> list[asyncio.Task[object]]:
    """Tasks that the package has under way."""
    return [task for task in asyncio.all_tasks() if task.get_name().startswith("confirma_async")]


async def settled() -> None:
    """Let what was cancelled end, and what was sent arrive."""
    for _ in range(20):
        await asyncio.sleep(0)
    await asyncio.sleep(0.02)
