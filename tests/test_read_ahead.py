"""Reading less far ahead while the processor is all that takes time, and at full length for the wire."""

from __future__ import annotations

import time

import attrs

from confirma_async.paginator.places import ENOUGH_WAITING, ReadAhead
from confirma_async.paginator.track import Track

MOST = 8


@attrs.define
class _State:
    held: int


@attrs.define
class _Window:
    """A window with answers that wait and requests under way."""

    state: _State
    load: int


def window(*, held: int, under_way: int) -> Track:
    """What a run knows of a window, as far as it matters here."""
    return _Window(_State(held), held + under_way)  # type: ignore[return-value]  # no more than that is looked at


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
