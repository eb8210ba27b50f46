"""What a backfill would do, without doing it: no request is made."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from ..windows import DateWindow
from .coverage import PlannedWindow, WindowState


@attrs.frozen
class BackfillPlan:
    """The windows of a backfill, in order; iterating gives `PlannedWindow`s.

    `span`: the days asked for. `windows`: each with its state: done, missing or refresh.
    """

    span: DateWindow
    windows: tuple[PlannedWindow, ...]

    def __iter__(self) -> Iterator[PlannedWindow]:
        return iter(self.windows)

    def __len__(self) -> int:
        return len(self.windows)

    def count(self, state: WindowState) -> int:
        """Return how many windows are in that state."""
        return sum(planned.state is state for planned in self.windows)

    @property
    def to_ask(self) -> tuple[DateWindow, ...]:
        """The windows that would be asked for, in order."""
        return tuple(planned.window for planned in self.windows if planned.asked)

    @property
    def requests_expected(self) -> int:
        """Requests that a run would make, retries aside; `reasoning` says what the number rests on."""
        return -(-len(self.to_ask) * self._requests_known // max(self._windows_known, 1))

    @property
    def reasoning(self) -> str:
        """Why so many requests are expected, in one sentence."""
        asked = len(self.to_ask)
        if not self._windows_known:
            return f"{asked} windows, one request each; more where an answer turns out to be cut or paged"
        mean = self._requests_known / self._windows_known
        return f"{asked} windows at {mean:.2g} requests each, as in the {self._windows_known} windows read before"

    @property
    def _windows_known(self) -> int:
        return sum(planned.proof is not None and planned.proof.requests > 0 for planned in self.windows)

    @property
    def _requests_known(self) -> int:
        known = sum(planned.proof.requests - planned.proof.retries for planned in self.windows if planned.proof)
        return max(known, self._windows_known, 1)

    def __str__(self) -> str:
        done, missing, refresh = (self.count(state) for state in WindowState)
        return (
            f"{self.span}: {len(self)} windows ({done} done, {missing} missing, {refresh} to refresh), "
            f"{self.requests_expected} requests expected: {self.reasoning}"
        )
