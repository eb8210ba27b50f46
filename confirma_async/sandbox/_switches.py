"""What a sandbox can be told to do, one validated field each."""

import math
from collections.abc import Callable, Collection
from datetime import date, datetime
from typing import Any, Literal

from attrs import Attribute, define, field, setters

from confirma_async.sandbox._ledger import CountSource
from confirma_async.sandbox._numbers import NumberStyle
from confirma_async.sandbox._rows import TimestampStyle

Row = dict[str, object]
Mutation = Callable[[Row], Row | None]
_Validator = Callable[[object, "Attribute[Any]", object], None]


def _one_of(*allowed: object) -> _Validator:
    def check(_: object, attribute: "Attribute[Any]", value: object) -> None:
        if isinstance(value, bool) or value not in allowed:
            raise ValueError(f"{attribute.name} must be one of {', '.join(map(repr, allowed))}, not {value!r}")

    return check


def _whole(low: int, high: float = math.inf, *, optional: bool = False) -> _Validator:
    def check(_: object, attribute: "Attribute[Any]", value: object) -> None:
        if optional and value is None:
            return
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            upper = "" if high == math.inf else f" to {high}"
            raise ValueError(f"{attribute.name} must be a whole number from {low}{upper}, not {value!r}")

    return check


def _flag(_: object, attribute: "Attribute[Any]", value: object) -> None:
    if not isinstance(value, bool):
        raise ValueError(f"{attribute.name} must be True or False, not {value!r}")  # noqa: TRY004


def _seconds(_: object, attribute: "Attribute[Any]", value: object) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 <= value < math.inf:  # type: ignore[operator]
        raise ValueError(f"{attribute.name} must be seconds from 0, not {value!r}")


def _counts(_: object, attribute: "Attribute[Any]", value: object) -> None:
    pass


@define(eq=False, kw_only=True)
class Switches:
    """The behaviour of a sandbox."""

    invoices_per_day: CountSource = field(default=50, kw_only=False, on_setattr=setters.frozen)
    paging: Literal["none", "number", "cut"] = field(
        default="none", kw_only=False, validator=_one_of("none", "number", "cut")
    )
