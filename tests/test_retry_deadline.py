"""One clock for all attempts and sleeps of a call."""

from __future__ import annotations

import asyncio
import time

import pytest

from confirma_async import DeadlineExceededError, RetryPolicy

from .peers import KEY, NEW_KEY, NOTHING, Answer, Call, Peer, ask, failure, head, reply, silence

SHORT = RetryPolicy(deadline=0.5, initial_wait=0.001, max_wait=0.01, max_attempts=1000)


async def drip_body(call: Call) -> None:
    await call.send(head("Content-Length: 5000"))
    for _ in range(5000):
        await call.send(b" ")
        await asyncio.sleep(0.02)


async def drip_head(call: Call) -> None:
    for byte in head("Content-Length: 5000", "X-Long: " + "a" * 5000):
        await call.send(bytes([byte]))
        await asyncio.sleep(0.02)


async def flap(call: Call) -> None:
    await asyncio.sleep(0.05)
    await call.send(reply(status=503))


@pytest.mark.parametrize("answer", [silence, drip_body, drip_head, flap])
async def test_the_deadline_ends_a_call(answer: Answer) -> None:
    async with Peer(answer) as peer, peer.client(retry=SHORT) as client:
        began = time.monotonic()
        error = await failure(client)
        took = time.monotonic() - began
    assert isinstance(error, DeadlineExceededError)
    assert took < 0.8
    assert error.deadline == 0.5


async def test_the_deadline_ends_a_hung_call_no_earlier_than_promised() -> None:
    async with Peer(silence) as peer, peer.client(retry=RetryPolicy(deadline=1.5)) as client:
        began = time.monotonic()
        error = await failure(client)
    assert isinstance(error, DeadlineExceededError)
    assert 1.5 <= time.monotonic() - began < 1.8
    assert error.elapsed == pytest.approx(1.5, abs=0.3)


async def test_a_sleep_that_would_outlast_the_deadline_is_not_begun() -> None:
    answer = reply(status=503, headers={"Retry-After": "10"})
    async with Peer(answer) as peer, peer.client(retry=RetryPolicy(deadline=3)) as client:
        began = time.monotonic()
        assert isinstance(await failure(client), DeadlineExceededError)
        assert time.monotonic() - began < 1
    assert len(peer.calls) == 1


async def test_the_error_says_what_the_last_attempt_ended_in() -> None:
    async with Peer(reply(status=503), silence) as peer, peer.client(retry=SHORT) as client:
        error = await failure(client)
    assert isinstance(error, DeadlineExceededError)
    assert "503" in error.last_failure
    assert error.attempts == 2


async def test_the_error_says_that_the_first_attempt_never_ended() -> None:
    async with Peer(silence) as peer, peer.client(retry=SHORT) as client:
        error = await failure(client)
    assert isinstance(error, DeadlineExceededError)
    assert (error.last_failure, error.attempts) == ("", 1)


async def test_waiting_for_a_slot_does_not_count() -> None:
    async def slow(call: Call) -> None:
        await asyncio.sleep(0.3)
        await call.send(NOTHING)

    async with Peer(slow) as peer, peer.client(concurrency=1, retry=SHORT) as client:
        assert await asyncio.gather(*(ask(client) for _ in range(3))) == [[]] * 3


async def test_waiting_for_the_rate_does_not_count() -> None:
    async with Peer(NOTHING) as peer, peer.client(max_rate=1, retry=SHORT) as client:
        assert list(await asyncio.gather(ask(client), ask(client))) == [[], []]


async def test_a_pause_that_another_call_began_does_not_count() -> None:
    paused = reply(status=429, headers={"Retry-After": "1"})
    async with Peer(paused, NOTHING) as peer, peer.client(retry=SHORT) as client:
        first = asyncio.create_task(failure(client))
        await asyncio.sleep(0.1)
        assert await ask(client) == []
        assert isinstance(await first, DeadlineExceededError)
    assert peer.times[1] >= 1.0


async def test_a_renewal_that_hangs_ends_at_the_deadline_too() -> None:
    class Slow:
        async def get(self) -> str:
            return KEY

        async def renew(self, rejected: str) -> str:
            await asyncio.sleep(1.0)
            return NEW_KEY

    async with Peer(reply(status=401)) as peer, peer.client(api_key=Slow(), retry=SHORT) as client:
        began = time.monotonic()
        assert isinstance(await failure(client), DeadlineExceededError)
        assert time.monotonic() - began < 1.0


async def test_a_key_source_that_hangs_ends_at_the_deadline_too() -> None:
    class Stuck:
        async def get(self) -> str:
            await asyncio.sleep(30)
            return KEY

        async def renew(self, rejected: str) -> str:
            return NEW_KEY

    async with Peer(NOTHING) as peer, peer.client(api_key=Stuck(), retry=SHORT) as client:
        assert isinstance(await failure(client), DeadlineExceededError)
    assert peer.calls == []


async def test_a_slow_key_source_and_a_slow_server_share_one_deadline() -> None:
    class Slow:
        async def get(self) -> str:
            await asyncio.sleep(0.4)
            return KEY

        async def renew(self, rejected: str) -> str:
            return NEW_KEY

    async with Peer(silence) as peer, peer.client(api_key=Slow(), retry=SHORT) as client:
        began = time.monotonic()
        assert isinstance(await failure(client), DeadlineExceededError)
        assert time.monotonic() - began < 0.8


async def test_an_attempt_that_would_begin_after_the_deadline_is_not_made() -> None:
    answers = (reply(status=503, headers={"Retry-After": "1"}), silence)
    async with Peer(*answers) as peer, peer.client(retry=RetryPolicy(deadline=1.2, initial_wait=0)) as client:
        call = asyncio.create_task(failure(client))
        await asyncio.sleep(0.8)
        time.sleep(0.6)  # a program that blocks its loop: the call wakes up too late
        assert isinstance(await asyncio.wait_for(call, 2), DeadlineExceededError)
    assert len(peer.calls) == 1
