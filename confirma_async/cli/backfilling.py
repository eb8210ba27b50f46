"""`confirma backfill`: a range into a target that survives anything."""

from __future__ import annotations

import asyncio
import shlex
from typing import TYPE_CHECKING

import attrs

from ..backfill.sinks.faults import FREE_SPACE
from ..errors import CheckpointError, ConfigurationError, ConfirmaError, TargetError
from ..windows import DateWindow
from . import values
from .connection import SANDBOX_URL, Access
from .process import DONE, FAILED, REFUSED, run_async
from .progress import Gauge, shown
from .verdicts import judged
from .voice import Voice, describe, shortened, show, show_json

if TYPE_CHECKING:
    from ..backfill import BackfillPlan, BackfillReport, Into
    from ..client import ConfirmaClient

GO_ON = "every finished window is kept, and the same command goes on from there"
"""Said of every end that is none."""


@attrs.frozen(kw_only=True)
class Backfill:
    """One backfill, checked."""

    access: Access
    voice: Voice
    span: DateWindow
    into: str
    fetch_type: str | None
    window_days: int
    refresh_days: int
    account: str | None
    require_complete: bool

    @classmethod
    def checked(
        cls,
        voice: Voice,
        *,
        dates: tuple[str | None, str | None],
        into: str,
        fetch_type: str | None,
        window_days: str,
        refresh_days: str,
        account: str | None,
        require_complete: bool,
        access: Access,
    ) -> Backfill:
        """Return what the options say; the engine checks the target."""
        span = values.span(*dates)
        if span is None:
            raise ConfigurationError("a backfill needs --from, the first invoice date")
        return cls(
            access=access,
            voice=voice,
            span=span,
            into=values.file_name("--into", into),
            fetch_type=None if fetch_type is None else values.printable("--fetch-type", fetch_type),
            window_days=values.whole("--window-days", window_days, 1, values.LONGEST_WINDOW),
            refresh_days=values.whole("--refresh-days", refresh_days, 0, values.LONGEST_WINDOW),
            account=None if account is None else values.printable("--account", account),
            require_complete=require_complete,
        )

    def run(self) -> int:
        """Ask, and write."""
        return run_async(attrs.evolve(self, access=self.access.with_key())._run)

    def plan(self) -> int:
        """Print the windows and what becomes of each; nothing is asked, nothing is written."""
        return run_async(self._plan)

    async def _plan(self) -> int:
        async with self.access.client() as client:
            try:
                plan = await self.planned(client)
            except (CheckpointError, TargetError) as error:
                self.voice.refuse(describe(error))
                return REFUSED
        if self.voice.json:
            for one in plan:
                show_json({"start": one.window.start, "end": one.window.end, "state": one.state})
        else:
            lines = [f"{one.window}  {one.state}" for one in plan]
            show("\n".join([*lines, f"{plan}; nothing was asked"]))
        return DONE

    async def _run(self) -> int:
        gauge = Gauge(self.voice)
        async with self.access.client(hooks=(gauge,)) as client:
            try:
                plan = await self.planned(client)
            except (CheckpointError, TargetError) as error:
                self.voice.refuse(describe(error))
                return _code_before_asking(error)
            self._announce(plan)
            return await self._copied(client, gauge)

    async def _copied(self, client: ConfirmaClient, gauge: Gauge) -> int:
        try:
            async with shown(gauge):
                report = await client.backfill(
                    self.span.start,
                    self.span.end,
                    into=self.into,
                    window_days=self.window_days,
                    fetch_type=self.fetch_type,
                    refresh_days=self.refresh_days,
                    account=self.account,
                    progress=gauge.told,
                )
        except asyncio.CancelledError:
            self.voice.interrupted(GO_ON)
            raise
        except ConfigurationError:
            raise
        except TargetError as error:
            return self._failed(error, FAILED if gauge.requests else _code_before_asking(error))
        except ConfirmaError as error:
            return self._failed(error, FAILED)
        self._report(report, gauge)
        return judged(report.verdict, self.voice, require_complete=self.require_complete)

    def _failed(self, error: ConfirmaError, code: int) -> int:
        self.voice.fail(f"{describe(error)}; {GO_ON}", error=type(error).__name__)
        return code

    async def planned(self, client: ConfirmaClient, into: Into | None = None) -> BackfillPlan:
        """Return what this client would ask; `into` replaces the target's plain name."""
        return await client.plan(
            self.span.start,
            self.span.end,
            into=self.into if into is None else into,
            window_days=self.window_days,
            fetch_type=self.fetch_type,
            refresh_days=self.refresh_days,
            account=self.account,
        )

    def _announce(self, plan: BackfillPlan) -> None:
        if self.access.sandbox:
            self.voice.note(f"the embedded sandbox answers as {SANDBOX_URL}: synthetic invoices, no account needed")
        if plan.to_ask:
            self.voice.note(str(plan))
        else:
            self.voice.note(f"{plan.span}: all of the {len(plan):,} windows were read before, there is nothing to ask")

    def _report(self, report: BackfillReport, gauge: Gauge) -> None:
        """Print the report: it is what a backfill is run for, so it goes to standard output."""
        if self.voice.json:
            self.voice.summary(report)
            return
        if self.voice.quiet:
            return
        if gauge.requests and not gauge.drawn:
            self.voice.note(gauge.line())
        show(shortened(str(report)))
        if "://" not in self.into:  # an address may hold a password
            self.voice.note(f"look at it with: confirma report {shlex.quote(self.into)}")


def _code_before_asking(error: ConfirmaError) -> int:
    """Return the exit code of a target that could not be used: a full disk is no slip of the caller's."""
    return FAILED if FREE_SPACE in error.message else REFUSED
