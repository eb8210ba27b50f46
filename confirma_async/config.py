"""Settings, and every belief about the service that no page confirms."""

from __future__ import annotations

import ipaddress
import math
import os
import re
import sys
from collections.abc import Callable, Mapping
from datetime import date, datetime
from enum import Enum
from typing import Literal, NoReturn, SupportsIndex, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import attrs

from .errors import ConfigurationError

KEY_VARIABLE = "CONFIRMA_API_KEY"
ENVIRONMENT_VARIABLE = "CONFIRMA_ENVIRONMENT"
DEFAULT_MAX_RESPONSE_BYTES = 64 * 1024 * 1024
_LONGEST_KEY = 4096
_VISIBLE_ASCII = re.compile(r"[!-~]+")
_C = TypeVar("_C")
_HIGHEST_PORT = 65535
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_LONGEST_HOST = 253
_LONGEST_NAME = 40


class Secret(str):
    """A key: an ordinary string on the wire, masked wherever it would be shown."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("a key is not pickled: make a new client where you need one")


class _Unusable:
    """Stands in for a secret of the wrong type."""

    def __init__(self, value: object) -> None:
        self.kind = type(value).__name__

    def __repr__(self) -> str:
        return "'***'"


def masked(value: object) -> object:
    """Return text masked, bytes hidden, anything else as it is: for variables that a traceback may show."""
    if isinstance(value, str):
        return Secret(value)
    return _Unusable(value) if isinstance(value, bytes | bytearray) else value


def require_key(value: object) -> Secret:
    """Return the key if it can be sent as a header; the message never shows it."""
    value = masked(value)
    if not isinstance(value, Secret):
        kind = value.kind if isinstance(value, _Unusable) else type(value).__name__
        raise ConfigurationError(f"the API key must be text, not {kind}")
    if not value:
        raise ConfigurationError("the API key is empty")
    if len(value) > _LONGEST_KEY or not _VISIBLE_ASCII.fullmatch(value):
        raise ConfigurationError(
            "the API key holds white space, control or non-ASCII characters, or is too long: check how it was copied"
        )
    return value


def key_from_environment() -> Secret:
    """Return the key in ``CONFIRMA_API_KEY``."""
    value = masked(os.environ.get(KEY_VARIABLE))
    if not value:
        raise ConfigurationError(f"no API key: pass api_key or set {KEY_VARIABLE}")
    return require_key(value)


def require_number(name: str, value: object, *, above: float = 0.0, inclusive: bool = False) -> float:
    """Return `value` as a float if it is a finite number above (or at) a bound."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigurationError(f"{name} must be a number, not {type(value).__name__}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or number < above or (number == above and not inclusive):
        raise ConfigurationError(f"{name} must be {'at least' if inclusive else 'more than'} {above:g}, not {number}")
    return number


def require_count(name: str, value: object, *, minimum: int = 1) -> int:
    """Return `value` if it is a whole number, `minimum` or more."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ConfigurationError(f"{name} must be a whole number, not {type(value).__name__}")
    if not minimum <= value <= sys.maxsize:
        raise ConfigurationError(f"{name} must be {minimum} or more, and no astronomical number")
    return value


def require_text(name: str, value: object) -> str:
    """Return `value` if it is text that a query can carry."""
    if not isinstance(value, str):
        raise ConfigurationError(f"{name} must be text, not {type(value).__name__}")
    if not value.strip() or not value.isprintable():
        raise ConfigurationError(f"{name} must be printable text and not empty")
    return value


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


def require_base_url(value: object) -> str:
    """Return an address without trailing slash: https anywhere, http on loopback only."""
    value = masked(value)  # it may hold a password
    problem = _problem_of_base_url(value)
    if problem is not None:
        raise ConfigurationError(f"base_url {problem}")
    return str(value).rstrip("/")


def _problem_of_base_url(value: object) -> str | None:
    if not isinstance(value, str) or not _VISIBLE_ASCII.fullmatch(value) or "\\" in value:
        return "must be an absolute address in plain ASCII, such as https://host"
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        return "is not an address: its host or port cannot be read"
    if parts.username is not None or parts.password is not None:
        return "must not hold a user name or password"
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return "must start with https:// (or http:// on loopback) and name a host"
    if not _is_host(parts.hostname):
        return "names a host that cannot exist"
    if parts.query or parts.fragment or "?" in value or "#" in value:
        return "must end with its path: no query, no fragment"
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        return "is plain http, which would show the key to the network: use https (http is for loopback)"
    if port is not None and not 0 < port <= _HIGHEST_PORT:
        return f"has a port outside 1 to {_HIGHEST_PORT}"
    return None


def _is_host(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        labels = host.removesuffix(".").split(".")
        return all(map(_LABEL.fullmatch, labels)) and not labels[-1].isdigit() and len(host) <= _LONGEST_HOST
    return True


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


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

    max_attempts: int = attrs.field(default=5, validator=_counted)
    deadline: float = attrs.field(default=120.0, validator=_positive)
    initial_wait: float = attrs.field(default=0.5, validator=_zero_or_more)
    max_wait: float = attrs.field(default=30.0, validator=_zero_or_more)
    max_retry_after: float = attrs.field(default=60.0, validator=_zero_or_more)
    budget: int = attrs.field(default=50, validator=_counted)


@attrs.frozen
class Paging:
    """How the service cuts long answers; make one with `auto`, `numbered` or `off`."""

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


def require_params(params: Mapping[str, str] | None, taken: frozenset[str]) -> tuple[tuple[str, str], ...]:
    """Return extra query parameters as pairs; names that the client sets itself are refused."""
    if params is None:
        return ()
    if not isinstance(params, Mapping):
        raise ConfigurationError("params must be a mapping of text to text")
    pairs = tuple((require_text("a name in params", name), value) for name, value in params.items())
    for name, value in pairs:
        if not isinstance(value, str):
            raise ConfigurationError(f"params[{name!r}] must be text, not {type(value).__name__}")
        if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
            raise ConfigurationError(f"params[{name!r}] holds half a surrogate pair")
        if name in taken:
            raise ConfigurationError(f"params must not set {name!r}: it has an argument of its own")
    return pairs


def require_proxy(value: object) -> Secret:
    """Return the address of an HTTP proxy; it may hold a password, so it is masked like a key."""
    value = masked(value)
    if not isinstance(value, Secret) or not _is_proxy(value):
        raise ConfigurationError("proxy must be an absolute http:// address")
    return value


def _is_proxy(value: str) -> bool:
    try:
        parts = urlsplit(value)
        return (
            _VISIBLE_ASCII.fullmatch(value) is not None
            and parts.scheme in {"http", "https"}
            and bool(parts.hostname)
            and parts.port != 0
        )
    except ValueError:
        return False
