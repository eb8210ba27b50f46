"""One call on its way: what is asked, and what its latest attempt came to."""

from __future__ import annotations

from collections.abc import Sequence

from ._auth import KeyInUse
from ._findings import Tally
from ._gate import Lane
from ._retry import CallRules
from ._wire import Answer, RawReply, Request, read_reply
from .errors import ConfirmaError
from .events import AttemptEnded


class Call:
    """One call: what is asked, where it stands in the queue, whose counters it moves; and its latest attempt.

    `used`: the key. `pause`: seconds for which its failure holds back the client. `status`: what came, None
    where nothing did. `wire_began`, `wire_ended`: seconds of the monotonic clock; None before the first time
    on the wire, and once the hooks know of it.
    """

    __slots__ = (
        "lane",
        "pause",
        "rank",
        "request",
        "rules",
        "skip_invalid",
        "status",
        "tallies",
        "used",
        "wire_began",
        "wire_ended",
    )

    def __init__(self, request: Request, rules: CallRules, rank: int, lane: Lane | None) -> None:
        self.request, self.rules, self.rank, self.lane = request, rules, rank, lane
        self.tallies: Sequence[Tally] = ()
        self.skip_invalid = False
        self.used: KeyInUse | None = None
        self.pause: float | None = None
        self.status: int | None = None
        self.wire_began: float | None = None
        self.wire_ended = 0.0

    @property
    def can_wait(self) -> bool:
        """Whether somebody else is ahead in the same lane."""
        return self.lane is not None and self.rank > self.lane.head

    def read(self, raw: RawReply) -> Answer | ConfirmaError:
        """Return the answer that came, or the error that it stands for."""
        assert self.used is not None  # noqa: S101  # nothing comes where nothing was sent
        try:
            return read_reply(raw, self.used.key, skip_invalid=self.skip_invalid)
        except ConfirmaError as error:
            return error

    def ended(self, outcome: Answer | ConfirmaError) -> AttemptEnded | None:
        """Return what the hooks are to hear of an attempt that left the wire, once; None where none was on it."""
        began, self.wire_began = self.wire_began, None
        if began is None:
            return None
        return AttemptEnded(
            method=self.request.method,
            url=self.request.shown,
            attempt=self.rules.sent,
            status=self.status,
            failure=None if isinstance(outcome, Answer) else type(outcome).__name__,
            seconds=self.wire_ended - began,
            bytes=len(outcome.body) if isinstance(outcome, Answer) else 0,
        )
