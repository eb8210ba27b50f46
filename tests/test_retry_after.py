"""`Retry-After` is advice: heard where it can be read, never trusted beyond its bounds."""

from __future__ import annotations

import asyncio
import email.utils
import math
import time

import pytest

from confirma_async import ApiStatusError, DeadlineExceededError, RateLimitError, RetryPolicy, ServerError

from .peers import NOTHING, Peer, ask, failure, failure_of, reply

ONCE = RetryPolicy(max_attempts=1)


def advice(text: str, status: int = 503) -> bytes:
    return reply(status=status, headers={"Retry-After": text})


async def asked_for(text: str) -> float | None:
    error = await failure_of(advice(text), retry=ONCE)
    assert isinstance(error, ApiStatusError)
    return error.retry_after


@pytest.mark.parametrize(("text", "seconds"), [("0", 0), ("2", 2), (" 7 ", 7), ("000000003", 3), ("86400", 86400)])
async def test_up_to_nine_digits_are_seconds(text: str, seconds: float) -> None:
    assert await asked_for(text) == seconds


@pytest.mark.parametrize("digits", [10, 400, 5000])
async def test_more_digits_are_longer_than_anybody_waits(digits: int) -> None:
    assert await asked_for("9" * digits) == math.inf


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nan",
        "inf",
        "Infinity",
        "-1",
        "+1",
        "1e9",
        "1.5",
        "1_0",
        "0x1",
        "soon",
        "1, 2",
        "2 s",
        "\u0663",
        "\uff12",
        "²",
    ],
)
async def test_anything_else_is_ignored(text: str) -> None:
    assert await asked_for(text) is None


@pytest.mark.parametrize(
    "text",
    ["99 99 9999 99:99:99", "Fri, 31 Dec 9999 23:59:59 -9999", "Thu, 32 Jan 2026 00:00:00 GMT", "Mon, 5", "," * 5000],
)
async def test_a_date_that_does_not_exist_is_ignored(text: str) -> None:
    assert await asked_for(text) is None


@pytest.mark.parametrize(
    "text", ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
)
async def test_a_date_in_the_past_is_now_in_all_three_forms_of_http(text: str) -> None:
    assert await asked_for(text) == 0


async def test_a_date_to_come_is_the_seconds_until_then() -> None:
    asked = await asked_for(email.utils.formatdate(time.time() + 50, usegmt=True))
    assert asked is not None
    assert 45 < asked <= 50


@pytest.mark.parametrize("text", ["nan", "-1", "1e9", "Sun, 06 Nov 1994 08:49:37 GMT", "0"])
async def test_useless_advice_leaves_the_ordinary_back_off(text: str) -> None:
    async with Peer(advice(text), NOTHING) as peer, peer.client() as client:
        assert await ask(client) == []
    assert len(peer.calls) == 2


async def test_the_loop_goes_on_whatever_the_advice() -> None:
    async with Peer(advice("nan"), NOTHING) as peer, peer.client() as client:
        await asyncio.gather(ask(client), asyncio.wait_for(asyncio.sleep(0.05), 5))


async def test_nothing_is_sent_earlier_than_asked() -> None:
    async with (
        Peer(advice("1", 429), NOTHING) as one,
        Peer(advice("1", 503), NOTHING) as other,
        one.client() as client,
        other.client() as another,
    ):
        await asyncio.gather(ask(client), ask(another))
    assert 1.0 <= one.times[1] < 3
    assert 1.0 <= other.times[1] < 3


async def test_nothing_is_sent_before_the_date_that_was_asked_for() -> None:
    wanted = math.floor(time.time()) + 2.0
    async with Peer(advice(email.utils.formatdate(wanted, usegmt=True)), NOTHING) as peer, peer.client() as client:
        await ask(client)
        assert time.time() >= wanted
    assert len(peer.calls) == 2


@pytest.mark.parametrize(("status", "kind"), [(429, RateLimitError), (503, ServerError)])
async def test_a_day_fails_at_once(status: int, kind: type[ApiStatusError]) -> None:
    began = time.monotonic()
    async with Peer(advice("86400", status)) as peer, peer.client() as client:
        error = await failure(client)
        assert time.monotonic() - began < 1
        assert len(peer.calls) == 1
        assert isinstance(error, kind)
        assert error.retry_after == 86400


async def test_advice_that_is_too_long_leaves_the_client_usable() -> None:
    async with Peer(advice("86400", 429), NOTHING) as peer, peer.client() as client:
        await failure(client)
        assert await ask(client) == []


async def test_the_longest_advice_that_is_followed_is_a_setting() -> None:
    policy = RetryPolicy(max_retry_after=0.5, initial_wait=0.001)
    async with Peer(advice("1"), NOTHING) as peer, peer.client(retry=policy) as client:
        error = await failure(client)
    assert isinstance(error, ServerError)
    assert len(peer.calls) == 1


async def test_advice_beyond_the_deadline_is_not_waited_for() -> None:
    began = time.monotonic()
    async with Peer(advice("30"), NOTHING) as peer, peer.client(retry=RetryPolicy(deadline=2)) as client:
        error = await failure(client)
        assert time.monotonic() - began < 1
    assert isinstance(error, DeadlineExceededError)
    assert error.retry_after == 30


async def test_advice_on_another_status_holds_back_only_its_own_call() -> None:
    async with Peer(advice("1"), NOTHING) as peer, peer.client() as client:
        first = asyncio.create_task(ask(client))
        await asyncio.sleep(0.1)
        began = time.monotonic()
        await ask(client)
        assert time.monotonic() - began < 0.7
        await first
    assert peer.times[2] >= 1.0
