"""Servers that put bytes of a test's own choice on the wire, and what tests ask of a client and of its errors."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
import ssl
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

import attrs
import pytest

from confirma_async import ConfirmaClient, ConfirmaError, InvoiceDistribution, RetryPolicy

KEY = "synthetic-key-0123456789"
NEW_KEY = "synthetic-key-of-tomorrow"
QUICK = RetryPolicy(initial_wait=0.001, max_wait=0.01)

Row: TypeAlias = dict[str, Any]
Anything: TypeAlias = Any
"""What a test hands in to see it refused, or hands on to what checks it."""


def body(*rows: Row | None, **more: object) -> bytes:
    """An answer as the contract has it; `more` stands beside its two fields."""
    echo = dict.fromkeys(("invoiceNumber", "fromInvDate", "toInvDate", "fetchType", "defaultLast30DaysApplied"))
    counts = {"totalCount": len(rows), "successfulCount": len(rows), "failedCount": 0, "filtersApplied": echo}
    return json.dumps({"metaData": counts, "invoices": list(rows), **more}).encode()


def row(**changes: object) -> Row:
    """One invoice with every documented field."""
    return {
        "invoiceNumber": 7,
        "distributionStatus": "SENT",
        "distributionMethod": "EMAIL",
        "distributionMessage": None,
        "dates": {
            "createdAt": "2025-01-02T03:04:05Z",
            "printedAt": None,
            "distributedAt": None,
            "paymentControlActivatedAt": None,
        },
        "file": {"url": "https://files.example/7"},
        "paymentControl": {"enabled": True, "agency": "CashIn", "status": "OPEN", "caseId": 1},
        "errors": [{"errorCode": "E1", "errorDescription": "no address", "errorType": "DELIVERY"}],
        **changes,
    }


def reply(content: bytes = b"", status: int = 200, headers: Mapping[str, str] | None = None) -> bytes:
    """One whole HTTP answer."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(content)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode("utf-8") + content


def head(*lines: str, status: int = 200) -> bytes:
    """The head of an answer alone."""
    return "\r\n".join([f"HTTP/1.1 {status} Whatever", *lines, "", ""]).encode()


NOTHING = reply(body())


@attrs.define
class Call:
    """One request as it arrived, and the way back; `number` counts from 1."""

    number: int
    text: str
    at: float
    writer: asyncio.StreamWriter = attrs.field(repr=False)

    @property
    def path(self) -> str:
        return self.text.split(" ", 2)[1]

    @property
    def key(self) -> str | None:
        return self.header("x-api-key")

    def header(self, name: str) -> str | None:
        """The value of a header, None where it was not sent."""
        for line in self.text.split("\r\n")[1:]:
            found, _, value = line.partition(": ")
            if found.lower() == name:
                return value
        return None

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def hang_up(self) -> None:
        self.writer.close()


Answer: TypeAlias = Callable[[Call], Awaitable[None]]
Script: TypeAlias = dict[str, "bytes | Answer"]


class Peer:
    """A server on 127.0.0.1 that answers by a function, or with the given bytes in turn, the last again and again."""

    def __init__(self, *answers: bytes | Answer, tls: ssl.SSLContext | None = None) -> None:
        self._answers = answers
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()
        self.calls: list[Call] = []
        self.connections = 0
        self.in_flight = self.most_in_flight = 0

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        return f"{'http' if self._tls is None else 'https'}://127.0.0.1:{self.port}"

    @property
    def times(self) -> list[float]:
        """Arrivals in seconds after the first one."""
        return [call.at - self.calls[0].at for call in self.calls]

    def client(self, **options: Anything) -> ConfirmaClient:
        """A client of this server that waits milliseconds between attempts."""
        return ConfirmaClient(**{"api_key": KEY, "base_url": self.url, "retry": QUICK, **options})

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._meet, "127.0.0.1", 0, ssl=self._tls)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        talk = asyncio.create_task(self._talk(reader, writer), name="peer")
        self._talks.add(talk)
        talk.add_done_callback(self._talks.discard)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while not writer.is_closing():
                text = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                call = Call(len(self.calls) + 1, text, time.monotonic(), writer)
                self.calls.append(call)
                self.in_flight += 1
                self.most_in_flight = max(self.most_in_flight, self.in_flight)
                try:
                    await self._answer(call, reader)
                finally:
                    self.in_flight -= 1
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, call: Call, reader: asyncio.StreamReader) -> None:
        answer = self._answers[min(call.number, len(self._answers)) - 1]
        if isinstance(answer, bytes):
            await call.send(answer)
            return
        answering = asyncio.create_task(_await(answer(call)), name="peer")
        try:
            while not answering.done():
                await asyncio.wait([answering], timeout=0.01)
                if reader.at_eof() or reader.exception() is not None:  # nobody is there any more
                    answering.cancel()
        finally:
            answering.cancel()
        if not answering.cancelled():
            answering.result()


async def _await(answer: Awaitable[None]) -> None:
    await answer


async def silence(_: Call) -> None:
    """Never answer."""
    await asyncio.Event().wait()


def then_hang_up(data: bytes) -> Answer:
    """Send these bytes and end the connection."""

    async def answer(call: Call) -> None:
        await call.send(data)
        call.hang_up()

    return answer


async def ask(client: ConfirmaClient) -> list[InvoiceDistribution]:
    """Ask for the service's own last 30 days: one request where nothing goes wrong."""
    return await client.distributions.list().collect()


async def failure(client: ConfirmaClient) -> ConfirmaError:
    """The error that the same question ends in."""
    with pytest.raises(ConfirmaError) as caught:
        await ask(client)
    return caught.value


async def failure_of(*answers: bytes | Answer, **options: Anything) -> ConfirmaError:
    """The error that a server with these answers leads to."""
    async with Peer(*answers) as peer, peer.client(**options) as client:
        return await failure(client)


def chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and everything that hangs on it as cause or context."""
    yield error
    for inner in (error.__cause__, error.__context__):
        if inner is not None:
            yield from chain(inner)


def _frames(error: BaseException) -> Iterator[str]:
    trace = error.__traceback__
    while trace is not None and "confirma_async" not in trace.tb_frame.f_code.co_filename:
        trace = trace.tb_next  # the test's own frames come first
    while trace is not None:
        code = trace.tb_frame.f_code
        for name, value in trace.tb_frame.f_locals.items():
            yield f"{code.co_filename}:{code.co_name}: {name} = {value!r}"
        trace = trace.tb_next


def shown(error: ConfirmaError) -> str:
    """Whatever a crash report could print of an error: its text, its fields, its pickle, its chain with locals."""
    lines = [pickle.dumps(error).decode("latin-1"), repr(copy.copy(error))]
    for each in chain(error):
        lines += [str(each), repr(each), repr(vars(each)), *_frames(each)]
    return "\n".join(lines)


def lines_with(text: str, *needles: str) -> Sequence[str]:
    """The lines that hold one of the needles, as they are or as Python would print them."""
    forms = {form for needle in needles for form in (needle, repr(needle)[1:-1], repr(needle.encode())[2:-1])}
    return [line[:300] for line in text.splitlines() if any(form in line for form in forms)]


# A certificate for 127.0.0.1 that no machine trusts, with its key: made for these tests, worth nothing elsewhere.
CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBbDCCARKgAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAkxMjcuMC4w
LjEwIBcNMjAwMTAxMDAwMDAwWhgPMjA5OTEyMzEyMzU5NTlaMBQxEjAQBgNVBAMM
CTEyNy4wLjAuMTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABO65MFj2pbM9bLAb
38pErmiyeRqIFv3Bebg8l2n54J2E7WbSPiY0tDb3MTQdFk9D6c5plYdbUoKH4G76
xAL5PvWjUzBRMA8GA1UdEwEB/wQFMAMBAf8wDwYDVR0RBAgwBocEfwAAATAdBgNV
HQ4EFgQUsMijz2Aq18S1rMJQ1Q/8wFFt8qcwDgYDVR0PAQH/BAQDAgKEMAoGCCqG
SM49BAMCA0gAMEUCIQCRcaCPktMCb1n+4oqKxMmt+NC7hd4zYqIADQn13LpP7QIg
BJbv+7Bc4yULHxbPy713pz0qSDHOT3nR7FpSrVN8ZDk=
-----END CERTIFICATE-----
"""
_CERTIFICATE_KEY = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgT+VVlk9sor39Wrh3
IfklJVIViwQ3QGWQW4dEV/tM3kuhRANCAATuuTBY9qWzPWywG9/KRK5osnkaiBb9
wXm4PJdp+eCdhO1m0j4mNLQ29zE0HRZPQ+nOaZWHW1KCh+Bu+sQC+T71
-----END PRIVATE KEY-----
"""


def tls_server() -> ssl.SSLContext:
    """What a server needs to show that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        pem = Path(folder, "both.pem")
        pem.write_text(CERTIFICATE + _CERTIFICATE_KEY)
        context.load_cert_chain(pem)
    return context
