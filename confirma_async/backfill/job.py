"""What is asked of a backfill, checked before anything is opened or sent."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Protocol

import attrs

from .._checks import require_text
from ..config import Environment, ServiceProfile
from ..errors import CheckpointError, ConfigurationError
from ..windows import DateWindow, require_date, require_days, require_range
from .coverage import PlannedWindow, Staleness, plan_windows, unfinished
from .proof import NO_ACCOUNT, AccountState, RunRecord, TargetState

_LONGEST_LABEL = 200


class Asker(Protocol):
    """What a backfill needs to know of the client that asks: `SessionManager` is one."""

    @property
    def base_url(self) -> str: ...
    @property
    def profile(self) -> ServiceProfile: ...


@attrs.frozen(kw_only=True)
class Job:
    """One backfill: the days, how they are cut, and whom the rows belong to.

    `may_join`: beside other accounts. `today`: as the service sees it.
    """

    span: DateWindow
    window_days: int
    refresh_days: int
    account: str
    environment: str
    base_url: str
    fetch_type: str | None
    today: date
    rests_on: tuple[str, ...]
    may_join: bool = False

    @classmethod
    def checked(
        cls,
        asker: Asker,
        from_date: object,
        to_date: object,
        *,
        window_days: object,
        refresh_days: object,
        fetch_type: object,
        account: object,
        environment: object,
        may_join: bool = False,
    ) -> Job:
        """Return the job; raises `ConfigurationError` for anything that cannot be asked. No `to_date`: today."""
        today = asker.profile.today()
        start, end = require_range(require_date("from_date", from_date), today if to_date is None else to_date)
        return cls(
            span=DateWindow(start, end),
            window_days=require_days("window_days", window_days),
            refresh_days=require_days("refresh_days", refresh_days, minimum=0),
            account=NO_ACCOUNT if account is None else _label(account),
            environment=_environment_of(asker.base_url) if environment is None else _named(environment),
            base_url=asker.base_url,
            fetch_type=None if fetch_type is None else require_text("fetch_type", fetch_type),
            today=today,
            rests_on=asker.profile.rests_on(),
            may_join=may_join,
        )

    def windows(self, held: AccountState) -> tuple[PlannedWindow, ...]:
        """Return the windows of this job over what the target holds, in order."""
        staleness = Staleness(self.refresh_days, self.today, unfinished(held))
        return tuple(plan_windows(self.span, self.window_days, held.ordered(), staleness))

    def run_on(self, held: AccountState) -> RunRecord:
        """Return the unfinished run, now with the range of this job, or a new one."""
        going_on = unfinished(held)
        return RunRecord(
            account=self.account,
            run=len(held.runs) + 1 if going_on is None else going_on.run,
            base_url=self.base_url,
            environment=self.environment,
            fetch_type=self.fetch_type,
            from_date=self.span.start,
            to_date=self.span.end,
            window_days=self.window_days,
            refresh_days=self.refresh_days,
            rests_on=self.rests_on,
            started_at=datetime.now(UTC) if going_on is None else going_on.started_at,
        )

    def require_same_origin(self, state: TargetState) -> None:
        """Raise `CheckpointError` where the target's rows come from elsewhere; the key takes no part."""
        labels = {label for label, held in state.items() if held.runs}
        if labels and (NO_ACCOUNT in labels) != (self.account == NO_ACCOUNT):
            raise CheckpointError(_mixed(labels, self.account))
        if labels and self.account not in labels and not self.may_join:
            raise CheckpointError(_foreign(labels, self.account))
        run = state[self.account].run if self.account in labels else None
        if run is None:
            return
        for what, theirs, ours in (
            ("the address", run.base_url, self.base_url),
            ("the environment", run.environment, self.environment),
            ("fetch_type", run.fetch_type, self.fetch_type),
        ):
            if theirs != ours:
                raise CheckpointError(
                    f"this target holds rows of {what} {theirs!r}, now it is {ours!r}: use another target, or go back"
                )


def _mixed(labels: set[str], account: str) -> str:
    if account == NO_ACCOUNT:
        known = ", ".join(sorted(labels)[:3])
        return f"this target holds rows of labelled accounts ({known}): say which account, or use another target"
    return f"this target holds rows without an account label: leave out account={account!r}, or use another target"


def _foreign(labels: set[str], account: str) -> str:
    known = ", ".join(sorted(labels)[:3])
    return (
        f"this target holds rows of {known}, not of {account}: use another target;"
        " several accounts share one where they are read together, with --accounts (in Python: into=shared(...))"
    )


def _label(account: object) -> str:
    label = require_text("account", account)
    if len(label) > _LONGEST_LABEL:
        raise ConfigurationError(f"account must be at most {_LONGEST_LABEL} characters long")
    return label


def _named(environment: object) -> str:
    name = environment.name if isinstance(environment, Environment) else require_text("environment", environment)
    return name.lower()


def _environment_of(base_url: str) -> str:
    return next((member.name.lower() for member in Environment if member.value == base_url), "custom")
