"""The distribution endpoint as callers see it: list a range, look one invoice up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from ._checks import require_count, require_text
from ._wire import Filters
from .errors import ConfigurationError, DataIntegrityError, IncompleteResultError, NotFoundError
from .paginator import (
    Completeness,
    Listing,
    OnInvalid,
    Paginator,
    Position,
    RunPlan,
    fingerprint,
    read_token,
)
from .records import InvoiceDistribution
from .reports import Verdict
from .session import SessionManager
from .windows import DateWindow, require_date, require_days, require_range, split_date_range

DEFAULT_WINDOW_DAYS = 30
"""Days per window; a default of ours, matching the service's own last 30 days."""


class Distributions:
    """Invoice distribution records; reached as `client.distributions`."""

    def __init__(self, session: SessionManager) -> None:
        self._session = session

    def list(
        self,
        from_date: date | None = None,
        to_date: date | None = None,
        *,
        invoice_number: str | None = None,
        fetch_type: str | None = None,
        window_days: int = DEFAULT_WINDOW_DAYS,
        ordered: bool = True,
        max_items: int | None = None,
        resume_token: str | None = None,
        completeness: Completeness = "require",
        on_invalid: OnInvalid = "raise",
        params: Mapping[str, str] | None = None,
    ) -> Paginator[InvoiceDistribution]:
        """Return a paginator over the invoices whose invoice date lies in a range; both days are inside.

        No dates: one request, answered with the service's own last 30 days. `from_date` alone runs to today
        in `ServiceProfile.time_zone`. A range longer than `window_days` is read as windows, side by side.
        `fetch_type`: passed through, its values are unknown. `ordered=False` hands pages out as they come;
        otherwise windows keep their order (inside one that had to be halved, the rows of the first answer come
        first, then those of the halves, the larger pieces before the smaller).
        `max_items`: records at most, 0 or more. `completeness="report"` notes in the report what
        ``"require"`` raises: windows that stay short, and an echo that contradicts the question.
        `on_invalid="report"` skips rows that break the contract and names them there. `params`: further
        query parameters. `resume_token`: go on where an earlier run stood, with the same arguments; a row that
        the service counts to two neighbouring windows may then come twice.

        Raises `ConfigurationError` for arguments that cannot be asked; nothing is sent before iteration.
        """
        profile = self._session.profile
        filters = Filters.checked(profile, self._session.settings.paging, invoice_number, fetch_type, params)
        _require_choice("completeness", completeness, ("require", "report"))
        _require_choice("on_invalid", on_invalid, ("raise", "report"))
        if not isinstance(ordered, bool):
            raise ConfigurationError("ordered must be True or False")
        if max_items is not None:
            require_count("max_items", max_items, minimum=0)
        query = fingerprint(from_date, to_date, window_days, filters.invoice_number, filters.fetch_type, filters.params)
        windows, start = self._resolve(from_date, to_date, window_days)
        if resume_token is not None:
            start = read_token(query, resume_token)
            windows, _ = self._resolve(start.start, start.end, window_days)
            _require_fits(start, windows)
        plan = RunPlan(
            windows, filters, ordered, max_items, completeness, on_invalid, start.head, dict(start.delivered)
        )
        return Paginator(Listing(self._session, plan, query, start))

    async def get(
        self, invoice_number: str, *, from_date: date | None = None, to_date: date | None = None
    ) -> InvoiceDistribution:
        """Return the one record of an invoice number.

        Without dates only the service's own last 30 days are searched. Raises `NotFoundError` only when the
        service confirmed that it searched the days asked for; `IncompleteResultError` when nothing matches
        and that is not known; `DataIntegrityError` when several records match.
        """
        require_text("invoice_number", invoice_number)
        whole = DEFAULT_WINDOW_DAYS
        if from_date is not None:
            start, end = require_range(from_date, self._session.profile.today() if to_date is None else to_date)
            whole = DateWindow(start, end).days
        found = self.list(from_date, to_date, invoice_number=invoice_number, window_days=whole)
        unknown_path = False
        records: Sequence[InvoiceDistribution] = ()
        try:
            records = await found.collect()
        except NotFoundError:
            unknown_path = True
        if len(records) == 1:
            return records[0]
        if records:
            raise DataIntegrityError(f"{len(records)} different records have that invoice number")
        if unknown_path:
            raise IncompleteResultError("the service answered 404, which may mean the address as well as the invoice")
        raise _nothing_found(from_date is None, found)

    def _resolve(
        self, from_date: date | None, to_date: date | None, window_days: int
    ) -> tuple[Sequence[DateWindow | None], Position]:
        require_days("window_days", window_days)
        if from_date is None:
            if to_date is not None:
                raise ConfigurationError("to_date needs a from_date: an open start would leave the range unknown")
            return (None,), Position(None, None)
        start = require_date("from_date", from_date)
        end = self._session.profile.today() if to_date is None else require_date("to_date", to_date)
        require_range(start, end)
        if end == date.max and not self._session.profile.end_inclusive:
            raise ConfigurationError("the last day of the calendar cannot be asked for with an exclusive end")
        return split_date_range(start, end, window_days), Position(start, end)


def _nothing_found(default_range: bool, found: Paginator[InvoiceDistribution]) -> Exception:  # noqa: FBT001
    report = found.report
    if default_range:
        return IncompleteResultError(
            "nothing matches, but only the service's own last 30 days were searched: pass from_date (and to_date)"
        )
    if report.verdict is not Verdict.COMPLETE:
        doubts = "; ".join(doubt.reason for doubt in (*report.incomplete, *report.unverified))
        return IncompleteResultError(f"nothing matches, but it is not known what was searched: {doubts}")
    return NotFoundError("no record of that invoice number lies in the days that were searched", status=200)


def _require_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ConfigurationError(f"{name} must be one of {', '.join(choices)}")


def _require_fits(start: Position, windows: Sequence[DateWindow | None]) -> None:
    if start.head > len(windows) or any(index >= len(windows) for index in start.delivered):
        raise ConfigurationError("resume_token is damaged: it stands behind the end of its range")
