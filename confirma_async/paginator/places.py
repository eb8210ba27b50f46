"""How far a run reads ahead of its consumer: who may ask for one more answer, and whether anybody needs to."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Mapping

from .track import Track

ENOUGH_WAITING = 2
"""Answers that wait at least before a run that is held up by its consumer alone reads less far ahead."""


class ReadAhead:
    """How many answers may be under way or wait: `most`, and fewer while the consumer is all that takes time.

    Whoever takes one page after the other without waiting gains nothing from answers that wait in a long row:
    they only take memory, and the faster one at that. So after `most` such pages places are given up, as long
    as enough answers wait; the first that is waited for restores them all.
    """

    def __init__(self, most: int) -> None:
        self.places = self._most = most
        self._without_waiting = 0

    def waited_for(self) -> None:
        """Note that the consumer waits for an answer."""
        self.places, self._without_waiting = self._most, 0

    def taken(self, tracks: Collection[Track]) -> None:
        """Note that an answer was taken; its place is given up where nobody will miss it."""
        self._without_waiting += 1
        if self._without_waiting > self._most and sum([track.state.held for track in tracks]) > ENOUGH_WAITING:
            self.places = min(self.places, sum([track.load for track in tracks]))


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
