"""The rules of one window, without I/O: what to ask next, and when what came is all there is.

`WindowState` is driven from outside: it says which requests it wants (`wanted`), is told what came of them
(`receive`), and puts answers whose rows may leave into `ready`, in an order that depends on the answers
alone and never on their timing.
"""

from __future__ import annotations

import heapq
import sys
from collections import deque
from collections.abc import Callable

import attrs

from .._findings import Diagnosis
from .._wire import Answer, Filters, judge_echo, same_row
from ..config import Paging, ServiceProfile
from ..errors import DataIntegrityError, FilterNotAppliedError, IncompleteResultError, PagingError
from ..records import InvoiceDistribution
from ..reports import Verdict
from ..windows import DateWindow
from .reading import FIRST_PAGES_AT_ONCE, read_window
from .rows import Delivery, Rows, RowSet, Sighting
from .scouting import Scouting
from .span import Ask, Plan, Result, Span


@attrs.define(eq=False, repr=False)
class Ready:
    """An answer some of whose rows may leave: those in `leaving`, the first of which is row `first` of the window."""

    span: DateWindow | None
    answer: Answer
    rows: Rows
    leaving: list[InvoiceDistribution]
    first: int


def _cannot_widen() -> bool:
    return False


class WindowState:
    """One window, from its first request to its outcome; `held`: answers that came and have not left yet."""

    def __init__(
        self,
        index: int,
        window: DateWindow | None,
        filters: Filters,
        profile: ServiceProfile,
        paging: Paging,
        diagnosis: Diagnosis,
        scouting: Scouting,
        *,
        require: bool,
    ) -> None:
        self.index, self.window, self.filters, self.profile = index, window, filters, profile
        self.paging, self.diagnosis, self.require = paging, diagnosis, require
        self.scouting = scouting
        self.waits = False
        self._probes, self._widen = False, _cannot_widen
        self.ready: deque[Ready] = deque()
        self.held = 0
        self.delivery = Delivery(diagnosis, unique=profile.unique_by is not None)
        self.leaving = 0
        self.doubts: dict[str, None] = {}
        self.gaps: dict[str, None] = {}
        self.invalid: dict[int, str] = {}
        self.rereads = self.halvings = 0
        self.restart()

    def restart(self) -> None:
        """Begin the window again; what was handed out stays handed out."""
        self.promised: int | None = 0
        self.received = self.backlog = 0
        self.held = len(self.ready)
        self.done = False
        self.gaps.clear()
        self.invalid.clear()
        self._looks_behind = self.waits = self._answered = False
        self.probe_ended()
        self._steps = read_window(self)
        self._advance(None)

    def first_reading(self) -> RowSet:
        """Return the set for the first reading of the whole window: what was handed out, while that is nothing."""
        return RowSet() if self.delivery.handed else self.delivery.handed

    @property
    def broken(self) -> bool:
        """Whether the rules ended in an error, so that the window can only be begun again."""
        return not self.done and not self._batch and not self.waits

    @property
    def verdict(self) -> Verdict:
        """How complete the window is, once it is done."""
        if self.gaps or self.invalid:
            return Verdict.INCOMPLETE
        return Verdict.UNVERIFIED if self.doubts else Verdict.COMPLETE

    @property
    def outstanding(self) -> int:
        """Requests that this window may need still, those in flight included; without bound before its first answer."""
        if not self._answered:
            return sys.maxsize
        return max(len(self._batch) - len(self._results), self.backlog)

    @property
    def rows_waiting(self) -> int:
        """Rows that came and were not handed out, as far as they are known."""
        behind = [self._results[ask] for ask in self._batch[self._next :] if ask in self._results]
        return sum(len(ready.leaving) for ready in self.ready) + sum(
            result.received for result in behind if isinstance(result, Answer)
        )

    @property
    def wanted(self) -> Ask | None:
        """The request that should go out next, None where the window waits for answers or is done."""
        return self._unsent[0][1] if self._unsent else None

    def still_holds(self, row: InvoiceDistribution) -> bool:
        """Tell whether a row has come and waits to be handed out."""
        return any(same_row(each, row) for ready in self.ready for each in ready.leaving)

    def send(self) -> Ask:
        """Return the wanted request; it is under way from now on."""
        return heapq.heappop(self._unsent)[1]

    def abandon(self) -> None:
        """Note that the run ends here: a look behind the totals that was not finished is left to others."""
        if self._looks_behind:
            self.diagnosis.looking = False

    def probe_begun(self, more: Callable[[], Ask | None]) -> None:
        """Note that this window probes; `more` makes one more request of the probe, None where there is none."""

        def widen() -> bool:
            ask = more()
            if ask is None:
                return False
            self._batch.append(ask)
            heapq.heappush(self._unsent, (len(self._batch) - 1, ask))
            return True

        self._probes, self._widen = True, widen
        self.scouting.begin(self.index, widen)

    def probe_ended(self) -> None:
        """Note that this window probes no more."""
        if self._probes:
            self._probes, self._widen = False, _cannot_widen
            self.scouting.end(self.index)

    def wait(self) -> Plan[None]:
        """Wait for what the probe of another window finds."""
        self.waits = True
        self.scouting.waiting.append(self._go_on)
        yield []

    @property
    def cut_is_known(self) -> bool:
        """Whether the service is known to cut off what does not fit, and to have no pages."""
        return self.diagnosis.pages_by_number is False

    def _go_on(self) -> None:
        if self.waits:
            self.waits = False
            self._advance([])

    def dropped(self, ask: Ask) -> None:
        """Note that a request ended without a result: it is wanted again."""
        if ask in self._batch and ask not in self._results:
            heapq.heappush(self._unsent, (self._batch.index(ask), ask))

    def receive(self, ask: Ask, result: Result) -> bool:
        """Take what came of a request, and tell whether more may go out now: the window wants more, or holds less.

        Raises the error that ends the window: the request may be given back with `dropped`, unless the
        window is `broken` and has to be begun again.
        """
        if isinstance(result, Answer):
            self._check_echo(ask, result)
        elif not ask.tolerates(result):
            raise result
        self._results[ask] = result
        before, probed, self._answered = self.held, self._probes, True
        self.held += 1
        self.backlog = max(0, self.backlog - 1)
        while self._next < len(self._batch) and self._batch[self._next] in self._results:
            ask = self._batch[self._next]
            self._next += 1
            self._accept(ask, self._results[ask])
            self.held = len(self.ready) + len(self._results) - self._next
        if self._next == len(self._batch):
            self._advance([self._results[each] for each in self._batch])
            return True
        return self.held <= before or probed is not self._probes

    def _advance(self, results: list[Result] | None) -> None:
        self._batch: list[Ask] = []
        self._results: dict[Ask, Result] = {}
        self._next = 0
        try:
            self._batch = next(self._steps) if results is None else self._steps.send(results)
        except StopIteration:
            self.done = True
        self._unsent = list(enumerate(self._batch))

    def _accept(self, ask: Ask, result: Result) -> None:
        if not isinstance(result, Answer):
            return
        rows = Rows(result)
        if ask.look:
            ask.fresh = sum(ask.span.rows.sight(row) is Sighting.NEW for row in rows.all)
            result.let_go()
            return
        counted = self.delivery.duplicates
        novelty = self.delivery.take(ask.span.rows, rows)
        ask.span.duplicates += self.delivery.duplicates - counted
        ask.span.accept(ask, result, novelty, self._note_invalid(ask, result) if result.invalid else 0)
        if self._probes and ask.fresh:
            self._found_pages()
        if novelty.leaving:
            self.ready.append(Ready(ask.span.asked, result, rows, novelty.leaving, self.leaving))
            self.leaving += len(novelty.leaving)
        result.let_go()

    def _found_pages(self) -> None:
        """Go on as soon as one page of a probe tells: with the pages behind it, and with the windows that wait."""
        self.diagnosis.pages_by_number = True
        while len(self._batch) < FIRST_PAGES_AT_ONCE and self._widen():
            pass
        self.probe_ended()

    def take_ready(self) -> Ready:
        """Return the next answer whose rows may leave."""
        self.held -= 1
        return self.ready.popleft()

    def _note_invalid(self, ask: Ask, answer: Answer) -> int:
        """Name the places of broken rows that were not met before; return how many the span did not have yet."""
        place = ask.span.asked or "default range"
        new = [row for row in answer.invalid if row.digest not in ask.span.broken]
        for row in new:
            ask.span.broken.add(row.digest)
            self.invalid.setdefault(row.digest, f"{place}: {row.path}")
        return len(new)

    def _check_echo(self, ask: Ask, answer: Answer) -> None:
        verdict = judge_echo(answer, self.filters, ask.span.asked, self.profile)
        if verdict.doubt is not None:
            self.doubts[verdict.doubt] = None
        wrong = verdict.contradiction
        if wrong is None:
            return
        if self.require or wrong.default:
            error = FilterNotAppliedError(wrong.message, field=wrong.field)
            error.window = ask.span.asked
            raise error
        self.gaps[wrong.message] = None

    def read_again(self, span: Span) -> None:
        """Begin a part of the window again."""
        self.rereads += 1
        self.delivery.duplicates -= span.duplicates  # of a reading that is not counted
        span.begin()

    def count(self, span: Span) -> None:
        """Add a part that is settled to what the window promised and brought."""
        self.received += span.received
        self.promised = None if self.promised is None or span.total is None else self.promised + span.total

    def fall_short(self, span: Span, why: str) -> None:
        """Give a part up: an error, or a gap in the report where the caller asked for that."""
        if self.require:
            raise IncompleteResultError(why, window=span.asked, expected=span.total, received=span.distinct)
        self.gaps[why] = None

    def contradict(self, span: Span, why: str, kind: type[DataIntegrityError] = DataIntegrityError) -> None:
        """Report totals that contradict each other: an error, or a gap where the caller asked for that."""
        if self.require:
            error = kind(why)
            error.window = span.asked
            raise error
        self.gaps[why] = None

    def look_behind(self, *, begin: bool) -> None:
        """Note that this window looks, or has looked, whether a page stands behind a customary total."""
        self._looks_behind = self.diagnosis.looking = begin

    def miscounted(self, span: Span) -> None:
        """Report that a total counts the page: what earlier windows proved by theirs is proved no more."""
        self.contradict(
            span,
            "the total counts the page and not the result: declare the pages, Paging.numbered(...)",
            PagingError,
        )
