"""The pieces a window is read in: what is asked, what came, and what it adds up to."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeAlias, TypeVar

import attrs

from .._wire import Answer, PageAsk, Request
from ..errors import ApiStatusError, ConfirmaError, RequestTimeoutError, ResponseTooLargeError
from ..windows import DateWindow
from .rows import Novelty, RowSet

_T = TypeVar("_T")
_TOO_LARGE, _GATEWAY_TIMEOUT = 413, 504
NO_SUCH_PAGE = frozenset({400, 404, 422})

Result: TypeAlias = Answer | ConfirmaError


@attrs.define(eq=False, repr=False)
class Ask:
    """One request that a window wants.

    `expected`: rows, None where nothing is known yet. `look`: only to see whether it brings new rows.
    `page_may_be_missing`: an answer that there is no such page is a result, not a failure. `divisible`: so is
    an answer that was too large or too slow. `fresh`: rows that its answer brought and its span did not have.
    """

    span: Span
    page: PageAsk | None = None
    expected: int | None = None
    look: bool = False
    page_may_be_missing: bool = False
    divisible: bool = False
    fresh: int = 0

    def tolerates(self, failure: ConfirmaError) -> bool:
        """Tell whether a failure is an answer to this question."""
        if self.page_may_be_missing and getattr(failure, "status", None) in NO_SUCH_PAGE:
            return True
        return self.divisible and is_about_size(failure)


Plan: TypeAlias = Generator[list[Ask], list[Result], _T]


@attrs.define(eq=False, repr=False)
class Span:
    """The part of a window that one request without pages covers, and what its present reading brought.

    `asked`: the days sent, None for none. `covers`: the days it stands for, where known. `total`: what the
    first answer promised; `moved`: a later answer promised something else. `received`: rows as they came,
    pages without a new row not counted; `distinct`: those that differ from each other, invalid ones counted
    each. `halves_agree`: its halves promise together what came for it.
    `probed`, `paged`: whether a second page was looked for, and found.
    `rows`: those of the present reading; `broken`: digests of rows that break the contract. `request`: what
    asks for all of it, once it was asked.
    """

    asked: DateWindow | None
    parent: Span | None = None
    covers: DateWindow | None = None
    indivisible: bool = False
    halves_agree: bool = False
    probed: bool = False
    paged: bool = False
    total: int | None = None
    moved: bool = False
    received: int = 0
    distinct: int = 0
    duplicates: int = 0
    rows: RowSet = attrs.field(factory=RowSet)
    broken: set[int] = attrs.field(factory=set)
    request: Request | None = None

    @property
    def divisible(self) -> bool:
        """Whether there are halves to ask for."""
        return not self.indivisible and self.covers is not None and self.covers.days > 1

    @property
    def short(self) -> bool:
        """Whether less came than was promised."""
        return self.total is not None and self.distinct < self.total

    @property
    def seen(self) -> tuple[int | None, int, int]:
        """What two readings must agree in to be the same."""
        return self.total, self.received, self.distinct

    def begin(self) -> None:
        """Forget the present reading."""
        self.rows = RowSet()
        self.total, self.moved = None, False
        self.received = self.distinct = self.duplicates = 0
        self.broken.clear()

    def accept(self, ask: Ask, answer: Answer, novelty: Novelty, invalid: int) -> None:
        """Take an answer into the reading; `invalid` of its broken rows were not in it yet."""
        total = answer.metadata.total_count
        if self.total is None:
            self.total = total
        elif total is not None and total != self.total:
            self.moved = True
        ask.fresh = novelty.unknown + invalid
        if ask.fresh:
            self.distinct += novelty.unknown + novelty.other + invalid
            self.received += answer.received


def is_about_size(error: ConfirmaError) -> bool:
    """Tell whether fewer days may succeed where these failed."""
    return is_slow(error) or isinstance(error, ResponseTooLargeError) or getattr(error, "status", None) == _TOO_LARGE


def is_slow(error: ConfirmaError) -> bool:
    """Tell whether it was time that ran out, which an outage looks like too."""
    if isinstance(error, RequestTimeoutError):
        return error.phase != "connect"
    return isinstance(error, ApiStatusError) and error.status == _GATEWAY_TIMEOUT
