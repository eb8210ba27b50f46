"""What the stored records say about delivery, counted while they stream by."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

import attrs

from ..records import DistributionError, InvoiceDistribution, PaymentControl
from .counting import NAMED, Breakdown, Durations, Stopwatch, Tally

_DAYS_KEPT = 20_000
_STATUSES_PER_DAY = 50


class HandOver(StrEnum):
    """How far an invoice came on its way to payment control."""

    CASE = "handed over, with a case id"
    ENABLED = "enabled, no case id yet"
    DISABLED = "not enabled"
    UNKNOWN = "not said"

    @classmethod
    def of(cls, control: PaymentControl) -> HandOver:
        """Return the state of one record; a case id counts more than a flag."""
        if control.case_id is not None:
            return cls.CASE
        if control.enabled is None:
            return cls.UNKNOWN
        return cls.ENABLED if control.enabled else cls.DISABLED


@attrs.frozen
class ErrorCount:
    """One error code: `errors` counts its occurrences, `description` and `kind` are the first ones that came."""

    code: str | None
    errors: int
    kind: str | None
    description: str | None


@attrs.frozen
class DayCount:
    """The records created on one day; `other_statuses` counts those beyond 50 different statuses."""

    day: date
    records: int
    with_errors: int
    by_status: dict[str | None, int]
    other_statuses: int
    by_hand_over: dict[HandOver, int]


@attrs.frozen
class DeliveryResults:
    """The delivery results of every record that a target holds.

    Statuses and methods are open sets of the service; no status is believed to mean success or failure: a
    failure is a record that carries errors. A day is the calendar day of `created_at`, in UTC where the
    service sent a zone; invoice dates are not in the records. `undated`: records without `created_at`;
    `unlisted_days`: records of days beyond 20,000 different ones. `error_codes` counts errors, of which one
    record may carry several, `with_errors` counts records. `days` are in order.
    """

    records: int
    with_errors: int
    by_status: Breakdown[str | None]
    by_method: Breakdown[str | None]
    by_status_and_method: Breakdown[tuple[str | None, str | None]]
    error_codes: tuple[ErrorCount, ...]
    other_errors: int
    days: tuple[DayCount, ...]
    undated: int
    unlisted_days: int
    by_hand_over: dict[HandOver, int]
    by_agency_and_status: Breakdown[tuple[str | None, str | None]]
    distribution: Durations
    activation: Durations

    @property
    def errors(self) -> int:
        """Every error of every record."""
        return sum(one.errors for one in self.error_codes) + self.other_errors


@attrs.define
class _Day:
    with_errors: int = 0
    statuses: Tally[str | None] = attrs.field(factory=lambda: Tally(_STATUSES_PER_DAY))
    hand_over: dict[HandOver, int] = attrs.field(factory=lambda: dict.fromkeys(HandOver, 0))

    def add(self, record: InvoiceDistribution, state: HandOver) -> None:
        self.with_errors += bool(record.errors)
        self.statuses.add(record.distribution_status)
        self.hand_over[state] += 1

    def done(self, day: date) -> DayCount:
        counted = self.statuses.done()
        return DayCount(
            day=day,
            records=counted.total,
            with_errors=self.with_errors,
            by_status=dict(counted.rows),
            other_statuses=counted.others,
            by_hand_over=self.hand_over,
        )


@attrs.define
class ResultCounter:
    """Takes records one by one; its memory does not grow with their number."""

    records: int = 0
    with_errors: int = 0
    _statuses: Tally[str | None] = attrs.field(factory=Tally[str | None])
    _methods: Tally[str | None] = attrs.field(factory=Tally[str | None])
    _pairs: Tally[tuple[str | None, str | None]] = attrs.field(factory=Tally[tuple[str | None, str | None]])
    _codes: Tally[str | None] = attrs.field(factory=Tally[str | None])
    _first: dict[str | None, DistributionError] = attrs.field(factory=dict)
    _days: dict[date, _Day] = attrs.field(factory=dict)
    _undated: int = 0
    _unlisted: int = 0
    _hand_over: dict[HandOver, int] = attrs.field(factory=lambda: dict.fromkeys(HandOver, 0))
    _agencies: Tally[tuple[str | None, str | None]] = attrs.field(factory=Tally[tuple[str | None, str | None]])
    _distribution: Stopwatch = attrs.field(factory=Stopwatch)
    _activation: Stopwatch = attrs.field(factory=Stopwatch)

    def add(self, record: InvoiceDistribution) -> None:
        """Count one record."""
        dates, control = record.dates, record.payment_control
        state = HandOver.of(control)
        self.records += 1
        self._statuses.add(record.distribution_status)
        self._methods.add(record.distribution_method)
        self._pairs.add((record.distribution_status, record.distribution_method))
        self._hand_over[state] += 1
        self._agencies.add((control.agency, control.status))
        self._distribution.add(dates.created_at, dates.distributed_at)
        self._activation.add(dates.created_at, dates.payment_control_activated_at)
        if record.errors:
            self._add_errors(record.errors)
        self._add_day(record, state)

    def _add_errors(self, errors: tuple[DistributionError, ...]) -> None:
        self.with_errors += 1
        for error in errors:
            self._codes.add(error.error_code)
            if error.error_code not in self._first and len(self._first) < NAMED:
                self._first[error.error_code] = error

    def _add_day(self, record: InvoiceDistribution, state: HandOver) -> None:
        created = record.dates.created_at
        if created is None:
            self._undated += 1
            return
        day = self._days.get(created.date())
        if day is None:
            if len(self._days) >= _DAYS_KEPT:
                self._unlisted += 1
                return
            day = self._days[created.date()] = _Day()
        day.add(record, state)

    def done(self) -> DeliveryResults:
        """Return what was counted."""
        codes = self._codes.done()
        return DeliveryResults(
            records=self.records,
            with_errors=self.with_errors,
            by_status=self._statuses.done(),
            by_method=self._methods.done(),
            by_status_and_method=self._pairs.done(),
            error_codes=tuple(
                ErrorCount(code, count, self._first[code].error_type, self._first[code].error_description)
                for code, count in codes.rows
            ),
            other_errors=codes.others,
            days=tuple(self._days[day].done(day) for day in sorted(self._days)),
            undated=self._undated,
            unlisted_days=self._unlisted,
            by_hand_over=self._hand_over,
            by_agency_and_status=self._agencies.done(),
            distribution=self._distribution.done(),
            activation=self._activation.done(),
        )
