"""The distribution endpoint without HTTP: a query in, a body out.

Wire names are written here by hand, so that a mistake in the SDK's codec cannot hide in a shared constant.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ._ledger import ListedDays, Selection, Span, Tally, exists, select
from ._numbers import place_of
from ._question import Filters, Question, RefusedError, filters_for, read_question, today_in
from ._reply import Reply
from ._rows import EXTRA_FIELD, RowWriter

if TYPE_CHECKING:
    from ._switches import Mutation, Switches

_TIME_ZONE = "Europe/Helsinki"  # unknown; the vendor is Finnish
_INTEGER = re.compile(r"0|[1-9][0-9]{0,17}")  # within 64 bits, and in one spelling only
_GARBLED = '{"invoiceNumber":null,"fromInvDate":"00.00.0000","toInvDate":"?","fetchType":null}'


def distribution(query: Mapping[str, str], switches: Switches, rows: RowWriter) -> Reply:
    """Answer one question about invoice distribution."""
    try:
        sent = read_question(query, paged=switches.paging == "number")
        used = filters_for(Question() if switches.ignore_filter else sent, switches.today or today_in(_TIME_ZONE))
        found = _found(used, switches)
        whole = found.tally()
        spans = list(found.spans(*_page(sent, switches, whole.total)))
    except RefusedError as refused:
        return refused.reply
    counts = _counts(ListedDays(spans).tally() if switches.total == "page" else whole, switches)
    return Reply(200, _body(counts + _echo(sent, used, switches), _rows(switches.mutate, rows, spans), switches))


def _found(used: Filters, switches: Switches) -> Selection:
    """The invoices that answer it; `fetchType` leaves none out, since its values are unknown."""
    first, last = used.start.toordinal(), used.end.toordinal() - switches.exclusive_end
    if used.invoice_number is None:
        return select(switches.invoices_per_day, first, last)
    place = place_of(switches.invoice_numbers, used.invoice_number)
    if place is None or not first <= place[0] <= last or not exists(switches.invoices_per_day, *place):
        return ListedDays([])
    ordinal, index = place
    return ListedDays([Span(ordinal, index, index + 1)])


def _page(asked: Question, switches: Switches, total: int) -> tuple[int, int]:
    """Positions of the first row and after the last row that are sent."""
    if switches.paging == "none":
        return 0, total
    if switches.paging == "cut":
        return 0, switches.page_size
    size = min(asked.page_size or switches.page_size, switches.page_size)
    first = switches.first_page
    page = first if asked.page is None or switches.ignore_page else asked.page
    if page in switches.empty_pages:
        return 0, 0
    at = page - first - sum(first <= empty < page for empty in set(switches.empty_pages))
    last = max(0, (total - 1) // size)
    if not 0 <= at <= last:
        at = _outside(at, last, switches)
    return (0, 0) if at < 0 else (at * size, (at + 1) * size)


def _outside(at: int, last: int, switches: Switches) -> int:
    """The page, from 0, that stands in for one outside the result; -1 is none."""
    if switches.page_past_end == "empty":
        return -1
    if switches.page_past_end == "repeat":
        return max(0, min(at, last))
    raise RefusedError(switches.page_past_end, "there is no such page")


def _counts(tally: Tally, switches: Switches) -> list[str]:
    if switches.total == "absent":
        return []
    return [
        f'"totalCount":{tally.total}',
        f'"successfulCount":{tally.successful}',
        f'"failedCount":{tally.failed}',
    ]


def _echo(sent: Question, used: Filters, switches: Switches) -> list[str]:
    if switches.echo == "absent":
        return []
    if switches.echo in {"null", "garbled"}:
        return [f'"filtersApplied":{"null" if switches.echo == "null" else _GARBLED}']
    said, undated = (used, used.last_30_days) if switches.echo == "honest" else (sent, False)
    echo: dict[str, object] = {
        "invoiceNumber": _as_sent(said.invoice_number, switches),
        "fromInvDate": said.start and said.start.isoformat(),
        "toInvDate": said.end and said.end.isoformat(),
        "fetchType": said.fetch_type,
        "defaultLast30DaysApplied": undated,
    }
    text = json.dumps(echo, ensure_ascii=False, separators=(",", ":"))
    return [f'"filtersApplied":{text[:-1]}{_more(switches)}}}']


def _as_sent(number: str | None, switches: Switches) -> int | str | None:
    """An invoice number in the type that rows have, where it can have that type."""
    if number is None or switches.invoice_numbers == "text" or not _INTEGER.fullmatch(number):
        return number
    return int(number)


def _rows(mutate: Mutation | None, rows: RowWriter, spans: list[Span]) -> str:
    page = rows.page(spans)
    if mutate is None:
        return page
    changed = (mutate(row) for row in json.loads(f"[{page}]"))
    return ",".join(json.dumps(row, ensure_ascii=False) for row in changed if row is not None)


def _body(meta: list[str], rows: str, switches: Switches) -> bytes:
    more = _more(switches)
    inside = ",".join([*meta, more[1:]] if more else meta)
    return f'{{"metaData":{{{inside}}},"invoices":[{rows}]{more}}}'.encode()


def _more(switches: Switches) -> str:
    return EXTRA_FIELD if switches.extra_fields else ""
