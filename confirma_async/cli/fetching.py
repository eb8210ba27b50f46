"""`confirma fetch`: records as JSON lines on standard output."""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
import sys
from collections.abc import Sequence

import attrs
import msgspec

from .. import to_dict
from ..errors import ConfigurationError, ConfirmaError
from ..paginator import Paginator
from ..records import InvoiceDistribution
from ..reports import FetchReport
from ..windows import DateWindow, split_date_range
from . import values
from .connection import Access
from .process import DONE, FAILED, run_async
from .progress import Gauge, shown
from .stdout import OutputThread
from .verdicts import judged
from .voice import Voice, describe, show, show_json

_ROWS_AT_ONCE = 2000  # between two looks at the event loop
_PLAN_LINES_AT_ONCE = 1000
_encode = msgspec.json.Encoder().encode


@attrs.frozen(kw_only=True)
class Fetch:
    """One fetch, checked; `span` None stands for the service's own last 30 days."""

    access: Access
    voice: Voice
    span: DateWindow | None
    invoice: str | None
    fetch_type: str | None
    window_days: int
    resume: str | None
    require_complete: bool

    @classmethod
    def checked(
        cls,
        voice: Voice,
        *,
        dates: tuple[str | None, str | None],
        invoice: str | None,
        fetch_type: str | None,
        window_days: str,
        resume: str | None,
        require_complete: bool,
        access: Access,
    ) -> Fetch:
        """Return what the options say; the client checks the rest."""
        return cls(
            access=access,
            voice=voice,
            span=values.span(*dates),
            invoice=None if invoice is None else values.printable("--invoice", invoice),
            fetch_type=None if fetch_type is None else values.printable("--fetch-type", fetch_type),
            window_days=values.whole("--window-days", window_days, 1, values.LONGEST_WINDOW),
            resume=resume,
            require_complete=require_complete,
        )

    def run(self) -> int:
        """Ask, and print."""
        return run_async(attrs.evolve(self, access=self.access.with_key())._run)

    def plan(self) -> int:
        """Print the windows; nothing is asked."""
        if self.span is None:
            if self.voice.json:
                show_json({"start": None, "end": None, "days": 30})
            else:
                show("1 window: the service's own last 30 days; nothing was asked")
            return DONE
        windows = split_date_range(self.span.start, self.span.end, self.window_days)
        for at in range(0, len(windows), _PLAN_LINES_AT_ONCE):
            some = windows[at : at + _PLAN_LINES_AT_ONCE]
            if self.voice.json:
                for window in some:
                    show_json({"start": window.start, "end": window.end, "days": window.days})
            else:
                show("\n".join(f"{window}  {window.days} days" for window in some))
        if not self.voice.json:
            show(f"{self.span}: {len(windows):,} windows, one request each or more; nothing was asked")
        return DONE

    async def _run(self) -> int:
        out = OutputThread()
        gauge = Gauge(self.voice, follows=True)
        watched = self.voice.json or _into_a_file()
        try:
            async with self.access.client(hooks=(gauge,) if watched else ()) as client:
                found = client.distributions.list(
                    None if self.span is None else self.span.start,
                    None if self.span is None else self.span.end,
                    invoice_number=self.invoice,
                    fetch_type=self.fetch_type,
                    window_days=self.window_days,
                    resume_token=self.resume,
                )
                async with found, shown(gauge, every=None) if watched else contextlib.nullcontext():
                    printing = _Printing(found, out)
                    failure = await self._print(printing)
                return self._end(found.report, failure, printing.token)
        finally:
            out.close()

    async def _print(self, printing: _Printing) -> ConfirmaError | None:
        try:
            await printing.run()
        except ConfirmaError as error:
            return error
        except asyncio.CancelledError:
            self.voice.interrupted(_go_on(printing.token), resume_token=printing.token)
            raise
        return None

    def _end(self, report: FetchReport, failure: ConfirmaError | None, token: str) -> int:
        self.voice.summary(report)
        if isinstance(failure, ConfigurationError):
            raise failure
        if failure is not None:
            self.voice.fail(f"{describe(failure)}; {_go_on(token)}", error=type(failure).__name__, resume_token=token)
            return FAILED
        if self.span is None and self.invoice is not None and not report.records:
            self.voice.warn("only the service's own last 30 days were searched: --from reaches further back")
        return judged(report.verdict, self.voice, require_complete=self.require_complete)


class _Printing:
    """Takes pages and prints their records; `token` stands behind the last page that was printed whole."""

    def __init__(self, found: Paginator[InvoiceDistribution], out: OutputThread) -> None:
        self._found, self._out = found, out
        self._printed, self._before = True, found.resume_token

    @property
    def token(self) -> str:
        return self._found.resume_token if self._printed else self._before

    async def run(self) -> None:
        async for page in self._found.pages():
            self._printed = False
            lines = await _lines(page.invoices)
            try:
                await self._out.write(lines)
            finally:
                self._printed = self._out.idle
            self._before = self._found.resume_token


async def _lines(invoices: Sequence[InvoiceDistribution]) -> bytes:
    """Return one line of JSON each, in UTF-8; the loop gets a turn in between."""
    parts = []
    for at in range(0, len(invoices), _ROWS_AT_ONCE):
        parts.append(_joined(invoices[at : at + _ROWS_AT_ONCE]))
        await asyncio.sleep(0)
    return b"".join(parts)


def _joined(invoices: Sequence[InvoiceDistribution]) -> bytes:
    lines = [_encode(to_dict(invoice)) for invoice in invoices]
    return b"\n".join([*lines, b""])


def _into_a_file() -> bool:
    """Tell whether the records go where a progress display cannot be in their way."""
    try:
        return stat.S_ISREG(os.fstat(sys.stdout.fileno()).st_mode)
    except (AttributeError, OSError, ValueError):  # closed, or not a file at all
        return False


def _go_on(token: str) -> str:
    return f"go on with the same command and --resume {token}"
