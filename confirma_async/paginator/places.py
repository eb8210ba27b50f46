"""How far a run reads ahead of its consumer: who may ask for one more answer, and whether anybody needs to."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping

from .track import Track


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
