"""What is asked: filters, the query they become, and an address that is safe to show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from urllib.parse import quote

import attrs

from .._checks import require_params, require_text
from ..config import Paging, ServiceProfile
from ..errors import ConfigurationError
from ..windows import DateWindow

DISTRIBUTION_PATH = "/api/v1/partner/invoice/distribution"  # the distribution endpoint's page
RENEW_PATH = "/api/v1/partner/renew"  # the vendor's public pages, marked "Developing"

_HIDDEN = "***"


@attrs.define(eq=False, repr=False)
class Request:
    """One GET: `url` goes on the wire, `shown` goes into messages.

    `query` is encoded and may be shown. `hidden`: invoice numbers and the caller's own parameters.
    """

    address: str
    query: str = ""
    hidden: tuple[tuple[str, str], ...] = ()
    method: str = "GET"

    @property
    def url(self) -> str:
        """The address that is asked."""
        return self._with(self.hidden)

    @property
    def shown(self) -> str:
        """The same address, with what is hidden masked."""
        return self._with([(name, _HIDDEN) for name, _ in self.hidden])

    def at_page(self, page: PageAsk) -> Request:
        """Return the request for one page of what this one asks for; its names are not the caller's to use."""
        pairs = page.pairs()
        hidden = self.hidden and tuple(pair for pair in self.hidden if pair[0] not in dict(pairs))
        return Request(self.address, _joined(self.query, pairs), hidden, self.method)

    def _with(self, hidden: Sequence[tuple[str, str]]) -> str:
        query = _joined(self.query, hidden) if hidden else self.query
        return f"{self.address}?{query}" if query else self.address


@attrs.frozen
class Filters:
    """What is asked besides the dates; `params` are extra query parameters of the caller's."""

    invoice_number: str | None = None
    fetch_type: str | None = None
    params: tuple[tuple[str, str], ...] = ()

    @classmethod
    def checked(
        cls,
        profile: ServiceProfile,
        paging: Paging,
        invoice_number: object = None,
        fetch_type: object = None,
        params: Mapping[str, str] | None = None,
    ) -> Filters:
        """Return filters that can be sent; raises `ConfigurationError` for anything else."""
        taken = profile.query_names | ({paging.page, paging.size} if paging.mode == "numbered" else frozenset())
        return cls(
            None if invoice_number is None else require_text("invoice_number", invoice_number),
            None if fetch_type is None else require_text("fetch_type", fetch_type),
            require_params(params, taken),
        )


@attrs.define(eq=False, repr=False)
class PageAsk:
    """Which page is asked for; `size` only where the caller declared how pages are sized."""

    page_name: str
    number: int
    size_name: str | None = None
    size: int = 0

    def pairs(self) -> list[tuple[str, str]]:
        """Return the query parameters."""
        sized = [] if self.size_name is None else [(self.size_name, str(self.size))]
        return [(self.page_name, str(self.number)), *sized]


def sent_end(window: DateWindow, profile: ServiceProfile) -> date:
    """Return the end date that goes on the wire: the day after where the profile says that the end is outside."""
    if profile.end_inclusive:
        return window.end
    if window.end == date.max:
        raise ConfigurationError("the last day of the calendar cannot be asked for with an exclusive end")
    return window.end + timedelta(days=1)


def distribution_request(
    base_url: str, profile: ServiceProfile, filters: Filters, window: DateWindow | None
) -> Request:
    """Return the request for one window; no window sends no dates."""
    shown: list[tuple[str, str]] = []
    if window is not None:
        shown += [(profile.from_name, str(window.start)), (profile.to_name, str(sent_end(window, profile)))]
    if filters.fetch_type is not None:
        shown.append((profile.fetch_type_name, filters.fetch_type))
    hidden = [] if filters.invoice_number is None else [(profile.invoice_number_name, filters.invoice_number)]
    hidden += [pair for pair in filters.params if pair[0] not in dict(shown)]
    return Request(base_url + DISTRIBUTION_PATH, _joined("", shown), tuple(hidden))


def renew_request(base_url: str) -> Request:
    """Return the request that renews the key; it changes state and is never repeated."""
    return Request(base_url + RENEW_PATH)


def _joined(query: str, pairs: Iterable[tuple[str, str]]) -> str:
    added = "&".join([f"{_quoted(name)}={_quoted(value)}" for name, value in pairs])
    return f"{query}&{added}" if query and added else query or added


def _quoted(text: str) -> str:
    return text if text.isalnum() and text.isascii() else quote(text, safe="*")
