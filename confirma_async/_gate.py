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


class Gate:
    """The slots of one client on one loop."""

    def __init__(self, slots: int, pace: Pace) -> None:
        self._free, self._pace = slots, pace
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = count()
        self._timer: asyncio.TimerHandle | None = None

    def entered(self) -> bool:
        """Take leave to send one request if nothing is to be waited for, and tell whether it was given."""
        if self._free and not self._waiting and self._pace.take() == 0.0:
            self._free -= 1
            return True
        return False

    async def enter(self, rank: int = 0) -> None:
        """Wait for leave to send one request; `leave` must follow."""
        if self.entered():
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (rank, next(self._order), turn))
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # admitted and cancelled in the same breath
                self.leave()
            raise

    def leave(self) -> None:
        """Give the slot back."""
        self._free += 1
        self._admit()

    def _admit(self) -> None:
        while self._free and self._waiting:
            if self._waiting[0][2].done():
                heapq.heappop(self._waiting)
                continue
            delay = self._pace.take()
            if delay > 0.0:
                self._wake_in(delay)
                return
            self._free -= 1
            heapq.heappop(self._waiting)[2].set_result(None)

    def _wake_in(self, delay: float) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(delay, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._admit()
