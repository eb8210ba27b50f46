"""How far a run reads ahead of its consumer: who may ask for one more answer, and whether anybody needs to."""

from __future__ import annotations

import sys
import time
from collections.abc import Collection, Iterable, Mapping

from .track import Track

ENOUGH_WAITING = 2
"""Answers of one window that wait at least before a run that only the processor holds up reads less far ahead."""
_LITTLE_IDLE, _LONG_IDLE = 0.05, 0.002
"""Share of the time, and seconds at a stretch, for which the thread of such a run has nothing to do."""


class ReadAhead:
    """How many answers may be under way or wait: `most`, and fewer while the processor is all that takes time.

    Answers that wait in a long row then only take memory, and the faster one at that. So while the thread is
    hardly ever idle, looked at over `most` pages, places are given up as long as enough answers wait. Once it
    waits for the wire they are all restored. `is_steady`: whether the processor was all that took time lately.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._wait_began = self._work_done = 0.0
        self._begin(is_steady=False)

    def _begin(self, *, is_steady: bool) -> None:
        self.is_steady = is_steady
        if not is_steady:
            self.places = self._most
        self._pages, self._idle = 0, 0.0
        self._began = time.perf_counter()

    def restore(self) -> None:
        """Give all places back: what was under way is gone, and must find room again."""
        self._begin(is_steady=False)

    def wait_begins(self) -> None:
        """Note that the consumer waits, for the wire or for what this thread has to do first."""
        self._wait_began, self._work_done = time.perf_counter(), time.thread_time()

    def wait_ends(self) -> None:
        """Note that an answer came."""
        idle = (time.perf_counter() - self._wait_began) - (time.thread_time() - self._work_done)
        self._idle += idle
        if idle > _LONG_IDLE:
            self.restore()

    def taken(self, track: Track, tracks: Collection[Track]) -> None:
        """Note that an answer of a window was taken; places are given up where nobody will miss them."""
        self._pages += 1
        if self._pages > self._most:
            self._begin(is_steady=self._idle < _LITTLE_IDLE * (time.perf_counter() - self._began))
        surplus = len(track.state.ready) - ENOUGH_WAITING  # those behind a missing page wait for the wire
        if self.is_steady and surplus > 0:
            self.places = min(self.places, sum([each.load for each in tracks]) + 1 - surplus)


class Places:
    """Who may have one more answer under way: `total` places, taken by answers that are under way or wait.

    The head window may take all that others left, and others leave as many as the head is known to need, up
    to half of them. A window that is open takes one place at least.
    """

    def __init__(self, tracks: Mapping[int, Track], head: int, total: int) -> None:
        self._total, self._head = total, head
        self._taken = sum([track.load for track in tracks.values()])
        first = tracks.get(head)
        self._own, self._needed = (0, 1) if first is None else (first.load, first.state.outstanding)

    @property
    def all_taken(self) -> bool:
        """Whether not even a window that has taken its place may ask for more."""
        return self._taken > self._total

    def take(self, index: int, more: int) -> bool:
        """Take so many places for a window, 0 or 1, and tell whether there were any."""
        taken = self._taken + more
        if taken > self._total:
            return False
        if index == self._head:
            if not self._own:  # it is opened with this
                self._needed = sys.maxsize
            self._own += more
        elif taken - self._own + min(max(1, self._own, self._needed), self._total // 2) > self._total:
            return False
        self._taken = taken
        return True


def more_is_needed(tracks: Iterable[Track], need: int) -> bool:
    """Tell whether one more request is needed for so many records, by what is known of those before it."""
    for track in tracks:
        need -= track.state.rows_waiting
        for ask in track.tasks:
            if ask.expected is None:
                return False
            need -= ask.expected
        if need <= 0:
            return False
        if track.state.wanted is not None:
            return True
        if not track.state.done:
            return False
    return need > 0
