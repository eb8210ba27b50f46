"""What a sandbox can be told to do: one validated field each.

Where the vendor's page is silent a switch holds our guess as its default and the other possibilities beside it.
Switches that shape the data are fixed once set; the others may be changed while the server runs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

import attrs
from attrs import setters

from confirma_async.errors import ConfigurationError

from ._checks import (
    require_callable,
    require_day,
    require_flag,
    require_one_of,
    require_seconds,
    require_whole,
)

if TYPE_CHECKING:
    from ._ledger import CountSource
    from ._numbers import NumberStyle
    from ._rows import TimestampStyle

Row = dict[str, object]
Mutation = Callable[[Row], Row | None]
Check = Callable[[object, "attrs.Attribute[Any]", object], None]

_HIGHEST_PORT = 65535
_MOST_ROWS = 1_000_000


def _one_of(*allowed: object) -> Check:
    return lambda _, attribute, value: require_one_of(attribute.name, value, allowed)


def _whole(low: int, high: float = float("inf")) -> Check:
    return lambda _, attribute, value: require_whole(attribute.name, value, low, high)


def _optional(check: Callable[[str, object], None]) -> Check:
    return lambda _, attribute, value: None if value is None else check(attribute.name, value)


def _flag(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    require_flag(attribute.name, value)


def _seconds(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    require_seconds(attribute.name, value)


def _counts(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, Mapping) and not callable(value):
        require_whole(attribute.name, value, 0, _MOST_ROWS)
        return
    for day, count in value.items() if isinstance(value, Mapping) else ():
        require_day(f"a day of {attribute.name}", day)
        require_whole(f"{attribute.name}[{day}]", count, 0, _MOST_ROWS)


def _pages(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, Collection) or isinstance(value, str | bytes):
        raise ConfigurationError(f"{attribute.name} must be a collection of page numbers, not {value!r}")
    for page in value:
        require_whole(f"a page of {attribute.name}", page, 0)


def _name(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, str) or not value:
        raise ConfigurationError(f"{attribute.name} must be the name of a field, not {value!r}")


@attrs.define(eq=False)
class Switches:
    """The behaviour of a sandbox; every default is ours where the vendor's page is silent."""

    invoices_per_day: CountSource = attrs.field(default=50, validator=_counts, on_setattr=setters.frozen)
    """Invoices of each day from the year 1000 on: one number, a mapping by day, or a function of the day."""
    paging: Literal["none", "number", "cut"] = attrs.field(default="none", validator=_one_of("none", "number", "cut"))
    """`none`: all rows in one answer. `number`: by `page` and `pageSize`. `cut`: the first `page_size` rows."""
    page_size: int = attrs.field(default=100, validator=_whole(1, _MOST_ROWS))
    """Rows of an answer at most, unless `paging` is `none`; a larger `pageSize` is clamped to it."""
    latency: float = attrs.field(default=0.0, validator=_seconds)
    """Seconds before each answer."""
    seed: int = attrs.field(default=0, validator=_whole(0), on_setattr=setters.frozen)
    """Decides the content of every row and the key."""
    port: int = attrs.field(default=0, kw_only=True, validator=_whole(0, _HIGHEST_PORT), on_setattr=setters.frozen)
    """Port on 127.0.0.1; 0 takes a free one."""
    today: date | None = attrs.field(default=None, kw_only=True, validator=_optional(require_day))
    """The day on which a question without dates ends; None is the current day in Europe/Helsinki (a guess)."""
    first_page: int = attrs.field(default=1, kw_only=True, validator=_whole(0, 1))
    """Number of the first page; 1 in the vendor's other API."""
    page_past_end: Literal["empty", "repeat", 404, 400] = attrs.field(
        default="empty", kw_only=True, validator=_one_of("empty", "repeat", 404, 400)
    )
    """What a page outside the result gets: no rows, the nearest page again, or that status."""
    ignore_page: bool = attrs.field(default=False, kw_only=True, validator=_flag)
    """Whether every page number gets the first page."""
    empty_pages: Collection[int] = attrs.field(default=(), kw_only=True, validator=_pages)
    """Page numbers that come back without rows; their rows move on to the pages after them."""
    total: Literal["all", "page", "absent"] = attrs.field(
        default="all", kw_only=True, validator=_one_of("all", "page", "absent")
    )
    """Whether the three counts speak of the whole result, of this answer, or are missing."""
    echo: Literal["honest", "absent", "null", "sent", "garbled"] = attrs.field(
        default="honest", kw_only=True, validator=_one_of("honest", "absent", "null", "sent", "garbled")
    )
    """What `filtersApplied` says: what was applied, nothing, what was sent (applied or not), or noise."""
    exclusive_end: bool = attrs.field(default=False, kw_only=True, validator=_flag)
    """Whether invoices of the end date are left out."""
    ignore_filter: bool = attrs.field(default=False, kw_only=True, validator=_flag)
    """Whether every question gets the last 30 days."""
    unauthorized_after: int | None = attrs.field(
        default=None,
        kw_only=True,
        validator=_optional(lambda name, value: require_whole(name, value, 0)),
    )
    """Distribution requests after which the first key is refused; a renewed key stays good."""
    renew_field: str = attrs.field(default="Message", kw_only=True, validator=_name)
    """Field of the renew endpoint's answer that holds the new key; the vendor's page shows only `Message`."""
    invoice_numbers: NumberStyle = attrs.field(
        default="int", kw_only=True, validator=_one_of("int", "text"), on_setattr=setters.frozen
    )
    """Type of the invoice numbers; as text, some begin with zeros."""
    timestamps: TimestampStyle = attrs.field(
        default="mixed",
        kw_only=True,
        validator=_one_of("mixed", "whole", "fraction", "naive", "date"),
        on_setattr=setters.frozen,
    )
    """Spelling of times: UTC with and without milliseconds, one of both, without zone, or days alone."""
    extra_fields: bool = attrs.field(default=False, kw_only=True, validator=_flag, on_setattr=setters.frozen)
    """Whether every object carries a field that no page mentions."""
    gzip: bool = attrs.field(default=False, kw_only=True, validator=_flag)
    """Whether answers are compressed for clients that accept it."""
    mutate: Mutation | None = attrs.field(default=None, kw_only=True, validator=_optional(require_callable))
    """Changes each row before it is sent: gets it as a dict, returns it, or None to leave it out uncounted."""
    strict: bool = attrs.field(default=True, kw_only=True, validator=_flag)
    """Whether leaving `async with` complains of unknown paths and of faults that were never used."""
    keep_requests: int = attrs.field(default=100_000, kw_only=True, validator=_whole(0), on_setattr=setters.frozen)
    """How many requests are remembered, the latest ones."""
