"""Reading less far ahead while the processor is all that takes time, and at full length for the wire."""

from __future__ import annotations

import asyncio
import time

import attrs

from confirma_async.paginator.places import ENOUGH_WAITING, ReadAhead
from confirma_async.paginator.track import Track

from .servers import Asked, Reply, Service, day, paged, rows_by_day

MOST = 8


@attrs.define
class _State:
    ready: list[None]


@attrs.define
class _Window:
    """A window with answers that wait and requests under way."""

    state: _State
    load: int


def window(*, held: int, under_way: int) -> Track:
    """What a run knows of a window, as far as it matters here."""
    return _Window(_State([None] * held), held + under_way)  # type: ignore[return-value]  # no more than that is looked at


def steady() -> ReadAhead:
    """A run in which nobody waited for the wire over many pages, and answers wait in a row."""
    ahead = ReadAhead(MOST)
    busy = window(held=5, under_way=2)
    for _ in range(MOST + 1):
        ahead.taken(busy, [busy])
    return ahead


def test_places_are_given_up_once_nobody_waits_for_the_wire() -> None:
    ahead = steady()
    assert ahead.is_steady
    assert ahead.places == ENOUGH_WAITING + 2 + 1


def test_enough_answers_go_on_waiting() -> None:
    ahead = steady()
    last = window(held=ENOUGH_WAITING, under_way=1)
    before = ahead.places
    ahead.taken(last, [last])
    assert ahead.places == before


def test_the_first_wait_for_the_wire_restores_all_places() -> None:
    ahead = steady()
    ahead.wait_begins()
    time.sleep(0.02)
    ahead.wait_ends()
    assert (ahead.is_steady, ahead.places) == (False, MOST)


def test_to_wait_for_the_processor_restores_nothing() -> None:
    ahead = steady()
    ahead.wait_begins()
    worked = time.thread_time()
    while time.thread_time() - worked < 0.02:
        pass
    ahead.wait_ends()
    assert ahead.places <= MOST


def test_short_waits_for_the_wire_add_up() -> None:
    ahead = ReadAhead(MOST)
    busy = window(held=5, under_way=2)
    for _ in range(MOST + 1):
        ahead.wait_begins()
        time.sleep(0.0005)
        ahead.wait_ends()
        ahead.taken(busy, [busy])
    assert (ahead.is_steady, ahead.places) == (False, MOST)


async def test_a_page_that_is_asked_again_finds_a_place_however_few_there_are() -> None:
    stuck = asyncio.Event()

    async def answer(asked: Asked) -> Reply:
        if asked.page == 30 and not stuck.is_set():
            stuck.set()
            await asyncio.sleep(10)
        return paged(asked, rows_by_day(asked.window, 600), 10)

    got = 0
    async with Service(answer) as service, service.client(concurrency=8) as client:
        iterator = aiter(client.distributions.list(day(0), day(0)))
        for _ in range(290):  # as slow as to have all answers wait that may
            await anext(iterator)
            got += 1
            if got % 10 == 0:
                await asyncio.sleep(0.02)
        try:
            async with asyncio.timeout(0.3):
                await anext(iterator)
        except TimeoutError:
            pass
        async with asyncio.timeout(5):
            got += len([1 async for _ in iterator])
    assert stuck.is_set()
    assert got == 600
