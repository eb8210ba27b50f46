"""Verdicts and what they rest on."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import attrs

from ._shown import shown
from .windows import DateWindow


class Verdict(StrEnum):
    """How complete a result is, as far as anybody can know."""

    COMPLETE = "COMPLETE"
    """Every window brought as many rows as the service promised for it."""
    UNVERIFIED = "UNVERIFIED"
    """Nothing was contradicted, something could not be proved."""
    INCOMPLETE = "INCOMPLETE"
    """Something is missing, or the run has not ended."""

    def worse(self, other: Verdict) -> Verdict:
        """Return the worse of two verdicts."""
        return max(self, other, key=_RANK.__getitem__)


_RANK = {Verdict.COMPLETE: 0, Verdict.UNVERIFIED: 1, Verdict.INCOMPLETE: 2}


@attrs.frozen
class WindowOutcome:
    """What was promised for one window and what came, as of `fetched_at`.

    Counts are rows unless said otherwise. `index`: the window's place in its run, from 0. `window`: None
    when no dates were sent. `promised`: the service's total, None where it gave none. `received`: rows of
    the reading that was accepted, as they came. `delivered`: records handed out. `duplicates`: rows equal
    in every field to one already delivered. `conflicts`: rows that share an invoice number with another of
    their window or its neighbours and differ from it. `invalid`: places of rows that broke the contract.
    `pages`: answers whose records were delivered; `requests` and `retries` count what reached the wire;
    `rereads`: times the window was read again; `halvings`: times it was cut in two; `bytes`: decoded.
    """

    __repr__ = shown

    index: int
    window: DateWindow | None
    verdict: Verdict
    reasons: tuple[str, ...]
    promised: int | None
    received: int
    delivered: int
    duplicates: int
    conflicts: int
    invalid: tuple[str, ...]
    pages: int
    requests: int
    retries: int
    rereads: int
    halvings: int
    bytes: int
    fetched_at: datetime


@attrs.frozen
class Doubt:
    """Why the windows from `start` to `end` are not proved complete; both None when no dates were sent."""

    __repr__ = shown

    span: DateWindow | None
    reason: str

    def __str__(self) -> str:
        return f"{self.span or 'the last 30 days of the service'}: {self.reason}"


@attrs.frozen
class FetchReport:
    """What a run asked and got, so far.

    `windows_total`: windows of the run; `windows`: those that ended; `records`: delivered; `invalid`: the
    places of the rows that were skipped (at most the first 1,000; `invalid_count` counts them all);
    `seconds`: since the run started; `rests_on`: beliefs about the service that no answer can confirm.
    The other counts are sums of those of `WindowOutcome`.
    """

    __repr__ = shown

    verdict: Verdict
    windows: int = 0
    windows_total: int = 0
    pages: int = 0
    requests: int = 0
    retries: int = 0
    records: int = 0
    duplicates: int = 0
    conflicts: int = 0
    rereads: int = 0
    halvings: int = 0
    invalid: tuple[str, ...] = ()
    invalid_count: int = 0
    bytes: int = 0
    seconds: float = 0.0
    unverified: tuple[Doubt, ...] = ()
    incomplete: tuple[Doubt, ...] = ()
    rests_on: tuple[str, ...] = ()

    def __str__(self) -> str:
        counts = (
            f"{self.verdict}: {self.records:,} records from {self.windows:,} of {self.windows_total:,} windows "
            f"({self.pages:,} pages, {self.requests:,} requests, {self.retries:,} retries, "
            f"{self.duplicates:,} duplicates dropped, {self.conflicts:,} conflicts, "
            f"{self.bytes / 1e6:.1f} MB, {self.seconds:.2f} s)"
        )
        doubts = [f"  {word}: {doubt}" for word, doubt in self._doubts()]
        return "\n".join([counts, *doubts, *(f"  rests on: {belief}" for belief in self.rests_on)])

    def _doubts(self) -> list[tuple[str, Doubt]]:
        return [
            *(("incomplete", doubt) for doubt in self.incomplete),
            *(("unverified", doubt) for doubt in self.unverified),
        ]
