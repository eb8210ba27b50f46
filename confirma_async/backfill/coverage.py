"""Which windows are done, and which are asked for: pure arithmetic on days, no I/O.

Coverage is kept by days, never as a high-water mark: the invoice date that the service filters on is not in
the record. Held windows never overlap and are read again whole, so that a day is never in two windows. A
window that is due grows over the uncovered days right behind it, as far as its cell of the grid reaches:
a daily run over "until today" keeps one growing window instead of one window per day.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from enum import StrEnum

import attrs

from ..reports import Verdict
from ..windows import DateWindow
from .proof import AccountState, RunRecord, WindowProof


class WindowState(StrEnum):
    """Whether a window of a plan will be asked for."""

    DONE = "done"
    """Its rows are in the target, and it was settled when it was read."""
    MISSING = "missing"
    """None of its days was read yet."""
    REFRESH = "refresh"
    """It was read, but was still open, ended within `refresh_days`, or came incomplete."""


@attrs.frozen
class PlannedWindow:
    """One window of a plan; `proof` is what the target holds of its first day, None where it is missing."""

    window: DateWindow
    state: WindowState
    proof: WindowProof | None = None

    @property
    def asked(self) -> bool:
        """Whether a run asks the service for it."""
        return self.state is not WindowState.DONE


@attrs.frozen
class Staleness:
    """When a held window is asked for again.

    `refresh_days`: a window that ended within so many days before it was read may still have changed; 0
    leaves only those that were open (an end on the day of the reading counts as open). `going_on`: the
    unfinished run that is being continued; what it has read is asked for again only where it was open then
    and the day has changed since. `today`: in the service's time zone.
    """

    refresh_days: int
    today: date
    going_on: RunRecord | None = None

    def is_due(self, proof: WindowProof) -> bool:
        """Tell whether the window of that proof is to be read again."""
        if self.going_on is not None and proof.run == self.going_on.run:
            return proof.window_end >= proof.read_on and proof.read_on < self.today
        if proof.verdict is Verdict.INCOMPLETE:
            return True
        return (proof.read_on - proof.window_end).days <= self.refresh_days


def unfinished(state: AccountState) -> RunRecord | None:
    """Return the run that is to be continued, or None where the latest one ended."""
    run = state.run
    return run if run is not None and run.finished_at is None else None


def plan_windows(
    span: DateWindow, window_days: int, proofs: Sequence[WindowProof], staleness: Staleness
) -> Iterator[PlannedWindow]:
    """Yield the windows that cover `span`, in order; `proofs` are in order and do not overlap.

    Held windows stay what they are (the first and last may reach beyond `span`), uncovered days are cut by
    the grid of `window_days` that starts at `span.start`.
    """
    grid = _Grid(span.start.toordinal(), window_days)
    held = [proof for proof in proofs if proof.window_end >= span.start and proof.window_start <= span.end]
    day, last = span.start.toordinal(), span.end.toordinal()
    for place, proof in enumerate(held):
        yield from grid.gap(day, proof.window_start.toordinal() - 1)
        follows = held[place + 1].window_start.toordinal() if place + 1 < len(held) else last + 1
        planned = _held(proof, grid, follows, staleness)
        yield planned
        day = planned.window.end.toordinal() + 1
    yield from grid.gap(day, last)


def _held(proof: WindowProof, grid: _Grid, follows: int, staleness: Staleness) -> PlannedWindow:
    if not staleness.is_due(proof):
        return PlannedWindow(proof.window, WindowState.DONE, proof)
    end = proof.window_end.toordinal()
    grown = max(end, min(grid.cell_end(proof.window_start.toordinal()), follows - 1))
    return PlannedWindow(_window(proof.window_start.toordinal(), grown), WindowState.REFRESH, proof)


def uncovered(span: DateWindow, proofs: Sequence[WindowProof]) -> Iterator[DateWindow]:
    """Yield the runs of days of `span` that no proof covers; `proofs` are in order and do not overlap."""
    day = span.start.toordinal()
    for proof in proofs:
        start, end = proof.window_start.toordinal(), proof.window_end.toordinal()
        if end < day or start > span.end.toordinal():
            continue
        if start > day:
            yield _window(day, start - 1)
        day = end + 1
    if day <= span.end.toordinal():
        yield _window(day, span.end.toordinal())


@attrs.frozen
class _Grid:
    origin: int
    step: int

    def cell_end(self, day: int) -> int:
        return day + self.step - 1 - (day - self.origin) % self.step

    def gap(self, first: int, last: int) -> Iterator[PlannedWindow]:
        while first <= last:
            end = min(self.cell_end(first), last)
            yield PlannedWindow(_window(first, end), WindowState.MISSING)
            first = end + 1


def _window(first: int, last: int) -> DateWindow:
    return DateWindow(date.fromordinal(first), date.fromordinal(last))
