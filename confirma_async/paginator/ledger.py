"""The sums of a run: what ended windows brought, and the verdict that follows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta

import attrs

from .._findings import Tally
from ..reports import Doubt, FetchReport, Verdict, WindowOutcome
from ..windows import DateWindow
from .track import Track

MOST_INVALID_NAMED = 1000


@attrs.define(eq=False, repr=False)
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


def report_on(
    ledger: Ledger,
    tracks: Collection[Track],
    *,
    windows_total: int,
    unread: int,
    over: bool,
    seconds: float,
    rests_on: tuple[str, ...],
) -> FetchReport:
    """Return the sums over the windows that ended and those that are being read; `unread` records are not counted."""
    spent = attrs.evolve(ledger.spent)
    for track in tracks:
        spent.requests += track.tally.requests
        spent.retries += track.tally.retries
        spent.bytes += track.tally.bytes
    return FetchReport(
        verdict=ledger.verdict if over else Verdict.INCOMPLETE,
        windows=ledger.windows,
        windows_total=windows_total,
        pages=ledger.pages + sum(track.pages for track in tracks),
        requests=spent.requests,
        retries=spent.retries,
        records=ledger.records + sum(track.delivered for track in tracks) - unread,
        duplicates=ledger.duplicates + sum(track.state.delivery.duplicates for track in tracks),
        conflicts=ledger.conflicts + sum(track.state.delivery.conflicts for track in tracks),
        rereads=ledger.rereads + sum(track.state.rereads for track in tracks),
        halvings=ledger.halvings + sum(track.state.halvings for track in tracks),
        invalid=tuple(ledger.invalid),
        invalid_count=ledger.invalid_count,
        bytes=spent.bytes,
        seconds=seconds,
        unverified=tuple(ledger.unverified),
        incomplete=tuple(ledger.incomplete),
        rests_on=rests_on,
    )
