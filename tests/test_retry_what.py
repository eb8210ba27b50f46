"""What is tried again, and that attempts are what reaches the wire."""

from __future__ import annotations

import socket

import pytest

from confirma_async import (
    ApiStatusError,
    AuthenticationError,
    BadRequestError,
    ConfirmaClient,
    ConnectError,
    NotFoundError,
    PermissionDeniedError,
    RedirectError,
    RequestTimeoutError,
    ResponseDecodeError,
    RetryPolicy,
    ServerError,
    Timeouts,
    TruncatedResponseError,
)
from confirma_async.sandbox import Fault, SandboxServer

from .peers import KEY, NOTHING, Peer, ask, body, failure, head, reply, silence, then_hang_up, tls_server

THREE = RetryPolicy(max_attempts=3, initial_wait=0.001, max_wait=0.01)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_a_passing_trouble_is_tried_again(status: int) -> None:
    async with Peer(reply(status=status), reply(status=status), NOTHING) as peer, peer.client() as client:
        assert await ask(client) == []
    assert len(peer.calls) == 3


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (300, RedirectError),
        (304, RedirectError),
        (400, BadRequestError),
        (401, AuthenticationError),
        (403, PermissionDeniedError),
        (404, NotFoundError),
        (405, ApiStatusError),
        (409, ApiStatusError),
        (422, ApiStatusError),
        (451, ApiStatusError),
        (501, ServerError),
        (505, ServerError),
        (507, ServerError),
    ],
)
async def test_a_refusal_is_not_tried_again(status: int, kind: type[ApiStatusError]) -> None:
    async with Peer(reply(status=status), NOTHING) as peer, peer.client() as client:
        error = await failure(client)
    assert (type(error), len(peer.calls), error.attempts) == (kind, 1, 1)


@pytest.mark.parametrize(
    "fault",
    [Fault.reset(), Fault.disconnect(), Fault.cut_body(), Fault.cut_body(0), Fault.hang()],
    ids=lambda fault: fault.name,
)
async def test_a_broken_connection_is_tried_again(fault: Fault) -> None:
    async with SandboxServer(faults=[fault]) as sandbox, sandbox.client(timeouts=Timeouts(read=0.2)) as client:
        assert len(await ask(client)) == 1500
    assert len(sandbox.requests) == 2


@pytest.mark.parametrize(
    "first", [b"HTTP/1.1 200 OK\r\nContent-Le", head("Transfer-Encoding: chunked") + b'5\r\n{"met']
)
async def test_an_answer_that_ends_early_is_tried_again(first: bytes) -> None:
    async with Peer(then_hang_up(first), NOTHING) as peer, peer.client() as client:
        assert await ask(client) == []
    assert len(peer.calls) == 2


@pytest.mark.parametrize("fault", [Fault.reset(times=None), Fault.disconnect(times=None), Fault.cut_body(times=None)])
async def test_attempts_on_the_wire_are_those_configured(fault: Fault) -> None:
    async with SandboxServer(faults=[fault]) as sandbox, sandbox.client(retry=THREE) as client:
        error = await failure(client)
    assert (type(error), len(sandbox.requests), error.attempts) == (TruncatedResponseError, 3, 3)


async def test_a_reset_on_a_connection_that_was_idle_is_one_attempt() -> None:
    faults = [Fault.ok(), Fault.reset(times=3)]
    async with SandboxServer(invoices_per_day=0, faults=faults) as sandbox, sandbox.client(retry=THREE) as client:
        await ask(client)
        error = await failure(client)
    assert (len(sandbox.requests), error.attempts) == (4, 3)


async def test_one_attempt_means_one() -> None:
    once = RetryPolicy(max_attempts=1)
    async with Peer(reply(status=503), NOTHING) as peer, peer.client(retry=once) as client:
        assert (await failure(client)).attempts == 1
    assert len(peer.calls) == 1


async def test_an_address_that_refuses_connections_is_tried_again() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, never listening
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        async with ConfirmaClient(KEY, base_url=url, retry=THREE) as client:
            error = await failure(client)
    assert isinstance(error, ConnectError)
    assert error.retryable
    assert error.attempts == 3


async def test_a_certificate_that_nobody_trusts_is_not_tried_again() -> None:
    async with Peer(NOTHING, tls=tls_server()) as peer, peer.client() as client:
        error = await failure(client)
    assert isinstance(error, ConnectError)
    assert (error.retryable, error.attempts, len(peer.calls)) == (False, 1, 0)


@pytest.mark.parametrize(("limits", "phase"), [(Timeouts(read=0.05), "read"), (Timeouts(total=0.05), "total")])
async def test_a_timeout_says_which_limit_ran_out(limits: Timeouts, phase: str) -> None:
    once = RetryPolicy(max_attempts=1)
    async with Peer(silence) as peer, peer.client(retry=once, timeouts=limits) as client:
        error = await failure(client)
    assert isinstance(error, RequestTimeoutError)
    assert error.phase == phase


async def test_a_whole_body_that_cannot_be_read_is_not_tried_again() -> None:
    async with Peer(reply(b"<html>"), NOTHING) as peer, peer.client() as client:
        assert isinstance(await failure(client), ResponseDecodeError)
    assert len(peer.calls) == 1


async def test_a_row_that_breaks_the_contract_is_not_tried_again() -> None:
    async with Peer(reply(body({"invoiceNumber": 1.5})), NOTHING) as peer, peer.client() as client:
        assert isinstance(await failure(client), ResponseDecodeError)
    assert len(peer.calls) == 1


@pytest.mark.parametrize(
    "answer",
    [
        then_hang_up(head("Content-Length: 500", status=403) + b"no"),
        reply(b"whatever", 403, {"Content-Encoding": "br"}),
        reply(b"not gzip", 403, {"Content-Encoding": "gzip"}),
        reply(b"n" * 5000, 403),
    ],
    ids=["cut off", "of unknown coding", "badly compressed", "too large"],
)
async def test_a_refusal_counts_even_if_its_body_cannot_be_read(answer: bytes) -> None:
    async with Peer(answer, NOTHING) as peer, peer.client(max_response_bytes=1000) as client:
        assert isinstance(await failure(client), PermissionDeniedError)
    assert len(peer.calls) == 1


async def test_an_error_tells_how_long_the_call_took() -> None:
    async with Peer(reply(status=503)) as peer, peer.client(retry=THREE) as client:
        elapsed = (await failure(client)).elapsed
    assert elapsed is not None
    assert peer.times[-1] <= elapsed < 5
