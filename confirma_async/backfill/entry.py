"""The calls that a client makes: `backfill` and `plan`; and those that need no client: `load_report`, `open_target`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

import attrs

from .._wire import Filters
from ..config import Environment
from ..windows import DateWindow
from .job import Job
from .plan import BackfillPlan
from .proof import AccountState, TargetState
from .report import BackfillReport, report_on
from .run import OnProgress, WindowReading, run_backfill
from .sinks.protocol import StoredRecord, Target
from .targets import Into, SharedTarget, target_for

if TYPE_CHECKING:
    from ..session import SessionManager


async def backfill(
    session: SessionManager,
    from_date: date,
    to_date: date | None,
    *,
    into: Into,
    window_days: int = 30,
    fetch_type: str | None = None,
    refresh_days: int = 30,
    account: str | None = None,
    environment: Environment | str | None = None,
    progress: OnProgress | None = None,
) -> BackfillReport:
    """Bring every record of a range of days into a target, and return the proof of what is there.

    Run again after any interruption, it goes on where it stopped; run again after its end, it asks only for
    new days and for windows that were open or had ended within `refresh_days` when they were read.
    `into`: ``x.jsonl``, ``x.sqlite``/``x.db``, ``x.parquet`` (a folder), a database address, or a `Sink`.
    `to_date`: None means today in the service's time zone. `account`: a label for the rows; several may share
    a target that is given as ``shared(into)``. `environment`: what the target belongs to, besides the
    address; None derives it.
    `progress` is told `events.Progress` after every window. A window that comes incomplete, and a row that
    breaks the contract or does not fit the target, do not stop the run: the verdict says so, and the next
    run reads that window again.

    Raises `ConfigurationError`, `TargetError` or `CheckpointError` before the first request where the target
    cannot be used; later `TargetError`, and whatever reading raises.
    """
    job = Job.checked(
        session,
        from_date,
        to_date,
        window_days=window_days,
        refresh_days=refresh_days,
        fetch_type=fetch_type,
        account=account,
        environment=environment,
        may_join=isinstance(into, SharedTarget),
    )

    def read(windows: Sequence[DateWindow]) -> WindowReading:
        from ..paginator import read_windows

        filters = Filters(fetch_type=job.fetch_type)
        return read_windows(session, filters, windows, ordered=True, completeness="report", on_invalid="report")

    return await run_backfill(job, target_for(into), read, progress)


async def plan(
    session: SessionManager,
    from_date: date,
    to_date: date | None,
    *,
    into: Into | None = None,
    window_days: int = 30,
    refresh_days: int = 30,
    fetch_type: str | None = None,
    account: str | None = None,
    environment: Environment | str | None = None,
) -> BackfillPlan:
    """Return what `backfill` would ask for with the same arguments; no request is made, nothing is written.

    Without `into` every window is missing. Raises what `backfill` would raise before its first request,
    except that a target which is being written by another process is read as it is.
    """
    job = Job.checked(
        session,
        from_date,
        to_date,
        window_days=window_days,
        refresh_days=refresh_days,
        fetch_type=fetch_type,
        account=account,
        environment=environment,
        may_join=isinstance(into, SharedTarget),
    )
    state = {} if into is None else await target_for(into).state()
    job.require_same_origin(state)
    return BackfillPlan(job.span, job.windows(state.get(job.account, AccountState())))


@attrs.frozen
class StoredTarget:
    """What a target holds, read without a client and without taking it from a running backfill."""

    target: Target

    async def state(self) -> TargetState:
        """Return the runs and proofs by account label (``""``: no label)."""
        return await self.target.state()

    async def report(self, account: str | None = None) -> BackfillReport:
        """Return the proof of one account, or of all."""
        return report_on(await self.target.state(), account)

    def records(self) -> AsyncIterator[StoredRecord]:
        """Yield the current state of every row, account by account; memory stays bounded."""
        return self.target.records()


def open_target(into: Into) -> StoredTarget:
    """Return a reader of a target; raises `ConfigurationError` where `into` names none."""
    return StoredTarget(target_for(into))


async def load_report(into: Into, account: str | None = None) -> BackfillReport:
    """Return the proof that a target holds, of one account label or of all.

    It covers every range that was ever asked for. Raises `TargetError` or `CheckpointError` where the target
    cannot be read; a target that no backfill wrote gives an INCOMPLETE report that says so.
    """
    return await open_target(into).report(account)
