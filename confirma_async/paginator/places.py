"""How far a run reads ahead of its consumer: who may ask for one more answer, and whether anybody needs to."""

from __future__ import annotations

import sys
import time
from collections.abc import Collection, Iterable, Mapping

from .track import Track

ENOUGH_WAITING = 2
"""Answers that wait at least before a run that is held up by its consumer alone reads less far ahead."""


class ReadAhead:
    """How many answers may be under way or wait: `most`, and fewer while the processor is all that takes time.

    Answers that wait in a long row then only take memory, and the faster one at that. So after `most` pages in
    which nobody waited for the wire places are given up, as long as enough answers wait; the first wait for the
    wire restores them all.
    """

    def __init__(self, most: int) -> None:
        self.places = self._most = most
        self._without_wire = 0
        self._began = self._worked = 0.0

    @property
    def is_steady(self) -> bool:
        """Whether nobody has waited for the wire for a while."""
        return self._without_wire > self._most

    def wait_begins(self) -> None:
        """Note that the consumer waits, for the wire or for what this thread has to do first."""
        self._began, self._worked = time.perf_counter(), time.thread_time()

    def wait_ends(self) -> None:
        """Note that an answer came, and whether the thread was idle for most of the wait."""
        waited = time.perf_counter() - self._began
        if waited > 2 * (time.thread_time() - self._worked):
            self.places, self._without_wire = self._most, 0

    def taken(self, track: Track, tracks: Collection[Track]) -> None:
        """Note that an answer of a window was taken; its place is given up where nobody will miss it."""
        self._without_wire += 1
        if self.is_steady and track.state.held > ENOUGH_WAITING:
            self.places = min(self.places, sum([each.load for each in tracks]))


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
