"""How the rows of one window are found: the plan of a reading, as generators that yield what to ask.

Each yields lists of requests that may go out together and gets their results in the same order.
"""

from __future__ import annotations

import itertools
import math
from enum import Enum
from typing import TYPE_CHECKING

from .._wire import Answer, PageAsk, echoed_days
from ..errors import PagingError
from .span import Ask, Plan, Result, Span, is_about_size, is_slow

if TYPE_CHECKING:
    from .rules import WindowState

MAX_REREADS = 2
"""Times that a span which does not settle is read again; a default of ours."""
CUSTOMARY_SIZES = frozenset({50, 100, 200, 250, 500, 1000, 2000, 5000, 10000})
"""Page sizes that make a total equal to its rows suspicious when two windows have the same."""
_SUSPICIOUS_WINDOWS = 2
FIRST_PAGES_AT_ONCE, MOST_PAGES_AT_ONCE = 64, 1024
"""Pages that are planned together, at first and at most; so many without a new row end the reading of a span."""
MOST_PAGES_WITHOUT_TOTAL = 10_000
"""Pages after which a span whose end no total tells is given up."""


class Fate(Enum):
    """What became of a span: all there, cut off by the service, or not settled."""

    DONE = "done"
    CUT = "cut"
    UNSETTLED = "unsettled"


def read_window(state: WindowState) -> Plan[None]:
    """Read a window: whole, by pages, or in ever smaller halves, down to single days."""
    yield from _read_level(state, [Span(state.window, covers=state.window, rows=state.first_reading())])


def _read_level(state: WindowState, spans: list[Span]) -> Plan[None]:
    """Read spans side by side, then the halves of those that were cut off, level by level."""
    while spans:
        firsts = yield [_ask(state, span, None) for span in spans]
        _check_halves(state, spans)
        halves: list[Span] = []
        for span, first in zip(spans, firsts, strict=True):
            if not isinstance(first, Answer):
                halves += yield from _halve_refused(state, span, slow=is_slow(first))
                continue
            span.covers = span.covers or echoed_days(first)
            if (yield from _settle(state, span, first)) is Fate.CUT:
                halves += _halves(state, span)
        spans = halves


def _halves(state: WindowState, span: Span) -> list[Span]:
    assert span.covers is not None  # noqa: S101  # only divisible spans are cut
    state.halvings += 1
    return [Span(half, span, covers=half) for half in span.covers.halves()]


def _halve_refused(state: WindowState, span: Span, *, slow: bool) -> Plan[list[Span]]:
    """Halve what was too large; what was too slow one side first, since an outage looks the same."""
    span.begin()
    left, right = _halves(state, span)
    if not slow:
        return [left, right]
    yield from _read_level(state, [left])
    return [right]


def _check_halves(state: WindowState, spans: list[Span]) -> None:
    """Compare the totals of two halves with what the whole promised."""
    for left, right in itertools.pairwise(spans):
        whole = left.parent
        if whole is None or whole is not right.parent or not whole.total or None in (left.total, right.total):
            continue
        whole.halves_agree = (left.total or 0) + (right.total or 0) == whole.received
        if whole.halves_agree and whole.total == whole.received:
            state.diagnosis.total_is_whole = True  # a total of the page would be that of the page for each half too
        if left.total == right.total == whole.total:
            left.indivisible = right.indivisible = True
            state.contradict(whole, f"the service promises the same {whole.total} rows for each half of the window")
        elif (left.total or 0) + (right.total or 0) < whole.total:
            promised = f"{left.total} and {right.total}"
            state.contradict(whole, f"the service promised {whole.total} rows, and for the two halves {promised}")


def _settle(state: WindowState, span: Span, first: Answer) -> Plan[Fate]:
    """Read the rest of a span; read it again where it moves or falls short; give it up at last."""
    fate = yield from _read_rest(state, span, first)
    for _ in range(MAX_REREADS):
        if fate is Fate.DONE or (fate is Fate.CUT and span.divisible):
            break
        before = span.seen
        state.read_again(span)
        (result,) = yield [_ask(state, span, None)]
        if not isinstance(result, Answer):
            return Fate.CUT
        fate = yield from _read_rest(state, span, result)
        if before == span.seen and fate is not Fate.DONE:
            if span.received == span.total and not span.moved:
                fate = Fate.DONE  # the same twice over: the service does hold some rows twice
            break
    if span.divisible and (fate is Fate.CUT or (fate is Fate.UNSETTLED and span.short)):
        return Fate.CUT
    if fate is not Fate.DONE:
        state.fall_short(span, _shortfall(span))
    state.count(span)
    return Fate.DONE


def _shortfall(span: Span) -> str:
    if span.moved:
        return f"the total moves while the pages are read ({span.total} at first; {span.distinct} rows came)"
    return f"the service promised {span.total} rows, {span.distinct} came"


def _read_rest(state: WindowState, span: Span, first: Answer) -> Plan[Fate]:
    total, came = span.total, first.received
    if total is not None and total > came:
        state.diagnosis.total_is_whole = True
    if state.paging.mode == "numbered":
        return (yield from _read_numbered(state, span, came))
    if total is None:
        state.doubts["a 204 promises nothing" if first.empty else "the service gave no total"] = None
        return Fate.DONE
    if total == came:
        yield from _look_behind(state, span, came)
        return Fate.DONE
    if total < came:
        return Fate.UNSETTLED
    probed_in_vain = span.probed and not span.paged
    if state.paging.mode == "off" or probed_in_vain or (state.cut_is_known and span.divisible):
        return Fate.CUT
    return (yield from _read_pages(state, span, size=came, first=1))


def _look_behind(state: WindowState, span: Span, came: int) -> Plan[None]:
    """Ask once per client whether a second page stands behind a total that may count the page."""
    diagnosis = state.diagnosis
    settled = diagnosis.total_is_whole or diagnosis.looking
    if settled or state.paging.mode == "off" or came not in CUSTOMARY_SIZES:
        return
    windows = diagnosis.customary.setdefault(came, set())
    windows.add(span.asked)
    if len(windows) < _SUSPICIOUS_WINDOWS:
        return
    state.look_behind(begin=True)  # one look settles it; the others need not wait for this one
    ask = _ask(state, span, 2, expected=0)
    yield [ask]
    state.look_behind(begin=False)
    if ask.fresh:
        state.miscounted(span)
    else:
        diagnosis.total_is_whole = True


def _read_pages(state: WindowState, span: Span, *, size: int, first: int) -> Plan[Fate]:
    """Read the pages behind the first one: a probe where it is not known that pages are numbered, then all."""
    last = _last_page(span, size, first)
    state.backlog = last - first
    asked = {first}
    if state.diagnosis.pages_by_number is None and state.scouting.lend(state.index):
        yield from state.wait()
        if state.cut_is_known and span.divisible:
            return Fate.CUT
    if state.diagnosis.pages_by_number is not True:
        asked |= yield from _probe(state, span, size, first)
        if not span.paged:
            return Fate.CUT
    start, at_once = first + 1, FIRST_PAGES_AT_ONCE
    while start <= last:
        numbers = [number for number in range(start, min(start + at_once, last + 1)) if number not in asked]
        start, at_once = start + at_once, min(2 * at_once, MOST_PAGES_AT_ONCE)
        asks = [_ask(state, span, number, expected=size) for number in numbers]
        results = (yield asks) if asks else []
        if any(not isinstance(result, Answer) and is_about_size(result) for result in results):
            return Fate.CUT
        if asks and numbers[0] == first + 1 and _is_repeated(asks[0], results[0]):
            state.diagnosis.pages_by_number = None  # what was learned does not hold here
            return Fate.CUT
        if asks and not any(each.fresh for each in asks):
            break  # a total that promises pages without end is not followed into the void
    yield from _read_on(state, span, last + 1, size)
    if state.paging.mode == "auto":
        yield from _read_before(state, span, size)
    return Fate.DONE if span.distinct == span.total and not span.moved else Fate.UNSETTLED


def _last_page(span: Span, size: int, first: int) -> int:
    return first + (math.ceil((span.total or 0) / size) - 1 if size else 1)


def _is_repeated(ask: Ask, result: Result) -> bool:
    return isinstance(result, Answer) and result.received > 0 and not ask.fresh


def _probe(state: WindowState, span: Span, size: int, first: int) -> Plan[set[int]]:
    """Ask the second page, and others where it is empty; note what that says of the service.

    The others are looked at only: their rows are handed out when their turn comes, so that the order of rows
    does not depend on what the client has learned.
    """
    span.probed = True
    asks = [_ask(state, span, first + 1, expected=size)]
    further = iter(range(first + 2, _last_page(span, size, first) + 1))

    def one_more() -> Ask | None:
        number = next(further, None)
        return None if number is None else _ask(state, span, number, expected=size)

    if state.diagnosis.pages_by_number is None:
        state.probe_begun(one_more)
    result, *_ = yield asks  # other windows add to them while they are under way
    state.probe_ended()
    found = any(each.fresh for each in asks)
    elsewhere = [] if found else _where_to_look(state, span, size, result)
    looks = [_ask(state, span, number, expected=0, look=True) for number in elsewhere]
    if looks:
        yield looks
        found = any(each.fresh for each in looks)
    state.diagnosis.pages_by_number = span.paged = found
    return set(range(first + 1, first + 1 + len(asks)))


def _where_to_look(state: WindowState, span: Span, size: int, second: Result) -> list[int]:
    """Return the pages that may hold rows although the second does not: at the far end, or counted from zero."""
    auto = state.paging.mode == "auto"
    if not isinstance(second, Answer):
        return [1] if auto and not span.divisible else []
    if second.received:
        return []
    first = 1 if auto else state.paging.first
    last = _last_page(span, size, first)
    return sorted(({last, last + 1} | ({1} if auto else set())) - {first + 1})


def _read_on(state: WindowState, span: Span, number: int, size: int) -> Plan[None]:
    """Ask for further pages while some rows are missing and the last page brought new ones."""
    while span.short:
        ask = _ask(state, span, number, expected=size)
        yield [ask]
        if not ask.fresh:
            return
        number += 1


def _read_before(state: WindowState, span: Span, size: int) -> Plan[None]:
    """Ask for pages 0 and 1 where one page is missing: the service may count from zero."""
    for number in (0, 1):
        if span.short and (span.total or 0) - span.distinct <= size:
            yield [_ask(state, span, number, expected=size)]


def _read_numbered(state: WindowState, span: Span, came: int) -> Plan[Fate]:
    """Read declared pages: side by side where the total is that of the whole, else until one brings nothing."""
    paging, total = state.paging, span.total
    if total is not None and total > came:
        if span.probed and not span.paged:
            return Fate.CUT
        return (yield from _read_pages(state, span, size=came or paging.per_page, first=paging.first))
    if total == came and state.diagnosis.total_is_whole:
        return Fate.DONE
    number, behind = paging.first, 0
    while came:
        number += 1
        if number - paging.first > MOST_PAGES_WITHOUT_TOTAL:
            state.contradict(span, f"{MOST_PAGES_WITHOUT_TOTAL} pages without an end and without a total", PagingError)
            break
        ask = _ask(state, span, number, expected=paging.per_page)
        (result,) = yield [ask]
        if not ask.fresh:
            if not behind and _is_repeated(ask, result):
                return _judge_repeated(state, span, came)
            break
        behind += 1
    if not behind and total is not None and total < came:
        return Fate.UNSETTLED
    if behind or total is None:
        why = "the service gave no total" if total is None else "the total counts the page"
        state.doubts[f"{why}; the end was found by a page without new rows"] = None
        span.total, span.moved = None, False
    else:
        state.doubts["a total that equals its page proves nothing before one was seen to exceed a page"] = None
    return Fate.DONE


def _judge_repeated(state: WindowState, span: Span, came: int) -> Fate:
    """Say what it means that the second page is the first again: all there, or a service that ignores pages.

    The halves tell: where they promise together what came for the whole, nothing was cut off.
    """
    if span.divisible:
        return Fate.CUT
    whole = span.parent
    if whole is not None and not whole.halves_agree and came >= whole.received:
        state.contradict(span, "the second page is the first again: the service does not page as declared", PagingError)
    state.doubts["a page was repeated: the service may not page as declared"] = None
    return Fate.DONE


def _ask(state: WindowState, span: Span, number: int | None, *, expected: int | None = None, look: bool = False) -> Ask:
    paging = state.paging
    page: PageAsk | None = None
    if paging.mode == "numbered":
        page = PageAsk(paging.page, paging.first if number is None else number, paging.size, paging.per_page)
    elif number is not None:
        page = PageAsk(state.profile.page_name, number)
    return Ask(span, page, expected, look, page_may_be_missing=number is not None, divisible=span.divisible)
