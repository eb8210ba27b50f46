"""The key that renews itself: saved before it is used, asked for once, honest about what it does not know."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from confirma_async import (
    ConfigurationError,
    KeyRenewalError,
    KeyStateUnknownError,
    RenewingKey,
    RetryPolicy,
    ServiceProfile,
    Timeouts,
)
from confirma_async.sandbox import SandboxServer

from .peers import KEY, NEW_KEY, NOTHING, Anything, Call, Peer, ask, failure, reply, silence, then_hang_up

Answer = bytes | Callable[[Call], Awaitable[None]]


def renewed(**fields: object) -> bytes:
    return reply(json.dumps(fields or {"Message": NEW_KEY}).encode())


class Service:
    """Lets the new key in, and renews as told."""

    def __init__(self, renewal: Answer | None = None) -> None:
        self.renewal = renewed() if renewal is None else renewal
        self.renewals = 0

    async def __call__(self, call: Call) -> None:
        if not call.path.endswith("/renew"):
            await call.send(NOTHING if call.key == NEW_KEY else reply(status=401))
            return
        self.renewals += 1
        if isinstance(self.renewal, bytes):
            await call.send(self.renewal)
        else:
            await self.renewal(call)


def nowhere(_: str) -> None:
    """Save a key: not at all."""


async def test_the_new_key_is_saved_before_it_is_used() -> None:
    async with SandboxServer(invoices_per_day=1, unauthorized_after=0) as sandbox:
        used_when_saved: list[int] = []

        def save(key: str) -> None:
            assert key == sandbox.api_key
            used_when_saved.append(sum(request.key == "current" for request in sandbox.requests[2:]))

        async with sandbox.client(api_key=RenewingKey(sandbox.api_key, save=save)) as client:
            assert len(await ask(client)) == 30
        assert used_when_saved == [0]
        assert sandbox.renewals == 1


async def test_saving_may_be_a_coroutine_and_happens_once_for_everybody() -> None:
    saved: list[str] = []

    async def save(key: str) -> None:
        saved.append(key)
        await asyncio.sleep(0.05)

    service = Service()
    async with Peer(service) as peer, peer.client(api_key=RenewingKey(KEY, save=save), concurrency=20) as client:
        assert await asyncio.gather(*(ask(client) for _ in range(20))) == [[]] * 20
    assert (saved, service.renewals) == ([NEW_KEY], 1)


async def test_a_key_that_could_not_be_saved_waits_and_nothing_is_sent_before() -> None:
    broken, saved = [True], []

    def save(key: str) -> None:
        if broken:
            raise OSError("disk full")
        saved.append(key)

    service, key = Service(), RenewingKey(KEY, save=save)
    async with Peer(service) as peer, peer.client(api_key=key) as client:
        for _ in range(2):
            error = await failure(client)
            assert type(error) is KeyRenewalError
            assert key.unsaved == NEW_KEY
            assert len(peer.calls) == 2  # the refused one and the renewal
        broken.clear()
        assert await asyncio.gather(*(ask(client) for _ in range(5))) == [[]] * 5
    assert (saved, key.unsaved, service.renewals) == ([NEW_KEY], None, 1)


@pytest.mark.parametrize("problem", [OSError("no"), asyncio.CancelledError(), ValueError(NEW_KEY)])
async def test_saving_that_fails_is_told_without_its_words(problem: BaseException) -> None:
    async def save(_: str) -> None:
        raise problem

    async with Peer(Service()) as peer, peer.client(api_key=RenewingKey(KEY, save=save)) as client:
        error = await asyncio.wait_for(failure(client), 10)
    assert type(error) is KeyRenewalError
    assert NEW_KEY not in str(error)


@pytest.mark.parametrize(
    "lost",
    [then_hang_up(b""), then_hang_up(b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{"), reply(status=503)],
    ids=["no answer", "cut answer", "server error"],
)
async def test_a_renewal_whose_answer_is_lost_is_never_sent_again(lost: Answer) -> None:
    service = Service(lost)
    async with Peer(service) as peer, peer.client(api_key=RenewingKey(KEY, save=nowhere)) as client:
        for _ in range(3):
            assert type(await failure(client)) is KeyStateUnknownError
    assert service.renewals == 1


async def test_a_renewal_that_timed_out_counts_as_lost_for_every_client_of_that_key() -> None:
    service, key = Service(silence), RenewingKey(KEY, save=nowhere)
    impatient: dict[str, Any] = {"api_key": key, "retry": RetryPolicy(deadline=5)}
    async with Peer(service) as peer:
        for _ in range(2):
            async with peer.client(**impatient, timeouts=Timeouts(read=0.1)) as client:
                assert type(await failure(client)) is KeyStateUnknownError
    assert service.renewals == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429])
async def test_a_renewal_that_the_service_refused_leaves_the_old_key_standing(status: int) -> None:
    service = Service(reply(status=status))
    async with Peer(service) as peer, peer.client(api_key=RenewingKey(KEY, save=nowhere)) as client:
        assert type(await failure(client)) is KeyRenewalError
        service.renewal = renewed()
        assert await ask(client) == []
    assert service.renewals == 2


@pytest.mark.parametrize(
    "odd",
    [
        reply(b""),
        reply(b"<html>"),
        reply(b"null"),
        reply(b"[]"),
        reply(json.dumps(NEW_KEY).encode()),
        renewed(Message=None),
        renewed(Message=7),
        renewed(Message=""),
        renewed(Message="Renewed"),
        renewed(Message="The token was renewed successfully"),
        renewed(Message=KEY),
        renewed(Message=[NEW_KEY]),
        renewed(Token=NEW_KEY),
        renewed(Message=NEW_KEY, message=NEW_KEY),
        reply(json.dumps({"Message": NEW_KEY}).encode(), 201),
        reply(status=204),
        reply(status=302, headers={"Location": "/elsewhere"}),
    ],
)
async def test_an_answer_that_does_not_hold_the_key_is_an_unknown_state(odd: bytes) -> None:
    saved: list[str] = []
    service = Service(odd)
    async with Peer(service) as peer, peer.client(api_key=RenewingKey(KEY, save=saved.append)) as client:
        assert type(await failure(client)) is KeyStateUnknownError
    assert (saved, service.renewals) == ([], 1)


@pytest.mark.parametrize("field", ["Message", "message", "MESSAGE"])
async def test_the_case_of_the_field_does_not_matter(field: str) -> None:
    async with (
        Peer(Service(renewed(**{field: NEW_KEY}))) as peer,
        peer.client(api_key=RenewingKey(KEY, save=nowhere)) as client,
    ):
        assert await ask(client) == []


async def test_the_field_is_a_belief_that_can_be_corrected() -> None:
    profile = ServiceProfile(renew_key_field="accessToken")
    async with (
        Peer(Service(renewed(Message="Renewed", accessToken=NEW_KEY))) as peer,
        peer.client(api_key=RenewingKey(KEY, save=nowhere), profile=profile) as client,
    ):
        assert await ask(client) == []


async def test_a_renewal_that_never_went_out_is_not_lost() -> None:
    service, key = Service(), RenewingKey(KEY, save=nowhere)
    async with Peer(service) as peer:
        first = peer.client(api_key=key)
        async with peer.client(api_key=key):
            pass  # a second client of the same key, closed again
        async with first:
            with contextlib.suppress(KeyRenewalError):
                await ask(first)  # may be told that the one that renews is closed
        async with peer.client(api_key=key) as third:
            assert await ask(third) == []
    assert service.renewals == 1


def test_a_loop_that_ends_before_the_renewal_went_out_loses_nothing() -> None:
    service, key = Service(), RenewingKey(KEY, save=nowhere)

    async def paused(call: Call) -> None:
        """Refuse, while another call's 429 holds everything back."""
        await asyncio.sleep(0.2 * (call.number - 1))
        await call.send(reply(status=401) if call.number > 1 else reply(status=429, headers={"Retry-After": "1"}))

    async def interrupted() -> None:
        async with Peer(paused) as peer:
            client = peer.client(api_key=key)
            tasks = [asyncio.create_task(ask(client)) for _ in range(2)]
            await asyncio.sleep(0.4)
            assert len(peer.calls) == 2
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                if "renewal" in task.get_name():
                    task.cancel()  # as the end of asyncio.run does

    async def again() -> None:
        async with Peer(service) as peer, peer.client(api_key=key) as client:
            assert await ask(client) == []

    asyncio.run(interrupted())
    asyncio.run(again())
    assert service.renewals == 1


async def test_two_clients_of_one_key_renew_it_once() -> None:
    async def slow(call: Call) -> None:
        await asyncio.sleep(0.1)
        await call.send(renewed())

    service, key = Service(slow), RenewingKey(KEY, save=nowhere)
    async with Peer(service) as peer, peer.client(api_key=key) as one, peer.client(api_key=key) as other:
        assert list(await asyncio.gather(ask(one), ask(other))) == [[], []]
    assert service.renewals == 1


async def test_a_renewal_outlives_the_call_that_asked_for_it() -> None:
    async def slow(call: Call) -> None:
        await asyncio.sleep(0.3)
        await call.send(renewed())

    saved: list[str] = []
    service, key = Service(slow), RenewingKey(KEY, save=saved.append)
    async with Peer(service) as peer, peer.client(api_key=key, retry=RetryPolicy(deadline=0.1)) as client:
        await failure(client)
    assert saved == [NEW_KEY]


@pytest.mark.parametrize("first", ["the copy", "its parent"])
async def test_a_renewal_of_a_copy_outlives_the_call_that_asked_for_it(first: str) -> None:
    async def slow(call: Call) -> None:
        await asyncio.sleep(0.3)
        await call.send(renewed())

    saved: list[str] = []
    service, key = Service(slow), RenewingKey(KEY, save=saved.append)
    async with Peer(service) as peer, peer.client() as client:
        copy = client.with_options(api_key=key, retry=RetryPolicy(deadline=0.1))
        await failure(copy)
        await (copy if first == "the copy" else client).aclose()
    assert saved == [NEW_KEY]


async def test_closing_does_not_wait_for_a_renewal_that_was_never_sent() -> None:
    async def answer(call: Call) -> None:
        await asyncio.sleep(0.1 * (call.number - 1))
        await call.send(reply(status=401) if call.number > 1 else reply(status=429, headers={"Retry-After": "20"}))

    key = RenewingKey(KEY, save=nowhere)
    async with Peer(answer) as peer:
        client = peer.client(api_key=key, retry=RetryPolicy(deadline=0.3))
        await asyncio.gather(failure(client), failure(client))
        await asyncio.wait_for(client.aclose(), 5)
    assert len(peer.calls) == 2


async def test_a_key_that_expires_in_the_middle_costs_three_requests_once() -> None:
    async with SandboxServer(invoices_per_day=1, unauthorized_after=1) as sandbox:
        async with sandbox.client(api_key=RenewingKey(sandbox.api_key, save=nowhere)) as client:
            assert [len(await ask(client)) for _ in range(3)] == [30, 30, 30]
        assert [request.status for request in sandbox.requests] == [200, 401, 200, 200, 200]


@pytest.mark.parametrize("key", ["", "two words", "line\n", None, 7])
def test_a_key_that_cannot_be_sent_is_refused(key: Anything) -> None:
    with pytest.raises(ConfigurationError):
        RenewingKey(key, save=nowhere)


def test_a_key_without_a_place_to_save_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        RenewingKey(KEY, save=None)  # type: ignore[arg-type]  # the point of the test


async def test_a_key_that_belongs_to_no_client_cannot_renew() -> None:
    with pytest.raises(KeyRenewalError):
        await RenewingKey(KEY, save=nowhere).renew(KEY)
