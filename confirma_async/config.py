"""Settings, and every belief about the service that no page confirms."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date, datetime
from enum import Enum
from typing import Literal, TypeVar

import attrs

from ._checks import require_count, require_number, require_text
from ._shown import shown
from .errors import ConfigurationError

ENVIRONMENT_VARIABLE = "CONFIRMA_ENVIRONMENT"
DEFAULT_MAX_RESPONSE_BYTES = 64 * 1024 * 1024
_C = TypeVar("_C")
_LONGEST_NAME = 40


class Environment(Enum):
    """Where the service lives; a key belongs to one environment (the vendor's public pages)."""

    PRODUCTION = "https://integrations.confirmafinance.com"
    STAGING = "https://staging-integrations.confirmafinance.com"

    @classmethod
    def named(cls, value: object) -> Environment:
        """Return the environment of that name; None reads ``CONFIRMA_ENVIRONMENT`` and defaults to production."""
        if isinstance(value, cls):
            return value
        name = (os.environ.get(ENVIRONMENT_VARIABLE) or cls.PRODUCTION.name) if value is None else value
        if isinstance(name, str) and name.upper() in cls.__members__:
            return cls[name.upper()]
        shown = (
            repr(str(name)) if isinstance(name, str) and name.isprintable() and len(name) < _LONGEST_NAME else "given"
        )
        known = " or ".join(member.lower() for member in cls.__members__)
        raise ConfigurationError(f"unknown environment {shown}: use {known}")


def _positive(instance: object, attribute: attrs.Attribute[float], value: object) -> None:
    require_number(f"{type(instance).__name__}.{attribute.name}", value)


def _zero_or_more(instance: object, attribute: attrs.Attribute[float], value: object) -> None:
    require_number(f"{type(instance).__name__}.{attribute.name}", value, inclusive=True)


def _counted(instance: object, attribute: attrs.Attribute[int], value: object) -> None:
    require_count(f"{type(instance).__name__}.{attribute.name}", value)


def _first_page(instance: object, attribute: attrs.Attribute[int], value: object) -> None:
    require_count(f"{type(instance).__name__}.{attribute.name}", value, minimum=0)


def _flag(instance: object, attribute: attrs.Attribute[bool], value: object) -> None:
    if not isinstance(value, bool):
        raise ConfigurationError(f"{type(instance).__name__}.{attribute.name} must be True or False")


def _one_of(*choices: str | None) -> Callable[[object, attrs.Attribute[_C], object], None]:
    def validate(instance: object, attribute: attrs.Attribute[_C], value: object) -> None:
        if value not in choices:
            known = " or ".join(map(repr, choices))
            raise ConfigurationError(f"{type(instance).__name__}.{attribute.name} must be {known}")

    return validate


def _texts(instance: object, attribute: attrs.Attribute[str], value: object) -> None:
    require_text(f"{type(instance).__name__}.{attribute.name}", value)


@attrs.frozen
class Timeouts:
    """Limits of one attempt, in seconds; all are defaults of ours.

    `connect`: name, address and TLS. `read`: between two pieces of the answer. `total`: the whole attempt.
    """

    __repr__ = shown

    connect: float = attrs.field(default=5.0, validator=_positive)
    read: float = attrs.field(default=30.0, validator=_positive)
    total: float = attrs.field(default=60.0, validator=_positive)


@attrs.frozen
class RetryPolicy:
    """What is tried again and for how long; all are defaults of ours, the service documents none.

    `max_attempts`: requests of one call at most, the first included (a replay after a key renewal is not
    counted). `deadline`: seconds of attempts and sleeps of one call, from its first slot. `initial_wait`,
    `max_wait`: the n-th sleep is random between 0 and ``min(max_wait, initial_wait * 2**(n-1))`` seconds.
    `max_retry_after`: a longer ``Retry-After`` fails at once. `budget`: retries that the client as a whole
    can spend in an outage; every success gives back a fifth of a retry, every minute all of them.
    """

    __repr__ = shown

    max_attempts: int = attrs.field(default=5, validator=_counted)
    deadline: float = attrs.field(default=120.0, validator=_positive)
    initial_wait: float = attrs.field(default=0.5, validator=_zero_or_more)
    max_wait: float = attrs.field(default=30.0, validator=_zero_or_more)
    max_retry_after: float = attrs.field(default=60.0, validator=_zero_or_more)
    budget: int = attrs.field(default=50, validator=_counted)


@attrs.frozen
class Paging:
    """How the service cuts long answers; make one with `auto`, `numbered` or `off`."""

    __repr__ = shown

    mode: Literal["auto", "numbered", "off"] = attrs.field(default="auto", validator=_one_of("auto", "numbered", "off"))
    page: str = attrs.field(default="page", validator=_texts)
    size: str = attrs.field(default="pageSize", validator=_texts)
    per_page: int = attrs.field(default=100, validator=_counted)
    first: int = attrs.field(default=1, validator=_first_page)

    def __attrs_post_init__(self) -> None:
        if self.page == self.size:
            raise ConfigurationError("Paging: the page and its size need names of their own")

    @classmethod
    def auto(cls) -> Paging:
        """Believe nothing: ask plainly, compare with the total, and find out how the rest is to be had."""
        return cls()

    @classmethod
    def numbered(cls, page: str = "page", size: str = "pageSize", per_page: int = 100, first: int = 1) -> Paging:
        """Declare pages by number: query names, records per page, number of the first page.

        The names and the count are those of the vendor's other API; unknown for this endpoint.
        """
        return cls("numbered", page, size, per_page, first)

    @classmethod
    def off(cls) -> Paging:
        """Declare that one window has one answer."""
        return cls("off")


@attrs.frozen
class ServiceProfile:
    """Every belief about the service that no page confirms, each with its evidence.

    Whatever turns out otherwise is one argument here, not a new release. `evidence(name)` says what a
    default rests on. `unique_by="invoice_number"`: of several rows with one number the first stays.
    """

    __repr__ = shown

    from_name: str = attrs.field(
        default="fromInvDate", validator=_texts, metadata={"evidence": "named by the echo `filtersApplied`"}
    )
    to_name: str = attrs.field(
        default="toInvDate", validator=_texts, metadata={"evidence": "named by the echo `filtersApplied`"}
    )
    invoice_number_name: str = attrs.field(
        default="invoiceNumber", validator=_texts, metadata={"evidence": "named by the echo `filtersApplied`"}
    )
    fetch_type_name: str = attrs.field(
        default="fetchType", validator=_texts, metadata={"evidence": "named by the echo `filtersApplied`"}
    )
    page_name: str = attrs.field(
        default="page",
        validator=_texts,
        metadata={"evidence": "the vendor's other API pages so, from 1; a hint"},
    )
    end_inclusive: bool = attrs.field(
        default=True,
        validator=_flag,
        metadata={"evidence": "unknown; totals cannot reveal an exclusive end"},
    )
    time_zone: str = attrs.field(
        default="Europe/Helsinki",
        validator=_texts,
        metadata={"evidence": "unknown; the vendor is Finnish. Decides what `today` is, nothing else"},
    )
    renew_key_field: str = attrs.field(
        default="Message",
        validator=_texts,
        metadata={"evidence": "the only field on the renew endpoint's page; compared without case"},
    )
    unique_by: Literal["invoice_number"] | None = attrs.field(
        default=None,
        validator=_one_of(None, "invoice_number"),
        metadata={"evidence": "unknown whether one invoice can have several rows"},
    )

    def __attrs_post_init__(self) -> None:
        if len(self.query_names) != len(attrs.fields(type(self))[:5]):
            raise ConfigurationError("ServiceProfile: two query parameters have the same name")

    @property
    def query_names(self) -> frozenset[str]:
        """The names of the query parameters that the client sets itself."""
        return frozenset({self.from_name, self.to_name, self.invoice_number_name, self.fetch_type_name, self.page_name})

    def evidence(self, name: str) -> str:
        """Return what the default of that belief rests on."""
        return str(attrs.fields_dict(type(self))[name].metadata["evidence"])

    def today(self) -> date:
        """Return the current day in the profile's time zone."""
        from zoneinfo import ZoneInfo  # only open ranges need it, and importing the package must stay cheap

        try:
            return datetime.now(ZoneInfo(self.time_zone)).date()
        except (KeyError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError
            raise ConfigurationError(
                f"unknown time zone {self.time_zone!r}: correct ServiceProfile.time_zone, give to_date,"
                " or install the tzdata package"
            ) from None

    def rests_on(self) -> tuple[str, ...]:
        """Name the beliefs that no answer can confirm or refute."""
        side = "inside" if self.end_inclusive else "outside"
        return (f"the end date of a window is {side} the range ({self.evidence('end_inclusive')})",)
