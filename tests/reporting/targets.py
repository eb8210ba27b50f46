"""Targets with known content, written through the sinks themselves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import attrs

from confirma_async.backfill import Batch, RunRecord, WindowProof
from confirma_async.backfill.targets import target_for
from confirma_async.records import (
    DistributionDates,
    DistributionError,
    DistributionFile,
    InvoiceDistribution,
    PaymentControl,
)
from confirma_async.reports import Verdict
from confirma_async.windows import DateWindow

FETCHED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def invoice(
    number: str | None = "1",
    status: str | None = "DISTRIBUTED",
    method: str | None = "EMAIL",
    *,
    created: datetime | None = datetime(2025, 1, 1, 8, tzinfo=UTC),
    took: timedelta | None = None,
    codes: Sequence[str | None] = (),
    control: PaymentControl | None = None,
    message: str | None = None,
) -> InvoiceDistribution:
    """Return a record; `took`: from creation to distribution."""
    done = created + took if created is not None and took is not None else None
    return InvoiceDistribution(
        invoice_number=number,
        distribution_status=status,
        distribution_method=method,
        distribution_message=message,
        dates=DistributionDates(created, None, done, None),
        file=DistributionFile("https://files.example/1"),
        payment_control=PaymentControl(False, "CashIn", "OPEN", None) if control is None else control,
        errors=tuple(DistributionError(code, "no such address", "DELIVERY") for code in codes),
    )


@attrs.frozen
class Window:
    """One window to be stored; `promised` None: as many as there are."""

    start: date
    end: date
    records: Sequence[InvoiceDistribution] = ()
    verdict: Verdict = Verdict.COMPLETE
    reasons: tuple[str, ...] = ()
    promised: int | None = None
    without_total: bool = False
    duplicates: int = 0
    rereads: int = 0
    halvings: int = 0


async def stored(path: Path | str, windows: Iterable[Window], account: str = "") -> Path | str:
    """Write windows into a target as one finished run, and return the target."""
    listed = list(windows)
    sink = target_for(path).sink()
    await sink.open()
    try:
        run = RunRecord(
            account=account,
            run=1,
            base_url="https://service.example",
            environment="custom",
            fetch_type=None,
            from_date=min((one.start for one in listed), default=date(2025, 1, 1)),
            to_date=max((one.end for one in listed), default=date(2025, 1, 1)),
            window_days=30,
            refresh_days=30,
            started_at=FETCHED,
        )
        await sink.begin(run)
        for place, one in enumerate(listed):
            moment = FETCHED + timedelta(minutes=place)
            tally = await sink.write(Batch(account, DateWindow(one.start, one.end), one.records, moment))
            await sink.commit(_proof(account, one, tally.stored, moment))
        await sink.finish(attrs.evolve(run, finished_at=FETCHED + timedelta(hours=1)))
    finally:
        await sink.close()
    return path


def _proof(account: str, one: Window, held: int, moment: datetime) -> WindowProof:
    came = len(one.records) + one.duplicates
    return WindowProof(
        account=account,
        window_start=one.start,
        window_end=one.end,
        run=1,
        read_on=moment.date(),
        fetched_at=moment,
        verdict=one.verdict,
        reasons=one.reasons,
        promised=None if one.without_total else came if one.promised is None else one.promised,
        received=came,
        delivered=len(one.records),
        stored=held,
        added=held,
        duplicates=one.duplicates,
        rereads=one.rereads,
        halvings=one.halvings,
        requests=1 + one.halvings * 2,
        pages=1,
    )
