"""Cancelling is prompt and clean at every stage."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

import pytest

from confirma_async import ConfirmaClient, RetryPolicy

from .peers import KEY, NEW_KEY, NOTHING, Call, Peer, ask, head, reply, silence


class Slow:
    """A key source that takes its time to renew."""

    async def get(self) -> str:
        return KEY

    async def renew(self, rejected: str) -> str:
        await asyncio.sleep(0.5)
        return NEW_KEY


async def half(call: Call) -> None:
    await call.send(head("Content-Length: 900") + b'{"metaData"')
    await silence(call)


@asynccontextmanager
async def connecting() -> AsyncIterator[ConfirmaClient]:
    """A listener whose queue is full: connections to it are begun and never made."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        listener.setblocking(False)
        fill = [socket.socket() for _ in range(4)]
        try:
            for each in fill:
                each.setblocking(False)
                each.connect_ex(listener.getsockname())
            async with ConfirmaClient(KEY, base_url=f"http://127.0.0.1:{listener.getsockname()[1]}") as client:
                yield client
        finally:
            for each in fill:
                each.close()


@asynccontextmanager
async def in_mid_body() -> AsyncIterator[ConfirmaClient]:
    async with Peer(half) as peer, peer.client() as client:
        yield client


@asynccontextmanager
async def before_the_answer() -> AsyncIterator[ConfirmaClient]:
    async with Peer(silence) as peer, peer.client() as client:
        yield client


@asynccontextmanager
async def in_a_retry_sleep() -> AsyncIterator[ConfirmaClient]:
    answer = reply(status=503, headers={"Retry-After": "30"})
    async with Peer(answer) as peer, peer.client(retry=RetryPolicy()) as client:
        yield client


@asynccontextmanager
async def in_a_pause() -> AsyncIterator[ConfirmaClient]:
    answer = reply(status=429, headers={"Retry-After": "30"})
    async with Peer(answer) as peer, peer.client(retry=RetryPolicy()) as client:
        yield client


@asynccontextmanager
async def in_a_renewal() -> AsyncIterator[ConfirmaClient]:
    async with Peer(reply(status=401)) as peer, peer.client(api_key=Slow()) as client:
        yield client


@asynccontextmanager
async def in_a_rate_wait() -> AsyncIterator[ConfirmaClient]:
    async with Peer(NOTHING) as peer, peer.client(max_rate=0.01) as client:
        await ask(client)
        yield client


@asynccontextmanager
async def waiting_for_a_slot() -> AsyncIterator[ConfirmaClient]:
    async with Peer(silence) as peer, peer.client(concurrency=1) as client:
        holder = asyncio.create_task(ask(client))
        await asyncio.sleep(0.02)
        yield client
        holder.cancel()
        await asyncio.wait([holder])


Stage: TypeAlias = Callable[[], "Awaitable[ConfirmaClient]"]
STAGES = [
    connecting,
    in_mid_body,
    before_the_answer,
    in_a_retry_sleep,
    in_a_pause,
    in_a_renewal,
    in_a_rate_wait,
    waiting_for_a_slot,
]


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.__name__)
async def test_a_cancelled_call_ends_at_once_and_leaves_no_task(stage: Callable[[], object]) -> None:
    async with stage() as client:  # type: ignore[attr-defined]  # each of them is a context manager
        before = asyncio.all_tasks()
        call = asyncio.create_task(ask(client))
        await asyncio.sleep(0.1)
        assert not call.done()
        began = time.monotonic()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert time.monotonic() - began < 0.3
        left = {task.get_name() for task in asyncio.all_tasks() - before if not task.done()}
        assert left <= {"peer", "confirma_async key renewal"}  # a renewal goes on, for the others


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.__name__)
async def test_a_timeout_of_the_callers_is_the_callers_own(stage: Callable[[], object]) -> None:
    async with stage() as client:  # type: ignore[attr-defined]  # as above
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await ask(client)


async def test_after_two_hundred_cancellations_ten_slots_still_serve_ten_at_once() -> None:
    stuck = True

    async def answer(call: Call) -> None:
        if stuck:
            await (half, silence)[call.number % 2](call)
        else:
            await asyncio.sleep(0.1)
            await call.send(NOTHING)

    async with Peer(answer) as peer, peer.client(concurrency=10) as client:
        for _ in range(20):
            calls = [asyncio.create_task(ask(client)) for _ in range(10)]
            await asyncio.sleep(0.01)
            for call in calls:
                call.cancel()
            await asyncio.wait(calls)
        stuck = False
        while peer.in_flight:
            await asyncio.sleep(0.01)
        peer.most_in_flight = 0
        assert await asyncio.gather(*(ask(client) for _ in range(20))) == [[]] * 20
        assert peer.most_in_flight == 10


async def test_a_slot_that_was_granted_to_a_cancelled_call_goes_to_the_next() -> None:
    release = asyncio.Event()

    async def answer(call: Call) -> None:
        await release.wait()
        await call.send(NOTHING)

    async with Peer(answer) as peer, peer.client(concurrency=1) as client:
        calls = [asyncio.create_task(ask(client)) for _ in range(5)]
        while not peer.calls:
            await asyncio.sleep(0.001)
        release.set()
        calls[0].cancel()  # its slot passes on in the very turn in which the next one is cancelled
        calls[1].cancel()
        ended = await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 10)
    assert [type(each) for each in ended[:2]] == [asyncio.CancelledError] * 2
    assert ended[2:] == [[]] * 3


async def test_a_connection_cut_off_by_cancelling_is_not_used_again() -> None:
    async def answer(call: Call) -> None:
        await (half if call.number == 1 else _nothing)(call)

    async with Peer(answer) as peer, peer.client() as client:
        call = asyncio.create_task(ask(client))
        await asyncio.sleep(0.05)
        call.cancel()
        await asyncio.wait([call])
        assert await ask(client) == []
    assert peer.connections == 2


async def _nothing(call: Call) -> None:
    await call.send(NOTHING)


async def test_cancelling_inside_a_task_group_ends_the_whole_group() -> None:
    async def fail_soon(client: ConfirmaClient) -> None:
        async with asyncio.TaskGroup() as group:
            calls.extend(group.create_task(ask(client)) for _ in range(5))
            await asyncio.sleep(0.05)
            raise LookupError

    calls: list[asyncio.Task[object]] = []
    async with Peer(silence) as peer, peer.client() as client:
        with pytest.raises(ExceptionGroup) as caught:
            await fail_soon(client)
    assert [type(each) for each in caught.value.exceptions] == [LookupError]
    assert all(call.cancelled() for call in calls)
