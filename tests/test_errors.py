"""Errors are complete, portable, and one tree."""

from __future__ import annotations

import copy
import pickle
from datetime import date
from typing import Any

import pytest

import confirma_async
from confirma_async import (
    ApiStatusError,
    ConfigurationError,
    ConfirmaError,
    ConnectError,
    DateWindow,
    DeadlineExceededError,
    FilterNotAppliedError,
    IncompleteResultError,
    RequestTimeoutError,
    ResponseDecodeError,
    ResponseTooLargeError,
    RetryPolicy,
)

from .peers import KEY, Anything, Peer, chain, failure, reply, then_hang_up

TREE = {
    "ConfirmaError": "Exception",
    "ConfigurationError": "ConfirmaError",
    "TransportError": "ConfirmaError",
    "ConnectError": "TransportError",
    "RequestTimeoutError": "TransportError",
    "TruncatedResponseError": "TransportError",
    "ProtocolError": "TransportError",
    "ResponseTooLargeError": "ProtocolError",
    "ApiStatusError": "ConfirmaError",
    "RedirectError": "ApiStatusError",
    "BadRequestError": "ApiStatusError",
    "AuthenticationError": "ApiStatusError",
    "PermissionDeniedError": "ApiStatusError",
    "NotFoundError": "ApiStatusError",
    "RateLimitError": "ApiStatusError",
    "ServerError": "ApiStatusError",
    "ResponseDecodeError": "ConfirmaError",
    "DataIntegrityError": "ConfirmaError",
    "FilterNotAppliedError": "DataIntegrityError",
    "IncompleteResultError": "DataIntegrityError",
    "PagingError": "DataIntegrityError",
    "DeadlineExceededError": "ConfirmaError",
    "ClientClosedError": "ConfirmaError",
    "KeyRenewalError": "ConfirmaError",
    "KeyStateUnknownError": "KeyRenewalError",
    "TargetError": "ConfirmaError",
    "CheckpointError": "ConfirmaError",
}
WINDOW = DateWindow(date(2025, 1, 1), date(2025, 1, 31))

DETAILED: list[ConfirmaError] = [
    ConnectError("m", retryable=False),
    RequestTimeoutError("m", phase="read"),
    ResponseTooLargeError("m", limit=9),
    ApiStatusError(
        "m", status=418, body="b", request_id="r", method="GET", url="https://x", attempts=3, retry_after=1.5
    ),
    ResponseDecodeError("m", path="invoices[37].dates.createdAt", excerpt="<html>"),
    FilterNotAppliedError("m", field="fromInvDate"),
    IncompleteResultError("m", window=WINDOW, expected=10, received=9),
    DeadlineExceededError("m", deadline=1.5, last_failure="503", retry_after=30.0),
]


def errors() -> list[ConfirmaError]:
    """One of each class, and one of each class that knows more, with all that a run writes on it."""
    made: list[ConfirmaError] = [getattr(confirma_async, name)("what happened") for name in TREE] + DETAILED
    for error in made:
        error.attempts, error.elapsed, error.resume_token, error.window = 4, 0.25, "token", WINDOW
    return made


@pytest.mark.parametrize("name", TREE)
def test_the_tree_is_the_one_that_is_drawn(name: str) -> None:
    assert TREE[name] in {base.__name__ for base in getattr(confirma_async, name).__bases__}


def test_a_refused_argument_is_a_value_error_too() -> None:
    assert issubclass(ConfigurationError, ValueError)


@pytest.mark.parametrize("error", errors(), ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_an_error_survives_a_pickle(error: ConfirmaError, protocol: int) -> None:
    back = pickle.loads(pickle.dumps(error, protocol))
    assert (type(back), str(back), vars(back), back.args) == (type(error), str(error), vars(error), error.args)


@pytest.mark.parametrize("error", errors(), ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_an_error_survives_a_copy(error: ConfirmaError, duplicate: Anything) -> None:
    back = duplicate(error)
    assert back is not error
    assert (type(back), str(back), vars(back)) == (type(error), str(error), vars(error))


@pytest.mark.parametrize("error", errors(), ids=lambda error: type(error).__name__)
def test_a_message_is_one_line_and_names_the_window(error: ConfirmaError) -> None:
    assert str(error).count("\n") == 0
    assert str(WINDOW) in str(error)


@pytest.mark.parametrize("name", TREE)
def test_an_error_can_be_made_with_nothing(name: str) -> None:
    error = getattr(confirma_async, name)()
    assert str(error) == ""
    assert repr(error) == f"{name}('')"


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (300, "RedirectError"), (301, "RedirectError"), (399, "RedirectError"), (400, "BadRequestError"),
        (401, "AuthenticationError"), (402, "ApiStatusError"), (403, "PermissionDeniedError"),
        (404, "NotFoundError"), (413, "ApiStatusError"), (422, "ApiStatusError"), (429, "RateLimitError"),
        (500, "ServerError"), (501, "ServerError"), (503, "ServerError"), (599, "ServerError"),
    ],
)  # fmt: skip
async def test_a_status_has_its_class(status: int, name: str) -> None:
    async with Peer(reply(status=status)) as peer, peer.client(retry=RetryPolicy(max_attempts=1)) as client:
        error = await failure(client)
    assert type(error).__name__ == name
    assert isinstance(error, ApiStatusError)
    assert error.status == status
    assert str(status) in str(error)


async def test_an_error_of_the_service_is_complete() -> None:
    headers = {"X-Request-Id": "r-1", "Retry-After": "7"}
    policy = RetryPolicy(max_attempts=2, initial_wait=0.001, max_retry_after=1)
    async with Peer(reply(status=503), reply(b'{"why": "maintenance"}', 503, headers)) as peer:
        async with peer.client(retry=policy) as client:
            error = await failure(client)
        assert isinstance(error, ApiStatusError)
        assert error.url == f"{peer.url}/api/v1/partner/invoice/distribution"
    assert (error.status, error.method, error.body) == (503, "GET", '{"why": "maintenance"}')
    assert (error.request_id, error.retry_after, error.attempts) == ("r-1", 7, 2)
    assert error.elapsed is not None
    assert 0 < error.elapsed < 10
    assert error.resume_token
    assert "r-1" in str(error)


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({"X-Request-Id": "1", "X-Correlation-Id": "2", "Request-Id": "3"}, "1"),
        ({"X-Correlation-Id": "2", "Request-Id": "3"}, "2"),
        ({"request-id": "3"}, "3"),
        ({"X-REQUEST-ID": "", "Request-Id": "3"}, "3"),
        ({"X-Trace-Id": "4"}, None),
    ],
)
async def test_the_request_id_is_the_first_of_three(headers: dict[str, str], found: str | None) -> None:
    async with Peer(reply(b"", 403, headers)) as peer, peer.client() as client:
        error = await failure(client)
    assert isinstance(error, ApiStatusError)
    assert error.request_id == found


async def test_an_error_names_the_window_and_where_to_go_on() -> None:
    async with Peer(reply(status=403)) as peer, peer.client() as client:
        listing = client.distributions.list(WINDOW.start, WINDOW.end, window_days=31)
        with pytest.raises(ConfirmaError) as caught:
            await listing.collect()
        assert caught.value.window == WINDOW
        assert caught.value.resume_token == listing.resume_token
        assert str(WINDOW) in str(caught.value)


@pytest.mark.parametrize("argument", [{"invoice_number": "ACME-77/8"}, {"params": {"customer": "ACME-77/8"}}])
async def test_invoice_numbers_and_own_parameters_are_cut_from_addresses(argument: dict[str, Any]) -> None:
    async with Peer(reply(status=403)) as peer, peer.client() as client:
        with pytest.raises(ApiStatusError) as caught:
            await client.distributions.list(**argument).collect()
    assert "ACME" in peer.calls[0].path
    assert "ACME" not in f"{caught.value} {vars(caught.value)}"


@pytest.mark.parametrize(
    "answer", [reply(status=503), then_hang_up(b""), then_hang_up(b"junk\r\n\r\n"), reply(b"<html>"), reply(b"{}")]
)
async def test_no_error_hangs_on_an_exception_of_the_http_library(answer: Anything) -> None:
    async with Peer(answer) as peer, peer.client() as client:
        error = await failure(client)
    assert [type(each).__module__ for each in chain(error) if not type(each).__module__.startswith("confirma")] == []


async def test_the_errors_of_concurrent_calls_are_their_own() -> None:
    class Source:
        async def get(self) -> str:
            return KEY

        async def renew(self, rejected: str) -> str:
            raise LookupError

    async with Peer(reply(status=401)) as peer, peer.client(api_key=Source()) as client:
        listings = [client.distributions.list(date(2025, month, 1), date(2025, month, 2)) for month in (1, 2, 3)]
        found = []
        for listing in listings:
            with pytest.raises(ConfirmaError) as caught:
                await listing.collect()
            found.append(caught.value)
    assert [error.window.start.month for error in found if error.window] == [1, 2, 3]
