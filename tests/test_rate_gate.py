"""The queue for slots: first come, first served within a rank, and no slot is ever lost."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confirma_async._gate import Gate, Lane, Pace


async def enters(gate: Gate, rank: int = 0) -> bool:
    """Whether a slot is free at once; it is given back."""
    try:
        async with asyncio.timeout(0.05):
            await gate.enter(rank)
    except TimeoutError:
        return False
    gate.leave()
    return True


async def test_a_slot_that_was_granted_and_cancelled_in_one_breath_is_not_lost() -> None:
    gate = Gate(1, Pace(None))
    await gate.enter()
    waiting = asyncio.create_task(gate.enter())
    await asyncio.sleep(0)
    gate.leave()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await enters(gate)


async def test_a_slot_is_not_granted_to_one_who_has_gone() -> None:
    gate = Gate(1, Pace(None))
    await gate.enter()
    gone, waiting = (asyncio.create_task(gate.enter()) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait([gone])
    gate.leave()
    await asyncio.wait_for(waiting, 1)


async def test_the_lowest_rank_goes_first_and_within_it_the_first_to_come() -> None:
    gate, order = Gate(1, Pace(None)), []

    async def go(name: str, rank: int) -> None:
        await gate.enter(rank)
        order.append(name)
        gate.leave()

    await gate.enter()
    tasks = [asyncio.create_task(go(name, rank)) for name, rank in (("c", 1), ("d", 2), ("a", 0), ("b", 0))]
    await asyncio.sleep(0)
    gate.leave()
    await asyncio.gather(*tasks)
    assert order == ["a", "b", "c", "d"]


async def test_what_becomes_the_head_of_a_lane_goes_before_what_came_in_the_meantime() -> None:
    gate, mine, other, order = Gate(1, Pace(None)), Lane(), Lane(), []

    async def go(name: str, rank: int, lane: Lane) -> None:
        await gate.enter(rank, lane)
        order.append(name)
        gate.leave()

    await gate.enter()
    tasks = [asyncio.create_task(go(*each)) for each in (("other", 1, other), ("mine", 2, mine), ("next", 3, mine))]
    await asyncio.sleep(0)
    gate.move_on(mine, 2)
    gate.leave()
    await asyncio.gather(*tasks)
    assert (order, mine.waiting) == (["mine", "other", "next"], 0)


async def test_a_lane_that_is_far_ahead_does_not_come_before_another_that_begins() -> None:
    gate, far, near, order = Gate(1, Pace(None)), Lane(100), Lane(), []

    async def go(name: str, rank: int, lane: Lane) -> None:
        await gate.enter(rank, lane)
        order.append(name)
        gate.leave()

    await gate.enter()
    tasks = [
        asyncio.create_task(go(*each)) for each in (("far", 101, far), ("near", 0, near), ("head of far", 100, far))
    ]
    await asyncio.sleep(0)
    gate.leave()
    await asyncio.gather(*tasks)
    assert order == ["near", "head of far", "far"]


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 4), st.lists(st.tuples(st.integers(0, 2), st.booleans(), st.integers(0, 3)), max_size=12))
async def test_whoever_is_cancelled_and_whenever_all_slots_come_back(
    slots: int, calls: list[tuple[int, bool, int]]
) -> None:
    gate, inside, most = Gate(slots, Pace(None)), 0, 0

    async def go(rank: int, steps: int) -> None:
        nonlocal inside, most
        await gate.enter(rank)
        inside += 1
        most = max(most, inside)
        try:
            for _ in range(steps):
                await asyncio.sleep(0)
        finally:
            inside -= 1
            gate.leave()

    tasks = [asyncio.create_task(go(rank, steps)) for rank, _, steps in calls]
    for task, (_, cancelled, steps) in zip(tasks, calls, strict=True):
        for _ in range(steps):
            await asyncio.sleep(0)
        if cancelled:
            task.cancel()
    await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)
    assert most <= slots
    for _ in range(slots):
        await asyncio.wait_for(gate.enter(), 1)
    assert not await enters(gate)
