"""Refusals of arguments, each with the name, the rule and the value."""

from __future__ import annotations

import math
from datetime import date, datetime

from confirma_async.errors import ConfigurationError


def require_one_of(name: str, value: object, allowed: tuple[object, ...]) -> None:
    """Refuse what is not one of these."""
    if isinstance(value, bool) or value not in allowed:
        raise ConfigurationError(f"{name} must be one of {', '.join(map(repr, allowed))}, not {value!r}")


def require_whole(name: str, value: object, low: int, high: float = math.inf) -> None:
    """Refuse what is not a whole number from `low` to `high`, both inside."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        bounds = f"from {low}" if high == math.inf else f"from {low} to {high}"
        raise ConfigurationError(f"{name} must be a whole number {bounds}, not {value!r}")


def require_seconds(name: str, value: object) -> None:
    """Refuse what is not a finite number of seconds from 0."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < math.inf:
        raise ConfigurationError(f"{name} must be finite seconds from 0, not {value!r}")


def require_flag(name: str, value: object) -> None:
    """Refuse what is neither True nor False."""
    if not isinstance(value, bool):
        raise ConfigurationError(f"{name} must be True or False, not {value!r}")


def require_day(name: str, value: object) -> None:
    """Refuse what is not a plain date."""
    if not isinstance(value, date) or isinstance(value, datetime):
        raise ConfigurationError(f"{name} must be a datetime.date, not {value!r}")


def require_callable(name: str, value: object) -> None:
    """Refuse what cannot be called."""
    if not callable(value):
        raise ConfigurationError(f"{name} must be callable, not {value!r}")
