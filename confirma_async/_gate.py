"""When a request may go out: slots, rate and pauses of one client, in one queue.

A request leaves when a slot is free, the rate allows it and no pause holds, all at once; so nobody holds a
slot while waiting for the others. The lowest rank goes first, within a rank the first to come.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from itertools import count


class Pace:
    """Rate and pause of a client, shared by all its loops; `max_rate` in requests per second, None is no limit."""

    def __init__(self, max_rate: float | None) -> None:
        self._rate = max_rate
        self._burst = 0.0 if max_rate is None else max(1.0, max_rate)  # one second's worth
        self._tokens = self._burst
        self._filled = time.monotonic()
        self._paused_until = 0.0

    def pause(self, seconds: float) -> None:
        """Let nothing out for so many seconds; a longer pause that already holds stays."""
        self._paused_until = max(self._paused_until, time.monotonic() + seconds)

    def take(self) -> float:
        """Take leave for one request and return 0, or return the seconds until it is worth asking again."""
        now = time.monotonic()
        if now < self._paused_until:
            return self._paused_until - now
        if self._rate is None:
            return 0.0
        self._tokens = min(self._burst, self._tokens + (now - self._filled) * self._rate)
        self._filled = now
        if self._tokens >= 1.0:
            self._tokens -= 1.0
            return 0.0
        return (1.0 - self._tokens) / self._rate


class Lane:
    """Whoever has many requests, in an order: one of rank `head` is what it waits for, and goes as rank 0.

    `waiting`: how many of them wait at the gate.
    """

    __slots__ = ("head", "waiting")

    def __init__(self, head: int = 0) -> None:
        self.head, self.waiting = head, 0


class _Turn:
    """A request that waits; what it ranks changes with the head of its lane."""

    __slots__ = ("came", "lane", "leave", "rank")

    def __init__(self, rank: int, lane: Lane, came: int, leave: asyncio.Future[None]) -> None:
        self.rank, self.lane, self.came, self.leave = rank, lane, came, leave

    def __lt__(self, other: _Turn) -> bool:
        mine, its = self.rank - self.lane.head, other.rank - other.lane.head
        return mine < its or (mine == its and self.came < other.came)


class Gate:
    """The slots of one client on one loop."""

    def __init__(self, slots: int, pace: Pace) -> None:
        self._free, self._pace = slots, pace
        self._waiting: list[_Turn] = []
        self._order = count()
        self._timer: asyncio.TimerHandle | None = None
        self._open = Lane()

    def entered(self) -> bool:
        """Take leave to send one request if nothing is to be waited for, and tell whether it was given."""
        if self._free and not self._waiting and self._pace.take() == 0.0:
            self._free -= 1
            return True
        return False

    async def enter(self, rank: int = 0, lane: Lane | None = None) -> None:
        """Wait for leave to send one request; `leave` must follow."""
        if self.entered():
            return
        lane = lane or self._open
        leave: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        lane.waiting += 1
        heapq.heappush(self._waiting, _Turn(rank, lane, next(self._order), leave))
        self._admit()
        try:
            await leave
        except asyncio.CancelledError:
            if leave.done() and not leave.cancelled():  # admitted and cancelled in the same breath
                self.leave()
            raise
        finally:
            lane.waiting -= 1

    def move_on(self, lane: Lane, head: int) -> None:
        """Let what has become the head of a lane go first."""
        lane.head = head
        if lane.waiting:
            heapq.heapify(self._waiting)

    def leave(self) -> bool:
        """Give the slot back, and tell whether somebody who waited was let in for it."""
        self._free += 1
        return self._admit()

    def _admit(self) -> bool:
        let_in = False
        while self._free and self._waiting:
            if self._waiting[0].leave.done():
                heapq.heappop(self._waiting)
                continue
            delay = self._pace.take()
            if delay > 0.0:
                self._wake_in(delay)
                break
            self._free -= 1
            heapq.heappop(self._waiting).leave.set_result(None)
            let_in = True
        return let_in

    def _wake_in(self, delay: float) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(delay, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._admit()
