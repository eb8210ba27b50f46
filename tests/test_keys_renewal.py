"""A refused key: one renewal for everybody, one replay each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from confirma_async import (
    AuthenticationError,
    ConfigurationError,
    ConfirmaClient,
    ConfirmaError,
    KeyRenewalError,
    KeyRenewed,
    RetryPolicy,
    Timeouts,
)
from confirma_async.sandbox import Fault, SandboxServer

from .peers import KEY, NEW_KEY, NOTHING, Call, Peer, ask, failure, reply

THIRD_KEY = "synthetic-key-of-next-week"


class Source:
    """Gives keys in turn, the last again and again; renews to the next one, or as told."""

    def __init__(self, *keys: str, renew: Callable[[str], Awaitable[str]] | None = None, seconds: float = 0.0) -> None:
        self.keys = list(keys)
        self.rejected: list[str] = []
        self._renew = renew
        self._seconds = seconds

    async def get(self) -> str:
        return self.keys[0]

    async def renew(self, rejected: str) -> str:
        self.rejected.append(rejected)
        await asyncio.sleep(self._seconds)
        if self._renew is not None:
            return await self._renew(rejected)
        if len(self.keys) > 1:
            del self.keys[0]
        return self.keys[0]


class Stubborn(Source):
    """Gives the old key for ever, whatever it renewed to."""

    async def renew(self, rejected: str) -> str:
        self.rejected.append(rejected)
        return {KEY: NEW_KEY, NEW_KEY: THIRD_KEY}[rejected]


def good(*keys: str) -> Callable[[Call], Awaitable[None]]:
    """A server that lets these keys in."""

    async def answer(call: Call) -> None:
        await call.send(NOTHING if call.key in keys else reply(status=401))

    return answer


async def gather(client: ConfirmaClient, calls: int) -> Sequence[object]:
    return await asyncio.gather(*(ask(client) for _ in range(calls)), return_exceptions=True)


async def test_fifty_refusals_at_once_cost_one_renewal_and_one_replay_each() -> None:
    everybody = asyncio.Event()

    async def answer(call: Call) -> None:
        if call.number == 50:
            everybody.set()
        await everybody.wait()
        await good(NEW_KEY)(call)

    source = Source(KEY, NEW_KEY, seconds=0.05)
    async with Peer(answer) as peer, peer.client(api_key=source, concurrency=50) as client:
        assert await gather(client, 50) == [[]] * 50
    assert source.rejected == [KEY]
    assert [call.key for call in peer.calls] == [KEY] * 50 + [NEW_KEY] * 50


async def test_a_second_refusal_ends_in_the_error() -> None:
    source = Source(KEY, NEW_KEY, THIRD_KEY)
    async with Peer(reply(status=401)) as peer, peer.client(api_key=source) as client:
        error = await failure(client)
    assert isinstance(error, AuthenticationError)
    assert (source.rejected, [call.key for call in peer.calls]) == ([KEY], [KEY, NEW_KEY])
    assert error.attempts == 2


async def test_a_fixed_key_is_asked_with_once() -> None:
    async with Peer(reply(status=401)) as peer, peer.client() as client:
        assert isinstance(await failure(client), AuthenticationError)
    assert len(peer.calls) == 1


async def test_a_replay_may_still_be_tried_again_for_other_reasons() -> None:
    answers = (reply(status=401), reply(status=503), NOTHING)
    async with Peer(*answers) as peer, peer.client(api_key=Source(KEY, NEW_KEY)) as client:
        assert await ask(client) == []
    assert [call.key for call in peer.calls] == [KEY, NEW_KEY, NEW_KEY]


async def test_the_replay_is_not_one_of_the_attempts() -> None:
    twice = RetryPolicy(max_attempts=2, initial_wait=0.001)
    answers = (reply(status=503), reply(status=401), NOTHING)
    async with Peer(*answers) as peer, peer.client(api_key=Source(KEY, NEW_KEY), retry=twice) as client:
        assert await ask(client) == []
    assert len(peer.calls) == 3


async def test_the_key_is_asked_for_before_every_request() -> None:
    source = Source(KEY)
    async with Peer(NOTHING) as peer, peer.client(api_key=source) as client:
        await ask(client)
        source.keys = [NEW_KEY]
        await ask(client)
    assert [call.key for call in peer.calls] == [KEY, NEW_KEY]


async def test_a_key_that_somebody_else_rotated_is_used_without_a_renewal() -> None:
    source = Source(KEY)

    async def answer(call: Call) -> None:
        source.keys = [NEW_KEY]
        await good(NEW_KEY)(call)

    async with Peer(answer) as peer, peer.client(api_key=source) as client:
        assert await ask(client) == []
    assert source.rejected == []


async def test_a_source_that_keeps_giving_the_old_key_does_not_lose_the_new_one() -> None:
    source = Stubborn(KEY)
    async with Peer(good(NEW_KEY)) as peer, peer.client(api_key=source) as client:
        for _ in range(3):
            await ask(client)
    assert source.rejected == [KEY]
    assert [call.key for call in peer.calls] == [KEY, NEW_KEY, NEW_KEY, NEW_KEY]


async def test_such_a_source_is_told_which_key_was_refused_the_second_time() -> None:
    source, let_in = Stubborn(KEY), {NEW_KEY}

    async def answer(call: Call) -> None:
        await good(*let_in)(call)

    async with Peer(answer) as peer, peer.client(api_key=source) as client:
        await ask(client)
        let_in.clear()
        let_in.add(THIRD_KEY)
        await ask(client)
    assert source.rejected == [KEY, NEW_KEY]


async def test_a_late_refusal_of_the_old_key_renews_nothing() -> None:
    release = asyncio.Event()

    async def answer(call: Call) -> None:
        if call.number == 1:
            await release.wait()
        await good(NEW_KEY)(call)

    source = Source(KEY, NEW_KEY, THIRD_KEY)
    async with Peer(answer) as peer, peer.client(api_key=source) as client:
        late = asyncio.create_task(ask(client))
        while not peer.calls:
            await asyncio.sleep(0.001)
        await ask(client)
        release.set()
        assert await late == []
    assert source.rejected == [KEY]


async def test_cancelling_the_call_that_leads_a_renewal_leaves_the_others_succeeding() -> None:
    source = Source(KEY, NEW_KEY, seconds=0.2)
    async with Peer(good(NEW_KEY)) as peer, peer.client(api_key=source, concurrency=50) as client:
        leader = asyncio.create_task(ask(client))
        while not source.rejected:
            await asyncio.sleep(0.001)
        others = [asyncio.create_task(ask(client)) for _ in range(49)]
        await asyncio.sleep(0.05)
        leader.cancel()
        assert await asyncio.gather(*others) == [[]] * 49
        assert leader.cancelled()
    assert source.rejected == [KEY]


@pytest.mark.parametrize(
    "problem",
    [RuntimeError("words"), TimeoutError(), asyncio.CancelledError(), KeyRenewalError("mine"), ConfirmaError("x")],
    ids=lambda problem: type(problem).__name__,
)
async def test_a_renewal_that_fails_reaches_every_waiter(problem: BaseException) -> None:
    async def fail(_: str) -> str:
        raise problem

    source = Source(KEY, renew=fail, seconds=0.05)
    async with Peer(reply(status=401)) as peer, peer.client(api_key=source, concurrency=20) as client:
        errors = await asyncio.wait_for(gather(client, 20), 10)
    assert {type(error) for error in errors} == {KeyRenewalError}
    assert (source.rejected, len(peer.calls)) == ([KEY], 20)


async def test_a_renewal_may_be_tried_again_by_a_later_call() -> None:
    async def fail(_: str) -> str:
        source._renew = None
        raise OSError("not yet")

    source = Source(KEY, NEW_KEY, renew=fail)
    async with Peer(good(NEW_KEY)) as peer, peer.client(api_key=source) as client:
        assert isinstance(await failure(client), KeyRenewalError)
        assert await ask(client) == []


@pytest.mark.parametrize("problem", [RuntimeError("words"), asyncio.CancelledError(), TimeoutError()])
async def test_a_source_without_a_key_sends_nothing(problem: BaseException) -> None:
    class Empty(Source):
        async def get(self) -> str:
            raise problem

    async with Peer(NOTHING) as peer, peer.client(api_key=Empty()) as client:
        assert isinstance(await asyncio.wait_for(failure(client), 10), KeyRenewalError)
    assert peer.calls == []


async def test_a_source_that_raises_before_it_is_awaited_is_contained_too() -> None:
    class Plain:
        def get(self) -> Awaitable[str]:
            raise RuntimeError(KEY)

        def renew(self, rejected: str) -> Awaitable[str]:
            raise RuntimeError(KEY)

    async with Peer(NOTHING) as peer, peer.client(api_key=Plain()) as client:
        error = await failure(client)
    assert type(error) is KeyRenewalError
    assert KEY not in str(error)


@pytest.mark.parametrize("given", [None, 7, "", "two words", "line\n", "ключ", b"bytes"])
async def test_what_a_source_gives_must_be_a_key(given: object) -> None:
    class Wrong(Source):
        async def get(self) -> str:
            return given  # type: ignore[return-value]  # the point of the test

    async with Peer(NOTHING) as peer, peer.client(api_key=Wrong()) as client:
        assert isinstance(await failure(client), KeyRenewalError)
    assert peer.calls == []


def test_a_source_is_an_object_not_its_class() -> None:
    with pytest.raises(ConfigurationError):
        ConfirmaClient(Source, base_url="https://x.example")  # type: ignore[arg-type]  # the point of the test


async def test_hooks_hear_of_a_renewal_once() -> None:
    heard: list[object] = []
    source = Source(KEY, NEW_KEY)
    async with Peer(good(NEW_KEY)) as peer, peer.client(api_key=source, hooks=[heard.append]) as client:
        await gather(client, 10)
    assert sum(isinstance(event, KeyRenewed) for event in heard) == 1


async def test_the_whole_walk_against_the_sandbox() -> None:
    faults = [Fault.status(401, times=3), Fault.ok(times=3)]
    async with SandboxServer(invoices_per_day=1, faults=faults) as sandbox:
        source = Source(sandbox.api_key)
        async with sandbox.client(api_key=source) as client:
            answers = await asyncio.gather(*(ask(client) for _ in range(3)))
    assert [len(answer) for answer in answers] == [30, 30, 30]
    assert len(source.rejected) == 1


async def test_closing_the_client_during_a_renewal_is_clean() -> None:
    source = Source(KEY, NEW_KEY, seconds=0.3)
    impatient = RetryPolicy(deadline=0.1)
    async with Peer(good(NEW_KEY)) as peer, peer.client(api_key=source, retry=impatient) as client:
        await failure(client)
    assert source.rejected == [KEY]


async def test_a_source_that_hangs_holds_the_closing_of_a_client_no_longer_than_an_attempt_may_take() -> None:
    source = Source(KEY, NEW_KEY, seconds=30)
    async with Peer(good(NEW_KEY)) as peer:
        client = peer.client(api_key=source, retry=RetryPolicy(deadline=0.1), timeouts=Timeouts(total=0.2))
        await failure(client)
        await asyncio.wait_for(client.aclose(), 10)
