"""Synthetic invoices as JSON text: a row is a function of seed, day and index.

Wire names are written here as the vendor's page shows them, on purpose without the SDK's codec, which is thereby
checked. Statuses, methods, messages, error codes and links are synthetic: the vendor names none of those sets.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Final, Literal

from ._ledger import FAILED_AT, OUTCOME_PERIOD, PENDING_AT, Span
from ._numbers import NumberStyle, numbers_of

TimestampStyle = Literal["mixed", "whole", "fraction", "naive", "date"]

EXTRA_FIELD: Final = ',"futureField":{"kept":true}'
"""What `extra_fields` adds to every object: a field no page mentions."""

_WORD: Final = 0xFFFF_FFFF_FFFF_FFFF
_LAST_DAY: Final = date.max.toordinal()
_CACHED_PAGES: Final = 32
_CACHED_ROWS: Final = 500  # a page of rows is some 500 bytes each: the cache stays under 8 MiB

# method, message, printed first, days until delivered
_DELIVERIES: Final = (
    ("EMAIL", "Delivered to the recipient's mail server", False, 0),
    ("EMAIL", "Delivered to the recipient's mail server", False, 0),
    ("EMAIL", "Delivered after a second attempt", False, 1),
    ("EINVOICE", "Accepted by the operator", False, 0),
    ("EINVOICE", "Accepted by the operator", False, 1),
    ("PRINT", "Handed over to the post", True, 2),
    ("PRINT", "Handed over to the post", True, 3),
    ("EINVOICE", "Hyväksytty vastaanottajan operaattorilla", False, 0),
)
_FAILURES: Final = (
    ("EMAIL", "MAILBOX_UNKNOWN", "The recipient's address does not exist", "DELIVERY"),
    ("EMAIL", "MAILBOX_FULL", "The recipient's mailbox is full", "DELIVERY"),
    ("EINVOICE", "OPERATOR_REFUSED", "The operator refused the e-invoice address", "ROUTING"),
    ("PRINT", "ADDRESS_INCOMPLETE", "The postal address has no postal code", "VALIDATION"),
)


class RowWriter:
    """Writes rows of one synthetic account; `written` counts those that were really made."""

    def __init__(self, *, seed: int, numbers: NumberStyle, timestamps: TimestampStyle, extra: bool) -> None:
        self.written = 0
        self._seed = _mixed(seed & _WORD)
        self._numbers: NumberStyle = numbers
        self._extra = EXTRA_FIELD if extra else ""
        self._mornings = _clocks(timestamps, first_hour=6)
        self._evenings = _clocks(timestamps, first_hour=13)
        self._pages: OrderedDict[tuple[Span, ...], str] = OrderedDict()

    def page(self, spans: Sequence[Span]) -> str:
        """The rows of these spans, comma-separated; the last few pages are kept, which bounds the memory."""
        if sum(map(len, spans)) > _CACHED_ROWS:
            return self._joined(spans)
        key = tuple(spans)
        if key in self._pages:
            self._pages.move_to_end(key)
        else:
            self._pages[key] = self._joined(spans)
            if len(self._pages) > _CACHED_PAGES:
                self._pages.popitem(last=False)
        return self._pages[key]

    def _joined(self, spans: Sequence[Span]) -> str:
        return ",".join(row for span in spans for row in self.rows(span))

    def rows(self, span: Span) -> Iterator[str]:
        """The rows of one span, in order of index."""
        day = _Day(span.ordinal, self._numbers)
        quote = '"' if self._numbers == "text" else ""
        salt = _mixed(self._seed ^ span.ordinal)
        for index in range(span.start, span.stop):
            self.written += 1
            noise = _mixed((salt + index) & _WORD)
            number = day.number(index)
            yield f'{{"invoiceNumber":{quote}{number}{quote},{self._rest(day, index, number, noise)}}}'

    def _rest(self, day: "_Day", index: int, number: str, noise: int) -> str:
        outcome = index % OUTCOME_PERIOD
        created = f'"{day.plus(0)}{self._mornings[noise & 255]}"'
        if outcome == FAILED_AT:
            return self._failed(created, number, noise)
        if outcome == PENDING_AT:
            return self._pending(created, noise)
        return self._distributed(day, created, index, number, noise)

    def _distributed(self, day: "_Day", created: str, index: int, number: str, noise: int) -> str:
        more = self._extra
        method, message, printed_first, delay = _DELIVERIES[(noise >> 8) & 7]
        printed = f'"{day.plus(1)}{self._mornings[(noise >> 11) & 255]}"' if printed_first else "null"
        distributed = f'"{day.plus(delay)}{self._evenings[(noise >> 19) & 255]}"'
        activated, control = "null", _without_case(noise, more)
        if not noise & 0x7000_0000:  # one in eight went on to payment control
            activated = f'"{day.plus(15)}{self._mornings[(noise >> 35) & 255]}"'
            control = (
                f'{{"enabled":true,"agency":"{_agency(noise)}","status":"ACTIVE",'
                f'"caseId":{day.ordinal}{index:03d}{more}}}'
            )
        return (
            f'"distributionStatus":"DISTRIBUTED","distributionMethod":"{method}",'
            f'"distributionMessage":"{message}","dates":{{"createdAt":{created},"printedAt":{printed},'
            f'"distributedAt":{distributed},"paymentControlActivatedAt":{activated}{more}}},'
            f'"file":{_file(number, noise, more)},"paymentControl":{control},"errors":[]{more}'
        )

    def _failed(self, created: str, number: str, noise: int) -> str:
        more = self._extra
        method, code, description, kind = _FAILURES[(noise >> 8) & 3]
        errors = f'{{"errorCode":"{code}","errorDescription":"{description}","errorType":"{kind}"{more}}}'
        if noise & 0x1000:
            errors += (
                f',{{"errorCode":"RETRIES_EXHAUSTED","errorDescription":"Not tried again",'
                f'"errorType":"DELIVERY"{more}}}'
            )
        return (
            f'"distributionStatus":"FAILED","distributionMethod":"{method}",'
            f'"distributionMessage":"{description}",{_only_created(created, more)},'
            f'"file":{_file(number, noise, more)},"paymentControl":{_without_case(noise, more)},'
            f'"errors":[{errors}]{more}'
        )

    def _pending(self, created: str, noise: int) -> str:
        more = self._extra
        return (
            f'"distributionStatus":"PENDING","distributionMethod":null,"distributionMessage":null,'
            f'{_only_created(created, more)},"file":null,'
            f'"paymentControl":{_without_case(noise, more)},"errors":[]{more}'
        )


class _Day:
    """The texts that all rows of one day share."""

    def __init__(self, ordinal: int, numbers: NumberStyle) -> None:
        self.ordinal = ordinal
        self.number: Callable[[int], str] = numbers_of(numbers, ordinal)
        self._plus: dict[int, str] = {}

    def plus(self, days: int) -> str:
        """The date that many days later, never after the last day there is."""
        text = self._plus.get(days)
        if text is None:
            text = self._plus[days] = date.fromordinal(min(self.ordinal + days, _LAST_DAY)).isoformat()
        return text


def _file(number: str, noise: int, more: str) -> str:
    url = f"https://files.example.invalid/invoices/{number}.pdf?signature={noise:016x}"
    return f'{{"url":"{url}"{more}}}'


def _only_created(created: str, more: str) -> str:
    return (
        f'"dates":{{"createdAt":{created},"printedAt":null,"distributedAt":null,'
        f'"paymentControlActivatedAt":null{more}}}'
    )


def _without_case(noise: int, more: str) -> str:
    enabled, status = ("true", "WAITING") if noise & 0x8000_0000 else ("false", "DISABLED")
    return f'{{"enabled":{enabled},"agency":"{_agency(noise)}","status":"{status}","caseId":null{more}}}'


def _agency(noise: int) -> str:
    return "CASH-IN" if noise & 0x1_0000_0000 else "CashIn"  # the vendor's pages spell it both ways


def _clocks(style: TimestampStyle, *, first_hour: int) -> list[str]:
    """256 times of day within six hours, in the spellings the vendor's pages show."""
    if style == "date":
        return [""] * 256
    zone = "" if style == "naive" else "Z"
    clocks: list[str] = []
    for n in range(256):
        minutes = n * 359 // 255
        fraction = f".{n * 997 % 1000:03d}" if style == "fraction" or (style == "mixed" and n % 3 == 0) else ""
        clocks.append(f"T{first_hour + minutes // 60:02d}:{minutes % 60:02d}:{n * 7 % 60:02d}{fraction}{zone}")
    return clocks


def _mixed(word: int) -> int:
    """Scatter a 64-bit word (a multiply-xorshift mixer); far cheaper than a random generator per row."""
    word = (word ^ (word >> 31)) * 0x9E37_79B9_7F4A_7C15 & _WORD
    word = (word ^ (word >> 29)) * 0xBF58_476D_1CE4_E5B9 & _WORD
    return word ^ (word >> 32)
