"""The records: what one invoice's distribution looks like, as immutable values.

Attribute names are the wire's, in snake_case. Every field may be None where the contract leaves it open;
open sets (status, method, agency, error code) stay strings, since no page lists their values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MemberDescriptorType
from typing import NoReturn

import attrs

from ._shown import shown
from .windows import DateWindow


class Extra(dict[str, object]):
    """Unknown fields as they came: a dict that refuses to change."""

    __slots__ = ()

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("the unknown fields of a record cannot be changed")

    __setitem__ = __delitem__ = _refuse
    clear = pop = popitem = setdefault = update = __ior__ = _refuse  # pyright: ignore[reportAssignmentType]  # on purpose

    def __reduce__(self) -> tuple[type[Extra], tuple[dict[str, object]]]:
        return type(self), (dict(self),)

    def copy(self) -> Extra:
        return self


NO_EXTRA = Extra()


def _freeze(fields: Mapping[str, object]) -> Extra:
    return fields if isinstance(fields, Extra) else Extra(fields) if fields else NO_EXTRA


def _names_only(value: object) -> str:
    """Show unknown fields by name only: their values are not ours to print."""
    return f"<{', '.join(sorted(value))}>" if isinstance(value, Mapping) and value else "{}"


def _as_tuple(values: Iterable[DistributionError]) -> tuple[DistributionError, ...]:
    return tuple(values)


class _Immutable:
    """Refuses deletion too: `on_setattr` alone leaves `del record.x` open."""

    __slots__ = ()

    def __delattr__(self, name: str) -> NoReturn:
        raise attrs.exceptions.FrozenAttributeError


@attrs.define(on_setattr=attrs.setters.frozen, unsafe_hash=True)
class DistributionDates(_Immutable):
    """When things happened to the invoice.

    Aware and in UTC where the wire has a zone, naive where it has none; a bare date is its midnight.
    A fraction finer than a microsecond is cut, never rounded.
    """

    __repr__ = shown

    created_at: datetime | None = None
    printed_at: datetime | None = None
    distributed_at: datetime | None = None
    payment_control_activated_at: datetime | None = None
    extra: Extra = attrs.field(default=NO_EXTRA, converter=_freeze, hash=False, repr=_names_only)


@attrs.define(on_setattr=attrs.setters.frozen, unsafe_hash=True)
class DistributionFile(_Immutable):
    """The related file; whether its `url` needs the key, and how long it lives, is unknown."""

    __repr__ = shown

    url: str | None = None
    extra: Extra = attrs.field(default=NO_EXTRA, converter=_freeze, hash=False, repr=_names_only)


@attrs.define(on_setattr=attrs.setters.frozen, unsafe_hash=True)
class PaymentControl(_Immutable):
    """The hand-over to payment control; keep `case_id`, case details are fetched with it."""

    __repr__ = shown

    enabled: bool | None = None
    agency: str | None = None
    status: str | None = None
    case_id: str | None = None
    extra: Extra = attrs.field(default=NO_EXTRA, converter=_freeze, hash=False, repr=_names_only)


@attrs.define(on_setattr=attrs.setters.frozen, unsafe_hash=True)
class DistributionError(_Immutable):
    """One reason why the invoice did not reach its debtor."""

    __repr__ = shown

    error_code: str | None = None
    error_description: str | None = None
    error_type: str | None = None
    extra: Extra = attrs.field(default=NO_EXTRA, converter=_freeze, hash=False, repr=_names_only)


NO_DATES, NO_FILE, NO_PAYMENT_CONTROL = DistributionDates(), DistributionFile(), PaymentControl()


@attrs.define(on_setattr=attrs.setters.frozen, unsafe_hash=True)
class InvoiceDistribution(_Immutable):
    """How and when one invoice was produced and sent.

    `invoice_number` is text, as on the neighbouring endpoints: ``7`` arrives as ``"7"``, ``"007"`` stays.
    `dates`, `file` and `payment_control` are always there, so that reading on never fails: an object that
    came as null or not at all is one of Nones, and its wire name is in `absent`.
    """

    __repr__ = shown

    invoice_number: str | None = None
    distribution_status: str | None = None
    distribution_method: str | None = None
    distribution_message: str | None = None
    dates: DistributionDates = NO_DATES
    file: DistributionFile = NO_FILE
    payment_control: PaymentControl = NO_PAYMENT_CONTROL
    errors: tuple[DistributionError, ...] = attrs.field(default=(), converter=_as_tuple)
    extra: Extra = attrs.field(default=NO_EXTRA, converter=_freeze, hash=False, repr=_names_only)
    absent: frozenset[str] = attrs.field(default=frozenset(), converter=frozenset, kw_only=True)


class _Part:
    """A field whose value may wait in the form in which it came; it is made when it is first read.

    Most readers of a record look at a part or two of it, and what is not made costs nothing.
    """

    def __init__(self, slot: MemberDescriptorType) -> None:
        self.slot = slot
        self._get, self._set = slot.__get__, slot.__set__

    def __get__(self, record: InvoiceDistribution | None, owner: type | None = None) -> object:
        if record is None:
            return self
        value = self._get(record)
        if not isinstance(value, _Immutable):
            value = value.made()
            self._set(record, value)
        return value

    def __set__(self, record: InvoiceDistribution, value: object) -> None:
        self._set(record, value)


WAITING_PARTS = ("dates", "file", "payment_control")
for _name in WAITING_PARTS:
    setattr(InvoiceDistribution, _name, _Part(vars(InvoiceDistribution)[_name]))


@attrs.define(on_setattr=attrs.setters.frozen, unsafe_hash=True)
class AppliedFilters(_Immutable):
    """The service's echo of the filters it applied, as it came.

    The dates are text: the service documents no format for them here. A value of an unexpected type is
    None here and kept in `extra`: an unreadable echo proves nothing, but is no error.
    """

    __repr__ = shown

    invoice_number: str | None = None
    from_inv_date: str | None = None
    to_inv_date: str | None = None
    fetch_type: str | None = None
    default_last30_days_applied: bool | None = None
    extra: Extra = attrs.field(default=NO_EXTRA, converter=_freeze, hash=False, repr=_names_only)


NO_FILTERS = AppliedFilters()


@attrs.define(on_setattr=attrs.setters.frozen, unsafe_hash=True)
class DistributionMetadata(_Immutable):
    """What the service says about the whole answer; whether `total_count` counts the page is unknown."""

    __repr__ = shown

    total_count: int | None = None
    successful_count: int | None = None
    failed_count: int | None = None
    filters_applied: AppliedFilters = NO_FILTERS
    extra: Extra = attrs.field(default=NO_EXTRA, converter=_freeze, hash=False, repr=_names_only)
    absent: frozenset[str] = attrs.field(default=frozenset(), converter=frozenset, kw_only=True)


@attrs.frozen
class DistributionPage:
    """One answer: its records in the order they came, less those already delivered.

    `window`: the days asked for, or None when no dates were sent. `number`: counts the answers of this
    window that were delivered, from 1. `metadata`: the service's own counts and echo.
    """

    __repr__ = shown

    window: DateWindow | None
    number: int
    invoices: tuple[InvoiceDistribution, ...]
    metadata: DistributionMetadata
