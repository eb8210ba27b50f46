"""The transport against a mocked aiohttp: what it asks the library for, and what it makes of what that raises."""

from __future__ import annotations

import asyncio
import functools
import ssl
from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import aiohttp
import pytest
from aioresponses import CallbackResult, aioresponses
from yarl import URL

from confirma_async import (
    ClientClosedError,
    ConfirmaClient,
    ConfirmaError,
    ConnectError,
    ProtocolError,
    RequestTimeoutError,
    RetryPolicy,
    Timeouts,
    TruncatedResponseError,
)

from .peers import KEY, Anything, ask, body, chain, failure, row

BASE = "https://service.example"
URL_ASKED = f"{BASE}/api/v1/partner/invoice/distribution"
INFO: Any = SimpleNamespace(
    host="service.example", port=443, ssl=True, is_ssl=True, real_url=URL(URL_ASKED), headers={"X-Api-Key": KEY}
)

TABLE: list[tuple[BaseException, type[ConfirmaError]]] = [
    (aiohttp.ClientConnectorError(INFO, OSError(111, "refused")), ConnectError),
    (aiohttp.ClientConnectorDNSError(INFO, OSError(-2, "Name or service not known")), ConnectError),
    (aiohttp.ClientConnectorSSLError(INFO, OSError(1, "handshake")), ConnectError),
    (aiohttp.ClientConnectorCertificateError(INFO, ssl.CertificateError("not trusted")), ConnectError),
    (aiohttp.ServerFingerprintMismatch(b"a", b"b", "service.example", 443), ConnectError),
    (aiohttp.ClientProxyConnectionError(INFO, OSError(111, "refused")), ConnectError),
    (aiohttp.ClientHttpProxyError(INFO, (), status=407, message=KEY), ConnectError),
    (aiohttp.ConnectionTimeoutError(KEY), RequestTimeoutError),
    (aiohttp.SocketTimeoutError(KEY), RequestTimeoutError),
    (aiohttp.ServerTimeoutError(KEY), RequestTimeoutError),
    (TimeoutError(), RequestTimeoutError),
    (aiohttp.ServerDisconnectedError(KEY), TruncatedResponseError),
    (aiohttp.ClientOSError(104, "reset"), TruncatedResponseError),
    (aiohttp.ClientPayloadError(KEY), TruncatedResponseError),
    (aiohttp.ClientConnectionError("Connection closed"), TruncatedResponseError),
    (aiohttp.ClientResponseError(INFO, (), status=400, message=KEY), ProtocolError),
    (aiohttp.TooManyRedirects(INFO, ()), ProtocolError),
    (aiohttp.InvalidURL(KEY), ProtocolError),
    (aiohttp.ContentTypeError(INFO, ()), ProtocolError),
    (aiohttp.ClientError(KEY), ProtocolError),
    (OSError(101, "Network is unreachable"), ConnectError),
]


@pytest.fixture
def mocked() -> Iterator[SimpleNamespace]:
    with aioresponses() as mock:
        get = functools.partial(
            mock.get, URL_ASKED, response_class=functools.partial(aiohttp.ClientResponse, stream_writer=Mock())
        )
        yield SimpleNamespace(get=get, requests=mock.requests)


@pytest.fixture
async def client() -> AsyncIterator[ConfirmaClient]:
    once = RetryPolicy(max_attempts=1)
    async with ConfirmaClient(KEY, base_url=BASE, retry=once, timeouts=Timeouts(connect=1, read=2, total=3)) as made:
        yield made


async def asked(mocked: Anything, client: ConfirmaClient) -> dict[str, Any]:
    """What aiohttp was called with."""
    mocked.get(body=body())
    await ask(client)
    ((call,),) = mocked.requests.values()
    return dict(call.kwargs)


@pytest.mark.parametrize(("raised", "kind"), TABLE, ids=lambda each: getattr(each, "__name__", type(each).__name__))
async def test_what_aiohttp_raises_is_translated(
    raised: BaseException, kind: type, mocked: Anything, client: ConfirmaClient
) -> None:
    mocked.get(exception=raised)
    error = await failure(client)
    assert type(error) is kind
    assert [each for each in chain(error) if not isinstance(each, ConfirmaError)] == []
    assert KEY not in f"{error} {vars(error)}"


@pytest.mark.parametrize("raised", [TABLE[3][0], TABLE[4][0]], ids=["certificate", "fingerprint"])
async def test_a_refused_certificate_is_marked(raised: BaseException, mocked: Anything, client: ConfirmaClient) -> None:
    mocked.get(exception=raised)
    error = await failure(client)
    assert isinstance(error, ConnectError)
    assert not error.retryable


@pytest.mark.parametrize(
    ("raised", "phase"),
    [(aiohttp.ConnectionTimeoutError(), "connect"), (aiohttp.SocketTimeoutError(), "read"), (TimeoutError(), "total")],
    ids=["connect", "read", "total"],
)
async def test_a_timeout_is_told_by_its_phase(
    raised: BaseException, phase: str, mocked: Anything, client: ConfirmaClient
) -> None:
    mocked.get(exception=raised)
    error = await failure(client)
    assert isinstance(error, RequestTimeoutError)
    assert error.phase == phase


async def test_the_mock_answers_as_the_service_would(mocked: Anything, client: ConfirmaClient) -> None:
    mocked.get(body=body(row()))
    assert [record.invoice_number for record in await ask(client)] == ["7"]


async def test_redirects_are_switched_off(mocked: Anything, client: ConfirmaClient) -> None:
    assert (await asked(mocked, client))["allow_redirects"] is False


async def test_statuses_are_not_raised_by_the_library(mocked: Anything, client: ConfirmaClient) -> None:
    assert (await asked(mocked, client))["raise_for_status"] is False


async def test_certificates_are_verified(mocked: Anything, client: ConfirmaClient) -> None:
    assert (await asked(mocked, client))["ssl"] is True


async def test_a_context_of_the_callers_is_handed_on(mocked: Anything, client: ConfirmaClient) -> None:
    context = ssl.create_default_context()
    assert (await asked(mocked, client.with_options(ssl_context=context)))["ssl"] is context


async def test_the_limits_are_handed_on(mocked: Anything, client: ConfirmaClient) -> None:
    limits = (await asked(mocked, client))["timeout"]
    assert (limits.connect, limits.sock_read, limits.total) == (1, 2, 3)


async def test_no_limit_is_longer_than_what_is_left_of_the_deadline(mocked: Anything, client: ConfirmaClient) -> None:
    short = client.with_options(retry=RetryPolicy(max_attempts=1, deadline=0.5))
    assert (await asked(mocked, short))["timeout"].total <= 0.5


async def test_limits_are_not_rounded_up_to_whole_seconds(mocked: Anything, client: ConfirmaClient) -> None:
    limits = (await asked(mocked, client.with_options(timeouts=Timeouts(total=50))))["timeout"]
    assert limits.ceil_threshold > 50


async def test_the_headers_are_the_key_and_what_is_accepted(mocked: Anything, client: ConfirmaClient) -> None:
    headers = (await asked(mocked, client))["headers"]
    assert headers["X-Api-Key"] == KEY
    assert headers["Accept"] == "application/json"
    assert headers["Accept-Encoding"] == "gzip, deflate"
    assert headers["User-Agent"].startswith("confirma-async/")


async def test_a_session_that_closes_in_the_middle_is_a_closed_client(mocked: Anything, client: ConfirmaClient) -> None:
    async def close_first(url: URL, **_: object) -> CallbackResult:
        await client.aclose()
        raise aiohttp.ClientConnectionError("Connector is closed")

    mocked.get(callback=close_first)
    twice = client.with_options(retry=RetryPolicy(max_attempts=2, initial_wait=0.001))
    assert isinstance(await failure(twice), ClientClosedError)


async def test_cancelling_is_not_translated(mocked: Anything, client: ConfirmaClient) -> None:
    async def hang(url: URL, **_: object) -> CallbackResult:
        await asyncio.Event().wait()
        raise AssertionError

    mocked.get(callback=hang)
    call = asyncio.create_task(ask(client))
    await asyncio.sleep(0.02)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
