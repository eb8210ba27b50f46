"""How far a run reads ahead of its consumer: who may ask for one more answer, and whether anybody needs to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .track import Track


def has_place(tracks: Mapping[int, Track], head: int, index: int, places: int) -> bool:
    """Tell whether one more answer of a window may be under way.

    Of `places` the head window may take all that others left, and others leave as many as the head is known
    to need, up to half of them. A window that is not open yet takes one.
    """
    track, first = tracks.get(index), tracks.get(head)
    grown = sum([each.load for each in tracks.values()]) + (1 if track is None else track.grows)
    if index == head:
        return grown <= places
    own, known = (0, 1) if first is None else (first.load, first.state.outstanding)
    return grown - own + min(max(1, own, known), places // 2) <= places and grown <= places


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
