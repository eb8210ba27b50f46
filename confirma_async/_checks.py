"""What is refused before anything is sent, and what is masked before anything can fail."""

from __future__ import annotations

import ipaddress
import math
import os
import re
import sys
from collections.abc import Mapping
from typing import NoReturn, SupportsIndex
from urllib.parse import urlsplit

from .errors import ConfigurationError

KEY_VARIABLE = "CONFIRMA_API_KEY"
_LONGEST_KEY = 4096
_VISIBLE_ASCII = re.compile(r"[!-~]+")
_HIGHEST_PORT = 65535
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_LONGEST_HOST = 253


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
