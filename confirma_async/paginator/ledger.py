"""The sums of a run: what ended windows brought, and the verdict that follows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import attrs

from ..reports import Doubt, Verdict, WindowOutcome
from ..session import Tally
from ..windows import DateWindow

MOST_INVALID_NAMED = 1000


@attrs.define
class Ledger:
    """Counts over the windows of a run that ended."""

    windows: int = 0
    pages: int = 0
    records: int = 0
    duplicates: int = 0
    conflicts: int = 0
    rereads: int = 0
    halvings: int = 0
    invalid_count: int = 0
    invalid: list[str] = attrs.field(factory=list)
    spent: Tally = attrs.field(factory=Tally)
    unverified: list[Doubt] = attrs.field(factory=list)
    incomplete: list[Doubt] = attrs.field(factory=list)

    def enter(self, outcome: WindowOutcome) -> None:
        """Add an ended window."""
        self.windows += 1
        self.duplicates += outcome.duplicates
        self.conflicts += outcome.conflicts
        self.rereads += outcome.rereads
        self.halvings += outcome.halvings
        self.invalid_count += len(outcome.invalid)
        self.invalid += outcome.invalid[: MOST_INVALID_NAMED - len(self.invalid)]
        self.spent.requests += outcome.requests
        self.spent.retries += outcome.retries
        self.spent.bytes += outcome.bytes
        if outcome.verdict is not Verdict.COMPLETE:
            kept = self.unverified if outcome.verdict is Verdict.UNVERIFIED else self.incomplete
            _append(kept, outcome.window, outcome.reasons)

    @property
    def verdict(self) -> Verdict:
        """The verdict over the windows that ended."""
        if self.incomplete:
            return Verdict.INCOMPLETE
        return Verdict.UNVERIFIED if self.unverified else Verdict.COMPLETE


def _append(doubts: list[Doubt], window: DateWindow | None, reasons: Sequence[str]) -> None:
    """Name a window, joined with its neighbour where that has the same reasons: the list stays short."""
    reason = "; ".join(reasons)
    span = doubts[-1].span if doubts and doubts[-1].reason == reason else None
    if span is not None and window is not None and span.end + timedelta(days=1) == window.start:
        doubts[-1] = Doubt(DateWindow(span.start, window.end), reason)
    else:
        doubts.append(Doubt(window, reason))
