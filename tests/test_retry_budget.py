"""An outage is not multiplied, and those who come back do not come together."""

from __future__ import annotations

import asyncio

from confirma_async import ConfirmaError, RetryPolicy, ServerError

from .peers import NOTHING, Anything, Call, Peer, ask, failure, reply

DOWN = reply(status=503)
EAGER = RetryPolicy(initial_wait=0.001, max_wait=0.005, max_attempts=1000)


async def outage(peer: Peer, calls: int, **options: Anything) -> list[ConfirmaError]:
    async with peer.client(concurrency=calls, **options) as client:
        return await asyncio.gather(*(failure(client) for _ in range(calls)))


async def test_an_outage_costs_at_most_half_as_much_again() -> None:
    async with Peer(DOWN) as peer:
        errors = await outage(peer, 200)
    assert {type(error) for error in errors} == {ServerError}
    assert 200 < len(peer.calls) <= 300


async def test_a_fresh_client_affords_twenty_retries() -> None:
    async with Peer(DOWN) as peer:
        await outage(peer, 1, retry=EAGER)
    assert len(peer.calls) > 20


async def test_an_empty_budget_leaves_every_call_its_first_attempt() -> None:
    async with Peer(DOWN) as peer, peer.client(retry=EAGER) as client:
        await failure(client)
        before = len(peer.calls)
        error = await failure(client)
    assert (error.attempts, len(peer.calls) - before) == (1, 1)


async def test_successes_refill_the_budget() -> None:
    up = asyncio.Event()

    async def answer(call: Call) -> None:
        await call.send(NOTHING if up.is_set() else DOWN)

    async with Peer(answer) as peer, peer.client(retry=EAGER) as client:
        await failure(client)
        up.set()
        for _ in range(100):
            await ask(client)
        up.clear()
        error = await failure(client)
    assert error.attempts is not None
    assert error.attempts > 10


async def test_time_refills_the_budget() -> None:
    policy = RetryPolicy(initial_wait=0.001, max_wait=0.001, max_attempts=1000, budget=300)
    async with Peer(DOWN) as peer, peer.client(retry=policy) as client:
        await failure(client)
        await asyncio.sleep(0.5)
        error = await failure(client)
    assert error.attempts is not None
    assert error.attempts >= 3


async def test_a_copy_of_a_client_spends_the_same_budget() -> None:
    async with Peer(DOWN) as peer, peer.client(retry=EAGER) as client:
        await failure(client)
        assert (await failure(client.with_options(concurrency=2))).attempts == 1


async def test_calls_that_failed_together_come_back_spread() -> None:
    policy = RetryPolicy(initial_wait=0.6, budget=100)
    async with Peer(*[DOWN] * 100, NOTHING) as peer, peer.client(concurrency=100, retry=policy) as client:
        await asyncio.gather(*(ask(client) for _ in range(100)))
    back = peer.times[100:]
    assert len(back) == 100
    assert max(back) - min(back) >= 0.3
    middle = sorted(back)[25:75]
    assert middle[-1] - middle[0] >= 0.1


async def test_waits_grow_between_attempts_of_one_call() -> None:
    policy = RetryPolicy(initial_wait=0.02, max_wait=10, max_attempts=6)
    async with Peer(DOWN) as peer, peer.client(retry=policy, concurrency=40) as client:
        await asyncio.gather(*(failure(client) for _ in range(10)))
        assert len(peer.calls) == 60
        assert peer.times[-1] > 0.2  # ten times five equal waits of up to 0.02 s would end by 0.1 s
