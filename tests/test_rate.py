"""What holds requests back: the rate, a 429, and the slots."""

from __future__ import annotations

import asyncio
import time
from datetime import date

from confirma_async import AttemptEnded, ClientPaused, Event, RetryPolicy
from confirma_async.sandbox import Fault, SandboxServer

from .peers import NOTHING, QUICK, Call, Peer, ask, failure, reply


def paused_for(seconds: str) -> bytes:
    return reply(status=429, headers={"Retry-After": seconds})


def busiest_second(times: list[float]) -> int:
    return max(sum(begin <= other < begin + 1 for other in times) for begin in times)


async def test_a_429_pauses_the_whole_client_and_then_all_finish() -> None:
    async def answer(call: Call) -> None:
        await call.send(paused_for("1") if call.number == 1 else NOTHING)

    async with Peer(answer) as peer, peer.client(concurrency=4) as client:
        first = asyncio.create_task(ask(client))
        await asyncio.sleep(0.2)
        answers = await asyncio.gather(*(ask(client) for _ in range(20)))
        await first
    assert answers == [[]] * 20
    assert min(peer.times[1:]) >= 1.0


async def test_not_one_waiting_request_slips_out_after_a_429() -> None:
    async with Peer(paused_for("1"), NOTHING) as peer, peer.client(concurrency=1) as client:
        await asyncio.gather(*(ask(client) for _ in range(5)))
    assert len(peer.calls) == 6
    assert min(peer.times[1:]) >= 1.0


async def test_a_429_that_says_nothing_usable_pauses_for_the_back_off() -> None:
    heard: list[Event] = []
    policy = RetryPolicy(initial_wait=1.0)
    async with Peer(reply(status=429), NOTHING) as peer, peer.client(retry=policy, hooks=[heard.append]) as client:
        await asyncio.gather(ask(client), asyncio.sleep(0.05))
        pauses = [event.seconds for event in heard if isinstance(event, ClientPaused)]
    assert len(pauses) == 1
    assert 0 <= pauses[0] <= 1.0
    assert peer.times[1] >= pauses[0]


async def test_a_longer_pause_is_not_shortened_by_a_later_429() -> None:
    async def answer(call: Call) -> None:
        await asyncio.sleep(0.05 * call.number)  # the second 429 arrives after the first
        await call.send({1: paused_for("1"), 2: paused_for("0")}.get(call.number, NOTHING))

    async with Peer(answer) as peer, peer.client() as client:
        await asyncio.gather(ask(client), ask(client))
    assert min(peer.times[2:]) >= 1.0


async def test_no_second_holds_more_than_the_rate_and_its_burst() -> None:
    async with Peer(NOTHING) as peer, peer.client(max_rate=10) as client:
        await asyncio.gather(*(ask(client) for _ in range(22)))
    assert len(peer.calls) == 22
    assert busiest_second(peer.times) <= 20
    assert peer.times[-1] >= 1.1


async def test_the_rate_holds_across_windows_pages_and_retries() -> None:
    faults = [Fault.status(503), Fault.ok(), Fault.disconnect()]
    async with SandboxServer(40, "number", 50, faults=faults) as sandbox:
        async with sandbox.client(max_rate=10) as client:
            found = await client.distributions.list(date(2025, 1, 1), date(2025, 1, 20), window_days=2).collect()
        times = [request.at for request in sandbox.requests]
    assert len(found) == 800
    assert len(times) >= 22
    assert busiest_second(times) <= 20


async def test_a_rate_below_one_lets_one_request_out_at_once() -> None:
    async with Peer(NOTHING) as peer, peer.client(max_rate=0.8) as client:
        await asyncio.gather(ask(client), ask(client))
    assert 1.2 <= peer.times[1] < 2


async def test_copies_of_a_client_share_its_rate() -> None:
    async with Peer(NOTHING) as peer, peer.client(max_rate=4) as client:
        copy = client.with_options(retry=RetryPolicy(max_attempts=2))
        await asyncio.gather(*(ask(each) for each in (client, copy) for _ in range(4)))
    assert peer.times[-1] >= 0.9


async def test_copies_of_a_client_share_its_pause() -> None:
    async with Peer(paused_for("1"), NOTHING) as peer, peer.client() as client:
        first = asyncio.create_task(ask(client))
        await asyncio.sleep(0.1)
        await ask(client.with_options(retry=RetryPolicy(max_attempts=2)))
        await first
    assert min(peer.times[1:]) >= 1.0


async def test_no_slot_is_held_while_a_call_sleeps() -> None:
    answers = (reply(status=503, headers={"Retry-After": "1"}), NOTHING)
    async with Peer(*answers) as peer, peer.client(concurrency=1) as client:
        sleeper = asyncio.create_task(ask(client))
        await asyncio.sleep(0.1)
        began = time.monotonic()
        await ask(client)
        assert time.monotonic() - began < 0.7
        assert not sleeper.done()
        await sleeper


async def test_no_slot_is_held_while_a_call_backs_off() -> None:
    policy = RetryPolicy(initial_wait=60, max_wait=60)
    async with Peer(reply(status=503), NOTHING) as peer, peer.client(concurrency=1, retry=policy) as client:
        sleeper = asyncio.create_task(ask(client))
        await asyncio.sleep(0.1)
        await asyncio.wait_for(ask(client), 10)
        sleeper.cancel()
        await asyncio.gather(sleeper, return_exceptions=True)


async def test_never_more_requests_in_flight_than_slots() -> None:
    async def slow(call: Call) -> None:
        await asyncio.sleep(0.02)
        await call.send(reply(status=503) if call.number % 5 == 0 else NOTHING)

    async with Peer(slow) as peer, peer.client(concurrency=3) as client:
        await asyncio.gather(*(ask(client) for _ in range(30)))
    assert peer.most_in_flight == 3


async def test_requests_that_gave_up_waiting_for_the_rate_leave_it_whole() -> None:
    async with Peer(NOTHING) as peer, peer.client(concurrency=3, max_rate=1000) as client:
        for round_ in range(50):
            tasks = [asyncio.create_task(ask(client)) for _ in range(6)]
            await asyncio.sleep(0.0005 * (round_ % 5))
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        assert await asyncio.gather(*(ask(client) for _ in range(10))) == [[]] * 10
        assert peer.most_in_flight <= 3


async def test_a_call_that_fails_for_good_gives_its_slot_back() -> None:
    async with Peer(*[reply(status=403)] * 5, NOTHING) as peer, peer.client(concurrency=1, retry=QUICK) as client:
        for _ in range(5):
            await failure(client)
        assert await asyncio.wait_for(ask(client), 5) == []


async def test_no_slot_is_held_while_a_hook_takes_its_time() -> None:
    async def dawdle(_: Event) -> None:
        await asyncio.sleep(0.4)

    async with Peer(NOTHING) as peer, peer.client(concurrency=1, hooks=[dawdle]) as client:
        await asyncio.gather(ask(client), ask(client))
    assert peer.times[1] < 0.3


async def test_no_slot_is_held_while_a_hook_asks_a_question_itself() -> None:
    async def curious(event: Event) -> None:
        if isinstance(event, AttemptEnded) and len(peer.calls) < 3:
            await ask(client)

    async with Peer(NOTHING) as peer, peer.client(concurrency=1, hooks=[curious]) as client:
        assert await asyncio.wait_for(ask(client), 3) == []
