"""`confirma backfill --accounts FILE`: several accounts into one target, each with its own end."""

from __future__ import annotations

import asyncio
from functools import partial

import attrs

from ..backfill import BackfillReport, shared
from ..client import ConfirmaClient
from ..errors import CheckpointError, ConfigurationError, ConfirmaError, TargetError
from ..events import Progress
from . import values
from .accounts import Account, backfill_accounts, load_accounts
from .backfilling import GO_ON, Backfill
from .connection import NOTHING_IS_SENT
from .process import DONE, FAILED, REFUSED, run_async
from .progress import Gauge, shown
from .verdicts import judged
from .voice import describe, one_line, shortened, show, show_json


@attrs.frozen
class Several:
    """The backfill of every account in a file; `one` says all that they have in common."""

    one: Backfill
    path: str

    @classmethod
    def checked(cls, one: Backfill, path: str) -> Several:
        """Return what the options say; the file is read later."""
        if one.account is not None:
            raise ConfigurationError("--accounts brings its own labels: leave out --account")
        return cls(one, values.file_name("--accounts", path))

    def run(self) -> int:
        """Ask, and write."""
        return run_async(self._run)

    def plan(self) -> int:
        """Print the plan of each account; nothing is asked, no key is read."""
        return run_async(self._plan)

    async def _plan(self) -> int:
        for account in load_accounts(self.path):
            try:
                await self._plan_of(account)
            except (CheckpointError, TargetError) as error:
                self.one.voice.refuse(f"{account.name}: {describe(error)}")
                return REFUSED
        return DONE

    async def _plan_of(self, account: Account) -> None:
        one = self.one
        async with ConfirmaClient(
            NOTHING_IS_SENT,
            environment=account.environment,
            base_url=one.access.base_url or account.base_url,
        ) as client:
            plan = await attrs.evolve(one, account=account.name).planned(client, shared(one.into))
        if one.voice.json:
            for each in plan:
                start, end = each.window.start, each.window.end
                show_json({"account": account.name, "start": start, "end": end, "state": each.state})
        else:
            show(one_line(f"{account.name}: {plan}; nothing was asked"))

    async def _run(self) -> int:
        one = self.one
        gauge = Gauge(one.voice)
        try:
            async with shown(gauge):
                outcomes = await backfill_accounts(
                    self.path,
                    one.span.start,
                    one.span.end,
                    into=one.into,
                    window_days=one.window_days,
                    fetch_type=one.fetch_type,
                    refresh_days=one.refresh_days,
                    concurrency=one.access.concurrency,
                    max_rate=one.access.max_rate,
                    base_url=one.access.base_url,
                    progress=_Sums(gauge).told,
                    client_factory=partial(ConfirmaClient, hooks=(gauge,)),
                )
        except asyncio.CancelledError:
            one.voice.interrupted(GO_ON)
            raise
        return max(self._ended(name, outcome) for name, outcome in outcomes.items())

    def _ended(self, name: str, outcome: BackfillReport | ConfirmaError) -> int:
        voice = self.one.voice.of(name)
        if isinstance(outcome, ConfirmaError):
            voice.fail(f"{describe(outcome)}; {GO_ON}", error=type(outcome).__name__)
            return FAILED
        if voice.json:
            voice.event(outcome)
        elif not voice.quiet:
            show(shortened(f"{name}: {outcome}"))
        return judged(outcome.verdict, voice, require_complete=self.one.require_complete)


class _Sums:
    """Adds up how far the accounts are."""

    def __init__(self, gauge: Gauge) -> None:
        self._gauge = gauge
        self._latest: dict[str, Progress] = {}

    def told(self, account: str, progress: Progress) -> None:
        """Take over the progress of one account."""
        self._latest[account] = progress
        every = self._latest.values()
        self._gauge.told(
            Progress(
                windows=sum(one.windows for one in every),
                windows_total=sum(one.windows_total for one in every),
                records=sum(one.records for one in every),
                requests=sum(one.requests for one in every),
                retries=sum(one.retries for one in every),
                bytes=sum(one.bytes for one in every),
                seconds=progress.seconds,
            )
        )
